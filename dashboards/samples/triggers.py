"""The triggers of the sample studio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from x121lib.base.errors import ForbiddenError, InvalidInputError
from x121lib.pipeline.trigger_rules import EVENTS, parse
from x121lib.studio.door_retakes import policy_of
from x121lib.studio.pages.retake_rules import written
from x121lib.studio.pages.trigger_chain import Link, chain
from x121lib.terms.automation import ActionKind

from ..contracts import SessionPerson, TriggersView
from .project import CHARACTERS, TYPES

_RULES: dict[str, dict[str, Any]] = {
    "t1": {"when": [{"field": "variant", "is": "clothed"}], "do": [{"action": "submit", "priority": "Background"}]},
    "t2": {"when": [{"field": "outcome", "is": "fail"}], "do": [{"action": "retake"}], "at_most": 2},
    "t3": {"when": [{"field": "status", "is": ["Approved", "Rejected"]}, {"field": "open_scenes", "at_most": 0}],
           "do": [{"action": "deliver", "partial": True}, {"action": "webhook", "name": "studio-chat"}]},
}  # fmt: skip
_AT = "2026-11-20T22:10:00+00:00"


class SampleTriggers:
    """The triggers' part of ``StudioDoor`` over fixed figures; switches and new rules change them in memory."""

    heard: list[tuple[str, Any]]
    events: int

    def __init__(self) -> None:
        super().__init__()
        self.triggers_: list[dict[str, Any]] = [
            self._trigger("t1", "clothed scenes", "variant.approved", ["variant is clothed"], ["Submit scenes"],
                          costly=True, enabled=True, fired=11),
            self._trigger("t2", "try again", "take.scored", ["outcome is fail"], ["Retake"], costly=True, at_most=2,
                          fired=4),
            self._trigger("t3", "deliver", "scene.status_changed", ["status is Approved", "open_scenes at most 0"],
                          ["Deliver: partial yes", "Call a webhook: name studio-chat"], enabled=True, fired=2),
        ]  # fmt: skip
        self.policies: list[dict[str, Any]] = [
            {"scope": "scene type", "name": "wave", "most": 3, "best_of": 1, "gates": ["face_similarity"],
             "vary": ["cfg=0.5"], "phrases": []},
        ]  # fmt: skip
        self.hooks = {"studio-chat": "https://chat.example.com/hooks/42"}

    def _trigger(
        self, key: str, name: str, event: str, when: list[str], do: list[str], **more: Any
    ) -> dict[str, Any]:  # fmt: skip
        last = {"status": "approved", "word": "done", "at": _AT} if more.get("fired") else None
        return {
            "id": key, "name": name, "enabled": False, "event": event, "scope": "Aurora", "when": when, "branch": [],
            "do": do, "otherwise": [], "together": False, "at_most": None, "costly": False, "acts_as": "Ines Kaya",
            "fired": 0, "last": last, "description": "", "unreadable": "", "version": 1,
            "rule": {**_RULES.get(key, {}), "name": name, "on": event, "project": "Aurora"}, **more,
        }  # fmt: skip

    def triggers(self, person: SessionPerson, project: str | None, params: Mapping[str, str]) -> TriggersView:
        """Return the rules, the chain, and what they did."""
        del person, project
        chosen = params.get("trigger") or None
        rows: Any = [dict(t) for t in self.triggers_]
        log: Any = [self._firing(t) for t in self.triggers_ if t["fired"] and chosen in (None, t["id"])]
        return {
            "rows": rows, "chosen": chosen, "log": log, "chain": chain([self._link(t) for t in self.triggers_]),
            "offers": self._offers(), "may": {"manage": True, "costly": True, "webhooks": True},
            "retakes": self._retakes(),
            "webhooks": [
                {"name": name, "url": url, "waiting": 0, "delivered": 2, "failed": 0, "last": "answered with 200",
                 "last_at": _AT}
                for name, url in self.hooks.items()
            ],
        }  # fmt: skip

    def _retakes(self) -> Any:
        rows = [dict(row) for row in self.policies]
        return {"rows": rows, "projects": ["Aurora", "Kestrel"], "scene_types": list(TYPES), "most": 20,
                "metrics": ["face_similarity", "sharpness"], "may": {"project": True, "scene type": True}}  # fmt: skip

    def set_retakes(self, person: SessionPerson, scope: str, name: str, policy: dict[str, Any]) -> dict[str, Any]:
        """Set a policy."""
        del person
        made = policy_of(policy)
        if not 1 <= made.most_retakes <= 20:
            raise InvalidInputError(f"A segment is retaken 1 to 20 times, not {made.most_retakes}.")
        self.heard.append(("set_retakes", (scope, name, written(made))))
        old = next((row for row in self.policies if (row["scope"], row["name"]) == (scope, name)), None)
        undo: dict[str, Any] = {"name": "remove_retakes", "args": {"scope": scope, "name": name}}
        if old is not None:
            before = {key: value for key, value in old.items() if key not in ("scope", "name")}
            undo = {"name": "set_retakes", "args": {"scope": scope, "name": name, "policy": before}}
            self.policies.remove(old)
        self.policies.append({"scope": scope, "name": name, **written(made)})
        self.events += 1
        text = f"Takes of {name} that fail a gate are retaken up to {made.most_retakes} times"
        return {"text": text, "undo": undo}

    def remove_retakes(self, person: SessionPerson, scope: str, name: str) -> dict[str, Any]:
        """Remove a policy."""
        del person
        self.heard.append(("remove_retakes", (scope, name)))
        old = next(row for row in self.policies if (row["scope"], row["name"]) == (scope, name))
        self.policies.remove(old)
        self.events += 1
        before = {key: value for key, value in old.items() if key not in ("scope", "name")}
        return {"text": f"Takes of {name} are no longer retaken by their own policy",
                "undo": {"name": "set_retakes", "args": {"scope": scope, "name": name, "policy": before}}}  # fmt: skip

    def _link(self, t: dict[str, Any]) -> Link:
        kinds = {a.label: a.value for a in ActionKind}
        actions = tuple(kinds[words.split(":")[0]] for words in (*t["do"], *t["otherwise"]))
        statuses = tuple(w.removeprefix("status is ") for w in t["when"] if w.startswith("status is "))
        return Link(t["id"], t["name"], t["enabled"], t["event"], statuses, actions)

    def _firing(self, t: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": f"f-{t['id']}", "trigger": t["name"], "trigger_id": t["id"], "at": _AT, "status": "approved",
            "word": "done", "event": t["event"], "event_id": 48211, "about": "Mara · clothed", "after": "", "depth": 1,
            "branch": "do", "by": "Ines Kaya", "message": "6 scenes: Mara / dance / clothed …",
            "actions": [{"action": (t["do"] or ["Submit scenes"])[0].split(":")[0], "status": "approved",
                         "word": "done", "said": "6 scenes: Mara / dance / clothed …"}],
            "effects": ["batch.submitted: Aurora", "6 × scene.status_changed", "18 × task.queued"],
        }  # fmt: skip

    def _offers(self) -> dict[str, Any]:
        names = [name for _, name, _ in CHARACTERS]
        return {
            "events": [
                {"kind": kind.value, "fields": sorted(facts.fields), "opens": list(facts.opens),
                 "values": {field: sorted(words) for field, words in (facts.values or {}).items()}}
                for kind, facts in EVENTS.items()
            ],
            "projects": ["Aurora", "Kestrel"], "characters": [["Aurora", name] for name in names],
            "scene_types": TYPES,
            "variants": ["clothed", "evening", "sport"], "tiers": ["Draft", "Production"],
            "metrics": ["face_similarity", "sharpness"], "metadata": ["hair_color"], "webhooks": list(self.hooks),
            "people": ["owner", "Admin", "Creator", "Reviewer"],
            "actions": [{"kind": a.value, "label": a.label} for a in ActionKind],
        }  # fmt: skip

    def add_trigger(self, person: SessionPerson, rule: Mapping[str, Any]) -> dict[str, Any]:
        """Add a rule."""
        del person
        made = parse(rule, str(rule.get("name") or "The trigger"))
        self.heard.append(("add_trigger", made.document()))
        key = f"t{len(self.triggers_) + 1}"
        words = [ActionKind(a.action).label for a in made.do]
        self.triggers_.append(
            self._trigger(key, made.name, made.on.value, [c.words() for c in made.when], words, costly=made.is_costly)
        )
        self.events += 1
        return {"text": f"{made.name} is added", "trigger_id": key}

    def change_trigger(
        self, person: SessionPerson, trigger_id: str, rule: Mapping[str, Any], version: int | None = None
    ) -> dict[str, Any]:
        """Change a rule."""
        del person, version
        made = parse(rule, str(rule.get("name") or "The trigger"))
        self.heard.append(("change_trigger", (trigger_id, made.document())))
        row = next(t for t in self.triggers_ if t["id"] == trigger_id)
        row |= {"name": made.name, "when": [c.words() for c in made.when], "rule": made.document(), "unreadable": ""}
        row["version"] += 1
        self.events += 1
        return {"text": f"{made.name} is changed", "trigger_id": trigger_id}

    def dry_run_trigger(
        self, person: SessionPerson, trigger_id: str = "", rule: Mapping[str, Any] | None = None, last: int = 20
    ) -> dict[str, Any]:
        """Say what would happen for one past event."""
        del person
        action = parse(rule).do[0].action if rule is not None else "submit"
        self.heard.append(("dry_run_trigger", trigger_id or "rule"))
        row = {"event_id": "48211", "at": _AT, "event": "variant.approved", "about": "Mara · clothed", "branch": "do",
               "action": action, "would": "would submit 6 scenes: Mara / dance / clothed, …"}  # fmt: skip
        return {"looked": last, "rows": [row]}

    def switch_trigger(self, person: SessionPerson, trigger_id: str, on: bool) -> str:
        """Switch a rule; the second one loops without its limit."""
        del person
        self.heard.append(("switch_trigger", (trigger_id, on)))
        row = next(t for t in self.triggers_ if t["id"] == trigger_id)
        if row["name"] == "loop":
            raise ForbiddenError("'loop' could loop without end: loop → loop.")
        row["enabled"] = on
        self.events += 1
        return "It acts from now on, with your rights" if on else "It acts no more"

    def remove_trigger(self, person: SessionPerson, trigger_id: str) -> str:
        """Remove a rule."""
        del person
        self.heard.append(("remove_trigger", trigger_id))
        self.triggers_ = [t for t in self.triggers_ if t["id"] != trigger_id]
        self.events += 1
        return "The trigger is removed, its log stays"

    def add_webhook(self, person: SessionPerson, name: str, url: str) -> dict[str, Any]:
        """Add a webhook."""
        del person
        if not url.startswith("https://"):
            raise InvalidInputError(f"'{url}' is not an https address.", hint="Give https://HOST/PATH.")
        self.heard.append(("add_webhook", (name, url)))
        self.hooks[name] = url
        self.events += 1
        return {"text": f"{name} is added", "key": "k3y-that-is-shown-once"}

    def test_webhook(self, person: SessionPerson, name: str) -> str:
        """Say that it got through."""
        del person
        self.heard.append(("test_webhook", name))
        return f"{name} answered with 200 after 84 ms"

    def remove_webhook(self, person: SessionPerson, name: str) -> str:
        """Remove a webhook."""
        del person
        self.heard.append(("remove_webhook", name))
        self.hooks.pop(name, None)
        self.events += 1
        return f"{name} is removed"

    def webhook_log(self, person: SessionPerson, name: str) -> dict[str, Any]:
        """Return one message."""
        del person, name
        return {"rows": [{"id": "c1", "event": "scene.status_changed", "at": _AT, "word": "delivered",
                          "status": "approved", "attempts": 1, "http_status": 200, "said": "ok"}]}  # fmt: skip

    def retry_webhook(self, person: SessionPerson, call_id: str) -> str:
        """Send a message again."""
        del person
        self.heard.append(("retry_webhook", call_id))
        return "It is sent again"
