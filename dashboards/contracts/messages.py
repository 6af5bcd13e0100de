"""The shape of the inbox, and what the bell does."""

from __future__ import annotations

from typing import Protocol, TypedDict

from .people import SessionPerson
from .words import Status


class InboxItem(TypedDict):
    """One entry."""

    id: str
    status: Status
    title: str
    body: str
    href: str  # a page of ours; empty where none shows more
    project: str
    at: str
    unread: bool
    count: int  # things that it stands for


class ToldAbout(TypedDict):
    """Whose matters of a kind the person is told about."""

    kind: str
    label: str
    choice: str  # all, mine or none


class InboxView(TypedDict):
    """The person's inbox; part of the shell."""

    unread: int
    items: list[InboxItem]  # newest first, at most 20
    told: list[ToldAbout]


class MessagesDoor(Protocol):
    """What the bell in the top bar does."""

    def read_notifications(self, person: SessionPerson, ids: list[str] | None = None) -> str:
        """Mark entries of the person's own inbox as read; None: all."""

    def prefer_notification(self, person: SessionPerson, kind: str, choice: str) -> str:
        """Choose whose matters of a kind the person is told about: ``all``, ``mine`` or ``none``."""
