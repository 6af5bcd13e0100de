"""Cells of the matrix as the API takes them, and what was done with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from x121lib.api.shapes import Given, Name, Names
from x121lib.pipeline.submission import Selection
from x121lib.terms.vocabulary import PriorityClass


class CellRef(Given):
    """One cell of the matrix by its names."""

    character: Name
    scene_type: Name


class Cells(Given):
    """Cells of the matrix; empty lists mean all."""

    characters: Names = Field([])
    scene_types: Names = Field([])
    variants: Names = Field([])
    cells: list[CellRef] = Field([], max_length=100_000, description="Single cells; all of them or none are done.")

    def chosen(self) -> Selection:
        """Return them as the pipeline takes them."""
        return Selection(
            tuple(self.characters), tuple(self.scene_types), tuple(self.variants),
            cells=tuple((c.character, c.scene_type) for c in self.cells),
        )  # fmt: skip


class Redone(BaseModel):
    """What was queued again."""

    model_config = ConfigDict(from_attributes=True)
    failed: int
    rejected: int
    takes: int


class Cancelled(BaseModel):
    """What was cancelled."""

    scenes: int
    takes: int


class Submit(Cells):
    """Which cells to queue; empty lists mean all."""

    tier: Name | None = None
    priority: Literal["Urgent", "Normal", "Background"] = "Normal"
    at: AwareDatetime | None = Field(None, description="Start no earlier than this.")
    off_peak: bool = Field(False, description="Start only while nothing else wants the worker.")
    skip_blocked: bool = False
    over_budget: bool = Field(False, description="Pass the budgets; an Admin's right, granted and audited.")
    dry_run: bool = False

    def selection(self) -> Selection:
        """Return it as the pipeline takes it."""
        return replace(
            self.chosen(), tier=self.tier, priority_class=PriorityClass(self.priority), not_before=self.at,
            off_peak=self.off_peak, skip_blocked=self.skip_blocked, over_budget=self.over_budget,
        )  # fmt: skip
