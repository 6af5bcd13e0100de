"""The inbox's part of the web door."""

from __future__ import annotations

from x121lib.studio.door_base import DoorBase
from x121lib.studio.pages import SessionPerson
from x121lib.studio.pages.words import many


class MessagesDoor(DoorBase):
    """What the bell in the top bar does."""

    def read_notifications(self, person: SessionPerson, ids: list[str] | None = None) -> str:
        """Mark entries of the person's own inbox as read; None: all."""
        marked = self._as(person).notifications.mark_read(ids)
        self._note_change()
        return "" if ids is not None else f"{many(marked, 'notification')} marked as read"

    def prefer_notification(self, person: SessionPerson, kind: str, choice: str) -> str:
        """Choose whose matters of a kind the person is told about."""
        self._as(person).notifications.prefer(kind, choice)
        self._note_change()
        return ""
