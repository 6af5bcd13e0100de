"""The triggers' part of the web door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from x121lib.base.errors import InvalidInputError
from x121lib.studio.door_base import DoorBase
from x121lib.studio.pages import SessionPerson
from x121lib.studio.pages import triggers as page
from x121lib.studio.pages.desk import View
from x121lib.studio.pages.words import iso


class TriggersDoor(DoorBase):
    """What the page of the triggers reads and does."""

    def triggers(self, person: SessionPerson, project: str | None, params: Mapping[str, str]) -> View:
        """Return every trigger, and the log of all or of the one that is chosen."""
        return self._view(person, project, lambda desk: page.triggers(desk, params))

    def add_trigger(self, person: SessionPerson, rule: Mapping[str, Any]) -> dict[str, Any]:
        """Add a trigger; answers with its key."""
        row = self._as(person).triggers.add(_rule(rule))
        more = "" if row["enabled"] else ". An Admin enables it: it costs GPU time"
        return {"text": f"{row['trigger']} is added{more}", "trigger_id": str(row["trigger_id"])}

    def change_trigger(
        self, person: SessionPerson, trigger_id: str, rule: Mapping[str, Any], version: int | None = None
    ) -> dict[str, Any]:
        """Give a trigger another rule; answers with its key."""
        triggers = self._as(person).triggers
        was = triggers.show(trigger_id)["enabled"]
        row = triggers.change(trigger_id, _rule(rule), version=version)
        more = ". An Admin enables it again: it costs GPU time" if was and not row["enabled"] else ""
        return {"text": f"{row['trigger']} is changed{more}", "trigger_id": str(row["trigger_id"])}

    def dry_run_trigger(
        self, person: SessionPerson, trigger_id: str = "", rule: Mapping[str, Any] | None = None, last: int = 20
    ) -> dict[str, Any]:
        """Answer what a trigger, or a rule that was not added, would do now for past events."""
        rows = self._as(person).triggers.dry_run(trigger_id if rule is None else _rule(rule), last=int(last))
        return {
            "looked": int(last),
            "rows": [{**row, "event_id": str(row["event_id"]), "at": iso(row["at"])} for row in rows],
        }

    def switch_trigger(self, person: SessionPerson, trigger_id: str, on: bool) -> str:
        """Let a trigger act, with the person's rights, or act no more."""
        triggers = self._as(person).triggers
        (triggers.enable if on else triggers.disable)(trigger_id)
        return "It acts from now on, with your rights" if on else "It acts no more"

    def remove_trigger(self, person: SessionPerson, trigger_id: str) -> str:
        """Remove a trigger; its log stays."""
        self._as(person).triggers.remove(trigger_id)
        return "The trigger is removed, its log stays"

    def add_webhook(self, person: SessionPerson, name: str, url: str) -> dict[str, Any]:
        """Add a webhook; answers with its key, which is shown this once."""
        key = self._as(person).webhooks.add(name.strip(), url.strip())
        self._note_change()
        return {"text": f"{name.strip()} is added", "key": key}

    def test_webhook(self, person: SessionPerson, name: str) -> str:
        """Send a test message at once."""
        outcome = self._as(person).webhooks.test(name)
        self._note_change()
        if not outcome.ok:
            raise InvalidInputError(f"{name}: {outcome.error}", hint=outcome.answer[:200])
        return f"{name} answered with {outcome.http_status} after {outcome.took_s * 1000:.0f} ms"

    def remove_webhook(self, person: SessionPerson, name: str) -> str:
        """Remove a webhook with its messages and its key."""
        self._as(person).webhooks.remove(name)
        self._note_change()
        return f"{name} is removed"

    def webhook_log(self, person: SessionPerson, name: str) -> dict[str, Any]:
        """Answer the newest messages of a webhook."""
        rows = self._as(person).webhooks.log(name, limit=50)
        return {
            "rows": [
                {"id": str(r["call_id"]), "event": r["event"], "at": iso(r["at"]), "word": r["status"],
                 "status": {"waiting": "pending", "delivered": "approved", "failed": "failed"}[r["status"]],
                 "attempts": r["attempts"], "http_status": r["http_status"], "said": r["said"]}
                for r in rows
            ]
        }  # fmt: skip

    def retry_webhook(self, person: SessionPerson, call_id: str) -> str:
        """Send a message again, word for word."""
        self._as(person).webhooks.retry(call_id)
        self._note_change()
        return "It is sent again"


def _rule(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(rule, Mapping):
        raise InvalidInputError("This is no rule.", hint="Fill in the form.")
    return rule
