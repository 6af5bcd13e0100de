"""Quality tiers, and the same scene at a higher one."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from x121lib.api.caller import Acting
from x121lib.api.cell_shapes import Cells
from x121lib.api.errors import CREATED, NO_CONTENT
from x121lib.api.route import ApiRoute
from x121lib.api.shapes import Given, Limit, Name, Offset, Page, page
from x121lib.catalogue.tiers import TierTerms
from x121lib.pipeline.submission import Selection

router = APIRouter(route_class=ApiRoute, tags=["tiers"])
TierName = Annotated[str, Path(max_length=40)]


class Tier(BaseModel):
    """A tier."""

    tier: str
    rank: int
    resolution: float
    steps: float
    deliverable: bool


class TierChange(Given):
    """What to set of a tier; what is left out stays."""

    resolution: float | None = Field(None, ge=0.1, le=4, description="Each side times this.")
    steps: float | None = Field(None, ge=0.1, le=4, description="Steps times this.")
    deliverable: bool | None = None
    rank: int | None = Field(None, ge=1, le=1000)


class Raise(Given):
    """The higher tier."""

    tier: Name


class RaiseCells(Cells):
    """Finished scenes, and the higher tier."""

    tier: Name

    def to_tier(self) -> Selection:
        """Return it as the pipeline takes it."""
        chosen = self.chosen()
        return Selection(chosen.characters, chosen.scene_types, chosen.variants, self.tier, cells=chosen.cells)


class Raised(BaseModel):
    """What was queued."""

    scenes: int
    takes: int


class TakeAtTier(BaseModel):
    """The newest finished take of a segment at one tier."""

    segment: int
    tier: str
    take: int
    seed: int
    status: str
    width: int | None
    height: int | None
    run_s: float | None
    workflow_version_id: uuid.UUID
    sha256: str
    scores: dict[str, float]


@router.get("/tiers", response_model=Page[Tier])
def list_tiers(studio: Acting, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List the tiers from the lowest to the highest."""
    return page(studio.tiers.list(), limit, offset)


@router.put("/tiers/{name}", status_code=NO_CONTENT)
def set_tier(studio: Acting, name: TierName, given: TierChange) -> Response:
    """Make a tier, or change one."""
    studio.tiers.set(name, TierTerms(given.resolution, given.steps, given.deliverable, given.rank))
    return Response(status_code=NO_CONTENT)


@router.delete("/tiers/{name}", status_code=NO_CONTENT)
def remove_tier(studio: Acting, name: TierName) -> Response:
    """Remove a tier that nothing uses."""
    studio.tiers.remove(name)
    return Response(status_code=NO_CONTENT)


@router.post("/scenes/{scene_id}/tier", status_code=CREATED, response_model=Raised)
def raise_scene(studio: Acting, scene_id: uuid.UUID, given: Raise) -> Any:
    """Make a finished scene again at a higher tier: same workflow version, seeds, prompts and parameters."""
    return {"scenes": 1, "takes": studio.tiers.raise_scene(scene_id, given.tier)}


@router.get("/scenes/{scene_id}/tiers", response_model=Page[TakeAtTier])
def compare_tiers(studio: Acting, scene_id: uuid.UUID, limit: Limit = 100, offset: Offset = 0) -> Any:
    """Compare a scene's takes at each tier."""
    return page(studio.tiers.compare(scene_id), limit, offset)


@router.post("/projects/{name}/tier", status_code=CREATED, response_model=Raised)
def raise_scenes(studio: Acting, name: Annotated[str, Path(max_length=200)], given: RaiseCells) -> Any:
    """Make finished scenes of a selection again at a higher tier."""
    scenes, takes = studio.tiers.raise_scenes(name, given.to_tier())
    return {"scenes": scenes, "takes": takes}
