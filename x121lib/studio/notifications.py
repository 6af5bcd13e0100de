"""The inbox of whoever acts, as the façade offers it."""

from __future__ import annotations

import builtins
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd

from x121lib.base.errors import InvalidInputError
from x121lib.events import notifications
from x121lib.events.notifications import Entry

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

COLUMNS = ["notification_id", "at", "read", "kind", "project", "title", "body", "count", "href"]


class Notifications:
    """What the actor was told: listed, counted, marked as read; and what they want to be told."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def entries(self, *, only_unread: bool = False, limit: int = 100) -> builtins.list[Entry]:
        """Return the newest entries of the actor's own inbox."""
        with self._studio.transaction() as session:
            return notifications.inbox(session, self._studio.actor, only_unread=only_unread, limit=limit)

    def list(self, *, only_unread: bool = False, limit: int = 100) -> pd.DataFrame:
        """Return one row per entry, the newest first."""
        data = [
            (e.notification_id, e.created_at, e.read_at is not None, e.kind.value, e.project, e.title, e.body,
             e.n_events, e.href)
            for e in self.entries(only_unread=only_unread, limit=limit)
        ]  # fmt: skip
        return pd.DataFrame(data, columns=COLUMNS).astype(object)

    def unread(self) -> int:
        """Return how many entries are unread."""
        with self._studio.transaction() as session:
            return notifications.unread(session, self._studio.actor)

    def mark_read(self, keys: Sequence[str | uuid.UUID] | None = None) -> int:
        """Mark entries as read (None: all of them); returns how many were unread."""
        chosen = None if keys is None else [_key(key) for key in keys]
        with self._studio.transaction() as session:
            return notifications.mark_read(session, self._studio.actor, chosen, self._studio.house.now())

    def preferences(self) -> builtins.list[dict[str, Any]]:
        """Return one row per kind: what it is, and whose matters of it the actor is told about."""
        with self._studio.transaction() as session:
            rows = notifications.preferences(session, self._studio.actor)
        return [{"kind": k.value, "about": k.label, "told": s.value, "chosen": own} for k, s, own in rows]

    def prefer(self, kind: str, scope: str) -> None:
        """Set whose matters of a kind the actor is told about: ``all``, ``mine`` or ``none``."""
        chosen = notifications.kind_of(kind), notifications.scope_of(scope)
        with self._studio.transaction() as session:
            notifications.prefer(session, self._studio.actor, *chosen)

    def announce(self) -> int:
        """Write the entries that new events call for; the consumer's work. Returns how many people were told."""
        with self._studio.transaction() as session:
            return notifications.announce(session, self._studio.house.now())

    def prune(self) -> int:
        """Delete read entries of more than three months ago; returns how many."""
        with self._studio.transaction() as session:
            return notifications.prune(session, self._studio.house.now())

    def plain(self, limit: int = 100, *, only_unread: bool = False) -> builtins.list[dict[str, Any]]:
        """Return entries as plain values for JSON."""
        rows = self.entries(limit=limit, only_unread=only_unread)
        return [{**asdict(e), "kind": e.kind.value, "read": e.read_at is not None} for e in rows]


def _key(text: str | uuid.UUID) -> uuid.UUID:
    try:
        return text if isinstance(text, uuid.UUID) else uuid.UUID(text)
    except ValueError as error:
        raise InvalidInputError(
            f"'{text}' is no key of a notification.", hint="'x121 notifications --json'."
        ) from error
