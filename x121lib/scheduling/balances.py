"""How budgets stand: accounts of the present period, GPU time per day, and the day on which they run out."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.scheduling import spending
from x121lib.scheduling.accounts import account_of, holder_name, local_day, thresholds
from x121lib.scheduling.spending import Account
from x121lib.terms.vocabulary import AttemptOutcome, BudgetPeriod

RATE_DAYS = 7
"""Days over which the present rate is measured."""
TREND_DAYS = 14
"""Days whose use is shown, today included."""
WINDOW_DAYS = 30
"""Days shown of a budget that is never reset: 15 past ones and as many to come."""
_ORDER = {"project": 0, "person": 1, "each person": 2}


@dataclass(frozen=True)
class Line:
    """A budget with one holder's account in the present period."""

    budget_id: uuid.UUID
    """The budget."""
    version: int
    """Its version, which grows with every change."""
    holder_id: uuid.UUID | None
    """Key of the project or person; None for a budget of each person that nobody has used yet."""
    holder: str
    """Name of the project or person; empty where there is none."""
    scope: str
    """``project``, ``person`` or ``each person``."""
    period: BudgetPeriod
    """After what time it begins anew."""
    account: Account
    """Limit, settled, reserved."""
    is_hard: bool
    """Whether new work beyond it is refused."""
    rolls_over: bool
    """Whether what is left is carried over."""
    warn_percents: tuple[int, ...]
    """Shares at which people are warned."""
    exempt: tuple[str, ...]
    """Names of tiers and kinds that do not count."""
    days: tuple[float, ...]
    """GPU seconds used on each of the last `TREND_DAYS` days, the oldest first."""
    days_left: float | None
    """In how many days it runs out at the rate of the last `RATE_DAYS`; None without a rate."""
    runs_out_on: date | None
    """The day of that; None without a rate, or where the budget begins anew before."""
    resets_on: date | None
    """First day of the next period; None for a budget in all."""


@dataclass(frozen=True)
class Unlimited:
    """A project or person without a budget of their own."""

    scope: str
    """``project`` or ``person``."""
    holder_id: uuid.UUID
    """Its key."""
    holder: str
    """Its name."""
    days: tuple[float, ...]
    """GPU seconds used on each of the last `TREND_DAYS` days, the oldest first."""


@dataclass(frozen=True)
class Course:
    """How a project's budget is used over the days of its period, in GPU seconds."""

    budget: m.Budget
    """The budget."""
    account: Account
    """What stands on it."""
    used: tuple[float, ...]
    """Used until the end of each day, from the first one shown until today."""
    n_days: int
    """Days of the period; of a budget in all, days shown."""
    forecast_s: float
    """What will be used at its end at the rate of the days shown."""


