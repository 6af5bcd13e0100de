"""`x121 db …`: upgrade, status, audit, dump, restore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from x121lib.base.errors import RefusedError
from x121lib.base.settings import Settings
from x121lib.cli.output import refusals, say, show
from x121lib.studio.database import StudioDatabase

app = typer.Typer(no_args_is_help=True, help="The database: upgrade, status, audit, dump, restore.")


@app.command()
def upgrade() -> None:
    """Bring the schema to this X121's version; backs up first, refuses a newer schema."""
    with refusals(), StudioDatabase(Settings()) as database:
        backup = database.upgrade()
        say(f"The schema is at {database.status().current}." + (f" Backup before it: {backup}" if backup else ""))


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say where the database stands."""
    with refusals(), StudioDatabase(Settings()) as database:
        show([database.facts()], as_json=as_json)


@app.command()
def audit(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check the queue's accounts: counters equal sums, no slot taken twice, nothing left behind."""
    with refusals(), StudioDatabase(Settings()) as database:
        faults = database.audit()
        show([{"fault": fault} for fault in faults], as_json=as_json)
        if faults:
            raise RefusedError(
                f"The audit found {len(faults)} faults in the queue.", hint="Keep a dump of it: 'x121 db dump'."
            )
        if not as_json:
            say("The queue's accounts are right.")


@app.command()
def dump(to: Path) -> None:
    """Write the whole database to a file (pg_dump's custom format)."""
    with refusals(), StudioDatabase(Settings()) as database:
        database.dump(to)
        say(f"Written: {to} ({to.stat().st_size} bytes)")


@app.command()
def restore(source: Path, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Replace the whole database by a dump; the present one is dumped first."""
    if not yes:
        typer.confirm("This replaces everything in the database. Go on?", abort=True)
    with refusals(), StudioDatabase(Settings()) as database:
        before = database.restore(source)
        say(f"Restored from {source}. What was there before: {before}")
