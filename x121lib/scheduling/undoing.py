"""Take changes of the queue back.

A change is taken back of every task that still waits. One that has started or ended meanwhile stays as it is and is
named: what was changed of the others does not depend on it. One that was changed since refuses the whole: that later
change would be lost, and is undone first.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import ConflictError, ForbiddenError, NotFoundError
from x121lib.events import outbox
from x121lib.scheduling import places, selecting
from x121lib.scheduling.fairness import AGE_STEP_S
from x121lib.scheduling.places import GAP_S, Where
from x121lib.scheduling.selections import Changed, State, apply
from x121lib.scheduling.service import wake
from x121lib.scheduling.window import Row
from x121lib.store import audit
from x121lib.store.session import among
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.transitions import WAITING_STATUSES
from x121lib.terms.vocabulary import EventKind

_Kept = Mapping[uuid.UUID, m.QueueChangeTask]


def undo(session: Session, actor: Actor, change_id: uuid.UUID | None, now: datetime) -> Changed:
    """Take a change back: the one named, else the actor's last that still stands.

    Tasks that have started or ended since are left out and named in the summary. Where the change dealt the places
    that tasks had out anew among them, those that still wait get their old order back within the places that they
    have now: the place of one that has started is used up.

    Raises:
        NotFoundError: there is no such change, or none to undo.
        ConflictError: it is undone already, none of its tasks waits any more, one of them was changed since, or those
            that wait stand in their old order.
        ForbiddenError: it is somebody else's, and the actor orders their own tasks only.
    """
    actor.require(Permission.CONTROL_QUEUE)
    change = _change(session, actor, change_id)
    rows = list(session.scalars(sa.select(m.QueueChangeTask).where(m.QueueChangeTask.change_id == change.id)))
    t, ids = m.GpuTask, [row.task_id for row in rows]
    tasks = list(session.scalars(sa.select(t).where(among(t.id, ids)).order_by(t.id).with_for_update()))
    selecting.require_own(session, actor, tasks)
    waiting = [task for task in tasks if task.status_id in WAITING_STATUSES]
    gone = [task.id for task in tasks if task.status_id not in WAITING_STATUSES]
    kept = {row.task_id: row for row in rows}
    _check_undoable(session, change, waiting, gone, kept)
    states = {task.id: _old(kept[task.id]) for task in waiting}
    if gone and _is_dealt(tasks, kept):
        states = _in_old_order(session, change, waiting, gone, kept)
    for task in waiting:
        apply(task, states[task.id], now, undoing=True)
        if states[task.id] == _old(kept[task.id]):
            _as_before(session, kept[task.id], task.version)
    left = f"; {_stay(session, gone)}" if gone else ""
    change.undone_at, change.undone_by_id = now, actor.person_id
    audit.record(session, actor, "queue.undo", ("queue_change", change.id),
                 after={"undone": change.summary, "left": [str(key) for key in gone]})  # fmt: skip
    outbox.publish(session, EventKind.QUEUE_CHANGE_UNDONE, entity="queue_change", entity_id=change.id,
                   payload={"summary": change.summary, "by": actor.name})  # fmt: skip
    wake(session)
    return Changed(change.id, len(waiting), f"Undone: {change.summary}{left}")


def _old(row: m.QueueChangeTask) -> State:
    return State(row.old_class_id, row.old_priority, row.old_is_off_peak, row.old_not_before, row.old_turn_at)


def _stay(session: Session, gone: Sequence[uuid.UUID]) -> str:
    words = "has started or ended since and stays" if len(gone) == 1 else "have started or ended since and stay"
    return f"{selecting.names(session, gone)} {words}"


def _turn_s(turn_at: datetime | None, queued_at: datetime, priority: int) -> float:
    return (turn_at or queued_at).timestamp() - priority * AGE_STEP_S


def _is_dealt(tasks: Sequence[m.GpuTask], kept: _Kept) -> bool:
    """Return whether a change gave tasks nothing but each other's places."""
    rows = [(task, kept[task.id]) for task in tasks]
    same = all(
        (r.old_class_id, r.old_priority, r.old_is_off_peak, r.old_not_before)
        == (r.new_class_id, r.new_priority, r.new_is_off_peak, r.new_not_before)
        for _, r in rows
    )
    if not same or len(rows) < 2:
        return False
    before = sorted(_turn_s(r.old_turn_at, task.queued_at, r.old_priority) for task, r in rows)
    after = sorted(_turn_s(r.new_turn_at, task.queued_at, r.new_priority) for task, r in rows)
    return all(abs(a - b) <= GAP_S * len(rows) for a, b in zip(before, after, strict=True))


