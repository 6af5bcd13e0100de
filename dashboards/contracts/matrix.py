"""The shape of the matrix, of one window of it, and of an estimate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypedDict

from .people import SessionPerson
from .words import Counts, Ref, Status


class MatrixCharacter(TypedDict):
    """One row."""

    id: str
    name: str
    sub: str  # "AUR-001 · Synthetic"
    thumb: str | None
    notice: dict[str, str] | None  # status, text


class MatrixBatch(TypedDict):
    """How far the project's work is."""

    scenes: int
    approved: int
    segments: int  # of the scenes that were submitted
    generated: int  # of which a take was made
    passed: int  # whose take passed its gates
    open_takes: int
    left_s: float | None  # None: no history


class MatrixView(TypedDict):
    """``StudioViews.matrix``: the axes and one letter per scene; details come window by window."""

    scene_types: list[dict[str, Any]]  # id, name; sub: "12.0 s · 3 seg"
    variants: list[dict[str, str]]  # name, letter, label
    characters: list[MatrixCharacter]
    statuses: list[str]  # per character: a letter per scene type and variant, scene types outermost (see LETTERS)
    counts: Counts
    prerequisites: list[dict[str, str]]  # status, text, link, href
    tiers: list[Ref]
    tier: str
    may_submit: bool
    may_deliver: bool
    batch: MatrixBatch
    going: bool  # whether anything is being made now
    stamp: int  # number of the last event: whatever is shown may have changed with it


class MatrixScene(TypedDict):
    """One scene: a character, a scene type, a variant."""

    id: str | None  # None: not planned yet
    tier: str  # "" while it is not planned
    progress: float | None  # while generating
    reason: str  # why it failed, else ""
    lacks: str  # what is missing before it can be made, else ""
    href: str  # the page that solves it
    command: str  # the command that solves it


class CellNeed(TypedDict):
    """Something that a cell's scenes lack and that does not block them."""

    what: str  # "metadata", "model", "node class", "worker"
    text: str  # what is missing
    solve: str  # the way to solve it
    href: str  # the page that solves it
    command: str  # the command that solves it; "" where only a page does


class MatrixCell(TypedDict):
    """One character × scene type."""

    strip: str | None  # filmstrip of the most advanced variant: frames side by side in one picture
    scenes: list[MatrixScene | None]  # in the order of ``variants``; None where the scene type does not apply
    needs: list[CellNeed]


class MatrixCells(TypedDict):
    """``MatrixDoor.matrix_cells``: the details of one window."""

    strip_frames: int  # frames in a filmstrip; they are of equal width
    cells: dict[str, MatrixCell]  # by "character id|scene type id"


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
    tiers: list[dict[str, Any]]  # name, gpu_s (None: no history), lowest first; empty for a large selection
    disk_bytes: int | None  # None: no history
    blocked: list[str]  # why some of the selection can not be submitted


class ProposalRow(TypedDict):
    """One character of a proposal: per scene type a letter per variant."""

    name: str
    cells: list[str]  # "q" enters the queue, "t" is there already, "b" is blocked, "." does not apply


class ProposalNeed(CellNeed):
    """Something that scenes of a proposal lack."""

    status: Status  # blocked: they stay out; warning: they are queued all the same
    n: int  # scenes
    cells: list[str]  # the first of them, "Mara / wave / clothed"


class Proposal(TypedDict):
    """What submitting a selection would do: characters × scene types × variants."""

    characters: int
    scene_types: list[str]
    more_types: int  # not drawn
    variants: list[str]
    scenes: int
    rows: list[ProposalRow]
    more_rows: int  # not drawn
    takes: int
    queue: int
    present: int
    blocked: int
    tier: str
    budgets: list[str]
    warnings: list[str]  # what people noted of the models
    needs: list[ProposalNeed]


class MatrixDoor(Protocol):
    """What the matrix asks for besides its view."""

    def matrix_cells(
        self, person: SessionPerson, project: str | None, characters: list[str], types: list[str]
    ) -> MatrixCells:
        """Return the details of a window: rows × columns by their ids; answers within 100 ms."""

    def propose_cells(
        self, person: SessionPerson, project: str | None, cells: list[tuple[str, str]], tier: str | None,
        variants: Sequence[str] = (),
    ) -> Proposal:  # fmt: skip
        """Say what submitting the selection would do; changes nothing."""

    def submit(
        self, person: SessionPerson, project: str | None, cells: list[tuple[str, str]], tier: str | None,
        variants: Sequence[str] = (),
    ) -> str:  # fmt: skip
        """Submit every scene of the selection that can be, of the variants named; returns a sentence for the toast."""

    def cancel_cells(
        self, person: SessionPerson, project: str | None, cells: list[tuple[str, str]], variants: Sequence[str] = ()
    ) -> str:
        """Cancel what is queued or running of the selection; finished segments stay."""

    def redo_cells(
        self, person: SessionPerson, project: str | None, cells: list[tuple[str, str]], variants: Sequence[str] = ()
    ) -> str:
        """Make the failed and rejected scenes of the selection again, and nothing else of it."""

    def raise_cells(
        self, person: SessionPerson, project: str | None, cells: list[tuple[str, str]], tier: str,
        variants: Sequence[str] = (),
    ) -> str:  # fmt: skip
        """Make the finished scenes of the selection again at a higher tier, with the same seeds and parameters."""