def course(session: Session, project_id: uuid.UUID, now: datetime) -> Course | None:
    """Return how a project's budget is used: its monthly one, else the next longer or shorter; None without one."""
    b, r, day = m.Budget, m.BudgetReservation, local_day(now)
    order = [BudgetPeriod.MONTH, BudgetPeriod.TOTAL, BudgetPeriod.WEEK, BudgetPeriod.DAY]
    rows = session.scalars(sa.select(b).where(b.project_id == project_id)).all()
    if not rows:
        return None
    budget = min(rows, key=lambda row: order.index(row.period_id))
    start = spending.period_start(budget.period_id, day)
    end = spending.next_start(budget.period_id, start)
    if end is None:
        start = day - timedelta(days=WINDOW_DAYS // 2)
        end = start + timedelta(days=WINDOW_DAYS)
    n_past = (day - start).days + 1
    number = _day_number(r.settled_at, start, n_past)
    per_day = [0.0] * n_past
    for n, seconds in session.execute(
        sa.select(number, sa.func.sum(r.settled_s))
        .where(r.budget_id == budget.id, r.settled_s.is_not(None), r.settled_at >= spending.midnight(start))
        .group_by(number)
    ):
        per_day[n - 1] += float(seconds)
    account = account_of(session, budget, project_id, day)
    before = account.settled_s - sum(per_day)
    used = [before + sum(per_day[: i + 1]) for i in range(len(per_day))]
    n_days = (end - start).days
    forecast = account.settled_s + sum(per_day) / len(per_day) * (n_days - len(per_day))
    return Course(budget, account, tuple(used), n_days, forecast)


def listing(session: Session, now: datetime) -> list[Line]:
    """Return every budget with the account of each holder, projects first, then by name and period."""
    used = _reserved_days(session, now)
    lines: list[Line] = []
    for budget in session.scalars(sa.select(m.Budget)):
        own = budget.project_id or budget.person_id
        holders: Sequence[uuid.UUID | None] = [own] if own is not None else session.scalars(
            sa.select(m.BudgetUse.holder_id).where(m.BudgetUse.budget_id == budget.id).distinct()
        ).all()  # fmt: skip
        for holder_id in holders or [None]:
            lines.append(_line(session, budget, holder_id, used[budget.id, holder_id], now))
    return sorted(lines, key=lambda x: (_ORDER[x.scope], x.holder.lower(), x.period.number))


def unlimited(session: Session, now: datetime) -> list[Unlimited]:
    """Return the projects and people without a budget of their own, with what they used; those who used most first."""
    b = m.Budget
    limited = set(session.scalars(sa.select(sa.func.coalesce(b.project_id, b.person_id))))
    holders = [
        (scope, key, name)
        for scope, table in (("project", m.Project), ("person", m.Person))
        for key, name in session.execute(sa.select(table.id, table.name))
        if key not in limited
    ]
    projects, people = attempt_days(session, now)
    days = {"project": projects, "person": people}
    found = [Unlimited(scope, key, name, tuple(days[scope][key])) for scope, key, name in holders]
    return sorted(found, key=lambda x: (_ORDER[x.scope], -sum(x.days), x.holder.lower()))


def attempt_days(session: Session, now: datetime) -> tuple[dict[uuid.UUID, list[float]], dict[uuid.UUID, list[float]]]:
    """Return the GPU seconds that attempts ran on each of the last `TREND_DAYS` days, per project and per person.

    Attempts that were lost with their machine are left out, as in `accounts.run_seconds`.
    """
    a, t = m.GpuTaskAttempt, m.GpuTask
    first = local_day(now) - timedelta(days=TREND_DAYS - 1)
    number = _day_number(a.finished_at, first, TREND_DAYS)
    ran = sa.func.coalesce(a.run_s, sa.extract("epoch", a.finished_at - a.started_at), 0.0)
    projects, people = _days(), _days()
    for project_id, person_id, n, seconds in session.execute(
        sa.select(t.project_id, t.submitted_by_id, number, sa.func.sum(ran))
        .join(t, t.id == a.task_id)
        .where(a.finished_at >= spending.midnight(first), a.outcome_id != AttemptOutcome.LOST)
        .group_by(t.project_id, t.submitted_by_id, number)
    ):
        projects[project_id][n - 1] += float(seconds)
        if person_id is not None:
            people[person_id][n - 1] += float(seconds)
    return projects, people


def _days() -> dict[Any, list[float]]:
    return defaultdict(lambda: [0.0] * TREND_DAYS)


def _day_number(moment: Any, first: date, n: int) -> Any:
    """Return SQL for the number of a moment's day, from 1, in the studio's time zone; what is later counts as last."""
    midnights = [spending.midnight(first + timedelta(days=i)) for i in range(n)]
    return sa.func.width_bucket(moment, sa.cast(midnights, postgresql.ARRAY(sa.DateTime(timezone=True))))


def _reserved_days(session: Session, now: datetime) -> dict[tuple[uuid.UUID, uuid.UUID | None], list[float]]:
    """Return the settled GPU seconds per day of each budget and holder."""
    r = m.BudgetReservation
    first = local_day(now) - timedelta(days=TREND_DAYS - 1)
    number = _day_number(r.settled_at, first, TREND_DAYS)
    days = _days()
    for budget_id, holder_id, n, seconds in session.execute(
        sa.select(r.budget_id, r.holder_id, number, sa.func.sum(r.settled_s))
        .where(r.settled_s.is_not(None), r.settled_at >= spending.midnight(first))
        .group_by(r.budget_id, r.holder_id, number)
    ):
        days[budget_id, holder_id][n - 1] = float(seconds)
    return days


def _line(
    session: Session, budget: m.Budget, holder_id: uuid.UUID | None, days: Sequence[float], now: datetime
) -> Line:
    tiers = session.scalars(
        sa.select(m.Tier.name).join(m.BudgetExemptTier, m.BudgetExemptTier.tier_id == m.Tier.id)
        .where(m.BudgetExemptTier.budget_id == budget.id).order_by(m.Tier.name)
    ).all()  # fmt: skip
    kinds = session.scalars(
        sa.select(m.BudgetExemptKind.kind_id).where(m.BudgetExemptKind.budget_id == budget.id)
    ).all()
    day = local_day(now)
    account = Account(budget.limit_s, 0.0, 0.0)
    if holder_id is not None:
        account = account_of(session, budget, holder_id, day)
    left = spending.days_left(account.left_s, sum(days[-RATE_DAYS:]), RATE_DAYS)
    resets_on = spending.next_start(budget.period_id, spending.period_start(budget.period_id, day))
    return Line(
        budget.id, budget.version, holder_id, holder_name(session, holder_id) if holder_id is not None else "",
        "project" if budget.project_id else "person" if budget.person_id else "each person", budget.period_id, account,
        budget.is_hard, budget.rolls_over, thresholds(session, budget.id), (*tiers, *(k.value for k in kinds)),
        tuple(days), left, spending.runs_out_on(day, left, resets_on), resets_on,
    )  # fmt: skip
