"""The debugger's routes: look into a task, pause it, change its parameters."""

from __future__ import annotations

import uuid
from typing import Any

from fastapi import APIRouter, Response

from x121lib.api import shapes
from x121lib.api.caller import Acting
from x121lib.api.route import ApiRoute

router = APIRouter(route_class=ApiRoute, tags=["work"])


@router.get("/tasks/{task_id}/trace", response_model=shapes.Trace)
def get_trace(studio: Acting, task_id: uuid.UUID) -> Any:
    """Return what a task does now or did last: node, step, parameters, raw request, events and result."""
    return studio.debugger.look(task_id).to_dict()


@router.get("/tasks/{task_id}/preview", response_class=Response)
def get_preview(studio: Acting, task_id: uuid.UUID) -> Response:
    """Return the newest intermediate picture of a task."""
    content, media_type = studio.debugger.preview(task_id)
    headers = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=media_type, headers=headers)


@router.post("/tasks/{task_id}/pause", response_model=shapes.PausePoint)
def pause_running(studio: Acting, task_id: uuid.UUID, given: shapes.PauseAt) -> Any:
    """Pause a running task, at the end of its node or at once; says where it stops."""
    return {"stops": studio.debugger.pause(task_id, at=given.at)}


@router.put("/tasks/{task_id}/parameters", response_model=shapes.Parameters)
def change_parameters(studio: Acting, task_id: uuid.UUID, given: shapes.Parameters) -> Any:
    """Change slot values of a waiting or paused take; null takes a change back. Returns the values before."""
    return {"values": studio.debugger.change(task_id, given.values)}
