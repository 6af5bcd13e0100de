"""Webhooks and their messages as rows: written with what they tell of, claimed, tried again, given up, looked at.

A message that was claimed by a process which then died is due again after `LEASE_S`: delivery is at least once, and
``X-X121-Call`` is the same each time. Messages of one webhook are tried one at a time, oldest first; one that fails
does not hold up the next.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from x121lib import model as m
from x121lib.base.errors import ConflictError, InvalidInputError, NotFoundError
from x121lib.base.ids import new_id
from x121lib.events import outbox
from x121lib.events.calling import Outcome, check_url
from x121lib.store import audit
from x121lib.terms.automation import CallStatus
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import EventKind

BACKOFF_S = (10.0, 60.0, 300.0, 1800.0, 7200.0, 21600.0)
"""Seconds to wait after the first, second … failed attempt; after the last one the message is given up."""
LEASE_S = 60.0
"""Seconds for which a claimed message is nobody else's; longer than any call takes."""
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,47}")


@dataclass(frozen=True)
class Due:
    """A message that is to be sent now."""

    call_id: uuid.UUID
    """Its key."""
    webhook_id: uuid.UUID
    """Its receiver."""
    name: str
    """The receiver's name."""
    url: str
    """The receiver's address."""
    about: str
    """Kind of the event, or ``test``."""
    body: str
    """What is sent."""
    number: int
    """Number of this attempt, from 1."""


def secret_name(name: str) -> str:
    """Return what a webhook's key is called among the studio's secrets."""
    return f"webhook.{name}"


def add(
    session: Session, actor: Actor, name: str, url: str, private_hosts: Collection[str]
) -> m.Webhook:  # fmt: skip
    """Add a webhook; the caller keeps its key in the vault in the same transaction. Audited.

    Raises:
        ForbiddenError: the actor is no Admin.
        InvalidInputError: the name is not of the form ``studio-chat``, or the address is none that may be called.
        ConflictError: there is one of that name.
    """
    actor.require(Permission.MANAGE_WEBHOOKS)
    if not _NAME.fullmatch(name):
        raise InvalidInputError(
            f"'{name}' is no name for a webhook.", hint="Lower-case letters, digits, '-' and '_', up to 48."
        )
    checked = check_url(url, private_hosts)
    if session.scalar(sa.select(m.Webhook.id).where(m.Webhook.name == name)) is not None:
        raise ConflictError(f"There is a webhook '{name}' already.", hint=f"'x121 webhook remove {name}' first.")
    row = m.Webhook(id=new_id(), name=name, url=checked, created_by_id=actor.person_id)
    session.add(row)
    session.flush()
    audit.record(session, actor, "webhook.add", ("webhook", row.id), after={"name": name, "url": checked})
    return row


