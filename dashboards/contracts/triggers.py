"""The shape of the triggers' page, and what it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypedDict

from .people import SessionPerson
from .words import Status


class LastFiring(TypedDict):
    """How a trigger fired last."""

    status: Status
    word: str
    at: str


class TriggerRow(TypedDict):
    """One rule in words."""

    id: str
    name: str
    enabled: bool
    event: str  # "variant.approved"
    scope: str  # "studio", or names
    when: list[str]
    branch: list[str]  # conditions under if
    do: list[str]
    otherwise: list[str]
    together: bool
    at_most: int | None
    costly: bool
    acts_as: str
    fired: int
    last: LastFiring | None
    description: str
    unreadable: str  # why its rule cannot be read; empty where it can
    rule: dict[str, Any]  # as it was given, for the form
    version: int


class FiredAction(TypedDict):
    """One action of a firing."""

    action: str
    status: Status
    word: str
    said: str


class FiringRow(TypedDict):
    """One firing with its cause and what followed."""

    id: str
    trigger: str
    trigger_id: str
    at: str
    status: Status
    word: str
    event: str
    event_id: int
    about: str
    after: str  # the trigger before it in the chain
    depth: int
    branch: str
    by: str
    message: str
    actions: list[FiredAction]
    effects: list[str]


class WebhookRow(TypedDict):
    """One webhook with how its messages fared."""

    name: str
    url: str
    waiting: int
    delivered: int
    failed: int
    last: str
    last_at: str | None


class RetakeRow(TypedDict):
    """One retake policy."""

    scope: str  # "project", "scene type"
    name: str
    most: int  # retakes of one segment
    best_of: int
    gates: list[str]  # metrics whose failed gate is reason enough; empty: any
    vary: list[str]  # "cfg=0.5"
    phrases: list[str]  # added to the prompt, in turn


class RetakePanel(TypedDict):
    """Which takes are made again by themselves, and what a form for a policy offers."""

    rows: list[RetakeRow]
    projects: list[str]
    scene_types: list[str]
    metrics: list[str]
    most: int  # the largest number of retakes
    may: dict[str, bool]  # by scope


class TriggersView(TypedDict):
    """``TriggersDoor.triggers``."""

    rows: list[TriggerRow]
    chosen: str | None
    log: list[FiringRow]  # newest first; of the chosen one, else of all
    chain: dict[str, Any]  # stages, steps (by auto, human or trigger), triggers (from, to)
    offers: dict[str, Any]  # what the builder offers
    webhooks: list[WebhookRow]
    retakes: RetakePanel
    may: dict[str, bool]  # manage, costly, webhooks


class TriggersDoor(Protocol):
    """What the page of the triggers reads and does."""

    def triggers(self, person: SessionPerson, project: str | None, params: Mapping[str, str]) -> TriggersView:
        """Return every trigger, and the log of all or of the one that is chosen."""

    def add_trigger(self, person: SessionPerson, rule: Mapping[str, Any]) -> dict[str, Any]:
        """Add a trigger; answers with its key."""

    def change_trigger(
        self, person: SessionPerson, trigger_id: str, rule: Mapping[str, Any], version: int | None = None
    ) -> dict[str, Any]:
        """Give a trigger another rule, unless it was changed since a version; answers with its key."""

    def dry_run_trigger(
        self, person: SessionPerson, trigger_id: str = "", rule: Mapping[str, Any] | None = None, last: int = 20
    ) -> dict[str, Any]:
        """Answer what a trigger, or a rule that was not added, would do now for past events."""

    def switch_trigger(self, person: SessionPerson, trigger_id: str, on: bool) -> str:
        """Let a trigger act, with the person's rights, or act no more."""

    def remove_trigger(self, person: SessionPerson, trigger_id: str) -> str:
        """Remove a trigger; its log stays."""

    def add_webhook(self, person: SessionPerson, name: str, url: str) -> dict[str, Any]:
        """Add a webhook; answers with its key, which is shown this once."""

    def test_webhook(self, person: SessionPerson, name: str) -> str:
        """Send a test message at once."""

    def remove_webhook(self, person: SessionPerson, name: str) -> str:
        """Remove a webhook."""

    def webhook_log(self, person: SessionPerson, name: str) -> dict[str, Any]:
        """Answer the newest messages of a webhook."""

    def retry_webhook(self, person: SessionPerson, call_id: str) -> str:
        """Send a message again."""

    def set_retakes(self, person: SessionPerson, scope: str, name: str, policy: dict[str, Any]) -> dict[str, Any]:
        """Set the retake policy of a project or scene type; the answer's ``undo`` takes it back."""

    def remove_retakes(self, person: SessionPerson, scope: str, name: str) -> dict[str, Any]:
        """Remove a retake policy; the answer's ``undo`` sets it again."""
