"""`tier`: quality tiers, and the same scene at a higher one."""

from __future__ import annotations

from typing import Annotated

import typer

from x121lib.catalogue.tiers import TierTerms
from x121lib.cli.cells import Cells, Names, Types, Variants, cells_of
from x121lib.cli.output import refusals, say, show_frame
from x121lib.pipeline.submission import Selection
from x121lib.studio import Studio

tier_app = typer.Typer(no_args_is_help=True, help="Quality tiers: list, set, remove; the same scene at a higher one.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@tier_app.command("list")
def tier_list(as_json: Json = False) -> None:
    """List the tiers from the lowest to the highest."""
    with refusals(), Studio.open() as studio:
        show_frame(studio.tiers.list(), as_json=as_json, empty="There is no tier.")


@tier_app.command("set")
def tier_set(
    name: str,
    resolution: Annotated[float | None, typer.Option(help="Each side times this, 0.1 to 4.")] = None,
    steps: Annotated[float | None, typer.Option(help="Steps times this, 0.1 to 4.")] = None,
    deliverable: Annotated[
        bool | None, typer.Option("--deliverable/--not-deliverable", help="Whether it is delivered.")
    ] = None,
    rank: Annotated[int | None, typer.Option(help="Place among the tiers, from 1; a new one is the highest.")] = None,
) -> None:
    """Make a tier, or change one."""
    with refusals(), Studio.open() as studio:
        studio.tiers.set(name, TierTerms(resolution, steps, deliverable, rank))
        say(f"Tier '{name}' is set.")


@tier_app.command("remove")
def tier_remove(name: str) -> None:
    """Remove a tier that nothing uses."""
    with refusals(), Studio.open() as studio:
        studio.tiers.remove(name)
        say(f"Tier '{name}' is removed.")


@tier_app.command("raise")
def tier_raise(
    project: str,
    tier: Annotated[str, typer.Option(help="The higher tier.")],
    characters: Names = None,
    scene_types: Types = None,
    variants: Variants = None,
    cell: Cells = None,
) -> None:
    """Make finished scenes again at a higher tier: same workflow version, seeds, prompts and parameters."""
    with refusals(), Studio.open() as studio:
        chosen = Selection(
            tuple(characters or ()), tuple(scene_types or ()), tuple(variants or ()), tier, cells=cells_of(cell)
        )
        scenes, takes = studio.tiers.raise_scenes(project, chosen)
        say(f"{scenes} scenes are queued at '{tier}', {takes} takes.")


@tier_app.command("compare")
def tier_compare(project: str, character: str, scene_type: str, variant: str, as_json: Json = False) -> None:
    """Compare a scene's takes at each tier: seed, size, GPU seconds and, with --json, scores."""
    with refusals(), Studio.open() as studio:
        frame = studio.tiers.compare(studio.project(project).scene(character, scene_type, variant).scene_id)
        shown = frame if as_json else frame.drop(columns=["workflow_version_id", "sha256", "scores"])
        show_frame(shown, as_json=as_json, empty="Nothing of it is made yet.")
