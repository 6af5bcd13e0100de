"""`export`, `report`, `doctor`, `uninstall`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from x121lib.base.settings import Settings
from x121lib.cli.output import note, out, refusals, say, show
from x121lib.studio import Studio
from x121lib.studio.database import uninstall as remove_studio
from x121lib.studio.reports import report_names, run_report


def export(project: str, to: Annotated[Path, typer.Option(help="The .duckdb file to write.")]) -> None:
    """Write a DuckDB file of clear tables for analysts."""
    with refusals(), Studio.open() as studio:
        report = studio.doors.export(to, project=project)
        rows = ", ".join(f"{n} {table}" for table, n in report.n_rows.items())
        note(f"{rows}; {report.n_bytes} bytes in {report.wall_s:.1f} s")
        say(str(report.path))


def report(
    name: Annotated[str, typer.Argument(help="Name of a notebook, e.g. production_report.")],
    parameter: Annotated[list[str] | None, typer.Option("-p", help="key=value; repeat for more.")] = None,
    to: Annotated[Path | None, typer.Option("--out", help="The HTML file to write.")] = None,
) -> None:
    """Run a report's notebook with parameters and write it as HTML."""
    with refusals(), Studio.open() as studio:
        pairs = dict(item.partition("=")[::2] for item in parameter or [])
        if name not in report_names():
            note(f"x121: there is no report '{name}'. Reports: {', '.join(report_names())}.")
            raise typer.Exit(1)
        say(str(run_report(studio.settings, name, pairs, to)))


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say what is well, what is not, and what to do."""
    with refusals(), Studio.open() as studio:
        findings = studio.doors.examine()
    if as_json:
        show([f.__dict__ for f in findings], as_json=True)
    for finding in findings if not as_json else ():
        mark = "[green]well[/]" if finding.ok else "[red]not well[/]"
        out.print(f"{mark:>8}  {finding.what.replace('[', chr(92) + '[')}")
        if not finding.ok and finding.todo:
            out.print(f"          → {finding.todo}", markup=False)
    if not all(f.ok for f in findings):
        raise typer.Exit(1)


def uninstall(
    purge: Annotated[bool, typer.Option("--purge", help="Delete the database and all of X121_HOME too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Stop the embedded database; with --purge, delete everything that the studio owns on this machine."""
    settings = Settings()
    if purge and not yes:
        typer.confirm(f"Delete the database and {settings.home} with all of its files?", abort=True)
    with refusals():
        for path in remove_studio(settings, purge=purge):
            say(f"Deleted: {path}")
        say("The studio is stopped. 'pip uninstall x121' removes the program.")
