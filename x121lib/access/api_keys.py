"""API keys: a person's own programs act as that person, with the roles that the person holds at that moment."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.access import rules
from x121lib.access.service import actor_for
from x121lib.access.sign_in import SignedOutError
from x121lib.base.errors import ForbiddenError, NotFoundError
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission

PREFIX = "x121_"
"""What every key begins with, so that people and scanners of leaked secrets recognise one."""
_SECRET_BYTES = 32
_LONGEST = 100
_USED_EVERY_S = 60.0
"""Seconds within which further uses of a key are not written down, so that reading stays reading."""


@dataclass(frozen=True)
class ApiKeyRow:
    """A key as lists show one; the key itself is known to nobody any more."""

    key_id: uuid.UUID
    """Key of the row, which `revoke` takes."""
    person_id: uuid.UUID
    """As whom it acts."""
    person: str
    """That person's name."""
    name: str
    """What it is for."""
    created_at: datetime
    """When it was made."""
    last_used_at: datetime | None
    """When it was last used, to the minute; None: never."""
    revoked_at: datetime | None
    """When it stopped opening the door; None: it still does."""


def create(session: Session, actor: Actor, person_id: uuid.UUID, name: str) -> str:
    """Make a key of a person and return it; it cannot be shown again. Writes the audit entry.

    Raises:
        ForbiddenError: another person's key without the permission to manage people; a deactivated person.
        InvalidInputError: the name is empty, too long or not printable.
    """
    _require_own(actor, person_id)
    actor_for(session, person_id)
    key = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    row = m.ApiKey(person_id=person_id, name=rules.clean_name(name, what="API key"), key_hash=_hash(key))
    session.add(row)
    session.flush()
    audit.record(session, actor, "api_key.created", ("api_key", row.id), after={"person": person_id, "name": row.name})
    return key


def revoke(session: Session, actor: Actor, key_id: uuid.UUID) -> None:
    """Let a key open nothing any more, from the next request on. Idempotent.

    Raises:
        NotFoundError: no such key.
        ForbiddenError: another person's key without the permission to manage people.
    """
    row = session.get(m.ApiKey, key_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFoundError("There is no such API key.", hint="'x121 api-key list' shows them.")
    _require_own(actor, row.person_id)
    if row.revoked_at is not None:
        return
    row.revoked_at = session.scalar(sa.select(sa.func.clock_timestamp()))
    session.flush()
    audit.record(session, actor, "api_key.revoked", ("api_key", key_id))


def list_keys(session: Session, actor: Actor) -> list[ApiKeyRow]:
    """Return the own keys, or everybody's for whoever manages people; newest first."""
    query = sa.select(m.ApiKey, m.Person.name).join(m.Person, m.Person.id == m.ApiKey.person_id)
    if not actor.may(Permission.MANAGE_PEOPLE):
        query = query.where(m.ApiKey.person_id == actor.person_id)
    return [
        ApiKeyRow(key.id, key.person_id, person, key.name, key.created_at, key.last_used_at, key.revoked_at)
        for key, person in session.execute(query.order_by(m.ApiKey.id.desc()))
    ]


def actor_for_key(session: Session, key: str) -> Actor:
    """Return the actor of a key; notes the use, at most once a minute.

    The key is found by its SHA-256: whoever measures how long that takes learns of a hash, never of a key.

    Raises:
        SignedOutError: unknown or revoked key, or a deactivated person: always the same words.
    """
    refused = SignedOutError("This API key does not open the door.", hint="Make a new one: 'x121 api-key add NAME'.")
    if not key.startswith(PREFIX) or len(key) > _LONGEST:
        raise refused
    digest = _hash(key)
    row = session.scalars(sa.select(m.ApiKey).where(m.ApiKey.key_hash == digest)).one_or_none()
    if row is None or not hmac.compare_digest(row.key_hash, digest) or row.revoked_at is not None:
        raise refused
    _note_use(session, row.id)
    try:
        return actor_for(session, row.person_id)
    except ForbiddenError as error:
        raise refused from error


def _note_use(session: Session, key_id: uuid.UUID) -> None:
    now = sa.func.clock_timestamp()
    stale = sa.or_(m.ApiKey.last_used_at.is_(None), m.ApiKey.last_used_at < now - timedelta(seconds=_USED_EVERY_S))
    session.execute(
        sa.update(m.ApiKey)
        .where(m.ApiKey.id == key_id, stale)
        .values(last_used_at=now)
        .execution_options(synchronize_session=False)
    )


def _require_own(actor: Actor, person_id: uuid.UUID) -> None:
    if actor.person_id != person_id:
        actor.require(Permission.MANAGE_PEOPLE)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
