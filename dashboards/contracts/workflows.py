"""The shape of the workflows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypedDict

from .people import SessionPerson
from .words import Status


class WorkflowRow(TypedDict):
    """One workflow in the list."""

    name: str
    versions: list[dict[str, Any]]  # number, status, word, at; the newest first
    used: int  # scene types and variant kinds that refer to one of its versions


class WorkflowNode(TypedDict):
    """One node on the canvas."""

    id: str
    name: str
    kind: str  # its class
    x: float  # pixels of its left upper corner
    y: float
    slots: list[str]
    values: list[list[str]]  # input, value as text
    seconds: float | None  # median; None where nothing was measured
    low_s: float | None  # 10th percentile
    high_s: float | None  # 90th percentile
    share: float  # of the time of all nodes
    mark: str  # "added", "removed" or "changed" against the other version, else ""
    changes: list[list[str]]  # input, before, after


class WorkflowSlot(TypedDict):
    """An input that may be set from outside."""

    name: str
    kind: str
    node_id: str
    input: str
    value: str  # in the file, cut
    set_by: list[str]
    label: str
    default: str  # whole
    own_default: bool  # another than the file's
    range: str  # empty for anything
    step: float | None
    hidden: bool
    added: bool
    choices: list[str]


class WorkflowDetail(TypedDict):
    """One version of a workflow."""

    id: str
    name: str
    number: int
    status: Status
    word: str
    node_width: int
    node_height: int
    width: float
    height: float
    nodes: list[WorkflowNode]
    links: list[list[Any]]  # source, target, input, points between
    n_measured: int  # attempts that the times are taken from
    total_s: float | None
    difference: dict[str, Any] | None  # number, added, removed, changed, rows (id, mark, name, lines)
    slots: list[WorkflowSlot]
    used_by: list[str]
    runs: list[dict[str, Any]]  # id, scene_id, name, take, status, word, worker, seconds, at
    trials: list[dict[str, Any]]  # id, status, word, worker, seconds, at, text, may_cancel
    workers: list[dict[str, Any]]  # name, status, word, classes, models (lacking), problems, n_classes, n_models


class WorkflowsView(TypedDict):
    """``WorkflowsDoor.workflows``."""

    rows: list[WorkflowRow]
    chosen: WorkflowDetail | None
    may_manage: bool


class WorkflowsDoor(Protocol):
    """What the page of the workflows reads and does."""

    def workflows(self, person: SessionPerson, project: str | None, params: Mapping[str, str]) -> WorkflowsView:
        """Return every workflow, and the version of ``workflow`` and ``version`` with its graph laid out.

        With ``against`` the graph is marked by what differs from that version of the same workflow.
        """

    def edit_slot(
        self, person: SessionPerson, version: str, slot: str, node_id: str, changes: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Change name, label, default or is_hidden of the slot of a node; ``version`` is NAME@NUMBER.

        Answers ``text``, and ``undo`` (name of a method, slot, changes) that takes it back.
        """

    def add_slot(self, person: SessionPerson, version: str, node_id: str, input_name: str) -> dict[str, Any]:
        """Make an input of a node a slot; answers like ``edit_slot``."""

    def remove_slot(self, person: SessionPerson, version: str, slot: str, node_id: str) -> dict[str, Any]:
        """Remove a slot that was added; answers like ``edit_slot``."""
