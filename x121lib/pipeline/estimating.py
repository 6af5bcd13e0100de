"""What a selection would cost before it is submitted: GPU time, wall clock with this fleet and queue, and disk."""

from __future__ import annotations

import math
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.ids import new_id
from x121lib.catalogue import queries as catalogue
from x121lib.pipeline import histories, submission
from x121lib.pipeline.submission import Cell, Selection
from x121lib.scheduling import accounts, forecast
from x121lib.scheduling import queries as queue
from x121lib.scheduling.prediction import Interval, Past
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.transitions import ENDED_STATUSES, LEASED_STATUSES

MOST = 2000
"""Takes, waiting and new, that a wall clock is forecast from; beyond, work over slots is said."""


@dataclass(frozen=True)
class Part:
    """The share of one scene type, character or tier."""

    name: str
    """Its name."""
    scenes: int
    """Scenes that would be queued."""
    takes: int
    """Their takes."""
    gpu: Interval | None
    """GPU seconds; None: no history."""
    disk_bytes: int | None
    """Bytes of the takes' files; None: no history."""


@dataclass(frozen=True)
class OnWorker:
    """What a selection would cost if one worker made all of it."""

    name: str
    """The worker."""
    available: bool
    """Whether it is online and takes work; only such count in the estimate."""
    slots: int
    """Takes that it runs at once."""
    gpu: Interval | None
    """GPU seconds; None: no history there of a kind of take."""


@dataclass(frozen=True)
class Estimate:
    """What a selection would cost."""

    tier: str
    """Tier that it is for."""
    scenes: int
    """Scenes that would be queued."""
    takes: int
    """Their takes."""
    gpu: Interval | None
    """GPU seconds with the 80 % interval on the workers that are available; None where a kind of take has fewer than
    two past ones."""
    wall_s: float | None
    """Seconds until the last take ends, with the workers that are available and all that waits; None: unknown."""
    slots: int
    """Takes that run at once now."""
    disk_bytes: int | None
    """Bytes of the takes' files, by the mean of past ones; None: no history."""
    scene_types: tuple[Part, ...]
    """The same by scene type, most expensive first."""
    characters: tuple[Part, ...]
    """The same by character, most expensive first."""
    tiers: tuple[Part, ...]
    """The same selection at each tier, from the lowest."""
    workers: tuple[OnWorker, ...]
    """The same selection on each worker alone, by name."""


Made = list[tuple[Cell, m.SceneTypeVersion, int]]


def estimate(session: Session, actor: Actor, project: m.Project, selection: Selection, now: datetime) -> Estimate:
    """Return what submitting a selection now would cost; changes nothing."""
    actor.require(Permission.VIEW)
    made = submission.to_make(session, project, selection, now)
    named = catalogue.tier(session, selection.tier) if selection.tier else None
    tier = named or session.get_one(m.Tier, project.default_tier_id)
    past, views = histories.by_worker(session), queue.worker_views(session, now)
    known = histories.on_fleet(past, views)
    costs = _Costs(session, known, tier)
    n_takes = sum(n for *_, n in made)
    wall_s, slots = _wall(session, costs, made, now)
    tiers = session.scalars(sa.select(m.Tier).order_by(m.Tier.sort_order))
    return Estimate(
        tier.name, len(made), n_takes, costs.gpu(made), wall_s, slots, costs.disk(made),
        _parts(costs, made, lambda cell: cell.scene_type), _parts(costs, made, lambda cell: cell.character),
        tuple(_part(t.name, _Costs(session, known, t), made) for t in tiers),
        tuple(OnWorker(v.name, v.available, v.slots, _Costs(session, histories.of_worker(past, v.worker_id), tier)
                       .gpu(made)) for v in sorted(views, key=lambda v: v.name)),
    )  # fmt: skip


class _Costs:
    """Past takes of the recipes at one tier."""

    def __init__(self, session: Session, known: dict[histories.Kind, Past], tier: m.Tier) -> None:
        self._session, self._known, self._tier = session, known, tier
        self._kinds: dict[uuid.UUID, histories.Kind] = {}

    def kind(self, version: m.SceneTypeVersion) -> histories.Kind:
        if version.id not in self._kinds:
            self._kinds[version.id] = histories.kind_of(self._session, version, self._tier)
        return self._kinds[version.id]

    def past(self, version: m.SceneTypeVersion) -> Past | None:
        return self._known.get(self.kind(version))

    def gpu(self, made: Made) -> Interval | None:
        return histories.interval(self._known, [(self.kind(version), n) for _, version, n in made])

    def disk(self, made: Made) -> int | None:
        past = [(self.past(version), n) for _, version, n in made]
        known = [(each.mean_bytes, n) for each, n in past if each is not None]
        return math.ceil(sum(size * n for size, n in known)) if made and len(known) == len(past) else None


def _part(name: str, costs: _Costs, made: Made) -> Part:
    return Part(name, len(made), sum(n for *_, n in made), costs.gpu(made), costs.disk(made))


def _parts(costs: _Costs, made: Made, name_of: Callable[[Cell], str]) -> tuple[Part, ...]:
    groups: dict[str, Made] = defaultdict(list)
    for row in made:
        groups[name_of(row[0])].append(row)
    parts = [_part(name, costs, rows) for name, rows in groups.items()]
    return tuple(sorted(parts, key=lambda part: (-(part.gpu.middle_s if part.gpu else math.inf), part.name)))


def _wall(session: Session, costs: _Costs, made: Made, now: datetime) -> tuple[float | None, int]:
    """Return the seconds until the last of the new takes would end behind all that waits, and the slots there are."""
    views = [view for view in queue.worker_views(session, now) if view.available]
    slots = sum(view.slots for view in views)
    seconds = {version.id: past.mean_s for _, version, _ in made if (past := costs.past(version)) is not None}
    if not slots or not made or any(version.id not in seconds for _, version, _ in made):
        return None, slots
    workers = frozenset(view.worker_id for view in views)
    ahead = _ahead(session, workers)
    if ahead is None:
        return None, slots
    mine: list[forecast.Expected] = []
    for _, version, n in made:
        before = None
        for _ in range(n):
            mine.append(forecast.Expected(new_id(), seconds[version.id], workers, before))
            before = mine[-1].task_id
    if len(ahead) + len(mine) > MOST:
        return sum(task.seconds or 0.0 for task in [*ahead, *mine]) / slots, slots
    fleet = forecast.Fleet({view.worker_id: [0.0] * view.slots for view in views})
    spans = forecast.spans([*ahead, *mine], fleet)
    return max(spans[task.task_id].end_s for task in mine), slots


def _ahead(session: Session, workers: frozenset[uuid.UUID]) -> Sequence[forecast.Expected] | None:
    """Return what waits or runs, as work that is still whole; None where something of it was never measured."""
    t = m.GpuTask
    running = sa.case((t.status_id.in_(LEASED_STATUSES), 0), else_=1)
    rows = session.execute(
        sa.select(t.id, t.after_task_id, t.progress).where(t.status_id.not_in(ENDED_STATUSES))
        .order_by(running, t.priority.desc(), t.queued_at, t.id)
    ).all()  # fmt: skip
    known = accounts.measured(session, [row.id for row in rows])
    if len(known) < len(rows):
        return None
    there = {row.id for row in rows}
    return [
        forecast.Expected(key, known[key] * (1.0 - float(part)), workers, after if after in there else None)
        for key, after, part in rows
    ]
