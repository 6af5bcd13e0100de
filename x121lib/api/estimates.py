"""What a selection would cost, and how estimates stood the test."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from x121lib.api.caller import Acting
from x121lib.api.cell_shapes import Cells
from x121lib.api.route import ApiRoute
from x121lib.api.shapes import Limit, Name, Offset, Page, page
from x121lib.pipeline.submission import Selection

router = APIRouter(route_class=ApiRoute, tags=["estimates"])


class EstimateOf(Cells):
    """Scenes, and the tier."""

    tier: Name | None = None

    def selection(self) -> Selection:
        """Return it as the pipeline takes it."""
        chosen = self.chosen()
        return Selection(chosen.characters, chosen.scene_types, chosen.variants, self.tier, cells=chosen.cells)


class Interval(BaseModel):
    """GPU seconds with the 80 % interval."""

    model_config = ConfigDict(from_attributes=True)
    low_s: float
    middle_s: float
    high_s: float
    n_past: int = Field(description="Past takes that it stands on.")


class Part(BaseModel):
    """The share of one scene type, character or tier."""

    model_config = ConfigDict(from_attributes=True)
    name: str
    scenes: int
    takes: int
    gpu: Interval | None
    disk_bytes: int | None


class OnWorker(BaseModel):
    """What the selection would cost if one worker made all of it; a null ``gpu`` is *no history* there."""

    model_config = ConfigDict(from_attributes=True)
    name: str
    available: bool
    slots: int
    gpu: Interval | None


class Speed(BaseModel):
    """Past takes of one workflow version, tier and size on one worker, in GPU seconds."""

    workflow: str
    version: int
    tier: str
    width: int
    height: int
    worker: str
    takes: int
    mean_s: float
    deviation_s: float


class Estimate(BaseModel):
    """What a selection would cost; null is *no history*."""

    model_config = ConfigDict(from_attributes=True)
    tier: str
    scenes: int
    takes: int
    gpu: Interval | None
    wall_s: float | None
    slots: int
    disk_bytes: int | None
    scene_types: list[Part]
    characters: list[Part]
    tiers: list[Part]
    workers: list[OnWorker]


class Calibrated(BaseModel):
    """An estimated batch that is over."""

    project: str
    at: datetime
    takes: int
    past_takes: int
    low_s: float
    expected_s: float
    high_s: float
    actual_s: float
    inside: bool


@router.post("/projects/{name}/estimate", response_model=Estimate)
def estimate(studio: Acting, name: Annotated[str, Path(max_length=200)], given: EstimateOf) -> Any:
    """Say what submitting a selection would cost; queue nothing."""
    return studio.estimates.of(name, given.selection())


@router.get("/estimates/calibration", response_model=Page[Calibrated])
def calibration(studio: Acting, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List estimated batches that are over beside what they needed, newest first."""
    return page(studio.estimates.calibration(), limit, offset)


@router.get("/estimates/speeds", response_model=Page[Speed])
def speeds(studio: Acting, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List what past takes needed, by workflow version, tier, size and worker."""
    return page(studio.estimates.speeds(), limit, offset)
