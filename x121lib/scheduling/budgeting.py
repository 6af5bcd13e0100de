"""Budgets as an Admin keeps them: set, granted, removed, listed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import InvalidInputError, NotFoundError
from x121lib.base.ids import new_id
from x121lib.scheduling import spending
from x121lib.scheduling.accounts import (
    Place,
    account_of,
    estimates,
    grant,
    holder_name,
    local_day,
    locked_use,
    places_of,
    run_seconds,
    thresholds,
)
from x121lib.scheduling.spending import Account
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import BudgetPeriod, TaskKind

RATE_DAYS = 7
"""Days over which the present rate is measured."""
LONGEST_S = 1e6 * spending.HOUR_S
"""Largest budget: a million GPU hours."""


@dataclass(frozen=True)
class BudgetSpec:
    """A budget as it is set; with neither project nor person it holds for each person by themselves."""

    period: BudgetPeriod
    """After what time it begins anew."""
    limit_s: float
    """GPU seconds per period."""
    project_id: uuid.UUID | None = None
    """Whose it is: a project,"""
    person_id: uuid.UUID | None = None
    """or a person."""
    warn_percents: tuple[int, ...] = (75, 90)
    """Shares at which people are warned."""
    is_hard: bool = True
    """Whether new work beyond it is refused; else it only warns."""
    rolls_over: bool = False
    """Whether what is left goes into the next period, once."""
    exempt_tier_ids: tuple[uuid.UUID, ...] = ()
    """Tiers whose takes do not count."""
    exempt_kinds: tuple[TaskKind, ...] = ()
    """Kinds of tasks that do not count."""


@dataclass(frozen=True)
class Grant:
    """More (or less) GPU time in the present period only."""

    budget_id: uuid.UUID
    """The budget."""
    seconds: float
    """GPU seconds; below zero takes away."""
    reason: str
    """Why."""
    person_id: uuid.UUID | None = None
    """Whose, where the budget is each person's own."""


@dataclass(frozen=True)
class Line:
    """A budget with one holder's account in the present period."""

    budget_id: uuid.UUID
    """The budget."""
    holder: str
    """Name of the project or person; empty for a budget of each person that nobody has used yet."""
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
    """GPU seconds used on each of the last 14 days, the oldest first."""
    days_left: float | None
    """In how many days it runs out at the rate of the last `RATE_DAYS`; None without a rate."""


def set_budget(session: Session, actor: Actor, spec: BudgetSpec, now: datetime) -> uuid.UUID:
    """Set a budget instead of the same holder's one of that period; returns its key. Writes the audit entry.

    A new one counts from the beginning of its present period: what was used since then, and what waits.

    Raises:
        InvalidInputError: a negative or too large budget, a warning outside 1 to 100 percent.
    """
    actor.require(Permission.MANAGE_BUDGETS)
    if not 0 <= spec.limit_s <= LONGEST_S:
        raise InvalidInputError("A budget is 0 to 1,000,000 GPU hours.")
    if any(not 1 <= p <= 100 for p in spec.warn_percents):
        raise InvalidInputError("A warning is at 1 to 100 percent of the budget.")
    b = m.Budget
    row = session.scalars(
        sa.select(b).where(
            b.project_id.is_not_distinct_from(spec.project_id), b.person_id.is_not_distinct_from(spec.person_id),
            b.period_id == spec.period,
        ).with_for_update()
    ).one_or_none()  # fmt: skip
    before = None if row is None else {"limit_s": row.limit_s, "is_hard": row.is_hard, "rolls_over": row.rolls_over}
    if row is None:
        row = b(id=new_id(), project_id=spec.project_id, person_id=spec.person_id, period_id=spec.period,
                created_at=now, limit_s=0.0, is_hard=True, rolls_over=False, version=0)  # fmt: skip
        session.add(row)
    row.limit_s, row.is_hard, row.rolls_over = spec.limit_s, spec.is_hard, spec.rolls_over
    row.version += 1
    session.flush()
    _write_parts(session, row.id, spec)
    if before is None:
        adopt(session, row, now)
    session.execute(sa.update(m.BudgetUse).where(m.BudgetUse.budget_id == row.id).values(warned_percent=0))
    facts = {"limit_s": spec.limit_s, "is_hard": spec.is_hard, "rolls_over": spec.rolls_over,
             "period": spec.period.value, "warn_percents": list(spec.warn_percents)}  # fmt: skip
    audit.record(session, actor, "budget.set", ("budget", row.id), before=before, after=facts)
    return row.id


