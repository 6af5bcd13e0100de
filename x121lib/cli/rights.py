"""`person` and `release`."""

from __future__ import annotations

import uuid
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from x121lib.cli.output import refusals, say, show_frame
from x121lib.studio import Studio
from x121lib.studio.people import ReleaseInput

person_app = typer.Typer(no_args_is_help=True, help="People and their roles.")
release_app = typer.Typer(no_args_is_help=True, help="Likeness releases of performers.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]


@person_app.command("add")
def person_add(
    name: str,
    email: str,
    role: Annotated[list[str], typer.Option(help="Admin, Creator or Reviewer; repeat for more.")],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
) -> None:
    """Add a person who may sign in."""
    with refusals(), Studio.open() as studio:
        studio.people.add(name, email, role, password)
        say(f"{name} may sign in as {email}.")


@person_app.command("list")
def person_list(as_json: Json = False) -> None:
    """List the people."""
    with refusals(), Studio.open() as studio:
        show_frame(studio.people.list(), as_json=as_json)


@release_app.command("add")
def release_add(
    performer: str,
    document: Annotated[Path, typer.Option(help="The signed release: PDF, PNG or JPEG.")],
    valid_from: Day = None,
    valid_until: Day = None,
    variant: Annotated[list[str] | None, typer.Option(help="Variant kind covered; none given: all.")] = None,
    project: Annotated[list[str] | None, typer.Option(help="Project covered; none given: all.")] = None,
    transition: Annotated[list[str] | None, typer.Option(help="Transition mode covered.")] = None,
    legal_name: Annotated[str | None, typer.Option(help="Legal name; stored encrypted.")] = None,
    adult_verified: Annotated[
        bool, typer.Option("--adult-verified", help="You saw proof that the performer is an adult.")
    ] = False,
) -> None:
    """Record a performer's signed likeness release; adds the performer where they are new."""
    with refusals(), Studio.open() as studio:
        now = studio.house.now()
        given = ReleaseInput(
            performer=performer, document=document, legal_name=legal_name,
            valid_from=valid_from.astimezone() if valid_from else now,
            valid_until=valid_until.astimezone() if valid_until else None, variant_kinds=tuple(variant or ()),
            transition_modes=tuple(transition or ()), projects=tuple(project or ()),
            adult_verified_at=now if adult_verified else None,
        )  # fmt: skip
        say(f"Release {studio.people.add_release(given)} of {performer} is recorded.")


@release_app.command("revoke")
def release_revoke(release_id: uuid.UUID, reason: Annotated[str, typer.Option(help="Why; kept for good.")]) -> None:
    """Revoke a release: queued work that nothing covers any more is cancelled at once."""
    with refusals(), Studio.open() as studio:
        cancelled = studio.people.revoke_release(release_id, reason)
        say(f"The release is revoked; {cancelled} queued tasks were cancelled.")


@release_app.command("list")
def release_list(as_json: Json = False) -> None:
    """List the releases."""
    with refusals(), Studio.open() as studio:
        show_frame(studio.people.releases(), as_json=as_json, empty="No release yet: 'x121 release add PERFORMER'.")
