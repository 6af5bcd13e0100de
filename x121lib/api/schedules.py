"""Recurring schedules."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from x121lib.api import shapes
from x121lib.api.caller import Acting
from x121lib.api.errors import CREATED, NO_CONTENT
from x121lib.api.route import ApiRoute
from x121lib.api.shapes import Given, Limit, Offset, Page, page
from x121lib.studio.schedules import NewSchedule
from x121lib.terms.vocabulary import PriorityClass

router = APIRouter(route_class=ApiRoute, tags=["work"])
Names = Annotated[tuple[shapes.Name, ...], Field(max_length=shapes.MOST)]


class GivenSchedule(Given):
    """A schedule; empty selections mean all."""

    name: shapes.Name
    project: shapes.Name
    cron: str = Field(min_length=1, max_length=200, description="Minute, hour, day of month, month, day of week.")
    zone: str = Field("UTC", max_length=100, description="Time zone by its IANA name.")
    characters: Names = ()
    scene_types: Names = ()
    variants: Names = ()
    tier: shapes.Name | None = None
    priority: Literal["Urgent", "Normal", "Background"] = "Normal"
    off_peak: bool = False
    failed_only: bool = False
    run_missed: bool = Field(False, description="Make up for times that were missed by one run; else skip them.")


class Schedule(BaseModel):
    """A schedule with its next time and what became of the last."""

    schedule_id: uuid.UUID
    schedule: str
    cron: str
    zone: str
    project: str
    person: str
    chosen: str
    tier: str
    priority: str
    off_peak: bool
    failed_only: bool
    missed: str
    enabled: bool
    next_due_at: datetime | None
    last_outcome: str | None
    last_due_at: datetime | None


class Run(BaseModel):
    """What became of one due time."""

    due_at: datetime
    ran_at: datetime
    outcome: str
    scenes: int
    takes: int
    batch_id: uuid.UUID | None
    message: str


class RanNow(BaseModel):
    """What became of a run that was asked for."""

    due_at: datetime
    outcome: str
    n_scenes: int
    n_takes: int
    batch_id: uuid.UUID | None
    message: str


class ScheduleKey(BaseModel):
    """A schedule's key."""

    schedule_id: uuid.UUID


@router.get("/schedules", response_model=Page[Schedule])
def list_schedules(studio: Acting, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List the schedules with their next time and what became of the last."""
    return page(studio.schedules.list(), limit, offset)


@router.post("/schedules", status_code=CREATED, response_model=ScheduleKey)
def add_schedule(studio: Acting, given: GivenSchedule) -> Any:
    """Set a schedule; it submits as the caller."""
    wanted = NewSchedule(
        given.name, given.project, given.cron, given.zone, given.characters, given.scene_types, given.variants,
        given.tier, PriorityClass(given.priority), given.off_peak, given.failed_only, given.run_missed,
    )  # fmt: skip
    return {"schedule_id": studio.schedules.add(wanted)}


@router.get("/schedules/{name}/runs", response_model=Page[Run])
def list_runs(studio: Acting, name: str, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List what became of a schedule's times, newest first."""
    return page(studio.schedules.runs(name, limit + offset), limit, offset)


@router.post("/schedules/{name}/run", response_model=RanNow)
def run_schedule(studio: Acting, name: str) -> Any:
    """Run a schedule at once, as its person, besides its times."""
    return vars(studio.schedules.run_now(name))


@router.post("/schedules/{name}/enable", status_code=NO_CONTENT)
def enable_schedule(studio: Acting, name: str) -> None:
    """Let a schedule run from its next time on."""
    studio.schedules.enable(name)


@router.post("/schedules/{name}/disable", status_code=NO_CONTENT)
def disable_schedule(studio: Acting, name: str) -> None:
    """Let a schedule run no more until it is enabled."""
    studio.schedules.disable(name)


@router.delete("/schedules/{name}", status_code=NO_CONTENT)
def remove_schedule(studio: Acting, name: str) -> None:
    """Remove a schedule with its log; what it submitted stays."""
    studio.schedules.remove(name)
