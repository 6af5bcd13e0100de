"""Scenes: state, scores, receipt, review decisions."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from x121lib.api import shapes
from x121lib.api.caller import Acting
from x121lib.api.errors import CREATED, NO_CONTENT
from x121lib.api.route import ApiRoute
from x121lib.api.shapes import Given, Limit, Offset, Page, page, records
from x121lib.studio.clients import Clients

router = APIRouter(route_class=ApiRoute, tags=["scenes"])


@router.get("/scenes/{scene_id}", response_model=shapes.Scene)
def get_scene(studio: Acting, scene_id: uuid.UUID) -> Any:
    """Return a scene."""
    return Clients(studio).scene(scene_id).head()


@router.get("/scenes/{scene_id}/scores", response_model=Page[shapes.Score])
def list_scores(studio: Acting, scene_id: uuid.UUID, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List what was measured of a scene's takes, with verdicts and reasons."""
    return page(Clients(studio).scene(scene_id).scores(), limit, offset)


class DriftPoint(BaseModel):
    """What was measured at one segment."""

    segment: int
    value: float


class Drift(BaseModel):
    """How one quantity goes along a scene's chain."""

    metric: str
    per_segment: float | None = Field(description="Trend: change a segment, in the metric's unit.")
    low: float | None = Field(description="Lower end of the trend's 90 % interval.")
    high: float | None
    sure: bool = Field(description="Whether that interval leaves out 0.")
    outcome: str = Field(description="The worst that the QA profile's gate says of a value.")
    limit: float | None = Field(description="The bound that was passed or that the trend goes towards.")
    breach: int | None = Field(description="The first segment that passed it.")
    forecast: int | None = Field(description="The segment that will pass it.")
    words: str
    values: list[DriftPoint]


@router.get("/scenes/{scene_id}/drift", response_model=list[Drift])
def get_drift(studio: Acting, scene_id: uuid.UUID) -> Any:
    """Return the drift meter of a scene: how its chain moves away from its first frame, quantity by quantity."""
    scene = Clients(studio).scene(scene_id)
    points = scene.drift_points()
    rows = records(scene.drift())
    for row in rows:
        own = points[points["metric"] == row["metric"]]
        row["values"] = [{"segment": int(s), "value": float(v)} for s, v in own[["segment", "value"]].to_numpy()]
    return rows


@router.get("/scenes/{scene_id}/receipt")
def get_receipt(studio: Acting, scene_id: uuid.UUID) -> dict[str, Any]:
    """Return everything that made the newest cut; empty before there is one."""
    return Clients(studio).scene(scene_id).receipt()


class NewRetake(Given):
    """Takes to make anew, from a segment to the scene's end."""

    from_segment: int = Field(1, ge=1, le=500)
    values: Annotated[dict[str, Any], Field(max_length=100)] = Field({}, description="Slot values for all new takes.")


class Queued(BaseModel):
    """How many takes were queued."""

    n_takes: int


@router.post("/scenes/{scene_id}/retakes", status_code=CREATED, response_model=Queued)
def retake(studio: Acting, scene_id: uuid.UUID, given: NewRetake) -> Any:
    """Make a scene's takes anew from a segment on, with other parameters if wished; the old takes stay."""
    Clients(studio).scene(scene_id)
    return {"n_takes": studio.retake(scene_id, given.from_segment, given.values)}


@router.get("/scenes/{scene_id}/retakes", response_model=list[str])
def list_retakes(studio: Acting, scene_id: uuid.UUID) -> Any:
    """Say what was retaken by itself: what failed, what was changed, what was used."""
    return Clients(studio).scene(scene_id).retakes()


@router.post("/scenes/{scene_id}/decide", status_code=CREATED, response_model=shapes.Decided)
def decide(studio: Acting, scene_id: uuid.UUID, given: shapes.Decide) -> Any:
    """Approve, reject or flag a scene that is in review."""
    Clients(studio).scene(scene_id)
    return {"decision_id": studio.decide(scene_id, **given.model_dump())}


@router.post("/decisions/{decision_id}/undo", status_code=NO_CONTENT)
def undo(studio: Acting, decision_id: uuid.UUID) -> Response:
    """Take a decision back while that is offered."""
    studio.undo_decision(decision_id)
    return Response(status_code=NO_CONTENT)
