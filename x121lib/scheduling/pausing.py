"""Pause a task while it runs: at once, or when the node that it is in has ended."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import NotFoundError, RefusedError
from x121lib.scheduling import queries
from x121lib.scheduling import service as queue
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import AttemptOutcome, EventKind, TaskStatus

_PAUSED = queue.Failure(queries.PAUSED_CODE, "A person paused this take.", machine=False, worker=False)


def pause_running(session: Session, actor: Actor, task_id: uuid.UUID, now: datetime, *, at_once: bool) -> m.GpuTask:
    """Pause one running task, at once or as soon as the node that it is in has ended.

    At once, the node's work so far is lost. Nodes that ended stay in the server's cache either way. A task whose last
    node runs has no later point to stop at: it finishes.

    Raises:
        NotFoundError: there is no such task.
        RefusedError: it does not run.
    """
    actor.require(Permission.CONTROL_QUEUE)
    task = queries.lock_task(session, task_id)
    if task is None:
        raise NotFoundError(f"There is no GPU task {task_id}.")
    if task.status_id != TaskStatus.RUNNING:
        raise RefusedError(
            f"This take is {task.status_id.label.lower()}: only a running one can be paused in its middle.",
            hint="Waiting takes pause with the queue.",
        )
    queue.keep_pause(session, actor, [task.id], now)
    if at_once:
        _pause(session, task, now)
    else:
        task.pause_requested_at = now
    audit.record(session, actor, "queue.pause_running", ("gpu_task", task.id), after={"at_once": at_once})
    return task


def pause_reached(session: Session, task_id: uuid.UUID, attempt_number: int, now: datetime) -> bool:
    """Pause a running attempt whose requested stop is reached; False where nobody asks for it (any more).

    Raises:
        LeaseLostError: the attempt is not current.
    """
    task = queue.current(session, task_id, attempt_number)
    if task.status_id != TaskStatus.RUNNING or task.pause_requested_at is None:
        return False
    _pause(session, task, now)
    return True


def pause_wanted(session: Session, task_id: uuid.UUID, attempt_number: int) -> bool:
    """Return whether somebody asked that this attempt stop after the node that runs."""
    return bool(
        session.scalar(
            sa.select(m.GpuTask.pause_requested_at.is_not(None)).where(
                m.GpuTask.id == task_id, m.GpuTask.attempt_number == attempt_number
            )
        )
    )


def _pause(session: Session, task: m.GpuTask, now: datetime) -> None:
    queue.end_attempt(session, task, now, AttemptOutcome.CANCELLED, _PAUSED)
    queue.move(session, task, TaskStatus.PAUSED, now, EventKind.TASK_PAUSED)
    task.lease_until = task.heartbeat_at = task.pause_requested_at = None
    queue.wake(session)
