"""`qa`: thresholds tried on what was measured, and how far gates and reviewers agree."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from x121lib.cli.output import note, refusals, show_frame
from x121lib.studio import Studio
from x121lib.studio.quality import effects, in_words

qa_app = typer.Typer(no_args_is_help=True, help="Quality gates: try thresholds, compare gates with reviewers.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Project = Annotated[str | None, typer.Option(help="Only this project.")]


@qa_app.command("try")
def try_(
    file: Annotated[Path, typer.Argument(help="A QA profile's TOML file; nothing is changed.")],
    of: Annotated[str | None, typer.Option(help="The profile whose takes are looked at; default: the file's.")] = None,
    days: Annotated[float, typer.Option(help="How far to look back.")] = 7,
    project: Project = None,
    as_json: Json = False,
) -> None:
    """Say what a profile's thresholds would have said of the takes of the last days, gate by gate."""
    with refusals(), Studio.open() as studio:
        found = studio.quality.what_if(file, of=of, days=days, project=project)
        show_frame(effects(found), as_json=as_json)
        note(in_words(found, days))


@qa_app.command("agreement")
def agreement(
    days: Annotated[float, typer.Option(help="How far to look back.")] = 90,
    project: Project = None,
    as_json: Json = False,
) -> None:
    """Show each gate's precision and recall against the reviewers' decisions, with 95 % intervals."""
    with refusals(), Studio.open() as studio:
        found = studio.quality.agreement(days=days, project=project)
        shown = found if as_json else found.drop(columns=["label"])
        show_frame(shown, as_json=as_json, empty="Nothing was approved or rejected in this time.")
