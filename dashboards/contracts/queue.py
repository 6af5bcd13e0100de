"""The shape of the queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol, TypedDict

from .people import SessionPerson
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
    project: str
    task_id: str | None


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
    person: str  # who submitted it
    priority: int
    why: str  # one sentence with one cause, the strongest
    start_at: str | None
    estimate_s: float | None
    progress: float
    problem: bool
    scene_id: str | None
    can: list[str]  # of "cancel", "front", "edit", "pause", "resume", "retry"


class QueuePause(TypedDict):
    """What is paused beside single tasks."""

    kind: Literal["studio", "project", "scene", "batch"]
    key: str  # name of the project, else a key
    target: str
    text: str  # by whom, since when and why


class QueueSchedule(TypedDict):
    """A submission that comes again."""

    id: str
    name: str
    cron: str
    project: str
    person: str
    enabled: bool
    next_at: str | None
    last: str  # what became of the last time
    may: bool


class WorkerHistory(TypedDict):
    """A worker's 24 hours."""

    id: str
    takes: int
    busy_s: float
    utilisation: float
    idle: list[list[float]]  # from and to, in seconds from now


QueueHistory = TypedDict("QueueHistory", {"from": str, "until": str, "workers": list[WorkerHistory], "complete": bool})
"""The 24 hours before a moment."""


class TaskDetails(TypedDict):
    """``QueueDoor.task_details``."""

    id: str
    title: str
    project: str
    scene_id: str | None
    facts: list[list[str]]  # label, value
    parameters: list[list[str]]  # slot, value
    attempts: list[dict[str, Any]]  # number, worker, outcome, run_s, started_at, error; newest first


class QueueView(TypedDict):
    """``StudioViews.queue``."""

    now: str
    paused: bool
    running: int
    queued: int
    held: int  # of these, on hold: not in empty_at
    empty_at: str | None
    lanes: list[Lane]
    tasks: list[QueueTask]
    done_today: int
    shares: list[dict[str, Any]]  # name; used, target: share; running, queued: int; note
    plan: list[list[str]]  # label, value
    may_manage: bool
    may_schedule: bool
    may_order: bool  # anybody's tasks, among all
    history: QueueHistory | None  # where a moment was asked for
    pauses: list[QueuePause]  # the widest first
    more_pauses: int  # how many there are beside those
    schedules: list[QueueSchedule]


class QueueDoor(Protocol):
    """The Queue page; an ``X121Error`` becomes a message with its hint."""

    def queue(self, person: SessionPerson, project: str | None, at: str | None = None) -> QueueView:
        """Return the queue over all projects; with a moment, the lanes of the 24 hours before it."""

    def task_details(self, person: SessionPerson, task_id: str) -> TaskDetails:
        """Return one task in full."""

    def move_tasks(
        self, person: SessionPerson, task_ids: list[str], where: str, anchor: str | None = None
    ) -> dict[str, Any]:
        """Move waiting tasks to ``front`` or ``back``, ``before`` or ``after`` another; text, change_id."""

    def edit_tasks(self, person: SessionPerson, task_ids: list[str], changes: dict[str, Any]) -> dict[str, Any]:
        """Change ``class``, ``priority``, ``off_peak`` or ``at_once`` of waiting tasks; text, change_id."""

    def undo_change(self, person: SessionPerson, change_id: str) -> str:
        """Take a move or edit back."""

    def hold_work(self, person: SessionPerson, kind: str, keys: list[str], reason: str = "") -> str:
        """Pause ``tasks``, a ``scene`` or a ``project`` by name."""

    def go_on(self, person: SessionPerson, kind: str, keys: list[str]) -> str:
        """Let ``tasks``, a ``scene`` or a ``project`` go on."""

    def schedule_offers(self, person: SessionPerson) -> dict[str, Any]:
        """Answer what the form of a new schedule offers: projects (name, characters), names of the rest, zones."""

    def schedule_times(self, person: SessionPerson, cron: str, zone: str) -> dict[str, Any]:
        """Answer the next five times of a cron expression: at, words."""

    def add_schedule(self, person: SessionPerson, given: Mapping[str, Any]) -> dict[str, Any]:
        """Set a schedule that submits as the person; text, schedule_id."""

    def schedule(self, person: SessionPerson, schedule_id: str) -> dict[str, Any]:
        """Answer a schedule: schedule_id, version, person, lost (chosen things that are gone), given (as added)."""

    def change_schedule(
        self, person: SessionPerson, schedule_id: str, given: Mapping[str, Any], version: int | None = None
    ) -> dict[str, Any]:
        """Change a schedule unless it was changed since a version; text, schedule_id, version, before (given)."""

    def steer_schedule(self, person: SessionPerson, name: str, how: str) -> str:
        """``enable``, ``disable`` or ``remove`` a schedule, or ``run`` it now."""
