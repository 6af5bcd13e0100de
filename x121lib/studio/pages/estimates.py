"""How long takes need, from what past takes needed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import InvalidInputError
from x121lib.generation import plan
from x121lib.pipeline import estimating
from x121lib.pipeline.submission import Selection
from x121lib.scheduling import accounts, budgets, on_hold
from x121lib.scheduling.on_hold import OnHold
from x121lib.studio.pages import presence, queries
from x121lib.studio.pages.desk import Desk, View
from x121lib.studio.pages.grid import Grid, GridScene, build
from x121lib.studio.pages.words import iso_in, many
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import TaskKind, TaskStatus

MOST_BY_TIER = 500
"""Cells of a selection that is worked out for every tier, so that the answer comes while one still chooses."""


@dataclass(frozen=True)
class History:
    """Past takes per scene type; the key None is all of them."""

    takes: dict[uuid.UUID | None, tuple[int, float, float, float]]
    """(number, lower quartile, median, upper quartile) in seconds on the GPU."""
    slots: int
    """Takes that run at once on the workers that are online."""

    def of(self, scene_type_id: uuid.UUID | None) -> tuple[int, float, float, float] | None:
        """Return the figures of a scene type, else of all takes, else None."""
        return self.takes.get(scene_type_id) or self.takes.get(None)

    def median_s(self, scene_type_id: uuid.UUID | None) -> float | None:
        """Return the median seconds of a take, None without history."""
        found = self.of(scene_type_id)
        return found[2] if found else None

    def queue_s(self, open_takes: float) -> float | None:
        """Return the seconds that open takes need on all slots together; None without history or slots."""
        median = self.median_s(None)
        return None if median is None or not self.slots else open_takes * median / self.slots


def to_run(counts: Mapping[TaskStatus, tuple[int, float]], held: OnHold) -> float:
    """Return the takes that are still to be run, begun ones by what is left of them; what is on hold is left out.

    Args:
        counts: status → (tasks, sum of their progress) of the tasks that are not over.
        held: those of them that are on hold.
    """
    return max(0.0, sum(n - part for n, part in counts.values()) - (held.n - held.done))


def read_history(session: Session, desk: Desk) -> History:
    """Return the history, with the slots that are online."""
    views = presence.worker_views(session, desk.now)
    return History(queries.history(session), sum(w.slots for w in views if w.available))


def estimate(desk: Desk, cells: list[tuple[str, str]], tier: str | None, variants: Sequence[str] = ()) -> View:
    """Return what submitting a selection of (character, scene type) keys would cost."""
    grid = build(desk)
    wanted = {(str(a), str(b)) for a, b in cells}
    chosen = [s for place, row in grid.cells.items() if (str(place[0]), str(place[1])) in wanted for s in row
              if not variants or s.kind.name in variants]  # fmt: skip
    ready = [s for s in chosen if s.startable]
    takes = _takes(desk.session, grid, ready)
    history = read_history(desk.session, desk)
    low, middle, high = _seconds(history, takes)
    begun = queries.counts(desk.session)
    ahead = to_run(begun, on_hold.count(desk.session, desk.now))
    known = bool(takes) and all(history.of(t) for t in takes)
    before_s = history.queue_s(ahead) if ahead else 0.0
    done_s = None if not known or before_s is None or not history.slots else before_s + middle / history.slots
    return {
        "cells": len(wanted), "scenes": len(ready), "takes": sum(takes.values()), "gpu_s": middle, "gpu_low_s": low,
        "gpu_high_s": high, "done_at": iso_in(desk.now, done_s), "basis": _basis(history, takes),
        **_by_tier(desk, cells, tier, variants),
        "blocked": [*_budgets(desk, tier, sum(takes.values()), middle), *_why_blocked(desk, grid, chosen)],
    }  # fmt: skip


def _by_tier(desk: Desk, cells: list[tuple[str, str]], tier: str | None, variants: Sequence[str]) -> dict[str, Any]:
    """Return GPU seconds at each tier and the bytes at the chosen one; nothing beyond `MOST_BY_TIER` cells."""
    if desk.project is None or not cells or len(cells) > MOST_BY_TIER:
        return {"tiers": [], "disk_bytes": None}
    names = {word: t.name for t in desk.session.scalars(sa.select(m.Tier)) for word in (t.name, str(t.id))}
    selection = Selection(cells=tuple(cells), variants=tuple(variants), tier=names.get(tier or ""))
    found = estimating.estimate(desk.session, desk.actor, desk.project, selection, desk.now)
    tiers = [{"name": part.name, "gpu_s": part.gpu.middle_s if part.gpu else None} for part in found.tiers]
    return {"tiers": tiers, "disk_bytes": found.disk_bytes}


def _budgets(desk: Desk, tier: str | None, n_takes: int, seconds: float) -> list[str]:
    """Return what budgets say of it, refusals first; takes of every tier run the same workflow, so it has no tiers."""
    if desk.project is None or not n_takes:
        return []
    tiers = {name: key for name, key in desk.session.execute(sa.select(m.Tier.name, m.Tier.id))}
    tier_id = next((key for name, key in tiers.items() if tier in (name, str(key))), desk.project.default_tier_id)
    needed = seconds or n_takes * accounts.UNMEASURED_S
    wanted = budgets.Wanted(desk.project.id, desk.actor.person_id, TaskKind.TAKE, tier_id, needed, not seconds)
    said = budgets.preview(desk.session, [wanted], desk.now)
    return sorted(said, key=lambda words: words.startswith("With this"))


def _takes(session: Session, grid: Grid, scenes: list[GridScene]) -> dict[uuid.UUID, int]:
    """Return the takes that scenes still need, per scene type."""
    left = queries.segments_left(session, [s.scene_id for s in scenes if s.scene_id is not None])
    whole = {t.id: _planned(v) for t, v in grid.types}
    takes: dict[uuid.UUID, int] = {}
    for scene in scenes:
        known = left.get(scene.scene_id) if scene.scene_id is not None else None
        takes[scene.scene_type_id] = takes.get(scene.scene_type_id, 0) + (
            known if known is not None else whole[scene.scene_type_id]
        )
    return takes


def planned_segments(version: m.SceneTypeVersion) -> int:
    """Return how many segments a scene of this version has; 0 where its durations make no scene."""
    return _planned(version)


def _planned(version: m.SceneTypeVersion) -> int:
    rate = Fraction(version.rate_numerator, version.rate_denominator)
    try:
        return len(plan.plan_scene(version.target_duration_s, version.segment_duration_s, rate).segment_frames)
    except InvalidInputError:
        return 0


def _seconds(history: History, takes: dict[uuid.UUID, int]) -> tuple[float, float, float]:
    low = middle = high = 0.0
    for scene_type_id, n in takes.items():
        found = history.of(scene_type_id)
        if found is not None:
            low, middle, high = low + n * found[1], middle + n * found[2], high + n * found[3]
    return low, middle, high


def _basis(history: History, takes: dict[uuid.UUID, int]) -> str:
    own = sum(history.takes[t][0] for t in takes if t in history.takes)
    if takes and all(t in history.takes for t in takes):
        return f"from {many(own, 'past take')}"
    if history.takes and takes:
        return f"from {many(history.takes[None][0], 'past take')} of all scene types"
    return "no history"


def _why_blocked(desk: Desk, grid: Grid, chosen: list[GridScene]) -> list[str]:
    names = {c["id"]: c["name"] for c in grid.characters}
    found = dict.fromkeys(
        f"{names[s.character_id]}, {s.kind.name}: {grid.gaps[s.character_id, s.kind.id]}"
        for s in chosen
        if not s.startable and s.status in ("blocked", "failed") and (s.character_id, s.kind.id) in grid.gaps
    )
    reasons = list(found)
    if not desk.may(Permission.SUBMIT):
        reasons.insert(0, "Your role may not submit.")
    return reasons[:12]
