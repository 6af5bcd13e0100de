"""Every SELECT of the queue."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.scheduling import budgets, fitness, holding, memory, policy, standing, warmth, window
from x121lib.scheduling.fairness import Shares
from x121lib.scheduling.policy import Candidate, WorkerView
from x121lib.scheduling.recall import BRISK_S, FRESH, STEADY_S, Recall
from x121lib.store.session import among
from x121lib.terms.transitions import LEASED_STATUSES
from x121lib.terms.vocabulary import AttemptOutcome, TaskStatus, WorkerStatus

PAUSED_CODE = "scheduling.paused"
"""Error code of an attempt that a person paused in its middle."""
_STATES = {status: status.label.lower() for status in WorkerStatus} | {WorkerStatus.MAINTENANCE: "in maintenance"}
CANDIDATE_WINDOW = 256
"""Waiting tasks that are looked at where nobody says how many."""


@dataclass(frozen=True)
class ExpiredLease:
    """A task whose worker process has fallen silent."""

    task_id: uuid.UUID
    """The task."""
    attempt_number: int
    """The attempt that was lost."""


Made = tuple[uuid.UUID | None, uuid.UUID | None]
"""What a task makes: a scene of a scene type's version, or an image of a variant kind."""


@dataclass(frozen=True)
class View:
    """Which waiting tasks are looked at."""

    n: int = CANDIDATE_WINDOW
    """How many, in the order of their turns."""
    without: frozenset[Made] = frozenset()
    """Kinds of work that are left out."""
    used: Shares | None = None
    """How shares stand."""


def candidates(
    session: Session, now: datetime, workers: Sequence[WorkerView] = (), view: View | None = None,
    recall: Recall = FRESH,
) -> list[Candidate]:  # fmt: skip
    """Return the first waiting tasks by turn that may run now: their time has come, what they wait for has passed.

    Locks the rows; rows that somebody else holds (a person cancelling, say) are left for the next tick.

    Args:
        session: an open session.
        now: the present time.
        workers: the workers, whose lacks are told with each task.
        view: how many, without what, by which shares.
        recall: what may be remembered of the dispatch before.
    """
    view = view or View()
    held = recall("held", BRISK_S, lambda: budgets.used_up(session, now))
    conditions = _not_held(held) + holding.conditions(session) + ([~_makes(view.without)] if view.without else [])
    rows = window.rows(session, now, view.n, conditions, view.used)
    tried = [row.task_id for row in rows if row.attempt_number > 0]
    avoid, prefer = _workers_to_avoid(session, tried), _workers_with_cache(session, tried)
    wanted = fitness.demands(session, [row.task_id for row in rows], recall) if rows else {}
    fits = _fits(session, wanted, recall)
    lacking = _lacking(session, wanted, workers)
    found = []
    for row in rows:
        needed, models, seconds = fits.get(row.task_id, (frozenset[str](), frozenset[str](), dict[uuid.UUID, float]()))
        found.append(
            Candidate(
                row.task_id, row.priority, row.queued_at, avoid.get(row.task_id, frozenset()), needed, models, seconds,
                prefer.get(row.task_id), lacking.get(row.task_id, {}), row.project_id, row.person_id, row.is_off_peak,
            )
        )  # fmt: skip
    return found


def made(session: Session, task_ids: Collection[uuid.UUID]) -> set[Made]:
    """Return what tasks make; a take with values of its own is like no other and left out."""
    own = sa.exists().where(m.TakeOverride.take_id == m.GpuTask.take_id)
    query = (
        sa.select(m.Scene.scene_type_version_id, m.ImageVariant.kind_id)
        .select_from(m.GpuTask)
        .outerjoin(m.Take, m.Take.id == m.GpuTask.take_id)
        .outerjoin(m.Segment, m.Segment.id == m.Take.segment_id)
        .outerjoin(m.Scene, m.Scene.id == m.Segment.scene_id)
        .outerjoin(m.ImageVariant, m.ImageVariant.id == m.GpuTask.image_variant_id)
        .where(m.GpuTask.id.in_(task_ids), ~own)
        .distinct()
    )
    return {(scene_type, kind) for scene_type, kind in session.execute(query)}


def _makes(kinds: Collection[Made]) -> sa.ColumnElement[bool]:
    take, scene, variant = sa.orm.aliased(m.Take), sa.orm.aliased(m.Scene), sa.orm.aliased(m.ImageVariant)
    scenes = (
        sa.select(take.id)
        .join(m.Segment, m.Segment.id == take.segment_id)
        .join(scene, scene.id == m.Segment.scene_id)
        .outerjoin(m.TakeOverride, m.TakeOverride.take_id == take.id)
        .where(take.id == m.GpuTask.take_id, m.TakeOverride.take_id.is_(None))
        .where(scene.scene_type_version_id.in_({made_of for made_of, _ in kinds if made_of is not None}))
        .correlate(m.GpuTask)
        .exists()
    )
    made_kinds = {kind for _, kind in kinds if kind is not None}
    images = sa.exists().where(variant.id == m.GpuTask.image_variant_id, variant.kind_id.in_(made_kinds))
    images = images.correlate(m.GpuTask)
    return sa.or_(scenes, images)


