"""Every SELECT of the queue."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.scheduling import fitness, memory, policy, standing, warmth
from x121lib.scheduling.policy import WorkerView
from x121lib.terms.transitions import LEASED_STATUSES
from x121lib.terms.vocabulary import TaskStatus, WorkerStatus

PAUSED_CODE = "scheduling.paused"
"""Error code of an attempt that a person paused in its middle."""
_STATES = {status: status.label.lower() for status in WorkerStatus} | {WorkerStatus.MAINTENANCE: "in maintenance"}
FIRST = 256
"""Waiting tasks that are looked at to find out why nothing starts."""


Made = tuple[uuid.UUID | None, uuid.UUID | None]
"""What a task makes: a scene of a scene type's version, or an image of a variant kind."""


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


def makes(kinds: Collection[Made]) -> sa.ColumnElement[bool]:
    """Return the condition that a task makes one of some kinds of work, as `made` tells them."""
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
    wanted = fitness.demands(session, task_ids)
    words = lacks_in_words(session, set(wanted.values()), workers)
    lacking = {task_id: dict(words[demand]) for task_id, demand in wanted.items() if demand in words}
    for task_id, small in memory.lacks(session, list(wanted), workers).items():
        of_task = lacking.setdefault(task_id, {})
        for key, wanted_memory in small.items():
            of_task[key] = (wanted_memory, *of_task.get(key, ()))
    return lacking


def lacks_in_words(
    session: Session, wanted: Collection[fitness.Demand], workers: Sequence[WorkerView]
) -> dict[fitness.Demand, dict[uuid.UUID, tuple[str, ...]]]:
    """Return demand → worker → the node classes and models that it lacks, in words; GPU memory is not looked at."""
    found = fitness.lacks(session, wanted, {w.worker_id: w.offer for w in workers})
    return {
        demand: {key: tuple(str(one) for one in lacking) for key, lacking in by_worker.items()}
        for demand, by_worker in fitness.with_packs(session, found).items()
    }


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
        .limit(FIRST)
    )
    return list(session.scalars(query.where(m.GpuTask.project_id == project_id) if project_id is not None else query))


def worker_views(session: Session, now: datetime) -> list[WorkerView]:
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
    tags, loaded = warmth.tags(session), warmth.loaded(session)
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