def _write_parts(session: Session, budget_id: uuid.UUID, spec: BudgetSpec) -> None:
    for part in (m.BudgetThreshold, m.BudgetExemptTier, m.BudgetExemptKind):
        session.execute(sa.delete(part).where(part.budget_id == budget_id))
    session.add_all(m.BudgetThreshold(budget_id=budget_id, percent=p) for p in sorted(set(spec.warn_percents)))
    session.add_all(m.BudgetExemptTier(budget_id=budget_id, tier_id=t) for t in sorted(set(spec.exempt_tier_ids)))
    session.add_all(m.BudgetExemptKind(budget_id=budget_id, kind_id=k) for k in sorted(set(spec.exempt_kinds)))
    session.flush()


def remove(session: Session, actor: Actor, budget_id: uuid.UUID) -> None:
    """Remove a budget with its counters; what it held goes on. Writes the audit entry."""
    actor.require(Permission.MANAGE_BUDGETS)
    row = find(session, budget_id)
    facts = {"limit_s": row.limit_s, "period": row.period_id.value}
    audit.record(session, actor, "budget.remove", ("budget", row.id), before=facts)
    session.delete(row)
    session.flush()


def find(session: Session, budget_id: uuid.UUID) -> m.Budget:
    """Return a budget; raises `NotFoundError`."""
    row = session.get(m.Budget, budget_id, with_for_update=True)
    if row is None:
        raise NotFoundError(f"There is no budget {budget_id}.", hint="'x121 budget list'.")
    return row


def grant_more(session: Session, actor: Actor, given: Grant, now: datetime) -> None:
    """Give a holder more in the present period. Writes the audit entry.

    Raises:
        InvalidInputError: no reason, too much, or a budget of each person without saying whose.
    """
    actor.require(Permission.MANAGE_BUDGETS)
    if not given.reason.strip():
        raise InvalidInputError("Say why: a grant is audited with its reason.")
    if not abs(given.seconds) <= LONGEST_S:
        raise InvalidInputError("A grant is at most 1,000,000 GPU hours.")
    budget = find(session, given.budget_id)
    holder = budget.project_id or budget.person_id or given.person_id
    if holder is None:
        raise InvalidInputError("This budget is each person's own: say whose.", hint="Name the person.")
    place = Place(budget, holder)
    use = locked_use(session, place, spending.period_start(budget.period_id, local_day(now)))
    grant(session, actor, place, use, given.seconds, given.reason.strip())


def adopt(session: Session, budget: m.Budget, now: datetime) -> None:
    """Give a new budget its place in what is under way: what was used in this period, and what waits."""
    start = spending.period_start(budget.period_id, local_day(now))
    t = m.GpuTask
    since = sa.or_(t.finished_at.is_(None), t.finished_at >= spending.midnight(start))
    query = sa.select(t.id, t.finished_at).where(since)
    if budget.project_id is not None:
        query = query.where(t.project_id == budget.project_id)
    elif budget.person_id is not None:
        query = query.where(t.submitted_by_id == budget.person_id)
    over = {row.id: row.finished_at for row in session.execute(query)}
    places = [(t, p) for t, p in places_of(session, list(over)) if p.budget.id == budget.id]
    seconds = estimates(session, [task for task, _ in places])
    needed = run_seconds(session, {task for task, _ in places if over[task] is not None})
    for task_id, place in places:
        use = locked_use(session, place, start)
        done = over[task_id] is not None
        session.add(
            m.BudgetReservation(
                budget_id=budget.id, task_id=task_id, holder_id=place.holder_id, period_start=start,
                reserved_s=seconds[task_id], settled_s=needed.get(task_id, 0.0) if done else None,
                settled_at=over[task_id],
            )
        )  # fmt: skip
        if done:
            use.settled_s += needed.get(task_id, 0.0)
        else:
            use.reserved_s += seconds[task_id]
    session.flush()


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


