"""`estimate`: what a selection would cost, and how estimates stood the test."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import typer

from x121lib.base.errors import InvalidInputError
from x121lib.cli.cells import Cells, Names, Types, Variants, cells_of
from x121lib.cli.output import refusals, say, show_frame
from x121lib.pipeline.estimating import Estimate, Part
from x121lib.pipeline.submission import Selection
from x121lib.scheduling.prediction import Interval
from x121lib.studio import Studio


def estimate(
    project: Annotated[str | None, typer.Argument(help="The project.")] = None,
    characters: Names = None,
    scene_types: Types = None,
    variants: Variants = None,
    cell: Cells = None,
    tier: Annotated[str | None, typer.Option(help="Tier; the project's default if not given.")] = None,
    calibration: Annotated[bool, typer.Option("--calibration", help="How past estimates stood the test.")] = False,
    speeds: Annotated[
        bool, typer.Option("--speeds", help="What past takes needed, by workflow, tier, size and worker.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what submitting scenes would cost: GPU time with an 80 % interval, wall clock, disk; queue nothing."""
    with refusals(), Studio.open() as studio:
        if calibration:
            _calibration(studio, as_json=as_json)
            return
        if speeds:
            show_frame(studio.estimates.speeds(), as_json=as_json, empty="No take was made yet.")
            return
        if project is None:
            raise InvalidInputError("Name a project, or ask for --calibration.")
        chosen = Selection(
            tuple(characters or ()), tuple(scene_types or ()), tuple(variants or ()), tier, cells=cells_of(cell)
        )
        found = studio.estimates.of(project, chosen)
        if as_json:
            say(json.dumps(dataclasses.asdict(found)))
        else:
            _show(found)


def _calibration(studio: Studio, *, as_json: bool) -> None:
    frame = studio.estimates.calibration()
    show_frame(frame, as_json=as_json, empty="No estimated batch is over yet.")
    if not as_json and len(frame):
        inside = frame["inside"]
        say(f"{inside.sum()} of {len(frame)} batches lay inside the 80 % interval ({inside.mean():.0%}).")


def _show(found: Estimate) -> None:
    say(f"{found.scenes} scenes, {found.takes} takes at {found.tier}: {_words(found.gpu)}")
    wall = "unknown" if found.wall_s is None else f"about {found.wall_s / 60:.1f} min"
    say(f"Wall clock with {found.slots} slots and the queue as it is: {wall}")
    say("Disk: no history" if found.disk_bytes is None else f"Disk: about {found.disk_bytes / 1e6:.1f} MB")
    for title, parts in (("Tier", found.tiers), ("Scene type", found.scene_types), ("Character", found.characters)):
        for part in parts:
            say(f"  {title} {part.name}: {_part(part)}")
    for worker in found.workers:
        away = "" if worker.available else " (not available)"
        say(f"  All of it on {worker.name}{away}: {_words(worker.gpu)}")


def _part(part: Part) -> str:
    disk = "" if part.disk_bytes is None else f", {part.disk_bytes / 1e6:.1f} MB"
    return f"{part.scenes} scenes, {part.takes} takes, {_words(part.gpu)}{disk}"


def _words(gpu: Interval | None) -> str:
    if gpu is None:
        return "no history"
    return (
        f"{gpu.middle_s / 60:.1f} GPU min (80 %: {gpu.low_s / 60:.1f} to {gpu.high_s / 60:.1f}, "
        f"from {gpu.n_past} past takes)"
    )
