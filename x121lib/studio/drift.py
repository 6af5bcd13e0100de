"""Drift of chains: one scene's, or those of a whole project."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from x121lib.qa import drift, queries
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import VerdictOutcome

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

COLUMNS = [
    "metric", "segments", "first", "last", "per_segment", "low", "high", "sure", "outcome", "limit", "breach",
    "forecast", "words",
]  # fmt: skip
_AT_ONCE = 50


def of_scenes(
    studio: Studio, scene_ids: Sequence[uuid.UUID], progress: Callable[[int, int], None] | None = None
) -> dict[uuid.UUID, tuple[drift.Course, ...]]:
    """Return the courses of scenes' chains by scene; ``progress`` is told how many of how many are done."""
    studio.actor.require(Permission.VIEW)
    found: dict[uuid.UUID, tuple[drift.Course, ...]] = {}
    for at in range(0, len(scene_ids), _AT_ONCE):
        part = scene_ids[at : at + _AT_ONCE]
        with studio.transaction() as session:
            rows = queries.chain_scores(session, part, drift.QUANTITIES)
            gates = queries.gates_of_scenes(session, part)
        values: dict[uuid.UUID, dict[str, list[tuple[int, float]]]] = defaultdict(lambda: defaultdict(list))
        for scene_id, name, segment, value in rows:
            values[scene_id][name].append((segment, value))
        found |= {key: drift.courses(values[key], gates.get(key, {})) for key in part}
        if progress is not None:
            progress(len(found), len(scene_ids))
    return found


def frame(courses: Sequence[drift.Course]) -> pd.DataFrame:
    """Return one row per quantity: first and last value, trend with interval, what the gate says, breach, forecast."""
    rows = []
    for each in courses:
        first, last = (each.values[0][1], each.values[-1][1]) if each.values else (None, None)
        trend = each.trend
        rows.append((
            each.metric, len(each.values), first, last, trend.per_segment if trend else None,
            trend.low if trend else None, trend.high if trend else None, trend.is_sure if trend else False,
            each.outcome.label, each.limit, each.breach, each.forecast, each.words,
        ))  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS).astype({"breach": "Int64", "forecast": "Int64"})


def points(courses: Sequence[drift.Course]) -> pd.DataFrame:
    """Return one row per quantity and segment: the value that was measured."""
    rows = [(each.metric, segment, value) for each in courses for segment, value in each.values]
    return pd.DataFrame(rows, columns=["metric", "segment", "value"])


def worst_first(scenes: pd.DataFrame, courses: dict[uuid.UUID, tuple[drift.Course, ...]]) -> pd.DataFrame:
    """Return one row per scene whose chain drifts: its names, the quantity that is worst, and what it does.

    A scene drifts where a value passed its limit, or where a sure trend goes on to; what is nearest stands first.
    """
    rows = []
    names = ["character", "scene_type", "variant", "tier"]
    for row in scenes.to_dict("records"):
        moving = [each for each in courses[row["scene_id"]] if each.breach is not None or each.forecast is not None]
        if moving:
            worst = min(moving, key=lambda each: (each.breach is None, each.breach or each.forecast))
            state = VerdictOutcome.FAIL.label if worst.breach is not None else "will fail"
            facts = (worst.metric, state, worst.breach or worst.forecast, worst.words, row["scene_id"])
            rows.append((*(row[name] for name in names), *facts))
    found = pd.DataFrame(rows, columns=[*names, "metric", "state", "segment", "words", "scene_id"])
    return found.sort_values(["segment", *names], ignore_index=True)
