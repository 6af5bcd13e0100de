"""The shape of the matrix and of an estimate."""

from __future__ import annotations

from typing import Any, TypedDict

from .words import Counts, Ref, Status


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
