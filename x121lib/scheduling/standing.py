"""How a worker stands: every change of its status with its history, and who is to blame for failed attempts."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.events import outbox
from x121lib.scheduling import policy
from x121lib.store.session import among
from x121lib.terms.vocabulary import AttemptOutcome, EventKind, WorkerStatus

NOBODYS_FAULT = ("scheduling.stopped", "scheduling.not_picked_up", "scheduling.lease_expired", "store.disk_full")
"""Codes of attempts that say nothing about the worker."""
_LOOK_BACK = 100


def move_worker(
    session: Session, worker: m.Worker, to: WorkerStatus, reason: str, person_id: uuid.UUID | None = None
) -> None:
    """Give a worker another status and write that into its history and the events; without effect where it has it."""
    before = worker.status_id
    if before == to:
        return
    worker.status_id = to
    record_change(session, worker, before, reason, person_id)


def record_change(
    session: Session, worker: m.Worker, before: WorkerStatus | None, reason: str, person_id: uuid.UUID | None = None
) -> None:
    """Write a worker's present status into its history, and tell the events."""
    session.add(
        m.WorkerStatusChange(
            worker_id=worker.id, from_status_id=before, to_status_id=worker.status_id, reason=reason,
            person_id=person_id,
        )
    )  # fmt: skip
    outbox.publish(
        session, EventKind.WORKER_CHANGED, entity="worker", entity_id=worker.id,
        payload={"name": worker.name, "status": worker.status_id.value, "reason": reason},
    )  # fmt: skip


def judge(session: Session, task: m.GpuTask, now: datetime, *, machine: bool) -> policy.Blame:
    """Decide who is to blame for the task's attempt that has just been recorded as failed, and act on the workers.

    The worker's streak counts the tasks that it failed in a row. Tasks that failed on several workers are the
    tasks' fault: they leave the streak of every worker that met them.
    """
    session.flush()
    met = _workers_that_failed(session, [task.id]).get(task.id, set())
    worker = session.get(m.Worker, task.worker_id) if task.worker_id else None
    streak = failed_in_a_row(session, worker.id) if worker is not None else 0
    blame = policy.blame(workers=len(met), attempts=task.failed_attempts + 1, streak=streak)
    if worker is not None:
        worker.error_streak = streak
        if machine and not blame.task and worker.status_id == WorkerStatus.ONLINE:
            move_worker(session, worker, WorkerStatus.DEGRADED, "A take failed on it.")
        if blame.aside_s > 0:
            worker.set_aside_until = now + timedelta(seconds=blame.aside_s)
            reason = f"Set aside for {blame.aside_s / 60:.0f} min: {streak} tasks failed on it in a row."
            record_change(session, worker, worker.status_id, reason)
    if blame.task:
        for other in session.scalars(sa.select(m.Worker).where(m.Worker.id.in_(met))):
            other.error_streak = failed_in_a_row(session, other.id)
            if other.error_streak < policy.SET_ASIDE_TASKS:
                other.set_aside_until = None
    return blame


def forgive(session: Session, worker_id: uuid.UUID | None) -> None:
    """End a worker's streak: it completed a task."""
    worker = session.get(m.Worker, worker_id) if worker_id else None
    if worker is not None and worker.error_streak:
        worker.error_streak, worker.set_aside_until = 0, None


def failed_in_a_row(session: Session, worker_id: uuid.UUID) -> int:
    """Return how many tasks failed on a worker since it last completed one.

    Left out: tasks that are at fault themselves, and a workflow's own errors while that workflow has run nowhere.
    """
    a = m.GpuTaskAttempt
    since = sa.select(sa.func.max(a.finished_at)).where(
        a.worker_id == worker_id, a.outcome_id == AttemptOutcome.COMPLETE
    )
    begin = session.scalar(since)
    query = sa.select(a.task_id, a.outcome_id).where(
        a.worker_id == worker_id, a.outcome_id.in_([AttemptOutcome.LOST, AttemptOutcome.FAILED]),
        a.error_code.not_in(NOBODYS_FAULT),
    )  # fmt: skip
    if begin is not None:
        query = query.where(a.finished_at > begin)
    rows = session.execute(query.order_by(a.finished_at.desc()).limit(_LOOK_BACK)).all()
    tasks = {row.task_id for row in rows}
    met = _workers_that_failed(session, list(tasks))
    lost = {row.task_id for row in rows if row.outcome_id == AttemptOutcome.LOST}
    ran = _whose_workflow_has_run(session, list(tasks - lost))
    return sum(len(met.get(t, ())) < policy.FAULTY_TASK_WORKERS and (t in lost or t in ran) for t in tasks)


def _workers_that_failed(session: Session, task_ids: list[uuid.UUID]) -> dict[uuid.UUID, set[uuid.UUID]]:
    a = m.GpuTaskAttempt
    rows = session.execute(
        sa.select(a.task_id, a.worker_id).where(
            a.task_id.in_(task_ids), a.worker_id.is_not(None), a.error_code.not_in(NOBODYS_FAULT),
            a.outcome_id.in_([AttemptOutcome.LOST, AttemptOutcome.FAILED]),
        )
    )  # fmt: skip
    found: dict[uuid.UUID, set[uuid.UUID]] = {}
    for task_id, worker_id in rows:
        if worker_id is not None:
            found.setdefault(task_id, set()).add(worker_id)
    return found


def _whose_workflow_has_run(session: Session, task_ids: list[uuid.UUID]) -> set[uuid.UUID]:
    if not task_ids:
        return set()
    versions = versions_of(session, task_ids)
    known = set(session.scalars(sa.select(m.WorkerSpeed.workflow_id).distinct()))
    return {task_id for task_id, (workflow_id, _) in versions.items() if workflow_id in known}


def versions_of(session: Session, task_ids: list[uuid.UUID]) -> dict[uuid.UUID, tuple[uuid.UUID, uuid.UUID]]:
    """Return (workflow, workflow version) of each task."""
    version_id = sa.func.coalesce(m.SceneTypeVersion.workflow_version_id, m.VariantKind.workflow_version_id)
    rows = session.execute(
        sa.select(m.GpuTask.id, m.WorkflowVersion.workflow_id, m.WorkflowVersion.id)
        .select_from(m.GpuTask)
        .outerjoin(m.Take, m.Take.id == m.GpuTask.take_id)
        .outerjoin(m.Segment, m.Segment.id == m.Take.segment_id)
        .outerjoin(m.Scene, m.Scene.id == m.Segment.scene_id)
        .outerjoin(m.SceneTypeVersion, m.SceneTypeVersion.id == m.Scene.scene_type_version_id)
        .outerjoin(m.ImageVariant, m.ImageVariant.id == m.GpuTask.image_variant_id)
        .outerjoin(m.VariantKind, m.VariantKind.id == m.ImageVariant.kind_id)
        .join(m.WorkflowVersion, m.WorkflowVersion.id == version_id)
        .where(among(m.GpuTask.id, task_ids))
    )
    return {task_id: (workflow_id, key) for task_id, workflow_id, key in rows}
