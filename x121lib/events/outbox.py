"""Write events in the transaction of the change, and read them without missing one."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.terms.vocabulary import EventKind

CHANNEL = "x121_event"
"""NOTIFY channel; its payload is the event's kind."""
_LARGEST = 2**63 - 1
_HORIZON: sa.ColumnElement[int] = sa.literal_column("(pg_snapshot_xmin(pg_current_snapshot())::text::bigint)")


@dataclass(frozen=True)
class EventRecord:
    """One event as readers see it."""

    event_id: int
    """Number of the event."""
    kind: EventKind
    """What happened."""
    entity: str
    """Table of the thing it happened to."""
    entity_id: uuid.UUID
    """Key of that thing."""
    project_id: uuid.UUID | None
    """Project, where there is one."""
    payload: dict[str, Any]
    """Facts, JSON-able."""
    created_at: datetime
    """Start of the writing transaction."""


class Position(NamedTuple):
    """Where a reader stands. Event numbers commit out of order, transactions below the horizon do not change."""

    transaction_id: int
    """Writing transaction of the last event read."""
    event_id: int
    """Number of the last event read."""


_cause: ContextVar[uuid.UUID | None] = ContextVar("cause", default=None)


@contextmanager
def caused_by(firing_id: uuid.UUID) -> Iterator[None]:
    """Let every event that this thread publishes in the block be known as an effect of a trigger's firing."""
    token = _cause.set(firing_id)
    try:
        yield
    finally:
        _cause.reset(token)


def publish(
    session: Session,
    kind: EventKind,
    *,
    entity: str,
    entity_id: uuid.UUID,
    project_id: uuid.UUID | None = None,
    payload: dict[str, Any] | None = None,
) -> None:
    """Write an event and NOTIFY; both become visible when the caller's transaction commits."""
    body = json.loads(json.dumps(payload or {}, default=str))
    row = m.Event(kind_id=kind, entity=entity, entity_id=entity_id, project_id=project_id, payload=body)
    session.add(row)
    if (firing_id := _cause.get()) is not None:
        session.flush()
        session.add(m.EventCause(event_id=row.id, firing_id=firing_id))
    session.execute(sa.select(sa.func.pg_notify(CHANNEL, kind.value)))


def publish_many(
    session: Session, kind: EventKind, entity: str, items: Sequence[tuple[uuid.UUID, uuid.UUID | None, dict[str, Any]]]
) -> None:
    """Write events of one kind, each as (entity's key, project, payload), and NOTIFY once."""
    if not items:
        return
    rows = [
        {"kind_id": kind, "entity": entity, "entity_id": key, "project_id": project_id,
         "payload": json.loads(json.dumps(payload, default=str))}
        for key, project_id, payload in items
    ]  # fmt: skip
    session.execute(sa.insert(m.Event), rows)
    session.execute(sa.select(sa.func.pg_notify(CHANNEL, kind.value)))


def join(session: Session, consumer: str) -> None:
    """Let a reader begin after what happened so far, where it does not read already. Idempotent."""
    now = end(session)
    row = insert(m.EventCursor).values(
        consumer=consumer, last_transaction_id=now.transaction_id, last_event_id=now.event_id
    )
    session.execute(row.on_conflict_do_nothing(index_elements=["consumer"]))


def read(
    session: Session, consumer: str, *, kinds: Collection[EventKind] | None = None, limit: int = 500
) -> list[EventRecord]:
    """Return the events (of some kinds) that ``consumer`` has not seen, and move its position past the others too.

    Sequence numbers commit out of order, so the position is (transaction, number) and only events of
    transactions below `pg_snapshot_xmin` are handed out: nothing that commits later can sort before them.
    """
    cursor = session.get(m.EventCursor, consumer, with_for_update=True)
    if cursor is None:
        cursor = m.EventCursor(consumer=consumer, last_transaction_id=0, last_event_id=0)
        session.add(cursor)
        session.flush()
    past = end(session)  # asked first: what becomes readable in between is read below, or with the next call
    query = _after(Position(cursor.last_transaction_id, cursor.last_event_id)).limit(limit)
    rows = session.scalars(query if kinds is None else query.where(m.Event.kind_id.in_(kinds))).all()
    if rows:
        cursor.last_transaction_id, cursor.last_event_id = rows[-1].transaction_id, rows[-1].id
    if kinds is not None and len(rows) < limit and past.transaction_id > cursor.last_transaction_id:
        cursor.last_transaction_id, cursor.last_event_id = past
    return [_record(r) for r in rows]


def find(session: Session, event_id: int) -> EventRecord | None:
    """Return an event by its number."""
    row = session.get(m.Event, event_id)
    return _record(row) if row is not None else None


def newest(session: Session, kind: EventKind, *, project_id: uuid.UUID | None = None, limit: int) -> list[EventRecord]:
    """Return the newest events of a kind, the newest first."""
    query = sa.select(m.Event).where(m.Event.kind_id == kind).order_by(m.Event.id.desc()).limit(limit)
    if project_id is not None:  # some kinds are about a project by way of a scene only
        query = query.where(sa.or_(m.Event.project_id == project_id, m.Event.project_id.is_(None)))
    return [_record(r) for r in session.scalars(query)]


def read_after(
    session: Session, position: Position, *, kinds: Collection[EventKind], limit: int = 500
) -> list[tuple[Position, EventRecord]]:
    """Return the events of some kinds after ``position``, each with its own; moves no cursor and locks nothing.

    Like `read`, it hands out only what nothing that commits later can sort before; what is still hidden by an
    open transaction comes with a later call.
    """
    rows = session.scalars(_after(position).where(m.Event.kind_id.in_(kinds)).limit(limit))
    return [(Position(r.transaction_id, r.id), _record(r)) for r in rows]


def end(session: Session) -> Position:
    """Return the position after everything that can be read now."""
    return Position(int(session.scalar(sa.select(_HORIZON)) or 0) - 1, _LARGEST)


def _after(position: Position) -> sa.Select[m.Event]:
    """Return the query of the readable events after a position, in reading order."""
    numbers = [sa.literal(number, sa.BigInteger) for number in position]
    return (
        sa.select(m.Event)
        .where(sa.tuple_(m.Event.transaction_id, m.Event.id) > sa.tuple_(*numbers))
        .where(m.Event.transaction_id < _HORIZON)
        .order_by(m.Event.transaction_id, m.Event.id)
    )


def _record(row: m.Event) -> EventRecord:
    return EventRecord(
        row.id, row.kind_id, row.entity, row.entity_id, row.project_id, row.payload, row.created_at
    )  # fmt: skip


def latest(session: Session, *, project_id: uuid.UUID | None = None, limit: int = 50) -> list[EventRecord]:
    """Return the newest events first, of one project or of all."""
    query = sa.select(m.Event).order_by(m.Event.id.desc()).limit(limit)
    if project_id is not None:
        query = query.where(m.Event.project_id == project_id)
    return [_record(r) for r in session.scalars(query)]
