"""The shape of the debugger, and what may be asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypedDict

from .people import SessionPerson
from .pulse import ActiveTake
from .words import Status


class DebuggedTask(TypedDict):
    """One take on its server."""

    id: str
    status: Status
    word: str
    character: str
    detail: str
    take: str
    project: str
    scene_id: str | None
    trigger: dict[str, str] | None  # id and name of the trigger that queued it
    worker: str | None
    attempt: int  # 0 before the first
    progress: float
    pausing: bool
    node: str
    node_id: str | None
    step: float
    n_steps: float  # 0 where the node does not count
    n_done: int
    nodes: list[dict[str, Any]]  # id, name, class, state (done, cached, running, waiting), seconds
    error: str | None
    failure: dict[str, Any] | None  # proposal: str | None, facts: [[label, text]], log: str; None where nothing failed
    preview: str | None
    heard_at: str | None
    parameters: list[dict[str, Any]]  # name, value as text, own, fixed, long
    pending: dict[str, str] | None  # values that wait for the next safe point
    said: dict[str, str] | None  # status, text: what became of the last change
    stops: dict[str, str]
    can: list[str]
    raw: dict[str, Any]  # which, text, cut, events


class DebuggerView(TypedDict):
    """``DebuggerDoor.debugger``."""

    task: DebuggedTask | None
    running: list[ActiveTake]


class DebuggerDoor(Protocol):
    """What the page of one take reads and does."""

    def debugger(self, person: SessionPerson, project: str | None, params: Mapping[str, str]) -> DebuggerView:
        """Return the take of ``task``, else the first that runs, with the raw document of ``raw``."""

    def pause_task(self, person: SessionPerson, task_id: str, at: str) -> str:
        """Pause a running take when its node has ended (``node``) or at once (``now``)."""

    def resume_task(self, person: SessionPerson, task_id: str) -> str:
        """Let a paused take go on."""

    def change_task(
        self, person: SessionPerson, task_id: str, values: Mapping[str, str | None], *, go_on: bool
    ) -> dict[str, Any]:
        """Change slot values of a take, at its next safe point where it runs; None takes a change back."""
