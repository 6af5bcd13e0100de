"""Move and edit selections of waiting tasks: all of them or none, told and kept as rows.

Whoever holds `Permission.ORDER_QUEUE` changes anybody's tasks and their places among all. Others who control the queue
change their own tasks, and which of these has which of the places that they have: who goes before whom stays a matter
of shares and priority.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import InvalidInputError, NotFoundError, RefusedError
from x121lib.base.ids import new_id
from x121lib.events import outbox
from x121lib.scheduling import accounts, places, selecting, shares
from x121lib.scheduling.fairness import AGE_STEP_S, UNKNOWN_S, order
from x121lib.scheduling.places import Where
from x121lib.scheduling.selecting import Tasks
from x121lib.scheduling.service import require_priority, wake
from x121lib.scheduling.window import Row
from x121lib.store import audit
from x121lib.store.session import among
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.transitions import check_task_transition
from x121lib.terms.vocabulary import EventKind, PriorityClass, TaskStatus

_OPEN = (TaskStatus.QUEUED, TaskStatus.WAITING)


@dataclass(frozen=True)
class Place:
    """Where tasks are moved to."""

    where: Where
    """The end of the queue, or the side of another task."""
    anchor_id: uuid.UUID | None = None
    """The other task; only for `Where.BEFORE` and `Where.AFTER`."""


@dataclass(frozen=True)
class Edit:
    """What is changed of tasks; None leaves a thing as it is."""

    priority: int | None = None
    """0 to 100."""
    priority_class: PriorityClass | None = None
    """The class; its priority follows where none is given."""
    off_peak: bool | None = None
    """Whether they start only while nothing else wants the worker."""
    not_before: datetime | None = None
    """Start no earlier than this, with its time zone."""
    at_once: bool = False
    """Take back the time before which they do not start."""


@dataclass(frozen=True)
class Changed:
    """What a change did."""

    change_id: uuid.UUID
    """Its key, by which it is undone."""
    n_tasks: int
    """How many tasks it changed."""
    summary: str
    """What was done, in a sentence."""


@dataclass(frozen=True)
class State:
    """What a change may set of a task."""

    priority_class: PriorityClass
    priority: int
    off_peak: bool
    not_before: datetime | None
    turn_at: datetime | None


def move(session: Session, actor: Actor, wanted: Tasks, place: Place, now: datetime) -> Changed:
    """Move waiting tasks to another place of the queue; they keep their order among each other.

    Raises:
        InvalidInputError: the place is not one.
        RefusedError: a task has no place yet (scheduled, paused), or the other one is off-peak and these are not.
        NotFoundError, ForbiddenError: as `selecting.chosen`.
    """
    if (place.anchor_id is not None) is not (place.where in (Where.BEFORE, Where.AFTER)):
        raise InvalidInputError("Say before or after which task.", hint="Give its key; none for front and back.")
    tasks = selecting.chosen(session, actor, wanted)
    if without := [task.id for task in tasks if not selecting.has_place(task)]:
        raise RefusedError(
            f"Nothing was moved: {selecting.names(session, without)} {'is' if len(without) == 1 else 'are'} scheduled "
            "or paused and so without a place in the queue.", hint="Let them go on, or start them at once, first.",
        )  # fmt: skip
    if len({task.is_off_peak for task in tasks}) > 1:
        raise RefusedError("Nothing was moved: off-peak work waits for all other work.", hint="Move them apart.")
    _check_anchor(session, actor, tasks, place)
    words = {Where.FRONT: "to the front", Where.BACK: "to the back"}.get(place.where)
    if place.anchor_id is not None:
        words = f"{place.where.value} {selecting.names(session, [place.anchor_id])}"
    summary = f"{_many(tasks)} moved {words}"
    ids = {task.id for task in tasks}
    if not actor.may(Permission.ORDER_QUEUE):
        tasks, turns = _own_turns(session, actor, tasks, place, now)
    else:
        turns = _turns(session, tasks, place, now)
        for key in turns.keys() - ids:  # moved by microseconds to make room
            session.execute(sa.update(m.GpuTask).where(m.GpuTask.id == key).values(turn_at=turns[key]))
    states = {task.id: replace(_state(task), turn_at=turns.get(task.id, task.turn_at)) for task in tasks}
    return _write(session, actor, tasks, states, summary, now)


def _check_anchor(session: Session, actor: Actor, tasks: Sequence[m.GpuTask], place: Place) -> None:
    if place.anchor_id is None:
        return
    anchor = session.get(m.GpuTask, place.anchor_id)
    if anchor is None:
        raise NotFoundError(f"There is no GPU task {place.anchor_id}.", hint="'x121 queue --json' lists their keys.")
    if anchor.id in {task.id for task in tasks}:
        raise InvalidInputError("A task can not be moved beside itself.", hint="Choose another one.")
    if not selecting.has_place(anchor) or anchor.is_off_peak is not tasks[0].is_off_peak:
        raise RefusedError(
            f"Nothing was moved: {selecting.names(session, [anchor.id])} has no place among these tasks.",
            hint="It runs, is over, scheduled or paused; or one of the two is off-peak work.",
        )
    selecting.require_own(session, actor, [anchor])


def _turns(
    session: Session, tasks: Sequence[m.GpuTask], place: Place, now: datetime
) -> dict[uuid.UUID, datetime]:  # fmt: skip
    """Return new turns among all that waits."""
    ids, off_peak = [task.id for task in tasks], tasks[0].is_off_peak
    used, usual = shares.read(session, now), _usual_s(session, ids)
    rows = _waiting(session, off_peak)
    moving = order([row for row in rows if row.task_id in set(ids)], used, usual)
    if place.anchor_id is None:
        return places.at_an_end(moving, _ends(session, ids, off_peak), place.where)
    others = [row for row in rows if row.task_id not in set(ids)]
    return places.beside(moving, others, place.anchor_id, place.where, used, usual)


def _own_turns(
    session: Session, actor: Actor, tasks: Sequence[m.GpuTask], place: Place, now: datetime
) -> tuple[list[m.GpuTask], dict[uuid.UUID, datetime]]:
    """Return which of the actor's tasks change, locked, and turns for them: those that the actor's tasks have now."""
    t, ids = m.GpuTask, {task.id for task in tasks}
    own = sa.and_(t.submitted_by_id == actor.person_id, t.status_id.in_(_OPEN), t.is_off_peak.is_(tasks[0].is_off_peak))
    every = list(session.scalars(sa.select(t).where(own).order_by(t.id).with_for_update()))
    used, usual = shares.read(session, now), _usual_s(session, list(ids))
    rows = {
        task.id: Row(task.id, task.priority, task.turn_at or task.queued_at, task.project_id, task.submitted_by_id,
                     task.is_off_peak)
        for task in every
    }  # fmt: skip
    moving = order([row for key, row in rows.items() if key in ids], used, usual)
    rest = order([row for key, row in rows.items() if key not in ids], used, usual)
    turns = places.among(moving, rest, place.where, place.anchor_id)
    return [task for task in every if task.id in ids or task.id in turns], turns


def _usual_s(session: Session, ids: Sequence[uuid.UUID]) -> float:
    seconds = accounts.measured(session, list(ids))
    return sum(seconds.values()) / len(seconds) if seconds else UNKNOWN_S


def _waiting(session: Session, off_peak: bool) -> list[Row]:
    t = m.GpuTask
    turn_at = sa.func.coalesce(t.turn_at, t.queued_at)
    query = sa.select(t.id, t.priority, turn_at, t.project_id, t.submitted_by_id, t.is_off_peak)
    return [Row(*row) for row in session.execute(query.where(t.status_id.in_(_OPEN), t.is_off_peak.is_(off_peak)))]


def _ends(session: Session, ids: list[uuid.UUID], off_peak: bool) -> places.Ends:
    t = m.GpuTask
    turn = sa.extract("epoch", sa.func.coalesce(t.turn_at, t.queued_at)) - t.priority * AGE_STEP_S
    query = sa.select(sa.func.min(turn), sa.func.max(turn)).where(
        t.status_id.in_(_OPEN), t.is_off_peak.is_(off_peak), ~among(t.id, ids)
    )
    first, last = session.execute(query).one()
    return places.Ends(float(first) if first is not None else None, float(last) if last is not None else None)


def edit(session: Session, actor: Actor, wanted: Tasks, given: Edit, now: datetime) -> Changed:
    """Change priority, class, off-peak or the start of waiting tasks.

    Raises:
        InvalidInputError: nothing is changed, a priority outside 0 to 100, or a time without zone or in the past.
        ForbiddenError: a priority above Urgent's, which only those may give who order the whole queue.
        NotFoundError, RefusedError: as `selecting.chosen`.
    """
    said = _check(actor, given, now)
    tasks = selecting.chosen(session, actor, wanted)
    states = {task.id: _edited(_state(task), given) for task in tasks}
    if not actor.may(Permission.ORDER_QUEUE):
        states = {task.id: _without_lead(task, states[task.id]) for task in tasks}
    return _write(session, actor, tasks, states, f"{_many(tasks)}: {', '.join(said)}", now)


def _check(actor: Actor, given: Edit, now: datetime) -> list[str]:
    """Return what is changed, in words."""
    said = []
    if given.priority_class is not None:
        said.append(given.priority_class.value)
    if given.priority is not None:
        if not 0 <= given.priority <= 100:
            raise InvalidInputError(f"A priority is 0 to 100, not {given.priority}.")
        require_priority(actor, given.priority)
        said.append(f"priority {given.priority}")
    if given.off_peak is not None:
        said.append("off-peak only" if given.off_peak else "at any hour")
    said += _check_start(given, now)
    if not said:
        raise InvalidInputError("Nothing was to be changed.", hint="Give a priority, class, off-peak or time.")
    return said


def _check_start(given: Edit, now: datetime) -> list[str]:
    said = []
    if given.not_before is not None:
        if given.at_once:
            raise InvalidInputError("Give a time, or let them start at once: not both.")
        if given.not_before.tzinfo is None:
            raise InvalidInputError(f"The time {given.not_before} has no time zone.", hint="As 2026-12-01T22:00+01:00.")
        if given.not_before <= now:
            raise InvalidInputError(f"{given.not_before:%Y-%m-%d %H:%M %Z} is over.", hint="Give a time to come.")
        said.append(f"no earlier than {given.not_before:%d %b %H:%M %Z}")
    if given.at_once:
        said.append("start at once")
    return said


def _edited(state: State, given: Edit) -> State:
    kind = given.priority_class or state.priority_class
    base = given.priority_class.base_priority if given.priority_class is not None else state.priority
    return State(
        kind, given.priority if given.priority is not None else base,
        state.off_peak if given.off_peak is None else given.off_peak,
        None if given.at_once else given.not_before or state.not_before, state.turn_at,
    )  # fmt: skip


def _without_lead(task: m.GpuTask, state: State) -> State:
    """Return the state without the lead that moving gave a task: else priority and moves in turn would add up."""
    leads = state.turn_at is not None and state.turn_at < task.queued_at
    return replace(state, turn_at=None) if leads and state.priority != task.priority else state


def _write(
    session: Session, actor: Actor, tasks: Sequence[m.GpuTask], states: Mapping[uuid.UUID, State], summary: str,
    now: datetime,
) -> Changed:  # fmt: skip
    change = m.QueueChange(id=new_id(), person_id=actor.person_id, summary=summary, made_at=now)
    session.add(change)
    session.flush()
    for task in tasks:
        old, new = _state(task), states[task.id]
        apply(task, new, now)
        session.add(
            m.QueueChangeTask(
                change_id=change.id, task_id=task.id, new_version=task.version,
                old_class_id=old.priority_class, new_class_id=new.priority_class, old_priority=old.priority,
                new_priority=new.priority, old_is_off_peak=old.off_peak, new_is_off_peak=new.off_peak,
                old_not_before=old.not_before, new_not_before=new.not_before, old_turn_at=old.turn_at,
                new_turn_at=new.turn_at,
            )
        )  # fmt: skip
    ids = sorted(str(task.id) for task in tasks)
    audit.record(session, actor, "queue.change", ("queue_change", change.id), after={"what": summary, "tasks": ids})
    outbox.publish(session, EventKind.QUEUE_CHANGED, entity="queue_change", entity_id=change.id,
                   payload={"summary": summary, "tasks": len(ids), "by": actor.name})  # fmt: skip
    wake(session)
    return Changed(change.id, len(tasks), summary)


def _state(task: m.GpuTask) -> State:
    return State(task.class_id, task.priority, task.is_off_peak, task.not_before, task.turn_at)


def apply(task: m.GpuTask, state: State, now: datetime, *, undoing: bool = False) -> None:
    """Write a state on a task; one that is put off becomes Scheduled, one that no longer is becomes Queued.

    What becomes Queued waits from now on, but where that undoes a change it has waited since it first did.
    """
    task.class_id, task.priority, task.is_off_peak = state.priority_class, state.priority, state.off_peak
    task.not_before, task.turn_at = state.not_before, state.turn_at
    later = state.not_before is not None and state.not_before > now
    to = TaskStatus.SCHEDULED if later else TaskStatus.QUEUED
    if task.status_id != TaskStatus.PAUSED and (task.status_id == TaskStatus.SCHEDULED) is not later:
        check_task_transition(task.status_id, to)
        task.status_id = to
        task.queued_at = task.queued_at if later or undoing else now
    task.version += 1


def changes(session: Session, actor: Actor, limit: int = 50) -> list[tuple[m.QueueChange, str | None, int]]:
    """Return the last changes, newest first, each with who made it and how many tasks it changed."""
    actor.require(Permission.VIEW)
    n = sa.select(sa.func.count()).where(m.QueueChangeTask.change_id == m.QueueChange.id).scalar_subquery()
    query = (
        sa.select(m.QueueChange, m.Person.name, n)
        .outerjoin(m.Person, m.Person.id == m.QueueChange.person_id)
        .order_by(m.QueueChange.made_at.desc(), m.QueueChange.id.desc())
        .limit(limit)
    )
    return [(change, who, int(count)) for change, who, count in session.execute(query)]


def _many(tasks: Sequence[m.GpuTask]) -> str:
    return "1 task" if len(tasks) == 1 else f"{len(tasks)} tasks"