def _in_old_order(
    session: Session, change: m.QueueChange, waiting: Sequence[m.GpuTask], gone: Sequence[uuid.UUID], kept: _Kept
) -> dict[uuid.UUID, State]:
    """Return the places that tasks have now, dealt out in the order that they had before the change."""

    def before(task: m.GpuTask) -> tuple[float, uuid.UUID]:
        return _turn_s(kept[task.id].old_turn_at, task.queued_at, kept[task.id].old_priority), task.id

    ordered = [
        Row(task.id, task.priority, task.turn_at or task.queued_at, task.project_id, task.submitted_by_id,
            task.is_off_peak)
        for task in sorted(waiting, key=before)
    ]  # fmt: skip
    turns = places.among(ordered, [], Where.FRONT)
    if not turns:
        raise ConflictError(
            f"'{change.summary}' can not be undone: {_stay(session, gone)}, and the others stand in their old order.",
            hint="Nothing was changed.",
        )
    return {
        task.id: State(task.class_id, task.priority, task.is_off_peak, task.not_before,
                       turns.get(task.id, task.turn_at))
        for task in waiting
    }  # fmt: skip


def _as_before(session: Session, undone: m.QueueChangeTask, version: int) -> None:
    """Let the change before an undone one know that its task stands again as it left it."""
    row = m.QueueChangeTask
    session.execute(
        sa.update(row)
        .where(row.task_id == undone.task_id, row.new_version == undone.new_version - 1)
        .values(new_version=version)
    )


def _check_undoable(
    session: Session, change: m.QueueChange, waiting: Sequence[m.GpuTask], gone: Sequence[uuid.UUID], kept: _Kept
) -> None:
    altered = [task.id for task in waiting if task.version != kept[task.id].new_version]
    if altered:
        verb = "was" if len(altered) == 1 else "were"
        raise ConflictError(
            f"'{change.summary}' can not be undone: {selecting.names(session, altered)} {verb} changed since.",
            hint="Nothing was changed. Undo the later change first, or move and edit the tasks themselves.",
        )
    if not waiting:
        verb = "has" if len(gone) == 1 else "have"
        raise ConflictError(
            f"'{change.summary}' can not be undone: {selecting.names(session, gone)} {verb} started or ended since.",
            hint="Nothing was changed.",
        )


def _change(session: Session, actor: Actor, change_id: uuid.UUID | None) -> m.QueueChange:
    c = m.QueueChange
    if change_id is not None:
        found = session.get(c, change_id, with_for_update=True)
        if found is None:
            raise NotFoundError(f"There is no change {change_id} of the queue.")
        if found.undone_at is not None:
            raise ConflictError(f"'{found.summary}' was undone already.")
        if found.person_id != actor.person_id and not actor.may(Permission.ORDER_QUEUE):
            raise ForbiddenError("This change is somebody else's.", hint="Ask an Admin.")
        return found
    mine = c.person_id == actor.person_id if actor.person_id is not None else c.person_id.is_(None)
    query = sa.select(c).where(mine, c.undone_at.is_(None)).order_by(c.made_at.desc(), c.id.desc()).limit(1)
    last = session.scalars(query.with_for_update()).one_or_none()
    if last is None:
        raise NotFoundError("There is nothing to undo.", hint="You changed nothing of the queue that still stands.")
    return last
