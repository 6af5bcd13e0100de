"""The queue."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from x121lib.api import shapes
from x121lib.api.caller import Acting
from x121lib.api.route import ApiRoute
from x121lib.api.shapes import Limit, Offset, Page, page

router = APIRouter(route_class=ApiRoute, tags=["work"])


@router.get("/queue", response_model=Page[shapes.Task])
def list_tasks(studio: Acting, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List the GPU tasks that are not over, in the order in which they will be served."""
    return page(studio.queue(), limit, offset)


@router.post("/tasks/cancel", response_model=shapes.Changed)
def cancel(studio: Acting, given: shapes.TaskKeys) -> Any:
    """Cancel GPU tasks and what waits for them; finished segments stay."""
    return {"changed": studio.cancel(given.task_ids)}


@router.post("/tasks/pause", response_model=shapes.Changed)
def pause(studio: Acting, given: shapes.TaskKeys) -> Any:
    """Pause waiting GPU tasks; a running take is finished first."""
    return {"changed": studio.pause(given.task_ids)}


@router.post("/tasks/resume", response_model=shapes.Changed)
def resume(studio: Acting, given: shapes.TaskKeys) -> Any:
    """Put paused GPU tasks back into the queue."""
    return {"changed": studio.resume(given.task_ids)}
