"""The shape of a scene under review, and the answer to a decision."""

from __future__ import annotations

from typing import Any, TypedDict

from .words import Ref, Status


class Gate(TypedDict):
    """One gate's verdict with its score."""

    name: str
    unit: str
    value: str  # ".52", as shown
    limit: str  # "min .45"
    fill: float  # score on a scale from 0 to 1
    mark: float | None  # threshold on that scale
    status: Status
    segment: int | None  # 1-based
    frame: int | None  # the worst frame, in the scene
    reason: str


class ReviewTake(TypedDict):
    """One take of a segment."""

    id: str
    number: int
    status: Status
    word: str  # "In cut", "Rejected", "Failed"
    thumb: str | None
    in_cut: bool


class ReviewSegment(TypedDict):
    """One segment of the scene as it is cut now."""

    id: str
    number: int  # 1-based
    start: int  # first frame in the scene
    end: int  # one past its last frame
    strip: str | None
    strip_frames: int
    takes: list[ReviewTake]


class Mark(TypedDict):
    """Something found at a frame."""

    frame: int
    end: int | None  # one past the last frame of a range
    status: Status
    text: str


class Note(TypedDict):
    """A note on the scene."""

    id: str
    author: str
    initials: str
    frame: int | None
    text: str
    at: str
    status: Status
    word: str


class CutGate(TypedDict):
    """One gate's worst score of another cut."""

    name: str
    value: str
    status: Status


class OtherCut(TypedDict):
    """Another cut of the scene, to be played in step with the one on the stage."""

    id: str
    version: str  # "v1"
    tier: str  # tiers of its takes
    video: str
    poster: str | None
    frames: int
    fps: list[int]
    width: int
    height: int
    segments: list[list[int]]  # first frame, one past the last
    run_s: float | None  # GPU seconds of its takes
    gates: list[CutGate]


class HigherTier(TypedDict):
    """A tier that the scene can be made again at."""

    name: str
    gpu_s: float | None  # expected; None without history
    low_s: float | None  # 80 % interval
    high_s: float | None


class Higher(TypedDict):
    """Where the scene can be raised to; no tiers where it is not made, or is at the highest."""

    tier: str  # its own
    takes: int
    tiers: list[HigherTier]
    may: bool


class DriftCourse(TypedDict):
    """How one quantity goes along the chain, segment by segment."""

    name: str
    unit: str
    value: str  # at the last segment, as shown
    values: list[float]
    segments: list[int]  # their numbers, from 1
    limit: float | None  # the bound that was passed, or that the trend goes towards
    status: Status
    note: str  # "limit at S7", "+1.5 / seg", "steady"
    words: str


class ReviewScene(TypedDict):
    """The scene on the stage."""

    id: str
    character: str
    thumb: str | None
    detail: str  # "wave · A Studio"
    version: str  # "v3"
    status: Status
    word: str
    badges: list[dict[str, str]]
    video: str  # path of the review copy
    poster: str | None
    mime: str
    fps: list[int]  # numerator, denominator
    frames: int
    width: int
    height: int
    segments: list[ReviewSegment]
    gates: list[Gate]
    profile: str  # name of the QA profile
    marks: list[Mark]
    drift: list[DriftCourse]  # what moves first; none for a single segment
    curve: dict[str, Any] | None  # name; low, high: float; limit: float | None; values: list[float]; status
    notes: list[Note]
    receipt: list[list[str]]  # label, value
    fresh: bool
    tier: str  # "Draft"
    others: list[OtherCut]  # those of another tier first
    higher: Higher
    credit: str  # "AI-generated · Mara wave v3 · preview for I. Kaya"


class ReviewView(TypedDict):
    """``StudioViews.review``; ``scene`` is ``None`` when nothing waits."""

    scene: ReviewScene | None
    position: int
    total: int
    previous_id: str | None
    next_id: str | None
    next_video: str | None  # preloaded
    reasons: dict[str, list[Ref]]  # "reject" and "flag" → reason chips
    may_decide: bool
    undo_s: float
    group: dict[str, str] | None  # id, name: the character or scene type that review keeps to
    decision: dict[str, Any] | None  # id, outcome, reason, by, at, mine: the decision that stands, if any


class Decided(TypedDict):
    """Answer to a decision."""

    decision_id: str
    outcome: str
    undo_s: float
    next_id: str | None  # the next scene that waits
    text: str  # "Mara Voss · wave approved"
    more: str  # "Retake of segment 2 starts in 10 s"