WINDOW_DAYS = 30
"""Days shown of a budget that is never reset: 15 past ones and as many to come."""


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
    settled = session.execute(
        sa.select(r.settled_at, r.settled_s).where(
            r.budget_id == budget.id, r.settled_s.is_not(None), r.settled_at >= spending.midnight(start)
        )
    )
    per_day = [0.0] * ((day - start).days + 1)
    for settled_at, seconds in settled:
        if settled_at is not None:
            per_day[min(len(per_day) - 1, (local_day(settled_at) - start).days)] += seconds or 0.0
    account = account_of(session, budget, project_id, day)
    before = account.settled_s - sum(per_day)
    used = [before + sum(per_day[: i + 1]) for i in range(len(per_day))]
    n_days = (end - start).days
    forecast = account.settled_s + sum(per_day) / len(per_day) * (n_days - len(per_day))
    return Course(budget, account, tuple(used), n_days, forecast)


def listing(session: Session, now: datetime) -> list[Line]:
    """Return every budget with the account of each holder, projects first, then by name and period."""
    lines: list[Line] = []
    for budget in session.scalars(sa.select(m.Budget)):
        scope = "project" if budget.project_id else "person" if budget.person_id else "each person"
        own = budget.project_id or budget.person_id
        holders = [own] if own is not None else list(
            session.scalars(sa.select(m.BudgetUse.holder_id).where(m.BudgetUse.budget_id == budget.id).distinct())
        )  # fmt: skip
        lines += [_line(session, budget, h, scope, now) for h in holders]
        if not holders:
            empty = Account(budget.limit_s, 0.0, 0.0)
            lines.append(_described(session, budget, "", scope, empty, (0.0,) * 14))
    order = {"project": 0, "person": 1, "each person": 2}
    return sorted(lines, key=lambda x: (order[x.scope], x.holder.lower(), x.period.number))


def _line(session: Session, budget: m.Budget, holder_id: uuid.UUID, scope: str, now: datetime) -> Line:
    day = local_day(now)
    r = m.BudgetReservation
    first = spending.midnight(day - timedelta(days=13))
    rows = session.execute(
        sa.select(r.settled_at, r.settled_s).where(
            r.budget_id == budget.id, r.holder_id == holder_id, r.settled_at >= first, r.settled_s.is_not(None)
        )
    )
    days = [0.0] * 14
    for settled_at, seconds in rows:
        if settled_at is not None:
            days[max(0, 13 - (day - local_day(settled_at)).days)] += seconds or 0.0
    account = account_of(session, budget, holder_id, day)
    return _described(session, budget, holder_name(session, holder_id), scope, account, tuple(days))


def _described(
    session: Session, budget: m.Budget, holder: str, scope: str, account: Account, days: Sequence[float]
) -> Line:
    tiers = session.scalars(
        sa.select(m.Tier.name).join(m.BudgetExemptTier, m.BudgetExemptTier.tier_id == m.Tier.id)
        .where(m.BudgetExemptTier.budget_id == budget.id).order_by(m.Tier.name)
    ).all()  # fmt: skip
    kinds = session.scalars(
        sa.select(m.BudgetExemptKind.kind_id).where(m.BudgetExemptKind.budget_id == budget.id)
    ).all()
    left = spending.days_left(account.left_s, sum(days[-RATE_DAYS:]), RATE_DAYS)
    return Line(
        budget.id, holder, scope, budget.period_id, account, budget.is_hard, budget.rolls_over,
        thresholds(session, budget.id), (*tiers, *(k.value for k in kinds)), tuple(days), left,
    )  # fmt: skip
