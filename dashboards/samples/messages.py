"""The inbox of the sample studio."""

from __future__ import annotations

from typing import Any

from ..contracts import InboxView, SessionPerson

_KINDS = {
    "task_failed": "A task failed", "budget": "A budget is running out", "schedule": "A schedule was missed",
    "trigger": "A trigger says so", "escalation": "Something needs a person", "worker": "A GPU worker needs care",
    "webhook": "A webhook does not get through",
}  # fmt: skip


class SampleMessages:
    """The inbox's part of ``StudioDoor`` over fixed figures; reading and choosing change it in memory."""

    heard: list[tuple[str, Any]]
    events: int

    def __init__(self) -> None:
        super().__init__()
        self.read: set[str] = set()
        self.told = dict.fromkeys(_KINDS, "mine")

    def inbox(self) -> InboxView:
        """Return two unread entries and one that was read."""
        rows: list[tuple[str, Any, str, str, str, str]] = [
            ("m1", "failed", "Idris · dance · clothed, segment 2 failed", "CUDA ran out of memory in KSampler (3).",
             "/debugger?task=t1", "2026-11-20T22:16:00+00:00"),
            ("m2", "warning", "A budget is running out", "Aurora has used or reserved 90 % of 200 GPU h.", "/pulse",
             "2026-11-20T21:40:00+00:00"),
            ("m3", "warning", "gpu-03 is offline", "It has not answered for 60 s.", "/workers",
             "2026-11-20T19:05:00+00:00"),
        ]  # fmt: skip
        unread = {"m1", "m2"} - self.read
        return {
            "unread": len(unread),
            "items": [
                {"id": key, "status": status, "title": title, "body": body, "href": href, "project": "Aurora",
                 "at": at, "unread": key in unread, "count": 1}
                for key, status, title, body, href, at in rows
            ],
            "told": [{"kind": k, "label": label, "choice": self.told[k]} for k, label in _KINDS.items()],
        }  # fmt: skip

    def read_notifications(self, person: SessionPerson, ids: list[str] | None = None) -> str:
        """Mark entries as read."""
        del person
        self.heard.append(("read_notifications", ids))
        self.read |= set(ids) if ids is not None else {"m1", "m2", "m3"}
        self.events += 1
        return "" if ids is not None else "2 notifications marked as read"

    def prefer_notification(self, person: SessionPerson, kind: str, choice: str) -> str:
        """Choose whose matters of a kind the person is told about."""
        del person
        self.heard.append(("prefer_notification", (kind, choice)))
        self.told[kind] = choice
        self.events += 1
        return ""
