"""What pages show and what they ask for: the shapes of the views and the protocols behind them.

Every view is plain JSON: strings, numbers, booleans, lists, dicts and ``None``. Units, everywhere: seconds (``_s``),
bytes (``_bytes``), shares from 0 to 1 (``share``, ``progress``), frames counted from 0 in half-open ranges, times as
ISO 8601 with offset. ``status`` is one of ``none pending generating review approved rejected failed blocked warning
info`` (the silhouettes of the theme); words come with it only where they differ from the usual one.
Addresses of pictures and videos are paths of this door, e.g. ``/media/KEY``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NotRequired, Protocol, TypedDict

Status = Literal[
    "none", "pending", "generating", "review", "approved", "rejected", "failed", "blocked", "warning", "info"
]
Counts = dict[str, int]  # status → number of scenes; missing means none
PageName = Literal["pulse", "characters", "character", "matrix", "queue", "review", "deliveries", "catalogue"]


# ---------------------------------------------------------------- people and media


@dataclass(frozen=True)
class SessionPerson:
    """Who is signed in.

    Attributes:
        id: id of the person.
        name: name as shown.
        role: word of the role as shown, e.g. ``Creator``.
        session: the session token that the cookie carries; what ``sign_out`` ends.
    """

    id: str
    name: str
    role: str
    session: str


@dataclass(frozen=True)
class MediaFile:
    """A stored file that a person may see.

    Attributes:
        path: where it lies.
        mime: its media type.
        etag: its hash; the file never changes under one key.
        name: file name offered when it is saved; ``None`` shows it in the page.
    """

    path: Path
    mime: str
    etag: str
    name: str | None = None


class Authenticator(Protocol):
    """Signs people in. Every method is safe to call from any thread; none raises for a wrong secret."""

    def sign_in(self, email: str, password: str) -> SessionPerson | None:
        """Return the person with a new session, or ``None`` (same answer and same time for unknown people)."""

    def redeem_once(self, token: str) -> SessionPerson | None:
        """Return the person whose one-time link this is and spend it; ``None`` for a spent or unknown one."""

    def person_for(self, session: str) -> SessionPerson | None:
        """Return who a session token belongs to, or ``None`` once it ended or expired."""

    def sign_out(self, session: str) -> None:
        """End that session; nothing happens when it is unknown."""


# ---------------------------------------------------------------- the shell


class Ref(TypedDict):
    """A thing that can be named and chosen."""

    id: str
    name: str


class Job(TypedDict):
    """One running or queued take in the job tray."""

    id: str  # id of the GPU task
    title: str  # character
    detail: str  # "dance · clothed · segment 2 of 3"
    status: Status
    progress: float  # 0 to 1
    left_s: float | None
    can_cancel: bool


class Jobs(TypedDict):
    """The job tray."""

    running: int
    queued: int
    progress: float  # of all that was submitted and is not finished
    left_s: float | None
    items: list[Job]  # running first, at most 12


class StatusItem(TypedDict):
    """One fact in the status bar."""

    label: str
    value: str
    icon: NotRequired[str]
    status: NotRequired[Status]
    share: NotRequired[float]  # draws a small bar


class Command(TypedDict):
    """One entry that the command palette offers besides the pages."""

    group: str
    label: str
    href: str  # a page of ours, e.g. "/review?scene=…"
    icon: NotRequired[str]
    status: NotRequired[Status]


class Person(TypedDict):
    """Who is signed in, for the page."""

    name: str
    initials: str
    role: str


class ShellView(TypedDict):
    """Everything around the page. ``StudioViews.shell``."""

    project: Ref | None
    projects: list[Ref]
    person: Person
    jobs: Jobs
    review_count: int  # scenes that wait for this person
    status_items: list[StatusItem]  # first item: overall health with its status
    commands: list[Command]


# ---------------------------------------------------------------- pulse


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


# ---------------------------------------------------------------- characters


class CharacterCard(TypedDict):
    """One character in the gallery."""

    id: str
    name: str
    kind: str  # "Synthetic" or "Real performer"
    thumb: str | None
    counts: Counts
    scenes: int
    approved: int
    variants: list[dict[str, str]]  # name, status
    notice: dict[str, str] | None  # status, text: the strongest thing that is missing
    tags: list[str]


class CharactersView(TypedDict):
    """``StudioViews.characters``."""

    characters: list[CharacterCard]
    import_command: str  # what to type, for the empty page


class Check(TypedDict):
    """One check of a source image."""

    name: str
    value: str
    status: Status


class VariantCard(TypedDict):
    """One image variant of a character."""

    id: str
    name: str
    prefix: str  # file name prefix, "" for none
    status: Status
    word: str
    image: str | None
    version: str  # "v3"
    identity: float | None  # cosine with the source image
    scenes: str  # "6 scenes: 5 approved, 1 in review"
    versions: list[dict[str, Any]]  # id, name, image, hero: bool, score: float | None
    can_decide: bool


class CharacterView(TypedDict):
    """``StudioViews.character``."""

    id: str
    name: str
    code: str
    kind: str
    added: str
    position: int  # 1-based, among the project's characters
    total: int
    previous_id: str | None
    next_id: str | None
    badges: list[dict[str, str]]  # status, text
    source: dict[str, Any]  # image: str | None; box: [x, y, w, h] in shares | None; box_word: str; checks: list[Check]
    variants: list[VariantCard]
    identity_gate: float | None
    identity_backend: str
    identity_types: list[dict[str, Any]]  # name, mean, low: float; status
    release: dict[str, Any]  # needed: bool; status; word; rows: list[[label, value]]; covers: list[str]
    metadata: list[dict[str, Any]]  # name, label, value: str; required, missing: bool


# ---------------------------------------------------------------- matrix


class MatrixScene(TypedDict):
    """One scene: a character, a scene type, a variant."""

    id: str | None  # None: not planned yet
    variant: str  # name of the variant kind
    status: Status
    progress: float | None  # while generating
    reason: str  # why blocked or failed, else ""


class MatrixCell(TypedDict):
    """One character × scene type."""

    strip: str | None  # filmstrip of the most advanced variant: frames side by side in one picture
    strip_frames: int  # frames in that picture; cells are of equal width
    scenes: list[MatrixScene]  # in the order of ``variants``
    selectable: bool  # whether anything in it can be submitted


class MatrixRow(TypedDict):
    """One character."""

    id: str
    name: str
    sub: str  # "AUR-001 · Synthetic"
    thumb: str | None
    approved: int
    total: int
    notice: dict[str, str] | None  # status, text
    cells: list[MatrixCell]  # in the order of ``scene_types``


class MatrixView(TypedDict):
    """``StudioViews.matrix``."""

    scene_types: list[dict[str, Any]]  # id, name; sub: "12.0 s · 3 seg"
    variants: list[dict[str, str]]  # name, letter, label
    rows: list[MatrixRow]
    counts: Counts
    prerequisites: list[dict[str, str]]  # status, text, link, href
    tiers: list[Ref]
    tier: str
    may_submit: bool


class Estimate(TypedDict):
    """What submitting a selection would cost. ``StudioViews.estimate``."""

    cells: int
    scenes: int  # that can be submitted
    takes: int
    gpu_s: float
    gpu_low_s: float
    gpu_high_s: float
    done_at: str | None
    basis: str  # "from 23 past takes"
    blocked: list[str]  # why some of the selection can not be submitted


# ---------------------------------------------------------------- queue


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


# ---------------------------------------------------------------- review


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
    curve: dict[str, Any] | None  # name; low, high: float; limit: float | None; values: list[float]; status
    notes: list[Note]
    receipt: list[list[str]]  # label, value
    fresh: bool
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
    decision: dict[str, Any] | None  # id, outcome, reason, by, at, mine: the decision that stands, if any


class Decided(TypedDict):
    """Answer to a decision."""

    decision_id: str
    outcome: str
    undo_s: float
    next_id: str | None  # the next scene that waits
    text: str  # "Mara Voss · wave approved"
    more: str  # "Retake of segment 2 starts in 10 s"


# ---------------------------------------------------------------- deliveries


class Delivery(TypedDict):
    """One package."""

    id: str
    name: str
    status: Status
    word: str
    at: str
    by: str
    scenes: int
    size_bytes: int
    download: str | None
    note: str


class DeliveriesView(TypedDict):
    """``StudioViews.deliveries``."""

    ready: int  # approved scenes
    total: int
    missing: list[dict[str, str]]  # status, text, href
    deliveries: list[Delivery]
    may_deliver: bool


# ---------------------------------------------------------------- the protocols behind the pages


class StudioViews(Protocol):
    """Reads. Each method returns one view for one person; ``project`` is an id or ``None`` for the first one."""

    def shell(self, person: SessionPerson, project: str | None) -> ShellView: ...

    def pulse(self, person: SessionPerson, project: str | None) -> PulseView: ...

    def characters(self, person: SessionPerson, project: str | None) -> CharactersView: ...

    def character(self, person: SessionPerson, project: str | None, character_id: str) -> CharacterView: ...

    def matrix(self, person: SessionPerson, project: str | None) -> MatrixView: ...

    def queue(self, person: SessionPerson, project: str | None) -> QueueView: ...

    def review(self, person: SessionPerson, project: str | None, scene_id: str | None) -> ReviewView: ...

    def deliveries(self, person: SessionPerson, project: str | None) -> DeliveriesView: ...

    def estimate(
        self, person: SessionPerson, project: str | None, cells: list[tuple[str, str]], tier: str | None
    ) -> Estimate:
        """Estimate a selection of (character id, scene type id); answers within 200 ms."""

    def media(self, person: SessionPerson, key: str) -> MediaFile | None:
        """Return the file behind ``/media/KEY`` where the person may see it."""

    def position(self) -> int:
        """Return the number of the last event; a page is redrawn when it has grown. Must be cheap."""


class StudioActions(Protocol):
    """Writes. Each returns what the page tells the person; an ``X121Error`` becomes a message with its hint."""

    def decide(
        self, person: SessionPerson, scene_id: str, outcome: str, *, reason: str | None = None, frame: int | None = None
    ) -> Decided:
        """Decide a scene: ``approve``, ``reject`` or ``flag``; ``frame`` is where the playhead stood."""

    def give_reason(self, person: SessionPerson, decision_id: str, reason: str) -> None:
        """Add the reason chip to a decision just made."""

    def undo(self, person: SessionPerson, decision_id: str) -> None:
        """Take a decision back while that is offered."""

    def note(self, person: SessionPerson, scene_id: str, text: str, frame: int | None) -> None:
        """Write a note on a scene, at a frame or on the whole."""

    def retake(self, person: SessionPerson, scene_id: str, frame: int) -> str:
        """Plan a retake from the segment that holds ``frame``; returns a sentence for the toast."""

    def submit(
        self, person: SessionPerson, project: str | None, cells: list[tuple[str, str]], tier: str | None
    ) -> str:
        """Submit every scene of the selection that can be; returns a sentence for the toast."""

    def cancel(self, person: SessionPerson, task_ids: list[str]) -> str: ...

    def to_front(self, person: SessionPerson, task_ids: list[str]) -> str: ...

    def retry(self, person: SessionPerson, task_ids: list[str]) -> str: ...

    def pause(self, person: SessionPerson) -> str:
        """Pause the queue after the takes that run now."""

    def resume(self, person: SessionPerson) -> str: ...

    def decide_variant(self, person: SessionPerson, variant_id: str, outcome: str) -> str: ...

    def save_field(self, person: SessionPerson, character_id: str, name: str, value: str) -> str: ...

    def deliver(self, person: SessionPerson, project: str | None, *, partial: bool) -> str: ...


class StudioDoor(StudioViews, StudioActions, Authenticator, Protocol):
    """Everything that the web door needs from the studio."""


Message = Mapping[str, Any]
