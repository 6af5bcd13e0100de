"""Budgets as an Admin keeps them: set, granted, removed, listed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import ConflictError, InvalidInputError, NotFoundError
from x121lib.base.ids import new_id
from x121lib.scheduling import spending
from x121lib.scheduling.accounts import (
    Place,
    estimates,
    grant,
    local_day,
    locked_use,
    places_of,
    run_seconds,
    thresholds,
)
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import BudgetPeriod, TaskKind

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


def set_budget(
    session: Session, actor: Actor, spec: BudgetSpec, now: datetime, *, expected: int | None = None
) -> uuid.UUID:
    """Set a budget instead of the same holder's one of that period; returns its key. Writes the audit entry.

    A new one counts from the beginning of its present period: what was used since then, and what waits.

    Args:
        session: the session.
        actor: who sets it.
        spec: the budget.
        now: the time.
        expected: the version that the person saw, 0 where they saw none; None replaces whatever there is.

    Raises:
        InvalidInputError: a negative or too large budget, a warning outside 1 to 100 percent.
        ConflictError: it is of another version than expected.
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
    _compare(row, expected)
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


def _compare(row: m.Budget | None, expected: int | None) -> None:
    version = row.version if row is not None else 0
    if expected is None or version == expected:
        return
    if expected == 0:
        raise ConflictError("There is such a budget already: nothing was changed.", hint="Change that one.")
    if row is None:
        raise ConflictError("The budget was removed meanwhile: nothing was changed.", hint="Set a new one.")
    raise ConflictError(
        "The budget was changed by somebody else meanwhile: nothing was changed.", hint="Look at it, and try again."
    )


def spec_of(session: Session, row: m.Budget) -> BudgetSpec:
    """Return a budget as it is set."""
    t, k = m.BudgetExemptTier, m.BudgetExemptKind
    return BudgetSpec(
        row.period_id, row.limit_s, row.project_id, row.person_id, thresholds(session, row.id), row.is_hard,
        row.rolls_over, tuple(session.scalars(sa.select(t.tier_id).where(t.budget_id == row.id))),
        tuple(session.scalars(sa.select(k.kind_id).where(k.budget_id == row.id))),
    )  # fmt: skip


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
