"""The shape of Pulse."""

from __future__ import annotations

from typing import Any, TypedDict

from .words import Counts, Status


class ActiveTake(TypedDict):
    """A take that runs now."""

    id: str  # id of the GPU task
    character: str
    detail: str  # "dance · clothed"
    segment: str  # "2 of 3"
    step: str  # "21/30" or ""
    progress: float
    left_s: float | None
    worker: str
    thumb: str | None
    can_cancel: bool


class NextTake(TypedDict):
    """A take that starts next."""

    id: str
    character: str
    detail: str
    worker: str
    start_s: float | None  # from now


class ReviewCard(TypedDict):
    """A scene that waits for review."""

    scene_id: str
    character: str
    detail: str
    thumb: str | None
    duration_s: float
    status: Status  # approved: all gates passed; warning: borderline; rejected: a gate failed or it was flagged
    word: str  # "All passed" or the strongest gate, "Seam 2"


class Worker(TypedDict):
    """A GPU worker."""

    id: str
    name: str
    kind: str  # "Local engine", "L40S"
    status: Status  # generating: busy; approved: idle and well; none: off or drained; failed: unreachable
    word: str
    doing: str  # what it does now, or why it does nothing
    utilisation: float | None
    memory_bytes: int | None
    memory_total_bytes: int | None
    temperature_c: float | None
    load: list[float]  # utilisation of the last samples, oldest first; may be empty


class FeedItem(TypedDict):
    """One event of the activity feed, newest first."""

    id: str
    status: Status
    who: str
    verb: str
    what: str
    more: str
    at: str
    mine: bool
    problem: bool


class Share(TypedDict):
    """One named part of a whole."""

    name: str
    bytes: int


class TypeProgress(TypedDict):
    """Progress of one scene type."""

    name: str
    counts: Counts
    approved: int
    total: int


class PulseView(TypedDict):
    """``StudioViews.pulse``."""

    facts: dict[str, int]  # characters, scene_types, variants, scenes
    active: list[ActiveTake]
    next: list[NextTake]
    takes_per_hour: float | None
    review: dict[str, Any]  # total, passed, borderline, flagged: int; oldest_s: float | None; cards: list[ReviewCard]
    counts: Counts
    types: list[TypeProgress]
    due: str | None
    workers: list[Worker]
    disk: dict[str, Any]  # used_bytes, total_bytes: int; parts: list[Share]; full_in_days: float | None
    budget: dict[str, Any] | None  # used_h, limit_h, today_h, forecast_h: float; days: list[float]; of: int; month: str
    feed: list[FeedItem]
