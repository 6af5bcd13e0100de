"""The shape of everything around a page."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from .messages import InboxView
from .words import Ref, Status


class Job(TypedDict):
    """One running or queued take in the job tray."""

    id: str  # id of the GPU task
    title: str  # character
    detail: str  # "dance · clothed · segment 2 of 3"
    status: Status
    progress: float  # 0 to 1
    left_s: float | None
    can_cancel: bool


class BusyWorker(TypedDict):
    """A GPU worker in the job tray."""

    name: str
    status: Status
    word: str  # "Busy", "Idle", or where it stands


class Jobs(TypedDict):
    """The job tray."""

    running: int
    queued: int
    progress: float  # of all that was submitted and is not finished
    held: int  # on hold, and not in left_s
    left_s: float | None
    items: list[Job]  # running first, at most 12
    workers: list[BusyWorker]


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
    inbox: InboxView
    review_count: int  # scenes that wait for this person
    status_items: list[StatusItem]  # first item: overall health with its status
    commands: list[Command]
