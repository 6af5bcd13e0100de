"""The queue's use cases: dispatch, lease, heartbeat, finish, cancel, pause.

The truth is the table `gpu_task`; `attempt_number` is the fencing token: whoever records under an older number
is told that it lost, and nothing is written twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import ForbiddenError, NotFoundError, X121Error
from x121lib.events import outbox
from x121lib.scheduling import budgets, matching, policy, queries, reading, recording, sending, standing, warmth
from x121lib.scheduling.reading import DISPATCH_LOCK
from x121lib.scheduling.recall import BRISK_S, FRESH, Recall
from x121lib.scheduling.recording import WAKE_CHANNEL as WAKE_CHANNEL
from x121lib.scheduling.recording import Timing as Timing
from x121lib.scheduling.recording import Token
from x121lib.store import audit
from x121lib.store.direct import fetch
from x121lib.store.session import Database, among
from x121lib.terms.roles import SYSTEM, Actor, Permission
from x121lib.terms.transitions import (
    ENDED_STATUSES,
    LEASED_STATUSES,
    WAITING_STATUSES,
    check_task_transition,
)
from x121lib.terms.vocabulary import AttemptOutcome, EventKind, PriorityClass, TaskStatus

PICKUP_S = 120.0
"""Seconds that a dispatched task may wait for a consumer's slot; its message is sent again meanwhile."""


class LeaseLostError(X121Error):
    """The attempt is no longer the task's current one; its result must not be recorded."""

    code = "scheduling.lease_lost"


@dataclass(frozen=True)
class Dispatched:
    """A task that was given to a worker."""

    task_id: uuid.UUID
    """The task."""
    attempt_number: int
    """Fencing token of this attempt."""
    is_started: bool = False
    """Whether it runs already, in the process that dispatched it."""


@dataclass(frozen=True)
class Failure:
    """Why an attempt failed."""

    code: str
    """Stable code of the error."""
    message: str
    """What happened, for a person."""
    machine: bool
    """True where the machine is to blame (unreachable, restarted, stalled): the task runs again elsewhere."""
    context: dict[str, object] | None = None
    """Node, inputs, log excerpt: whatever helps to find the cause."""
    worker: bool = True
    """False where another machine than the GPU worker is to blame (the database, say)."""


_STOPPED = Failure("scheduling.stopped", "The process that drove this take was stopped.", machine=True)
_NOT_PICKED_UP = Failure("scheduling.not_picked_up", "No consumer had a free slot for this take.", machine=True)


def wake(session: Session) -> None:
    """Wake the tick once the caller's transaction commits."""
    fetch(session, (f"SELECT pg_notify('{WAKE_CHANNEL}', '')", {}))


def hold_dispatch(session: Session) -> bool:
    """Keep every other dispatch out until this transaction ends; False where one is under way."""
    return bool(session.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(DISPATCH_LOCK))))


