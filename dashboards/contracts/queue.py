"""The shape of the queue."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from .pulse import Worker
from .words import Status


class GanttBar(TypedDict):
    """One take on a worker's lane; past, running or planned."""

    id: str
    kind: Literal["past", "run", "plan", "fail", "down"]
    status: Status
    label: str
    start_s: float  # from now, negative in the past
    end_s: float
    progress: float
    segments: int


class Lane(TypedDict):
    """One worker's lane."""

    worker: Worker
    bars: list[GanttBar]


class QueueTask(TypedDict):
    """One GPU task."""

    id: str
    status: Status
    word: str  # "Running", "Queued", "Held", "Paused", "Retrying"
    character: str
    detail: str
    take: str  # "S2 take 1"
    project: str
    priority: int
    why: str  # one sentence with one cause, the strongest
    start_at: str | None
    estimate_s: float | None
    progress: float
    problem: bool
    scene_id: str | None
    can: list[str]  # of "cancel", "front", "pause", "resume", "retry"


class QueueView(TypedDict):
    """``StudioViews.queue``."""

    now: str
    paused: bool
    running: int
    queued: int
    empty_at: str | None
    lanes: list[Lane]
    tasks: list[QueueTask]
    done_today: int
    shares: list[dict[str, Any]]  # name; used, target: share; running, queued: int; note
    plan: list[list[str]]  # label, value
    may_manage: bool
