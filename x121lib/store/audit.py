"""The audit log: who did what, each entry chained to the one before by SHA-256."""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import UTC
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.terms.roles import Actor

_CHAIN_LOCK = 0x58313231
"""Advisory lock that makes writers of the chain take turns, until they commit."""
_GENESIS = "0" * 64


def _digest(previous: str, body: dict[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


def record(
    session: Session,
    actor: Actor,
    action: str,
    target: tuple[str, uuid.UUID | None],
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Append an entry to the audit log in the caller's transaction; ``target`` is (entity, key)."""
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(_CHAIN_LOCK)))
    previous = session.scalar(sa.select(m.AuditEntry.entry_hash).order_by(m.AuditEntry.id.desc()).limit(1)) or _GENESIS
    entry = m.AuditEntry(
        at=session.scalar(sa.select(sa.func.now())),
        person_id=actor.person_id,
        actor_name=actor.name,
        action=action,
        entity=target[0],
        entity_id=target[1],
        before=json.loads(json.dumps(before, default=str)),
        after=json.loads(json.dumps(after, default=str)),
        previous_hash=previous,
    )
    entry.entry_hash = _digest(previous, _body(entry))
    session.add(entry)
    session.flush()


def _body(entry: m.AuditEntry) -> dict[str, Any]:
    return {
        "at": entry.at.astimezone(UTC).isoformat(),
        "actor_name": entry.actor_name,
        "action": entry.action,
        "entity": entry.entity,
        "entity_id": str(entry.entity_id) if entry.entity_id else None,
        "before": entry.before,
        "after": entry.after,
    }


def first_broken_entry(session: Session) -> int | None:
    """Return the id of the first entry whose hash does not follow, or None when the chain is whole."""
    previous = _GENESIS
    for entry in session.scalars(sa.select(m.AuditEntry).order_by(m.AuditEntry.id)):
        if entry.previous_hash != previous or entry.entry_hash != _digest(previous, _body(entry)):
            return entry.id
        previous = entry.entry_hash
    return None
