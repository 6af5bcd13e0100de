"""What one dispatch reads: the fleet and the waiting tasks in one round trip, and what the tasks ask in another.

What changes slowly is remembered for a moment (`Recall`); who is free, what waits and what is paused never is.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.scheduling import budgets, fitness, holding, memory, queries, warmth, window
from x121lib.scheduling.fairness import Shares
from x121lib.scheduling.fitness import Demand
from x121lib.scheduling.policy import Candidate, WorkerView
from x121lib.scheduling.queries import Made
from x121lib.scheduling.recall import BRISK_S, STEADY_S, Recall
from x121lib.store.direct import fetch_kept
from x121lib.store.session import among
from x121lib.terms.transitions import LEASED_STATUSES
from x121lib.terms.vocabulary import AttemptOutcome, WorkerStatus

SPARE = 64
"""Tasks that are looked at beyond the free slots: some may have to wait for their worker."""
DISPATCH_LOCK = 0x58313232
_LEASED = ", ".join(str(status.number) for status in sorted(LEASED_STATUSES, key=lambda s: s.number))
_LOCK = f"""
SELECT pg_try_advisory_xact_lock({DISPATCH_LOCK}), EXISTS (SELECT FROM queue_hold WHERE task_id IS NULL)"""
LOADS = f"""
SELECT w.id, w.status_id = {WorkerStatus.ONLINE.number} AND coalesce(w.set_aside_until <= %(now)s, true),
       coalesce(busy.n, 0), w.slots
FROM worker w
LEFT JOIN (SELECT worker_id, count(*) AS n FROM gpu_task WHERE status_id IN ({_LEASED}) GROUP BY worker_id) AS busy
       ON busy.worker_id = w.id
