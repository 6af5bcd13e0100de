"""Budgets and fair shares of GPU time."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from x121lib.api import shapes
from x121lib.api.caller import Acting
from x121lib.api.errors import CREATED, NO_CONTENT
from x121lib.api.route import ApiRoute
from x121lib.api.shapes import Given, Limit, Offset, Page, page
from x121lib.studio.budgets import Terms

router = APIRouter(route_class=ApiRoute, tags=["work"])


class Budget(BaseModel):
    """A budget with one holder's account in the present period, in GPU hours."""

    budget_id: uuid.UUID
    holder: str
    scope: str
    period: str
    limit_h: float
    allowed_h: float
    used_h: float
    reserved_h: float
    left_h: float
    percent: float
    days_left: float | None = Field(description="At the rate of the last seven days; null without a rate.")
    runs_out_on: date | None = Field(description="Null without a rate, or where it begins anew before.")
    resets_on: date | None = Field(description="First day of the next period.")
    hard: bool
    rolls_over: bool
    warn_at: str
    exempt: str


class NewBudget(Given):
    """A budget; one of project, person and each_person says whose."""

    hours: float = Field(ge=0, le=1_000_000)
    period: Literal["day", "week", "month", "total"] = "total"
    project: shapes.Name | None = None
    person: shapes.Name | None = Field(None, description="E-mail address.")
    each_person: bool = False
    warn_at: Annotated[tuple[Annotated[int, Field(ge=1, le=100)], ...], Field(max_length=20)] = (75, 90)
    hard: bool = True
    rolls_over: bool = False
    exempt: Annotated[tuple[shapes.Name, ...], Field(max_length=50)] = ()


class Share(BaseModel):
    """A project's or person's part of the GPU time of the last 24 hours, 0 to 1."""

    scope: str
    name: str
    weight: float
    used: float
    fair: float
    excess: float


class NewWeight(Given):
    """The weight of a share; project or person says whose."""

    weight: float = Field(ge=0.01, le=1000)
    project: shapes.Name | None = None
    person: shapes.Name | None = Field(None, description="E-mail address.")


class BudgetKey(BaseModel):
    """A budget's key."""

    budget_id: uuid.UUID


class NewGrant(Given):
    """GPU hours more in the present period only."""

    hours: float = Field(ge=-1_000_000, le=1_000_000)
    reason: str = Field(min_length=1, max_length=500)
    person: shapes.Name | None = None


@router.get("/budgets", response_model=Page[Budget])
def list_budgets(studio: Acting, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List the budgets with what is used, reserved and left."""
    return page(studio.budgets.list(), limit, offset)


@router.get("/shares", response_model=Page[Share])
def list_shares(studio: Acting, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List who used how much of the GPU time of the last 24 hours, and what is fair."""
    return page(studio.shares.list(), limit, offset)


@router.put("/shares", status_code=NO_CONTENT)
def set_share(studio: Acting, given: NewWeight) -> None:
    """Set the weight of a project's or person's share."""
    studio.shares.set(given.weight, project=given.project, person=given.person)


@router.put("/budgets", status_code=CREATED, response_model=BudgetKey)
def set_budget(studio: Acting, given: NewBudget) -> Any:
    """Set a budget instead of the same holder's one of that period."""
    terms = Terms(given.warn_at, given.hard, given.rolls_over, given.exempt)
    key = studio.budgets.set(
        given.hours, period=given.period, project=given.project, person=given.person, each_person=given.each_person,
        terms=terms,
    )  # fmt: skip
    return {"budget_id": key}


@router.post("/budgets/{budget_id}/grants", status_code=NO_CONTENT)
def grant_hours(studio: Acting, budget_id: uuid.UUID, given: NewGrant) -> None:
    """Give more GPU hours in the present period only."""
    studio.budgets.grant(budget_id, given.hours, given.reason, person=given.person)


@router.delete("/budgets/{budget_id}", status_code=NO_CONTENT)
def remove_budget(studio: Acting, budget_id: uuid.UUID) -> None:
    """Remove a budget with what was counted."""
    studio.budgets.remove(budget_id)