def find(session: Session, name: str) -> m.Webhook:
    """Return a webhook by name; raises `NotFoundError`."""
    row = session.scalars(sa.select(m.Webhook).where(m.Webhook.name == name)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no webhook '{name}'.", hint="'x121 webhook list' shows the names.")
    return row


def remove(session: Session, actor: Actor, name: str) -> None:
    """Remove a webhook with its messages. Audited; the caller forgets its key."""
    actor.require(Permission.MANAGE_WEBHOOKS)
    row = find(session, name)
    audit.record(session, actor, "webhook.remove", ("webhook", row.id), before={"name": name, "url": row.url})
    session.delete(row)
    session.flush()


def write(
    session: Session, webhook: m.Webhook, about: str, facts: dict[str, Any], now: datetime, event_id: int | None = None
) -> m.WebhookCall:
    """Write a message that is sent soon after the caller's transaction commits; returns it."""
    key = new_id()
    body = {"id": str(key), "event": about, "at": now.isoformat(), **facts}
    row = m.WebhookCall(
        id=key, webhook_id=webhook.id, event_id=event_id, about=about, body=json.dumps(body, default=str),
        is_test=False, status_id=CallStatus.WAITING, n_attempts=0, next_attempt_at=now, created_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def claim(session: Session, now: datetime, busy: Collection[uuid.UUID], limit: int) -> list[Due]:
    """Claim due messages, at most one of each webhook and none of the ``busy`` ones."""
    call, other = m.WebhookCall, aliased(m.WebhookCall)
    oldest = (
        sa.select(other.id)
        .where(other.webhook_id == m.Webhook.id, other.next_attempt_at <= now)
        .order_by(other.next_attempt_at, other.id)
        .limit(1)
        .correlate(m.Webhook)
        .scalar_subquery()
    )
    rows = session.execute(
        sa.select(call, m.Webhook)
        .join(m.Webhook, m.Webhook.id == call.webhook_id)
        .where(call.id == oldest, m.Webhook.id.not_in(list(busy)))
        .order_by(call.next_attempt_at)
        .limit(limit)
        .with_for_update(of=call, skip_locked=True)
    ).all()
    for row, _ in rows:
        row.next_attempt_at = now + timedelta(seconds=LEASE_S)
        row.n_attempts += 1
    session.flush()
    return [Due(c.id, w.id, w.name, w.url, c.about, c.body, c.n_attempts) for c, w in rows]


def record(session: Session, due: Due, outcome: Outcome, started_at: datetime, now: datetime) -> CallStatus | None:
    """Write how an attempt ended and when the next one is; returns where the message stands, None where it is gone.

    A message that is given up is told to the Admins. Idempotent under the attempt's number.
    """
    row = session.get(m.WebhookCall, due.call_id, with_for_update=True)
    if row is None or session.get(m.WebhookAttempt, (due.call_id, due.number)) is not None:
        return None if row is None else row.status_id
    session.add(
        m.WebhookAttempt(
            call_id=due.call_id, number=due.number, started_at=started_at, took_s=outcome.took_s,
            http_status=outcome.http_status, answer=outcome.answer, error=outcome.error,
        )
    )  # fmt: skip
    if outcome.ok:
        _end(row, CallStatus.DELIVERED, now)
    elif outcome.final or row.is_test or due.number > len(BACKOFF_S):
        _end(row, CallStatus.FAILED, now)
        if not row.is_test:
            reason = f"{outcome.error} After {due.number} attempts it is not tried again by itself."
            outbox.publish(session, EventKind.WEBHOOK_FAILED, entity="webhook", entity_id=row.webhook_id,
                           payload={"name": due.name, "reason": reason, "call": str(row.id)})  # fmt: skip
    else:
        row.next_attempt_at = now + timedelta(seconds=BACKOFF_S[due.number - 1])
    return row.status_id


def _end(row: m.WebhookCall, status: CallStatus, now: datetime) -> None:
    row.status_id, row.next_attempt_at, row.finished_at = status, None, now


def retry(session: Session, actor: Actor, call_id: uuid.UUID, now: datetime) -> None:
    """Send a message that was given up, or that got through, again at once, word for word. Audited."""
    actor.require(Permission.MANAGE_WEBHOOKS)
    row = session.get(m.WebhookCall, call_id, with_for_update=True)
    if row is None:
        raise NotFoundError("There is no such message.", hint="'x121 webhook log' shows them.")
    row.status_id, row.next_attempt_at, row.finished_at = CallStatus.WAITING, now, None
    audit.record(session, actor, "webhook.retry", ("webhook", row.webhook_id), after={"call": str(call_id)})


def prune(session: Session, now: datetime, *, keep_days: float = 90.0) -> int:
    """Delete messages that got through or were given up more than ``keep_days`` days ago; returns how many."""
    limit = now - timedelta(days=keep_days)
    return len(session.scalars(sa.delete(m.WebhookCall).where(m.WebhookCall.finished_at < limit)
                               .returning(m.WebhookCall.id)).all())  # fmt: skip


def listing(session: Session, actor: Actor) -> list[dict[str, Any]]:
    """Return one row per webhook, with how its messages fared and what was said last; never its key.

    Addresses often hold a key of the receiver's in their path: whole ones are for those who manage webhooks.
    """
    actor.require(Permission.VIEW)
    whole = actor.may(Permission.MANAGE_WEBHOOKS)
    call, attempt = m.WebhookCall, m.WebhookAttempt
    found = []
    for hook in session.scalars(sa.select(m.Webhook).order_by(m.Webhook.name)):
        counts = session.execute(
            sa.select(call.status_id, sa.func.count()).where(call.webhook_id == hook.id).group_by(call.status_id)
        ).all()
        last = session.execute(
            sa.select(attempt.http_status, attempt.error, attempt.started_at)
            .join(call, call.id == attempt.call_id)
            .where(call.webhook_id == hook.id)
            .order_by(attempt.started_at.desc())
            .limit(1)
        ).first()
        by_status = {status: n for status, n in counts}
        found.append(
            {
                "webhook": hook.name, "url": hook.url if whole else _host_of(hook.url),
                **{status.value: by_status.get(status, 0) for status in CallStatus},
                "last_at": last.started_at if last else None,
                "last": (last.error or f"answered with {last.http_status}") if last else "",
            }
        )  # fmt: skip
    return found


def _host_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}/…"


def log(session: Session, actor: Actor, name: str | None = None, *, limit: int = 100) -> list[dict[str, Any]]:
    """Return the newest messages, of one webhook or of all, each with its newest attempt."""
    actor.require(Permission.MANAGE_WEBHOOKS)
    call, attempt = m.WebhookCall, m.WebhookAttempt
    query = sa.select(call, m.Webhook.name, attempt).join(m.Webhook, m.Webhook.id == call.webhook_id)
    earlier = aliased(attempt)
    newest = sa.select(sa.func.max(earlier.number)).where(earlier.call_id == call.id).correlate(call).scalar_subquery()
    query = query.outerjoin(attempt, sa.and_(attempt.call_id == call.id, attempt.number == newest))
    if name is not None:
        query = query.where(call.webhook_id == find(session, name).id)
    rows = session.execute(query.order_by(call.created_at.desc(), call.id.desc()).limit(limit))
    return [
        {
            "call_id": c.id, "webhook": hook, "event": c.about, "at": c.created_at, "status": c.status_id.value,
            "attempts": c.n_attempts, "next_attempt_at": c.next_attempt_at if c.next_attempt_at else None,
            "http_status": a.http_status if a else None, "took_s": a.took_s if a else None,
            "said": (a.error or a.answer) if a else "", "n_bytes": len(c.body.encode()),
        }
        for c, hook, a in rows
    ]  # fmt: skip
