"""Dry runs of workflows."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from x121lib.api import shapes
from x121lib.api.caller import Acting
from x121lib.api.errors import CREATED, NO_CONTENT
from x121lib.api.route import ApiRoute
from x121lib.api.shapes import Given, Limit, Offset, Page, page

router = APIRouter(route_class=ApiRoute, tags=["workflows"])


class NewTrial(Given):
    """What to try, and where; the newest version and the least busy fitting worker by default."""

    version: int | None = Field(default=None, ge=1)
    worker: shapes.Name | None = None


class Trial(BaseModel):
    """A dry run: `running`, `complete`, `failed`, `cancelled` or `lost`."""

    trial_id: uuid.UUID
    workflow: str
    version: int
    worker: str | None
    status: str
    progress: float
    by: str
    started_at: datetime
    finished_at: datetime | None
    queue_s: float | None
    run_s: float | None
    codec: str
    width: int | None
    height: int | None
    n_frames: int | None
    first_frame_ssim: float | None
    next_status: str
    error_code: str
    error_message: str


@router.post("/workflows/{workflow}/tries", status_code=CREATED, response_model=Trial)
def try_workflow(studio: Acting, workflow: str, given: NewTrial) -> Any:
    """Begin to run a workflow once with a drawn picture, outside of any project; read it again for its end."""
    key = studio.trials.start(workflow, version=given.version, worker=given.worker)
    return studio.trials.show(key)


@router.get("/workflows/{workflow}/tries", response_model=Page[Trial])
def list_tries(studio: Acting, workflow: str, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List the dry runs of a workflow, the newest first."""
    return page(studio.trials.list(workflow), limit, offset)


@router.get("/workflow-tries/{trial_id}", response_model=Trial)
def show_try(studio: Acting, trial_id: uuid.UUID) -> Any:
    """Show how a dry run stands."""
    return studio.trials.show(trial_id)


@router.post("/workflow-tries/{trial_id}/cancel", status_code=NO_CONTENT)
def cancel_try(studio: Acting, trial_id: uuid.UUID) -> None:
    """Ask a dry run to stop; no other prompt of that server is touched."""
    studio.trials.cancel(trial_id)
