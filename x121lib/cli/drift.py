"""`drift`: how chains move away from their scenes' first frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress

from x121lib.base.errors import InvalidInputError
from x121lib.cli.output import refusals, show_frame
from x121lib.studio import Studio

_OF_SCENE = ["metric", "first", "last", "per_segment", "outcome", "breach", "forecast", "words"]


def drift(
    project: str,
    character: Annotated[str | None, typer.Argument(help="With SCENE_TYPE and VARIANT: one scene.")] = None,
    scene_type: Annotated[str | None, typer.Argument(help="Its scene type.")] = None,
    variant: Annotated[str | None, typer.Argument(help="Its image variant.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the drift meter of one scene, or the scenes of a project that drift past a limit or are about to."""
    with refusals(), Studio.open() as studio:
        names = [name for name in (character, scene_type, variant) if name is not None]
        handle = studio.project(project)
        if len(names) == 3:
            found = handle.scene(*names).drift()
            show_frame(found if as_json else found[_OF_SCENE], as_json=as_json)
        elif names:
            raise InvalidInputError("A scene has three names.", hint="Give CHARACTER, SCENE_TYPE and VARIANT, or none.")
        else:
            with _bar() as progress:
                found = handle.drift(progress)
            shown = found if as_json else found.drop(columns=["scene_id"])
            show_frame(shown, as_json=as_json, empty="No chain has passed a limit, and none is about to.")


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    """Show on stderr how many scenes are done."""
    with Progress(BarColumn(bar_width=40), MofNCompleteColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("drift")
        yield lambda done, total: bar.update(task, completed=done, total=total)
