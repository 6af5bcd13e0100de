"""Write events in the transaction of the change, and read them without missing one."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.terms.vocabulary import EventKind

CHANNEL = "x121_event"
"""NOTIFY channel; its payload is the event's kind."""


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
    session.add(m.Event(kind_id=kind, entity=entity, entity_id=entity_id, project_id=project_id, payload=body))
    session.execute(sa.select(sa.func.pg_notify(CHANNEL, kind.value)))


def read(session: Session, consumer: str, *, limit: int = 500) -> list[EventRecord]:
    """Return the events that ``consumer`` has not seen, and move its position.

    Sequence numbers commit out of order, so the position is (transaction, number) and only events of
    transactions below `pg_snapshot_xmin` are handed out: nothing that commits later can sort before them.
    """
    cursor = session.get(m.EventCursor, consumer, with_for_update=True)
    if cursor is None:
        cursor = m.EventCursor(consumer=consumer, last_transaction_id=0, last_event_id=0)
        session.add(cursor)
        session.flush()
    horizon = sa.text("(pg_snapshot_xmin(pg_current_snapshot())::text::bigint)")
    position = sa.tuple_(m.Event.transaction_id, m.Event.id)
    rows = session.scalars(
        sa.select(m.Event)
        .where(position > sa.tuple_(sa.literal(cursor.last_transaction_id), sa.literal(cursor.last_event_id)))
        .where(m.Event.transaction_id < horizon)
        .order_by(m.Event.transaction_id, m.Event.id)
        .limit(limit)
    ).all()
    if rows:
        cursor.last_transaction_id, cursor.last_event_id = rows[-1].transaction_id, rows[-1].id
    return [
        EventRecord(r.id, r.kind_id, r.entity, r.entity_id, r.project_id, r.payload, r.created_at) for r in rows
    ]


def latest(session: Session, *, project_id: uuid.UUID | None = None, limit: int = 50) -> list[EventRecord]:
    """Return the newest events first, of one project or of all."""
    query = sa.select(m.Event).order_by(m.Event.id.desc()).limit(limit)
    if project_id is not None:
        query = query.where(m.Event.project_id == project_id)
    return [
        EventRecord(r.id, r.kind_id, r.entity, r.entity_id, r.project_id, r.payload, r.created_at)
        for r in session.scalars(query)
    ]
