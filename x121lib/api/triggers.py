"""Triggers: rules, switches, dry runs, the log."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from x121lib.api import shapes
from x121lib.api.caller import Acting
from x121lib.api.errors import CREATED, NO_CONTENT
from x121lib.api.route import ApiRoute
from x121lib.api.shapes import Given

router = APIRouter(route_class=ApiRoute, tags=["triggers"])
Most = Annotated[int, Field(ge=1, le=1000)]


class Trigger(BaseModel):
    """A trigger in words."""

    trigger_id: uuid.UUID
    trigger: str
    enabled: bool
    event: str
    scope: str
    when: list[str]
    if_: Annotated[list[str], Field(alias="if")]
    do: list[str]
    otherwise: list[str]
    costs_gpu_time: bool
    at_most: int | None
    acts_as: str | None
    fired: int
    last_at: datetime | None
    last: str | None
    description: str
    unreadable: Annotated[str, Field(description="Why this version cannot read its rule; empty where it can.")]


class WholeTrigger(Trigger):
    """A trigger with its rule."""

    rule: Annotated[Any, Field(description="A mapping; whatever is stored, where it cannot be read.")]


class NewTrigger(Given):
    """A rule, as docs/triggers.md describes it."""

    rule: Annotated[dict[str, Any], Field(max_length=20)]


class DryRun(Given):
    """Which events to look at; with a rule, that one instead of a stored trigger's."""

    last: int = Field(20, ge=1, le=200)
    event_id: int | None = Field(None, ge=1)
    rule: Annotated[dict[str, Any], Field(max_length=20)] | None = None


class Would(BaseModel):
    """What one action would do."""

    event_id: int
    at: datetime
    event: str
    about: str
    branch: str
    action: str
    would: str


class Step(BaseModel):
    """One action of a firing."""

    action: str
    status: str
    said: str


class Firing(BaseModel):
    """A firing with its cause and its effects."""

    firing_id: uuid.UUID
    at: datetime
    trigger: str
    trigger_id: uuid.UUID
    event_id: int
    event: str
    about: str
    depth: int
    after: str | None
    after_firing_id: uuid.UUID | None
    branch: str
    by: str | None
    status: str
    message: str
    actions: list[Step]
    effects: list[str]
    finished_at: datetime | None


@router.get("/triggers", response_model=list[Trigger])
def list_triggers(studio: Acting) -> Any:
    """List the triggers."""
    return studio.triggers.list()


@router.post("/triggers", status_code=CREATED, response_model=Trigger)
def add_trigger(studio: Acting, given: NewTrigger) -> Any:
    """Add a trigger; one that costs GPU time starts disabled."""
    return studio.triggers.add(given.rule)


@router.post("/triggers/dry-run", response_model=list[Would])
def dry_run_rule(studio: Acting, given: DryRun) -> Any:
    """Say what a rule that was not added would do now for past events; nothing is done."""
    return studio.triggers.dry_run(given.rule or {}, last=given.last, event_id=given.event_id)


@router.get("/triggers/log", response_model=list[Firing])
def list_firings(
    studio: Acting, trigger: shapes.Name | None = None, scene_id: uuid.UUID | None = None,
    task_id: uuid.UUID | None = None, limit: Most = 100,
) -> Any:  # fmt: skip
    """List what triggers did, of one trigger, scene or task."""
    return studio.triggers.log(trigger, scene_id=scene_id, task_id=task_id, limit=limit)


@router.get("/triggers/{name}", response_model=WholeTrigger)
def show_trigger(studio: Acting, name: shapes.Name) -> Any:
    """Show a trigger with its rule."""
    return studio.triggers.show(name)


@router.put("/triggers/{name}", response_model=Trigger)
def change_trigger(studio: Acting, name: shapes.Name, given: NewTrigger) -> Any:
    """Give a trigger another rule; it then acts as the caller, disabled where only an Admin may enable it."""
    return studio.triggers.change(name, given.rule)


@router.post("/triggers/{name}/dry-run", response_model=list[Would])
def dry_run_trigger(studio: Acting, name: shapes.Name, given: DryRun) -> Any:
    """Say what a trigger would do now for past events; nothing is done."""
    return studio.triggers.dry_run(name, last=given.last, event_id=given.event_id)


@router.post("/triggers/{name}/enable", status_code=NO_CONTENT)
def enable_trigger(studio: Acting, name: shapes.Name) -> None:
    """Let a trigger act from now on, with the caller's rights."""
    studio.triggers.enable(name)


@router.post("/triggers/{name}/disable", status_code=NO_CONTENT)
def disable_trigger(studio: Acting, name: shapes.Name) -> None:
    """Let a trigger act no more."""
    studio.triggers.disable(name)


@router.delete("/triggers/{name}", status_code=NO_CONTENT)
def remove_trigger(studio: Acting, name: shapes.Name) -> None:
    """Remove a trigger; its log stays."""
    studio.triggers.remove(name)
