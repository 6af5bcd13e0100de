"""The inbox of each person: entries made from events, exactly once, and read, filtered and marked by their owner.

`announce` reads the outbox from its own position and writes the entries in the same transaction as that position, so
a crash neither loses nor doubles one. Whom an event concerns is decided in `messages`; what a person wants to hear of
is theirs to say, per kind (`NotificationPreference`).
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import InvalidInputError
from x121lib.base.ids import new_id
from x121lib.events import outbox
from x121lib.events.messages import SOURCES, Message, messages_of
from x121lib.store.session import among
from x121lib.terms.automation import NotificationKind, NotificationScope
from x121lib.terms.roles import Actor
from x121lib.terms.vocabulary import EventKind

CONSUMER = "notifications"
"""Name of the reader in `EventCursor`."""
MERGE_S = 60.0
"""Seconds in which further unread entries of one topic are counted into the first instead of filling the inbox."""
LONGEST_TITLE, LONGEST_BODY = 200, 2000
"""Characters; longer texts are cut."""
USUAL: dict[NotificationKind, NotificationScope] = dict.fromkeys(NotificationKind, NotificationScope.MINE)
"""What holds for somebody who chose nothing."""


@dataclass(frozen=True)
class Entry:
    """An entry as its owner sees it."""

    notification_id: uuid.UUID
    """Its key."""
    kind: NotificationKind
    """What it is about."""
    title: str
    """One line."""
    body: str
    """What happened and what to do."""
    href: str
    """A page of the web door; empty where none shows more."""
    project: str | None
    """Name of the project, where there is one."""
    n_events: int
    """How many things of the same topic it stands for."""
    created_at: datetime
    """When the newest of them happened."""
    read_at: datetime | None
    """When it was marked as read."""


def announce(session: Session, now: datetime, *, limit: int = 500) -> int:
    """Write the entries that new events call for; returns how many people were told something."""
    events = outbox.read(session, CONSUMER, kinds=SOURCES, limit=limit)
    told: set[uuid.UUID] = set()
    for message in messages_of(session, events):
        told |= send(session, message, now)
    return len(told)


def send(session: Session, message: Message, now: datetime) -> set[uuid.UUID]:
    """Write a message into the inbox of everybody who wants it; returns who got it.

    Somebody gets it who wants everybody's messages of its kind, and its own people unless they want none.
    """
    people = _who_wants(session, message)
    for person_id in people:
        _write(session, person_id, message, now)
        outbox.publish(session, EventKind.NOTIFICATION_MADE, entity="person", entity_id=person_id,
                       payload={"kind": message.kind.value, "count": message.n_events})  # fmt: skip
    return people


def _who_wants(session: Session, message: Message) -> set[uuid.UUID]:
    chosen = sa.and_(
        m.NotificationPreference.person_id == m.Person.id, m.NotificationPreference.kind_id == message.kind
    )
    rows = session.execute(
        sa.select(m.Person.id, m.NotificationPreference.scope_id)
        .outerjoin(m.NotificationPreference, chosen)
        .where(m.Person.is_active)
    )
    wanted = {person_id: scope or USUAL[message.kind] for person_id, scope in rows}
    return {
        person_id
        for person_id, scope in wanted.items()
        if scope == NotificationScope.ALL or (scope == NotificationScope.MINE and person_id in message.people)
    }


def _write(session: Session, person_id: uuid.UUID, message: Message, now: datetime) -> None:
    entry = m.Notification
    same = session.scalars(
        sa.select(entry)
        .where(
            entry.person_id == person_id, entry.topic == message.topic, entry.kind_id == message.kind,
            entry.read_at.is_(None), entry.created_at > now - timedelta(seconds=MERGE_S),
        )
        .limit(1)
        .with_for_update()
    ).first()  # fmt: skip
    if same is None:
        same = m.Notification(
            id=new_id(), person_id=person_id, kind_id=message.kind, topic=message.topic, n_events=0,
            project_id=message.project_id, event_id=message.event_id,
        )  # fmt: skip
        session.add(same)
    same.n_events += message.n_events
    same.title = (message.title if same.n_events == 1 else message.title_of(same.n_events))[:LONGEST_TITLE]
    same.body, same.created_at = message.body[:LONGEST_BODY], now
    same.href = message.href if same.n_events == 1 else message.href_of_many or message.href
    session.flush()


# The owner's side


def unread(session: Session, actor: Actor) -> int:
    """Return how many entries of the actor's inbox are unread."""
    query = sa.select(sa.func.count()).where(m.Notification.read_at.is_(None))
    return int(session.scalar(query.where(m.Notification.person_id == actor.person_id)) or 0)


