"""`share`: fair shares of GPU time."""

from __future__ import annotations

from typing import Annotated

import typer

from x121lib.cli.output import refusals, say, show_frame
from x121lib.studio import Studio

share_app = typer.Typer(no_args_is_help=True, help="Fair shares of GPU time between projects and people.")


@share_app.command("list")
def share_list(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List who used how much of the GPU time of the last 24 hours, and what is fair."""
    with refusals(), Studio.open() as studio:
        frame = studio.shares.list()
        if not as_json:
            for column in ("used", "fair", "excess"):
                frame[column] = [f"{v:.0%}" for v in frame[column]]
        show_frame(frame, as_json=as_json, empty="Nobody used GPU time or waits for it.")


@share_app.command("set")
def share_set(
    weight: Annotated[float, typer.Argument(help="Everybody's is 1; 2 is twice as much.")],
    project: Annotated[str | None, typer.Option(help="A project.")] = None,
    person: Annotated[str | None, typer.Option(help="A person's e-mail address.")] = None,
) -> None:
    """Set the weight of a project's or person's share."""
    with refusals(), Studio.open() as studio:
        studio.shares.set(weight, project=project, person=person)
        say(f"The share of {project or person} has the weight {weight:g}.")
