"""The debugger's routes: look into a task, pause it, change its parameters."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from x121lib.api.caller import Acting
from x121lib.api.route import ApiRoute
from x121lib.api.shapes import Given, Name

router = APIRouter(route_class=ApiRoute, tags=["work"])


class Trace(BaseModel):
    """One look into a GPU task."""

    task_id: uuid.UUID
    status: str
    pausing: bool = Field(description="Stops as soon as its node has ended.")
    attempt: int = Field(description="Number of the attempt that is shown; 0 before the first.")
    node_id: str | None
    node: str = Field(description="The node that runs, or ran last, in words.")
    step: float
    n_steps: float = Field(description="0 where the node does not count.")
    finished: list[str]
    cached: list[str]
    n_nodes: int
    parameters: dict[str, Any]
    overridden: list[str] = Field(description="Slots whose value is the take's own.")
    request: dict[str, Any] = Field(description="The graph in API form as it was sent.")
    events: list[dict[str, Any]] = Field(description="Raw messages, oldest first, the newest 300.")
    result: dict[str, Any] | None
    error: str | None
    failure: dict[str, Any]
    has_preview: bool
    updated_at: datetime | None


class PauseAt(Given):
    """Where to pause a running task."""

    at: Literal["node", "now"] = "node"


class PausePoint(BaseModel):
    """Where a task stops."""

    stops: str


class Parameters(Given):
    """Slot values by slot."""

    values: dict[Name, Any] = Field(min_length=1, max_length=100)


@router.get("/tasks/{task_id}/trace", response_model=Trace)
def get_trace(studio: Acting, task_id: uuid.UUID) -> Any:
    """Return what a task does now or did last: node, step, parameters, raw request, events and result."""
    return studio.debugger.look(task_id).to_dict()


@router.get("/tasks/{task_id}/preview", response_class=Response)
def get_preview(studio: Acting, task_id: uuid.UUID) -> Response:
    """Return the newest intermediate picture of a task."""
    content, media_type = studio.debugger.preview(task_id)
    headers = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=media_type, headers=headers)


@router.post("/tasks/{task_id}/pause", response_model=PausePoint)
def pause_running(studio: Acting, task_id: uuid.UUID, given: PauseAt) -> Any:
    """Pause a running task, at the end of its node or at once; says where it stops."""
    return {"stops": studio.debugger.pause(task_id, at=given.at)}


@router.put("/tasks/{task_id}/parameters", response_model=Parameters)
def change_parameters(studio: Acting, task_id: uuid.UUID, given: Parameters) -> Any:
    """Change slot values of a waiting or paused take; null takes a change back. Returns the values before."""
    return {"values": studio.debugger.change(task_id, given.values)}