def inbox(session: Session, actor: Actor, *, only_unread: bool = False, limit: int = 100) -> list[Entry]:
    """Return the newest entries of the actor's inbox, and nobody else's."""
    entry = m.Notification
    query = sa.select(entry, m.Project.name).outerjoin(m.Project, m.Project.id == entry.project_id)
    query = query.where(entry.person_id == actor.person_id).order_by(entry.created_at.desc(), entry.id.desc())
    if only_unread:
        query = query.where(entry.read_at.is_(None))
    return [
        Entry(e.id, e.kind_id, e.title, e.body, e.href, project, e.n_events, e.created_at, e.read_at)
        for e, project in session.execute(query.limit(limit))
    ]


def mark_read(session: Session, actor: Actor, keys: Collection[uuid.UUID] | None, now: datetime) -> int:
    """Mark entries of the actor's inbox as read, None: all; returns how many were unread. Others' are not touched."""
    entry = m.Notification
    statement = sa.update(entry).where(entry.person_id == actor.person_id, entry.read_at.is_(None))
    if keys is not None:
        statement = statement.where(among(entry.id, keys))
    return len(session.scalars(statement.values(read_at=now).returning(entry.id)).all())


def preferences(session: Session, actor: Actor) -> list[tuple[NotificationKind, NotificationScope, bool]]:
    """Return every kind with what the actor gets of it, and whether they chose that themselves."""
    own = m.NotificationPreference
    rows = session.execute(sa.select(own.kind_id, own.scope_id).where(own.person_id == actor.person_id))
    chosen = {kind: scope for kind, scope in rows}
    return [(kind, chosen.get(kind, USUAL[kind]), kind in chosen) for kind in NotificationKind]


def prefer(session: Session, actor: Actor, kind: NotificationKind, scope: NotificationScope) -> None:
    """Set what the actor wants to hear of a kind; takes effect with the next event.

    Raises:
        InvalidInputError: the actor is X121 itself and has no inbox.
    """
    if actor.person_id is None:
        raise InvalidInputError("Only a person has an inbox.")
    row = insert(m.NotificationPreference).values(person_id=actor.person_id, kind_id=kind, scope_id=scope)
    session.execute(row.on_conflict_do_update(index_elements=["person_id", "kind_id"], set_={"scope_id": scope}))


def prune(session: Session, now: datetime, *, keep_days: float = 90.0) -> int:
    """Delete read entries that are older than ``keep_days`` days; returns how many."""
    limit = now - timedelta(days=keep_days)
    statement = sa.delete(m.Notification).where(m.Notification.read_at.is_not(None), m.Notification.created_at < limit)
    return len(session.scalars(statement.returning(m.Notification.id)).all())


def kind_of(word: str) -> NotificationKind:
    """Return the kind of a word; raises `InvalidInputError` that lists the known ones."""
    try:
        return NotificationKind(word.strip().lower())
    except ValueError as error:
        known = ", ".join(kind.value for kind in NotificationKind)
        raise InvalidInputError(f"There is no kind of notification '{word}'.", hint=f"Known: {known}.") from error


def scope_of(word: str) -> NotificationScope:
    """Return the choice of a word; raises `InvalidInputError` that lists the known ones."""
    try:
        return NotificationScope(word.strip().lower())
    except ValueError as error:
        raise InvalidInputError(f"'{word}' is no choice.", hint="all, mine or none.") from error
