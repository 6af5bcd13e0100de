"""The words of notifications, webhooks and triggers."""

from __future__ import annotations

from x121lib.terms.term import Term


class NotificationKind(Term):
    """What a notification is about; each person chooses per kind which of them they get."""

    TASK_FAILED = "task_failed", 1, "A task failed"
    BUDGET = "budget", 2, "A budget is running out"
    SCHEDULE = "schedule", 3, "A schedule was missed"
    TRIGGER = "trigger", 4, "A trigger says so"
    ESCALATION = "escalation", 5, "Something needs a person"
    WORKER = "worker", 6, "A GPU worker needs care"
    WEBHOOK = "webhook", 7, "A webhook does not get through"


class NotificationScope(Term):
    """Whose matters of a kind somebody is told about."""

    ALL = "all", 1, "Everybody's"
    MINE = "mine", 2, "Mine"
    NONE = "none", 3, "None"


class CallStatus(Term):
    """Life of a message to a webhook: it waits between attempts until it is through or given up."""

    WAITING = "waiting", 1
    DELIVERED = "delivered", 2
    FAILED = "failed", 3
