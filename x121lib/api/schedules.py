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
from x121lib.studio.schedules import NewSchedule, SetSchedule
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


class WholeSchedule(BaseModel):
    """A schedule as it was given, to be changed."""

    schedule_id: uuid.UUID
    name: str
    project: str
    cron: str
    zone: str
    characters: list[str]
    scene_types: list[str]
    variants: list[str]
    tier: str | None
    priority: str
    off_peak: bool
    failed_only: bool
    run_missed: bool
    person: str
    enabled: bool
    lost: Annotated[int, Field(description="Things that it chose and that were deleted since.")]
    version: int


class ChangedSchedule(GivenSchedule):
    """What a schedule is to be; with a version, only if nobody changed it since."""

    version: int | None = Field(None, ge=1)


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
    return {"schedule_id": studio.schedules.add(_wanted(given))}


@router.get("/schedules/{name}", response_model=WholeSchedule)
def show_schedule(studio: Acting, name: str) -> Any:
    """Show a schedule, by name or key, as it was given."""
    return _whole(studio.schedules.show(name))


@router.put("/schedules/{name}", response_model=WholeSchedule)
def change_schedule(studio: Acting, name: str, given: ChangedSchedule) -> Any:
    """Change a schedule in place; where it then submits something else, it does so as the caller."""
    return _whole(studio.schedules.change(name, _wanted(given), version=given.version))


def _wanted(given: GivenSchedule) -> NewSchedule:
    return NewSchedule(
        given.name, given.project, given.cron, given.zone, given.characters, given.scene_types, given.variants,
        given.tier, PriorityClass(given.priority), given.off_peak, given.failed_only, given.run_missed,
    )  # fmt: skip


def _whole(found: SetSchedule) -> dict[str, Any]:
    given = found.given
    return {
        "schedule_id": found.schedule_id, "name": given.name, "project": given.project, "cron": given.cron,
        "zone": given.zone, "characters": given.characters, "scene_types": given.scene_types,
        "variants": given.variants, "tier": given.tier, "priority": given.priority_class.value,
        "off_peak": given.off_peak, "failed_only": given.failed_only, "run_missed": given.runs_missed,
        "person": found.person, "enabled": found.is_enabled, "lost": found.n_lost, "version": found.version,
    }  # fmt: skip


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
