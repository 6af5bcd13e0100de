"""`simulate`: what the queue would do."""

from __future__ import annotations

import json
import math
import sys
from typing import Annotated, Any

import typer

from x121lib.cli.output import refusals, say
from x121lib.scheduling.scenarios import Week
from x121lib.studio import Studio
from x121lib.studio.simulations import SimulationResult


def simulate(
    workers: Annotated[
        int | None, typer.Option(help="GPUs of one slot each; default: 4, or the fleet with --replay.")
    ] = None,
    replay: Annotated[int | None, typer.Option(help="Replay what was completed of the last DAYS days.")] = None,
    characters: Annotated[int, typer.Option(help="Characters of the week.")] = 10,
    scene_types: Annotated[int, typer.Option(help="Scene types of the week.")] = 8,
    variants: Annotated[int, typer.Option(help="Image variants of the week.")] = 2,
    segments: Annotated[int, typer.Option(help="Takes of each scene.")] = 6,
    take_s: Annotated[float, typer.Option(help="GPU seconds of a take, mean.")] = 150.0,
    seed: Annotated[int, typer.Option(help="Of what is drawn: the same one gives the same week.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run a week of submissions through the queue's policy: waiting times, use of the GPUs, fairness."""
    with refusals(), Studio.open() as studio:
        if replay is not None:
            result = studio.simulations.replay(replay, workers)
        else:
            week = Week(characters, scene_types, variants, segments, take_s, workers=workers or 4, seed=seed)
            result = studio.simulations.week(week)
        if as_json:
            sys.stdout.write(json.dumps(_facts(result), ensure_ascii=False, indent=2) + "\n")
        else:
            say(repr(result))


def _facts(result: SimulationResult) -> dict[str, Any]:
    people = [
        {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()}
        for row in result.people().to_dict("records")
    ]
    return {
        "title": result.title, "classes": result.classes().to_dict("records"), "people": people,
        "workers": result.workers().to_dict("records"), "fairness": round(result.fairness, 4),
        "unfinished": result.unfinished,
    }  # fmt: skip
