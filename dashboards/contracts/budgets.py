"""The shape of the budgets' page, and what it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol, TypedDict

from .people import SessionPerson
from .words import Ref, Status


class BudgetRow(TypedDict):
    """A budget with one holder's account in the present period; hours are GPU hours."""

    id: str  # budget and holder
    budget_id: str
    version: int
    holder_id: str | None  # None for each person's one that nobody used yet
    holder: str
    scope: Literal["project", "person", "each person"]
    period: Literal["day", "week", "month", "total"]
    period_words: str  # "per month"
    status: Status
    word: str
    limit_h: float
    allowed_h: float  # with what was carried over and granted
    used_h: float
    reserved_h: float
    left_h: float
    carried_h: float
    granted_h: float
    percent: float  # used and reserved of what is allowed
    hard: bool
    rolls_over: bool
    warn_at: list[int]  # percent
    exempt: list[str]
    days_h: list[float]  # last 14 days, today last
    days_left: float | None  # at the rate of the last `rate_days`
    runs_out_on: str | None  # None where there is no rate, or it begins anew before
    resets_on: str | None


class FreeHolder(TypedDict):
    """A project or person without a limit of their own."""

    id: str
    scope: Literal["project", "person"]
    name: str
    days_h: list[float]


class Holder(TypedDict):
    """Somebody whom a budget can be set for."""

    id: str
    scope: str
    name: str


class BudgetOffers(TypedDict):
    """What the forms offer."""

    holders: list[Holder]
    periods: list[Ref]
    exempt: list[str]


class CalibratedBatch(TypedDict):
    """An estimated batch that is over, in GPU seconds."""

    project: str
    at: str
    takes: int
    past_takes: int  # that the estimate stood on
    low_s: float
    expected_s: float
    high_s: float
    actual_s: float
    inside: bool


class Calibration(TypedDict):
    """How estimates stood the test."""

    n: int  # batches that are over
    inside: int  # of which needed what the interval said
    low: float  # 95 % interval of that share
    high: float
    promised: float  # share that the intervals promise
    rows: list[CalibratedBatch]  # newest first


class Speed(TypedDict):
    """Past takes of a kind on one worker."""

    mean_s: float
    takes: int


class SpeedRow(TypedDict):
    """One workflow version, tier and size."""

    workflow: str
    tier: str
    size: str
    cells: list[Speed | None]  # by worker; None: no history


class Speeds(TypedDict):
    """How fast takes are made where."""

    workers: list[str]
    rows: list[SpeedRow]
    more: int  # not shown


class BudgetsView(TypedDict):
    """``BudgetsDoor.budgets``."""

    rows: list[BudgetRow]
    chosen: str | None
    free: list[FreeHolder]
    may_manage: bool
    rate_days: int
    dates: list[str]  # of `days_h`
    offers: BudgetOffers | None  # for those who may manage
    calibration: Calibration
    speeds: Speeds


class BudgetsDoor(Protocol):
    """What the page of the budgets reads and does; an answer's ``undo`` names the action that takes it back."""

    def budgets(self, person: SessionPerson, project: str | None, params: Mapping[str, str]) -> BudgetsView:
        """Return every budget with each holder's account."""

    def add_budget(
        self, person: SessionPerson, holder: str, hours: Any, period: str = "total",
        terms: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Set a budget where there is none; ``holder`` is a key of a project or person, or ``each``."""

    def change_budget(
        self, person: SessionPerson, budget_id: str, hours: Any, version: int, terms: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Give a budget other hours, and other terms where they are given."""

    def grant_hours(
        self, person: SessionPerson, budget_id: str, hours: Any, reason: str, holder_id: str | None = None
    ) -> dict[str, Any]:
        """Give more, or with less than 0 fewer, GPU hours in the present period only."""

    def remove_budget(self, person: SessionPerson, budget_id: str) -> dict[str, Any]:
        """Remove a budget with what was counted."""
