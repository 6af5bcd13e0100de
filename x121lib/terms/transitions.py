"""What may follow what: the transition tables of tasks and scenes, as pure data."""

from __future__ import annotations

from collections.abc import Collection

from x121lib.base.errors import ConflictError
from x121lib.terms.vocabulary import DownloadStatus, SceneStatus, TaskStatus, Term, WorkflowStatus

_T = TaskStatus
TASK_TRANSITIONS: dict[TaskStatus, frozenset[TaskStatus]] = {
    _T.SCHEDULED: frozenset({_T.QUEUED, _T.WAITING, _T.PAUSED, _T.CANCELLED}),
    _T.WAITING: frozenset({_T.SCHEDULED, _T.QUEUED, _T.DISPATCHED, _T.PAUSED, _T.CANCELLED, _T.FAILED}),
    _T.QUEUED: frozenset({_T.SCHEDULED, _T.WAITING, _T.DISPATCHED, _T.PAUSED, _T.CANCELLED, _T.FAILED}),
    _T.DISPATCHED: frozenset({_T.RUNNING, _T.QUEUED, _T.CANCELLED, _T.FAILED}),
    _T.RUNNING: frozenset({_T.COMPLETE, _T.FAILED, _T.QUEUED, _T.PAUSED, _T.CANCELLED}),
    _T.PAUSED: frozenset({_T.QUEUED, _T.SCHEDULED, _T.CANCELLED}),
    _T.CANCELLED: frozenset(),
    _T.FAILED: frozenset({_T.QUEUED}),
    _T.COMPLETE: frozenset(),
}
"""A lost lease leads from Dispatched or Running back to Queued; a failed task returns only by a person's retry.
A task paused while it runs gives its worker back. A waiting one becomes Scheduled when a person puts it off."""

_S = SceneStatus
SCENE_TRANSITIONS: dict[SceneStatus, frozenset[SceneStatus]] = {
    _S.PENDING: frozenset({_S.GENERATING}),
    _S.GENERATING: frozenset({_S.REVIEW, _S.FAILED, _S.PENDING}),
    _S.REVIEW: frozenset({_S.APPROVED, _S.REJECTED, _S.GENERATING}),
    _S.APPROVED: frozenset({_S.REVIEW, _S.REJECTED, _S.GENERATING}),
    _S.REJECTED: frozenset({_S.REVIEW, _S.APPROVED, _S.GENERATING}),
    _S.FAILED: frozenset({_S.GENERATING, _S.PENDING}),
}
"""A retake is the way back to Generating; undoing a decision is the way back to Review."""

_D = DownloadStatus
DOWNLOAD_TRANSITIONS: dict[DownloadStatus, frozenset[DownloadStatus]] = {
    _D.QUEUED: frozenset({_D.RUNNING, _D.PAUSED, _D.CANCELLED}),
    _D.RUNNING: frozenset({_D.RUNNING, _D.QUEUED, _D.PAUSED, _D.FAILED, _D.CANCELLED, _D.COMPLETE}),
    _D.PAUSED: frozenset({_D.QUEUED, _D.CANCELLED}),
    _D.FAILED: frozenset({_D.QUEUED, _D.CANCELLED}),
    _D.CANCELLED: frozenset(),
    _D.COMPLETE: frozenset(),
}
"""Running follows Running where the process that ran it has died and another takes it over."""

_W = WorkflowStatus
WORKFLOW_TRANSITIONS: dict[WorkflowStatus, frozenset[WorkflowStatus]] = {
    _W.DRAFT: frozenset({_W.TESTED}),
    _W.TESTED: frozenset({_W.PRODUCTION, _W.DRAFT}),
    _W.PRODUCTION: frozenset({_W.TESTED, _W.DRAFT}),
}
"""A version is tested before it is trusted in production; trust may be taken back at any time."""

WAITING_STATUSES = frozenset({_T.SCHEDULED, _T.WAITING, _T.QUEUED, _T.PAUSED})
"""Tasks that have not reached a worker."""
LEASED_STATUSES = frozenset({_T.DISPATCHED, _T.RUNNING})
"""Tasks that hold a worker's slot."""
ENDED_STATUSES = frozenset({_T.CANCELLED, _T.FAILED, _T.COMPLETE})
"""Tasks that are over."""


class TransitionError(ConflictError):
    """The change is not in the transition table."""

    code = "terms.transition"


def check_task_transition(old: TaskStatus, new: TaskStatus) -> None:
    """Raise `TransitionError` unless a task may go from ``old`` to ``new``."""
    _check(TASK_TRANSITIONS[old], old, new, "GPU task")


def check_scene_transition(old: SceneStatus, new: SceneStatus) -> None:
    """Raise `TransitionError` unless a scene may go from ``old`` to ``new``."""
    _check(SCENE_TRANSITIONS[old], old, new, "scene")


def check_download_transition(old: DownloadStatus, new: DownloadStatus) -> None:
    """Raise `TransitionError` unless a download may go from ``old`` to ``new``."""
    _check(DOWNLOAD_TRANSITIONS[old], old, new, "download")


def check_workflow_transition(old: WorkflowStatus, new: WorkflowStatus) -> None:
    """Raise `TransitionError` unless a workflow version may go from ``old`` to ``new``."""
    _check(WORKFLOW_TRANSITIONS[old], old, new, "workflow version")


def _check(allowed: Collection[Term], old: Term, new: Term, what: str) -> None:
    if new not in allowed:
        raise TransitionError(f"A {what} can not go from {old.label} to {new.label}.")