def lacks(
    session: Session, task_ids: Collection[uuid.UUID], workers: Sequence[WorkerView]
) -> dict[uuid.UUID, dict[uuid.UUID, tuple[str, ...]]]:
    """Return task → worker → what it lacks for the task, in words: GPU memory, node classes, models.

    What lacks nothing is left out.
    """
    return _lacking(session, fitness.demands(session, task_ids), workers)


def _lacking(
    session: Session, wanted: Mapping[uuid.UUID, fitness.Demand], workers: Sequence[WorkerView]
) -> dict[uuid.UUID, dict[uuid.UUID, tuple[str, ...]]]:
    found = fitness.lacks(session, set(wanted.values()), {w.worker_id: w.offer for w in workers})
    words = {
        demand: {key: tuple(str(one) for one in lacking) for key, lacking in by_worker.items()}
        for demand, by_worker in fitness.with_packs(session, found).items()
    }
    lacking = {task_id: dict(words[demand]) for task_id, demand in wanted.items() if demand in words}
    for task_id, small in memory.lacks(session, list(wanted), workers).items():
        of_task = lacking.setdefault(task_id, {})
        for key, wanted_memory in small.items():
            of_task[key] = (wanted_memory, *of_task.get(key, ()))
    return lacking


def _not_held(held: Sequence[tuple[uuid.UUID, uuid.UUID]]) -> list[sa.ColumnElement[bool]]:
    if not held:
        return []
    r = m.BudgetReservation
    return [~sa.exists().where(r.task_id == m.GpuTask.id, sa.tuple_(r.budget_id, r.holder_id).in_(held))]


def _fits(
    session: Session, wanted: Mapping[uuid.UUID, fitness.Demand], recall: Recall
) -> dict[uuid.UUID, tuple[frozenset[str], frozenset[str], dict[uuid.UUID, float]]]:
    """Return (needed tags, models, mean seconds by worker) of each task, from its workflow."""
    needed = recall("needed tags", STEADY_S, lambda: warmth.needed_tags(session))
    measured = recall("speeds", STEADY_S, lambda: warmth.seconds(session))
    keys = {demand.version_id for demand in wanted.values()}
    workflows, models = fitness.workflows(session, keys), fitness.models(session, keys)
    unmeasured: dict[uuid.UUID, float] = {}  # one object: tasks that share it count as alike
    known = {
        key: (needed.get(workflows[key], frozenset()), models[key], measured.get(workflows[key], unmeasured))
        for key in keys
    }
    return {task_id: known[demand.version_id] for task_id, demand in wanted.items()}


def needs(session: Session, task_ids: list[uuid.UUID]) -> dict[uuid.UUID, frozenset[str]]:
    """Return the tags that each task's worker must have, for those tasks that need some."""
    needed = warmth.needed_tags(session)
    if not needed:
        return {}
    versions = standing.versions_of(session, task_ids)
    return {task: needed[workflow] for task, (workflow, _) in versions.items() if workflow in needed}


def anything_lacks(session: Session, now: datetime) -> bool:
    """Return whether one of the first waiting tasks can run on no worker for what they all lack."""
    views = worker_views(session, now)
    found = lacks(session, _first_waiting(session), views)
    return any(all(view.worker_id in by_worker for view in views) for by_worker in found.values())


def why_nothing_starts(session: Session, project_id: uuid.UUID, now: datetime) -> str:
    """Return why all of a project's first waiting tasks can run nowhere for what is missing; empty where one can."""
    views = worker_views(session, now)
    first = _first_waiting(session, project_id)
    found = lacks(session, first, views)
    if not first or not views or any(not all(v.worker_id in found.get(key, {}) for v in views) for key in first):
        return ""
    return policy.why_waiting(0, views, lacks=found[first[0]])


def _first_waiting(session: Session, project_id: uuid.UUID | None = None) -> list[uuid.UUID]:
    query = (
        sa.select(m.GpuTask.id)
        .where(m.GpuTask.status_id.in_([TaskStatus.QUEUED, TaskStatus.WAITING]))
        .order_by(m.GpuTask.priority.desc(), m.GpuTask.queued_at, m.GpuTask.id)
        .limit(CANDIDATE_WINDOW)
    )
    return list(session.scalars(query.where(m.GpuTask.project_id == project_id) if project_id is not None else query))