WHERE w.status_id <> {WorkerStatus.REMOVED.number}"""
Lacks = dict[uuid.UUID, tuple[str, ...]]
"""What workers lack, in words, by worker; those that lack nothing are left out."""


class Fleet:
    """The workers as they were read a moment ago, and what they lack for what was asked of them since."""

    def __init__(self, views: Sequence[WorkerView]) -> None:
        self._views = {view.worker_id: view for view in views}
        self.lacks: dict[tuple[Demand, int | None], Lacks] = {}

    def now(self, loads: Sequence[tuple[Any, ...]]) -> list[WorkerView] | None:
        """Return the workers with their availability and load of this moment; None where one was not known."""
        found = []
        for key, available, busy, slots in loads:
            view = self._views.get(key)
            if view is None:
                return None
            if (view.busy, view.available, view.slots) != (busy, available, slots):
                view = self._views[key] = replace(view, busy=busy, available=available, slots=slots)
            found.append(view)
        return found


@dataclass(frozen=True)
class Glance:
    """What a dispatch sees first."""

    fleet: Fleet
    """What is known of the workers."""
    workers: list[WorkerView]
    """The workers, with their load."""
    conditions: list[sa.ColumnElement[bool]]
    """What a task must meet so that nothing holds it."""
    read: window.Read | None
    """The first waiting tasks of each share; None where they are to be read under conditions."""

    @property
    def free(self) -> int:
        """Free slots of the available workers."""
        return sum(max(0, w.slots - w.busy) for w in self.workers if w.available)


@dataclass(frozen=True)
class View:
    """Which waiting tasks are looked at."""

    n: int
    """How many, in the order of their turns."""
    without: frozenset[Made] = frozenset()
    """Kinds of work that are left out."""
    used: Shares | None = None
    """How shares stand."""


def glance(session: Session, now: datetime, recall: Recall) -> Glance | None:
    """Take the dispatch lock until the transaction ends, and read the fleet and the queue; None where it is taken."""
    held = recall("held", BRISK_S, lambda: budgets.used_up(session, now))
    fleet = recall("fleet", BRISK_S, lambda: Fleet(queries.worker_views(session, now)))
    depths = recall.depths
    depth = window.LEAST_DEPTH if depths else window.depth_for(recall.expected(recall.free) + SPARE)
    ((has_lock, is_paused),), loads, _, waiting, _ = fetch_kept(
        session, (_LOCK, {}), (LOADS, {"now": now}), *window.reading(now, depth, depths)
    )
    if not has_lock:
        return None
    workers = fleet.now(loads)
    if workers is None:
        fleet = Fleet(queries.worker_views(session, now))
        workers = fleet.now(loads) or []
    conditions = _not_held(held) + (holding.conditions(session) if is_paused else [])
    read = None if conditions else window.Read(depth, waiting, depths)
    return Glance(fleet, workers, conditions, read)


def n_waiting(session: Session, now: datetime, most: int) -> int:
    """Return how many tasks may run now, at most ``most``."""
    conditions = _not_held(budgets.used_up(session, now)) + holding.conditions(session)
    return len(window.rows(session, now, most, conditions))


def candidates(session: Session, now: datetime, seen: Glance, view: View, recall: Recall) -> list[Candidate]:
    """Return the first waiting tasks by turn that may run now: their time has come, what they wait for has passed."""
    conditions = seen.conditions + ([~queries.makes(view.without)] if view.without else [])
    rows = window.rows(session, now, view.n, conditions, view.used, None if view.without else seen.read)
    if not view.without:
        recall.expect(window.expected(rows))
    tried = [row.task_id for row in rows if row.attempt_number > 0]
    avoid, prefer = _workers_to_avoid(session, tried), _workers_with_cache(session, tried)
    wanted = _demands(session, [row.task_id for row in rows], recall)
    fits = _fits(session, wanted, recall)
    lacking = _lacking(session, wanted, seen)
    nothing = frozenset[str](), frozenset[str](), dict[uuid.UUID, float]()
    return [
        Candidate(
            row.task_id, row.priority, row.queued_at, avoid.get(row.task_id, frozenset()),
            *fits.get(row.task_id, nothing), prefer.get(row.task_id), lacking.get(row.task_id, {}), row.project_id,
            row.person_id, row.is_off_peak, row.attempt_number,
        )
        for row in rows
    ]  # fmt: skip


Wanted = Mapping[uuid.UUID, tuple[Demand, int | None]]
"""What each task asks: workflow and models, and GPU memory in bytes where it is stated."""


def _demands(session: Session, task_ids: Sequence[uuid.UUID], recall: Recall) -> Wanted:
    """Return what tasks ask; what a waiting one asks does not change, it is remembered for a moment."""
    known: dict[uuid.UUID, tuple[Demand, int | None]] = recall("demands", STEADY_S, dict)
    missing = [key for key in task_ids if key not in known]
    if missing:
        known |= fitness.demands_and_memory(session, missing, recall)
    return {key: known[key] for key in task_ids if key in known}


def _lacking(session: Session, wanted: Wanted, seen: Glance) -> dict[uuid.UUID, Lacks]:
    known = seen.fleet.lacks
    asked = set(wanted.values())
    if missing := asked - set(known):
        words = queries.lacks_in_words(session, {demand for demand, _ in missing}, seen.workers)
        for demand, n_bytes in missing:
            small = memory.too_small(n_bytes, seen.workers)
            by_worker = words.get(demand, {})
            known[demand, n_bytes] = {
                key: (*small.get(key, ()), *by_worker.get(key, ())) for key in {*small, *by_worker}
            }
    return {task_id: lacks for task_id, ask in wanted.items() if (lacks := known[ask])}


def _fits(
    session: Session, wanted: Wanted, recall: Recall
) -> dict[uuid.UUID, tuple[frozenset[str], frozenset[str], dict[uuid.UUID, float]]]:
    """Return (needed tags, models, mean seconds by worker) of each task, from its workflow."""
    needed = recall("needed tags", STEADY_S, lambda: warmth.needed_tags(session))
    measured = recall("speeds", STEADY_S, lambda: warmth.seconds(session))
    keys = {demand.version_id for demand, _ in wanted.values()}
    workflows, models = fitness.workflows(session, keys), fitness.models(session, keys)
    unmeasured: dict[uuid.UUID, float] = {}  # one object: tasks that share it count as alike
    known = {
        key: (needed.get(workflows[key], frozenset()), models[key], measured.get(workflows[key], unmeasured))
        for key in keys
    }
    return {task_id: known[demand.version_id] for task_id, (demand, _) in wanted.items()}


def _not_held(held: Sequence[tuple[uuid.UUID, uuid.UUID]]) -> list[sa.ColumnElement[bool]]:
    if not held:
        return []
    r = m.BudgetReservation
    return [~sa.exists().where(r.task_id == m.GpuTask.id, sa.tuple_(r.budget_id, r.holder_id).in_(held))]


def _workers_to_avoid(session: Session, task_ids: list[uuid.UUID]) -> dict[uuid.UUID, frozenset[uuid.UUID]]:
    if not task_ids:
        return {}
    rows = session.execute(
        sa.select(m.GpuTaskAttempt.task_id, m.GpuTaskAttempt.worker_id).where(
            among(m.GpuTaskAttempt.task_id, task_ids),
            m.GpuTaskAttempt.outcome_id.in_([AttemptOutcome.LOST, AttemptOutcome.FAILED]),
            m.GpuTaskAttempt.worker_id.is_not(None),
            m.GpuTaskAttempt.error_code.not_in(["scheduling.stopped", "scheduling.not_picked_up", "store.disk_full"]),
        )
    )
    avoid: dict[uuid.UUID, set[uuid.UUID]] = {}
    for task_id, worker_id in rows:
        if worker_id is not None:
            avoid.setdefault(task_id, set()).add(worker_id)
    return {task: frozenset(workers) for task, workers in avoid.items()}


def _workers_with_cache(session: Session, task_ids: list[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """Return the worker on which each resumed task was paused: it has the finished nodes in its cache."""
    if not task_ids:
        return {}
    rows = session.execute(
        sa.select(m.GpuTaskAttempt.task_id, m.GpuTaskAttempt.worker_id)
        .join(m.GpuTask, m.GpuTask.id == m.GpuTaskAttempt.task_id)
        .where(
            among(m.GpuTaskAttempt.task_id, task_ids), m.GpuTaskAttempt.number == m.GpuTask.attempt_number,
            m.GpuTaskAttempt.error_code == queries.PAUSED_CODE, m.GpuTaskAttempt.worker_id.is_not(None),
        )
    )  # fmt: skip
    return {task_id: worker_id for task_id, worker_id in rows if worker_id is not None}