def dispatch(
    session: Session, now: datetime, lease_s: float, recall: Recall = FRESH, here: sending.Here | None = None
) -> list[Dispatched]:
    """Assign waiting tasks to free workers and return them; one dispatcher at a time, others return nothing.

    What a ``recall`` remembers is not read again; with ``here`` the first ones are started too: the caller runs them.
    """
    if recall is FRESH:  # else the caller settles beside the dispatch, which then holds no budget
        budgets.settle(session, now)
    recall("promoted", BRISK_S, lambda: _promote_scheduled(session, now))
    seen = reading.glance(session, now, recall)
    if seen is None:
        return []
    recall.slots, recall.free = sum(w.slots for w in seen.workers if w.available), seen.free
    if not recall.free:
        return []
    chosen = matching.assignments(session, seen, now, recall)
    sent, started = sending.send(session, chosen, now, max(lease_s, PICKUP_S), here)
    recall.free -= len(sent)
    recall.sent = max(len(sent), recall.sent // 2)
    return [Dispatched(*token, token in started) for token in sent]


def _promote_scheduled(session: Session, now: datetime) -> None:
    session.execute(
        sa.update(m.GpuTask)
        .where(m.GpuTask.status_id == TaskStatus.SCHEDULED, m.GpuTask.not_before <= now)
        .values(status_id=TaskStatus.QUEUED, queued_at=now)
    )


def start(
    database: Database, tokens: Sequence[Token], now: datetime, lease_s: float, also: str = ""
) -> list[BaseException | None]:
    """Move dispatched tasks to Running under their tokens, in one transaction; ``also`` as `recording.start`.

    Returns for each None, or a `LeaseLostError`: the attempt is not current, or somebody started, cancelled or finished
    it already. Of one attempt that is given twice the first one starts.
    """
    wanted = list(dict.fromkeys(tokens))
    started = recording.start(database.at_once, wanted, now, lease_s, also)
    if len(started) == len(tokens):
        return [None] * len(tokens)
    answers: list[BaseException | None] = []
    with database.transaction() as session:
        for token in tokens:
            answers.append(None if token[0] in started else _not_started(session, token))
            started.discard(token[0])
    return answers


def _not_started(session: Session, token: Token) -> LeaseLostError:
    try:
        task = current(session, *token)
    except LeaseLostError as error:
        return error
    return LeaseLostError(f"Attempt {token[1]} of task {token[0]} is {task.status_id.label} already.")


def heartbeat(session: Session, task_id: uuid.UUID, attempt_number: int, *, until: datetime, progress: float) -> bool:
    """Extend the lease to ``until`` and store the progress (0 to 1); False when the attempt must stop."""
    statement = (
        sa.update(m.GpuTask)
        .where(
            m.GpuTask.id == task_id,
            m.GpuTask.attempt_number == attempt_number,
            m.GpuTask.status_id == TaskStatus.RUNNING,
        )
        .values(lease_until=until, heartbeat_at=sa.func.now(), progress=progress)
        .returning(m.GpuTask.project_id)
    )
    project_id = session.scalar(statement)
    if project_id is None:
        return False
    outbox.publish(
        session, EventKind.TASK_PROGRESSED, entity="gpu_task", entity_id=task_id, project_id=project_id,
        payload={"progress": round(progress, 3)},
    )  # fmt: skip
    return True


def complete(session: Session, task_id: uuid.UUID, attempt_number: int, now: datetime, timing: Timing) -> None:
    """Record success under the token; the caller records the result in the same transaction.

    Raises:
        LeaseLostError: a later attempt owns the task, or it was cancelled; the caller must write nothing.
    """
    done = recording.complete(recording.within(session), (task_id, attempt_number), now, timing)
    if done is not None:
        warmth.follow(session, done)
    else:
        task = current(session, task_id, attempt_number)
        raise LeaseLostError(f"Task {task_id} is {task.status_id.label}; attempt {attempt_number} comes too late.")


def fail(session: Session, task_id: uuid.UUID, attempt_number: int, now: datetime, failure: Failure) -> m.GpuTask:
    """Record a failed attempt under the token.

    A machine's failure puts the task back in the queue (it will avoid that worker) and counts against the worker,
    unless `policy.blame` finds the task at fault, which then fails. A task's own failure ends it at once: no silent
    retry; it counts against the worker where its workflow has run before.

    Raises:
        LeaseLostError: a later attempt owns the task.
    """
    task = current(session, task_id, attempt_number)
    if task.status_id not in LEASED_STATUSES:
        raise LeaseLostError(f"Task {task_id} is {task.status_id.label}; attempt {attempt_number} comes too late.")
    end_attempt(session, task, now, AttemptOutcome.LOST if failure.machine else AttemptOutcome.FAILED, failure)
    at_fault = failure.worker and standing.judge(session, task, now, machine=failure.machine).task
    _requeue_or_fail(session, task, now, failure, at_fault=at_fault)
    return task


def sweep(session: Session, now: datetime, resend_after_s: float) -> tuple[list[m.GpuTask], list[Dispatched]]:
    """Requeue tasks whose lease ran out; return those that failed for good and dispatched ones to send again.

    A task that no consumer picked up was never tried: that counts neither against it nor against its worker.
    """
    failed = []
    for task in queries.expired(session, now):
        if task.status_id == TaskStatus.DISPATCHED:
            _give_back(session, task, now, _NOT_PICKED_UP)
            continue
        failure = Failure("scheduling.lease_expired", "The process that drove this take fell silent.", machine=True)
        end_attempt(session, task, now, AttemptOutcome.LOST, failure)
        _requeue_or_fail(session, task, now, failure)
        if task.status_id == TaskStatus.FAILED:
            failed.append(task)
    older = now - timedelta(seconds=resend_after_s)
    return failed, [Dispatched(*pair) for pair in queries.undelivered(session, older)]


def cancel(session: Session, actor: Actor, task_ids: list[uuid.UUID], now: datetime) -> list[m.GpuTask]:
    """Cancel tasks that are not over, and everything that waits for them; returns what was cancelled.

    A running one is told by its next heartbeat. Finished segments stay.
    """
    actor.require(Permission.CONTROL_QUEUE)
    cancelled: dict[uuid.UUID, m.GpuTask] = {}
    for task_id in sorted(task_ids):  # keys grow along a chain: locked in the order in which its takes end
        task = queries.lock_task(session, task_id)
        if task is None:
            raise NotFoundError(f"There is no GPU task {task_id}.")
        for each in [task, *queries.followers(session, task_id)]:
            if each.status_id in WAITING_STATUSES | LEASED_STATUSES:
                if each.status_id in LEASED_STATUSES:
                    end_attempt(session, each, now, AttemptOutcome.CANCELLED, None)
                move(session, each, TaskStatus.CANCELLED, now, EventKind.TASK_CANCELLED)
                each.finished_at, each.lease_until, each.pause_requested_at = now, None, None
                cancelled[each.id] = each
    _audit(session, actor, "queue.cancel", list(cancelled))
    wake(session)
    return list(cancelled.values())


def pause(session: Session, actor: Actor, task_ids: list[uuid.UUID], now: datetime, reason: str = "") -> int:
    """Pause waiting tasks (a running one finishes its take first); returns how many."""
    actor.require(Permission.CONTROL_QUEUE)
    moved = _move_all(session, task_ids, WAITING_STATUSES - {TaskStatus.PAUSED}, TaskStatus.PAUSED, now)
    keep_pause(session, actor, moved, now, reason)
    _audit(session, actor, "queue.pause", moved)
    return len(moved)


def keep_pause(session: Session, actor: Actor, task_ids: Sequence[uuid.UUID], now: datetime, reason: str = "") -> None:
    """Keep who paused single tasks, when and why, until they go on."""
    h = m.QueueHold
    session.execute(sa.delete(h).where(among(h.task_id, task_ids)))
    session.add_all(h(task_id=key, person_id=actor.person_id, reason=reason, made_at=now) for key in task_ids)


def resume(session: Session, actor: Actor, task_ids: list[uuid.UUID], now: datetime) -> int:
    """Put paused tasks back in the queue where they stood; returns how many."""
    actor.require(Permission.CONTROL_QUEUE)
    moved = _move_all(session, task_ids, {TaskStatus.PAUSED}, TaskStatus.QUEUED, now)
    _audit(session, actor, "queue.resume", moved)
    return len(moved)


def require_priority(actor: Actor, priority: int) -> None:
    """Raise `ForbiddenError` for a priority above Urgent's, unless the actor orders the whole queue."""
    most = PriorityClass.URGENT.base_priority
    if priority > most and not actor.may(Permission.ORDER_QUEUE):
        raise ForbiddenError(f"{actor.name} may give priorities up to {most}.", hint="Ask an Admin.")


def set_priority(session: Session, actor: Actor, task_ids: list[uuid.UUID], priority: int) -> int:
    """Give those of some tasks that wait another priority, 0 to 100; returns how many changed.

    Only one's own, unless the actor orders the whole queue; these lose the lead that moving them gave, as in
    `selections.edit`.

    Raises:
        ForbiddenError: a priority above Urgent's, which only those may give who order the whole queue.
    """
    actor.require(Permission.CONTROL_QUEUE)
    t, everybody, given = m.GpuTask, actor.may(Permission.ORDER_QUEUE), max(0, min(100, priority))
    require_priority(actor, given)
    lead = sa.and_(t.turn_at < t.queued_at, t.priority != given)
    turn_at = t.turn_at if everybody else sa.case((lead, None), else_=t.turn_at)
    result = session.execute(
        sa.update(t)
        .where(t.id.in_(task_ids), t.status_id.in_(WAITING_STATUSES))
        .where(sa.true() if everybody else t.submitted_by_id == actor.person_id)
        .values(priority=given, turn_at=turn_at, version=t.version + 1)
        .returning(t.id)
    )
    changed = [row.id for row in result]
    _audit(session, actor, "queue.set_priority", changed, priority=priority)
    wake(session)
    return len(changed)


def _move_all(
    session: Session, task_ids: list[uuid.UUID], of: frozenset[TaskStatus] | set[TaskStatus], to: TaskStatus,
    now: datetime,
) -> list[uuid.UUID]:  # fmt: skip
    moved = []
    for task_id in sorted(task_ids):
        task = queries.lock_task(session, task_id)
        if task is not None and task.status_id in of:
            kind = EventKind.TASK_PAUSED if to == TaskStatus.PAUSED else EventKind.TASK_RESUMED
            later = to == TaskStatus.QUEUED and task.not_before is not None and task.not_before > now
            move(session, task, TaskStatus.SCHEDULED if later else to, now, kind)
            moved.append(task.id)
    wake(session)
    return moved


def _audit(session: Session, actor: Actor, action: str, task_ids: list[uuid.UUID], **facts: object) -> None:
    """Write what a person did to the queue; X121's own steps are events and attempts."""
    if task_ids and actor != SYSTEM:
        ids = sorted(str(t) for t in task_ids)
        audit.record(session, actor, action, ("gpu_task", task_ids[0]), after={"tasks": ids, **facts})


def current(session: Session, task_id: uuid.UUID, attempt_number: int) -> m.GpuTask:
    """Lock a task and return it; raise `LeaseLostError` unless the attempt is its current one."""
    task = queries.lock_task(session, task_id)
    if task is None:
        raise LeaseLostError(f"Task {task_id} is gone.")
    if task.attempt_number != attempt_number:
        raise LeaseLostError(f"Attempt {attempt_number} of task {task_id} was superseded by {task.attempt_number}.")
    return task


def move(session: Session, task: m.GpuTask, to: TaskStatus, now: datetime, kind: EventKind) -> None:
    """Move a task along the transition table and say so in an event."""
    check_task_transition(task.status_id, to)
    if task.status_id == TaskStatus.PAUSED:
        session.execute(sa.delete(m.QueueHold).where(m.QueueHold.task_id == task.id))
    task.status_id = to
    task.version += 1
    if to == TaskStatus.QUEUED:
        task.lease_until = task.heartbeat_at = None
    elif to in ENDED_STATUSES:
        budgets.mark_over(session, task.id, now)
    outbox.publish(
        session, kind, entity="gpu_task", entity_id=task.id, project_id=task.project_id,
        payload={"status": to.value, "at": now.isoformat(), "attempt": task.attempt_number},
    )  # fmt: skip


def end_attempt(
    session: Session, task: m.GpuTask, now: datetime, outcome: AttemptOutcome, failure: Failure | None
) -> None:
    """Write how the current attempt ended."""
    attempt = queries.attempt(session, task.id, task.attempt_number)
    if attempt is None:
        return
    attempt.outcome_id, attempt.finished_at = outcome, now
    if failure is not None:
        attempt.error_code, attempt.error_message = failure.code, failure.message
        attempt.error_context = failure.context


def _requeue_or_fail(
    session: Session, task: m.GpuTask, now: datetime, failure: Failure, *, at_fault: bool = False
) -> None:
    task.failed_attempts += 1
    task.error_code, task.error_message = failure.code, failure.message
    if failure.machine and not at_fault and task.failed_attempts < policy.MOST_ATTEMPTS:
        move(session, task, TaskStatus.QUEUED, now, EventKind.TASK_LOST)
        task.worker_id, task.progress = None, 0.0
        if task.pause_requested_at is not None:
            move(session, task, TaskStatus.PAUSED, now, EventKind.TASK_PAUSED)
            task.pause_requested_at = None
    else:
        move(session, task, TaskStatus.FAILED, now, EventKind.TASK_FAILED)
        task.finished_at, task.lease_until, task.pause_requested_at = now, None, None
    wake(session)


def release(session: Session, task_id: uuid.UUID, attempt_number: int, now: datetime) -> bool:
    """Give a running attempt back because its process stops cleanly: the task is queued again at once.

    Counts neither against the task nor against the worker. False when the attempt is no longer current.
    """
    task = queries.lock_task(session, task_id)
    if task is None or task.attempt_number != attempt_number or task.status_id not in LEASED_STATUSES:
        return False
    _give_back(session, task, now, _STOPPED)
    return True


def _give_back(session: Session, task: m.GpuTask, now: datetime, why: Failure) -> None:
    end_attempt(session, task, now, AttemptOutcome.LOST, why)
    move(session, task, TaskStatus.QUEUED, now, EventKind.TASK_LOST)
    task.worker_id, task.progress = None, 0.0
    wake(session)
