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


class TriggerScope(Term):
    """Whose events a trigger listens to."""

    STUDIO = "studio", 1, "The whole studio"
    PROJECT = "project", 2, "A project"
    CHARACTER = "character", 3, "A character"
    SCENE_TYPE = "scene_type", 4, "A scene type"


class ActionKind(Term):
    """What a trigger can do."""

    SUBMIT = "submit", 1, "Submit scenes"
    RERUN_QA = "rerun_qa", 2, "Run QA again"
    RETAKE = "retake", 3, "Retake"
    ASSEMBLE = "assemble", 4, "Assemble"
    DELIVER = "deliver", 5, "Deliver"
    NOTIFY = "notify", 6, "Notify"
    WEBHOOK = "webhook", 7, "Call a webhook"


class RunStatus(Term):
    """Life of a trigger's firing and of each of its actions."""

    WAITING = "waiting", 1
    RUNNING = "running", 2
    DONE = "done", 3
    FAILED = "failed", 4
    REFUSED = "refused", 5
    STOPPED = "stopped", 6
    SKIPPED = "skipped", 7

    @property
    def is_over(self) -> bool:
        """Whether nothing more becomes of it."""
        return self not in (RunStatus.WAITING, RunStatus.RUNNING)