def _workers_with_cache(session: Session, task_ids: list[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """Return the worker on which each resumed task was paused: it has the finished nodes in its cache."""
    if not task_ids:
        return {}
    rows = session.execute(
        sa.select(m.GpuTaskAttempt.task_id, m.GpuTaskAttempt.worker_id)
        .join(m.GpuTask, m.GpuTask.id == m.GpuTaskAttempt.task_id)
        .where(
            among(m.GpuTaskAttempt.task_id, task_ids), m.GpuTaskAttempt.number == m.GpuTask.attempt_number,
            m.GpuTaskAttempt.error_code == PAUSED_CODE, m.GpuTaskAttempt.worker_id.is_not(None),
        )
    )  # fmt: skip
    return {task_id: worker_id for task_id, worker_id in rows if worker_id is not None}


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


def worker_views(session: Session, now: datetime, recall: Recall = FRESH) -> list[WorkerView]:
    """Return every worker that was not removed, with its load."""
    busy = (
        sa.select(m.GpuTask.worker_id, sa.func.count().label("n"))
        .where(m.GpuTask.status_id.in_(LEASED_STATUSES))
        .group_by(m.GpuTask.worker_id)
        .subquery()
    )
    w, n_busy = m.Worker, sa.func.coalesce(busy.c.n, 0).label("busy")
    rows = session.execute(
        sa.select(w.id, w.name, w.slots, w.status_id, w.set_aside_until, w.capabilities_hash, w.vram_bytes, n_busy)
        .outerjoin(busy, busy.c.worker_id == w.id)
        .where(w.status_id != WorkerStatus.REMOVED)
        .order_by(w.name)
    ).all()
    tags = recall("tags", BRISK_S, lambda: warmth.tags(session))
    loaded = recall("loaded", BRISK_S, lambda: warmth.loaded(session))
    found = []
    for key, name, slots, status, aside_until, digest, vram, n in rows:
        aside = aside_until is not None and aside_until > now
        online = status == WorkerStatus.ONLINE
        found.append(
            WorkerView(
                tags=tags.get(key, frozenset()), loaded=loaded.get(key, frozenset()), worker_id=key, name=name,
                slots=slots, busy=int(n), vram_bytes=vram, available=online and not aside, offer=digest,
                state="set aside" if aside and online else _STATES[status],
            )
        )  # fmt: skip
    return found


def expired(session: Session, now: datetime) -> list[m.GpuTask]:
    """Return leased tasks whose lease ran out, locked."""
    return list(
        session.scalars(
            sa.select(m.GpuTask)
            .where(m.GpuTask.status_id.in_(LEASED_STATUSES), m.GpuTask.lease_until < now)
            .with_for_update(skip_locked=True)
        )
    )


def undelivered(session: Session, older_than: datetime) -> list[tuple[uuid.UUID, int]]:
    """Return (task, attempt) pairs that were dispatched and not started: their message may be lost."""
    rows = session.execute(
        sa.select(m.GpuTask.id, m.GpuTask.attempt_number)
        .join(m.GpuTaskAttempt, sa.and_(m.GpuTaskAttempt.task_id == m.GpuTask.id,
                                        m.GpuTaskAttempt.number == m.GpuTask.attempt_number))
        .where(m.GpuTask.status_id == TaskStatus.DISPATCHED, m.GpuTaskAttempt.dispatched_at < older_than)
    )  # fmt: skip
    return [(row.id, row.attempt_number) for row in rows]


def lock_task(session: Session, task_id: uuid.UUID) -> m.GpuTask | None:
    """Return the task, locked, or None."""
    return session.scalars(sa.select(m.GpuTask).where(m.GpuTask.id == task_id).with_for_update()).one_or_none()


def attempt(session: Session, task_id: uuid.UUID, number: int) -> m.GpuTaskAttempt | None:
    """Return one attempt of a task."""
    return session.scalars(
        sa.select(m.GpuTaskAttempt).where(m.GpuTaskAttempt.task_id == task_id, m.GpuTaskAttempt.number == number)
    ).one_or_none()


def followers(session: Session, task_id: uuid.UUID) -> list[m.GpuTask]:
    """Return every task that waits, directly or not, for this one, locked."""
    chain = sa.select(m.GpuTask.id).where(m.GpuTask.after_task_id == task_id).cte("chain", recursive=True)
    chain = chain.union_all(sa.select(m.GpuTask.id).where(m.GpuTask.after_task_id == chain.c.id))
    return list(session.scalars(sa.select(m.GpuTask).where(m.GpuTask.id.in_(sa.select(chain.c.id))).with_for_update()))


def counts(session: Session, project_id: uuid.UUID | None = None) -> dict[TaskStatus, int]:
    """Return how many tasks stand in each status."""
    query = sa.select(m.GpuTask.status_id, sa.func.count()).group_by(m.GpuTask.status_id)
    if project_id is not None:
        query = query.where(m.GpuTask.project_id == project_id)
    return {status: int(n) for status, n in session.execute(query)}
