"""Webhooks, as the façade offers them: added, tried, listed, and what the consumer sends to them."""

from __future__ import annotations

import builtins
import secrets
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from x121lib.access import vault
from x121lib.base.errors import InvalidInputError, NotFoundError, X121Error
from x121lib.base.log import get_logger
from x121lib.events import calling, webhooks
from x121lib.events.calling import Call, Outcome
from x121lib.events.webhooks import Due
from x121lib.terms.roles import Permission

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from x121lib.studio.core import Studio

_log = get_logger(__name__)
AT_ONCE = 8
"""Webhooks that are called at the same time; one that hangs holds only itself up."""
LOOK_EVERY_S = 0.5
_SHORTEST_SECRET = 16


class Webhooks:
    """Programs outside that are told things. Their keys go in, sign what is sent, and never come out again."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._busy: set[uuid.UUID] = set()
        self._lock = threading.Lock()

    def add(self, name: str, url: str, secret: str | None = None) -> str:
        """Add a webhook and return its key, which can not be shown again; one is made where none is given.

        Raises:
            InvalidInputError: the name, the address or the key (16 characters at least) is none.
            BadAddressError: the address is a private one that `webhook_private_hosts` does not allow.
        """
        if secret is not None and len(secret.strip()) < _SHORTEST_SECRET:
            raise InvalidInputError(f"A webhook's key has at least {_SHORTEST_SECRET} characters.")
        key = secret.strip() if secret is not None else secrets.token_urlsafe(32)
        house = self._studio.house
        with self._studio.transaction() as session:
            webhooks.add(session, self._studio.actor, name, url, house.settings.webhook_private_hosts)
            vault.set_secret(
                session, self._studio.actor, house.settings.secrets_dir, webhooks.secret_name(name), key
            )  # fmt: skip
        return key

    def remove(self, name: str) -> None:
        """Remove a webhook with its messages and its key."""
        with self._studio.transaction() as session:
            webhooks.remove(session, self._studio.actor, name)
            try:
                vault.remove_secret(session, self._studio.actor, webhooks.secret_name(name))
            except NotFoundError:
                _log.info("webhook %s had no key any more", name)

    def list(self) -> builtins.list[dict[str, Any]]:
        """Return one row per webhook: its address, how its messages fared, what was said last."""
        with self._studio.transaction() as session:
            return webhooks.listing(session, self._studio.actor)

    def log(self, name: str | None = None, *, limit: int = 100) -> builtins.list[dict[str, Any]]:
        """Return the newest messages, each with its newest attempt."""
        with self._studio.transaction() as session:
            return webhooks.log(session, self._studio.actor, name, limit=limit)

    def retry(self, call_id: str | uuid.UUID) -> None:
        """Send a message again, word for word."""
        try:
            key = call_id if isinstance(call_id, uuid.UUID) else uuid.UUID(call_id)
        except ValueError as error:
            raise InvalidInputError(f"'{call_id}' is no key of a message.", hint="'x121 webhook log'.") from error
        with self._studio.transaction() as session:
            webhooks.retry(session, self._studio.actor, key, self._studio.house.now())

    def test(self, name: str) -> Outcome:
        """Send a test message at once, once, and return how that ended."""
        self._studio.actor.require(Permission.MANAGE_WEBHOOKS)
        now = self._studio.house.now()
        with self._studio.transaction() as session:
            hook = webhooks.find(session, name)
            facts = {"text": "A test message.", "by": self._studio.actor.name}
            row = webhooks.write(session, hook, "test", facts, now)
            row.is_test, row.n_attempts = True, 1
            row.next_attempt_at = now + timedelta(seconds=webhooks.LEASE_S)
            due = Due(row.id, hook.id, hook.name, hook.url, "test", row.body, 1)
        return self._send(due)

    # What the consumer does

    def send_due(self) -> int:
        """Send what is due now in this thread, one message of each webhook; returns how many were tried."""
        due = self._claim(limit=AT_ONCE)
        for message in due:
            self._send(message)
        return len(due)

    def run(self, stop: threading.Event) -> None:
        """Send what is due until ``stop``; a webhook that hangs holds up none of the others."""
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook") as pool:
            while not stop.is_set():
                try:
                    for message in self._claim(limit=AT_ONCE - len(self._busy)):
                        with self._lock:
                            self._busy.add(message.webhook_id)
                        pool.submit(self._send_freely, message)
                except X121Error as error:
                    _log.warning("webhooks: %s", error)
                stop.wait(LOOK_EVERY_S)

    def _claim(self, limit: int) -> builtins.list[Due]:
        if limit <= 0:
            return []
        with self._lock:
            busy = set(self._busy)
        with self._studio.transaction() as session:
            return webhooks.claim(session, self._studio.house.now(), busy, limit)

    def _send_freely(self, due: Due) -> None:
        try:
            self._send(due)
        except X121Error as error:
            _log.warning("the message %s to webhook %s: %s", due.call_id, due.name, error)
        finally:
            with self._lock:
                self._busy.discard(due.webhook_id)

    def _send(self, due: Due) -> Outcome:
        house = self._studio.house
        started = house.now()
        with self._studio.transaction() as session:
            secret = self._secret(session, due.name)
        if isinstance(secret, Outcome):
            outcome = secret
        else:
            what = Call(due.url, secret, str(due.call_id), due.about, due.body)
            outcome = calling.call(what, house.settings.webhook_private_hosts, started)
        with self._studio.transaction() as session:
            webhooks.record(session, due, outcome, started, house.now())
        if not outcome.ok:
            _log.info("webhook %s, attempt %s: %s", due.name, due.number, outcome.error)
        return outcome

    def _secret(self, session: Session, name: str) -> str | Outcome:
        try:
            found = vault.find_value(session, self._studio.settings.secrets_dir, webhooks.secret_name(name))
        except X121Error as error:
            return Outcome(False, 0.0, error=str(error))
        return found if found is not None else Outcome(False, 0.0, error="The webhook has no key any more.")
