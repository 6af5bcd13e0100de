"""The person's inbox, as the bell in the top bar shows it."""

from __future__ import annotations

from typing import Any

from x121lib.events import notifications
from x121lib.studio.pages.desk import Desk
from x121lib.studio.pages.words import iso
from x121lib.terms.automation import NotificationKind

SHOWN = 20
"""Entries of the panel."""
_STATUS = {
    NotificationKind.TASK_FAILED: "failed", NotificationKind.BUDGET: "warning", NotificationKind.SCHEDULE: "warning",
    NotificationKind.TRIGGER: "info", NotificationKind.ESCALATION: "review", NotificationKind.WORKER: "warning",
    NotificationKind.WEBHOOK: "warning",
}  # fmt: skip


def inbox(desk: Desk) -> dict[str, Any]:
    """Return how much is unread, the newest entries, and what the person wants to be told."""
    entries = notifications.inbox(desk.session, desk.actor, limit=SHOWN)
    return {
        "unread": notifications.unread(desk.session, desk.actor),
        "items": [
            {
                "id": str(e.notification_id), "status": _STATUS[e.kind], "title": e.title, "body": e.body,
                "href": e.href, "project": e.project or "", "at": iso(e.created_at), "unread": e.read_at is None,
                "count": e.n_events,
            }
            for e in entries
        ],
        "told": [
            {"kind": kind.value, "label": kind.label, "choice": scope.value}
            for kind, scope, _ in notifications.preferences(desk.session, desk.actor)
        ],
    }  # fmt: skip
