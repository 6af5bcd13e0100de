"""`redo`, `cancel`: cells of the matrix that went wrong or are under way."""

from __future__ import annotations

from typing import Annotated

import typer

from x121lib.base.errors import InvalidInputError
from x121lib.cli.output import refusals, say
from x121lib.pipeline.submission import Selection
from x121lib.studio import Studio

Names = Annotated[list[str] | None, typer.Option("--characters", "-c", help="Only this character; repeat for more.")]
Types = Annotated[list[str] | None, typer.Option("--scene-types", "-s", help="Only this scene type.")]
Variants = Annotated[list[str] | None, typer.Option("--variants", "-v", help="Only this variant kind.")]
Cells = Annotated[
    list[str] | None, typer.Option("--cell", help="CHARACTER/SCENE TYPE: only this cell; repeat for more.")
]


def cells_of(given: list[str] | None) -> tuple[tuple[str, str], ...]:
    """Return (character, scene type) of ``CHARACTER/SCENE TYPE``; a scene type's name has no slash."""
    found = []
    for item in given or ():
        character, _, scene_type = item.rpartition("/")
        if not character or not scene_type:
            raise InvalidInputError(f"'{item}' names no cell.", hint="Write CHARACTER/SCENE TYPE, e.g. Jane/dance.")
        found.append((character.strip(), scene_type.strip()))
    return tuple(found)


def redo(
    project: str, characters: Names = None, scene_types: Types = None, variants: Variants = None, cell: Cells = None
) -> None:
    """Make the failed and rejected scenes again, and nothing else: all of them, or those selected."""
    with refusals(), Studio.open() as studio:
        chosen = _selection(characters, scene_types, variants, cell)
        done = studio.project(project).redo(chosen)
        say(f"{done.failed} failed and {done.rejected} rejected scenes are queued again, {done.takes} takes.")
        for blocked in done.blocked:
            say(f"Left: {blocked}: {blocked.blocked}")


def cancel(
    project: str, characters: Names = None, scene_types: Types = None, variants: Variants = None, cell: Cells = None
) -> None:
    """Cancel scenes that are queued or running; finished segments stay, and a later submission goes on from them."""
    with refusals(), Studio.open() as studio:
        scenes, takes = studio.project(project).cancel_scenes(_selection(characters, scene_types, variants, cell))
        say(f"{scenes} scenes are cancelled, {takes} takes.")


def _selection(
    characters: list[str] | None, scene_types: list[str] | None, variants: list[str] | None, cells: list[str] | None
) -> Selection:
    return Selection(tuple(characters or ()), tuple(scene_types or ()), tuple(variants or ()), cells=cells_of(cells))
