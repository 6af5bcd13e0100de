"""Budgets of GPU time in the database: reserved at submission, settled to the actual, warned of, held at the limit.

A submission locks the budgets that it touches, so that submissions at the same time can not pass a limit together.
When a task is over, its reservations are marked in its own transaction; the tick settles what is marked. Counters
(`BudgetUse`) and rows (`BudgetReservation`) change in the same transaction: `audit` finds them equal.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import RefusedError
from x121lib.events import outbox
from x121lib.scheduling import spending
from x121lib.scheduling.accounts import (
    GUESS,
    UNMEASURED_S,
    Place,
    account_of,
    grant,
    holder_name,
    local_day,
    locked_use,
    measured,
    places,
    places_of,
    run_seconds,
    thresholds,
)
from x121lib.scheduling.spending import Account
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import EventKind, TaskKind

_SETTLED_AT_ONCE = 500


@dataclass(frozen=True)
class Wanted:
    """GPU time that somebody is about to ask for."""

    project_id: uuid.UUID
    """Project."""
    person_id: uuid.UUID | None
    """Who submits it."""
    kind: TaskKind
    """Kind of the tasks."""
    tier_id: uuid.UUID | None
    """Tier of the takes."""
    seconds: float
    """GPU seconds, estimated."""
    is_guess: bool = False
    """Whether nothing like it was measured."""


class BudgetError(RefusedError):
    """A budget has no room for what was to be submitted."""

    code = "scheduling.over_budget"


def reserve(
    session: Session, actor: Actor, task_ids: Sequence[uuid.UUID], now: datetime, *, enforce: bool = True,
    over_budget: bool = False,
) -> list[str]:  # fmt: skip
    """Reserve the estimates of tasks that were just written; returns what is to be said of the budgets.

    Args:
        session: the session of the submission, to be committed soon: it keeps the budgets locked.
        actor: who submits.
        task_ids: the new tasks.
        now: the time.
        enforce: refuse what does not fit; False for X121's own steps (a rejected scene's retake), which then wait.
        over_budget: an Admin's word that it may not fit: what lacks is granted for this period, and audited.

    Raises:
        BudgetError: a hard budget has no room; the caller's transaction must not be committed.
    """
    if over_budget:
        actor.require(Permission.MANAGE_BUDGETS)
    counted = places_of(session, task_ids)
    if not counted:
        return []
    known, day = measured(session, task_ids), local_day(now)
    seconds = {task_id: known.get(task_id, UNMEASURED_S) for task_id in task_ids}
    words = []
    by_place: dict[tuple[uuid.UUID, uuid.UUID], list[uuid.UUID]] = {}
    found = {}
    for task_id, place in counted:
        by_place.setdefault(place.key, []).append(task_id)
        found[place.key] = place
    for key in sorted(by_place):
        place, needed = found[key], sum(seconds[t] for t in by_place[key])
        use = locked_use(session, place, spending.period_start(place.budget.period_id, day))
        account = account_of(session, place.budget, place.holder_id, day)
        held, allowed_s = enforce and place.budget.is_hard, account.allowed_s
        if held and not account.takes(needed):
            if not over_budget:
                raise _over(session, place, account, needed, GUESS if not known else "")
            grant(session, actor, place, use, needed - account.left_s, "submitted over the budget")
            allowed_s += needed - account.left_s
        use.reserved_s += sum(seconds[t] for t in by_place[key])
        session.add_all(
            m.BudgetReservation(
                budget_id=key[0], task_id=t, holder_id=key[1], period_start=use.period_start, reserved_s=seconds[t],
                admitted_start=use.period_start if held else None, allowed_s=allowed_s if held else None,
            )
            for t in by_place[key]
        )  # fmt: skip
        session.flush()
        words += _warn(session, place, use, day)
    return words


def preview(session: Session, wanted: Sequence[Wanted], now: datetime) -> list[str]:
    """Return what submitting this would meet: a refusal, or a warning, of each budget; nothing is reserved."""
    totals: dict[tuple[uuid.UUID, uuid.UUID], float] = {}
    found: dict[tuple[uuid.UUID, uuid.UUID], Place] = {}
    for each in wanted:
        for place in places(session, each.project_id, each.person_id, each.kind, each.tier_id):
            totals[place.key] = totals.get(place.key, 0.0) + each.seconds
            found[place.key] = place
    words = []
    for key, seconds in sorted(totals.items()):
        place = found[key]
        account = account_of(session, place.budget, place.holder_id, local_day(now))
        after = Account(
            account.limit_s, account.settled_s, account.reserved_s + seconds, account.carried_s, account.granted_s
        )
        name = holder_name(session, place.holder_id)
        if not account.takes(seconds) and place.budget.is_hard:
            guess = GUESS if all(each.is_guess for each in wanted) else ""
            words.append(spending.refusal(name, place.budget.period_id, account, seconds, guess))
        elif after.percent >= min(thresholds(session, place.budget.id), default=100):
            words.append("With this, " + spending.notice(name, place.budget.period_id, after))
    return words


def mark_over(session: Session, task_id: uuid.UUID, now: datetime) -> None:
    """Mark a task's reservations as over; the tick settles them. Locks no counter: many tasks may end at once."""
    r = m.BudgetReservation
    session.execute(sa.update(r).where(r.task_id == task_id, r.settled_at.is_(None)).values(settled_at=now))


def settle(session: Session, now: datetime) -> int:
    """Settle reservations of tasks that are over to what they needed; returns how many, for one call's portion.

    A task needed the run time of its attempts; one that was lost with its machine is nobody's and costs nothing.
    """
    r = m.BudgetReservation
    query = sa.select(r).where(r.settled_at.is_not(None), r.settled_s.is_(None))
    rows = session.scalars(
        query.order_by(r.budget_id, r.holder_id, r.task_id).limit(_SETTLED_AT_ONCE).with_for_update(skip_locked=True)
    ).all()
    if not rows:
        return 0
    keys = {row.budget_id for row in rows}
    locked = session.scalars(sa.select(m.Budget).where(m.Budget.id.in_(keys)).order_by(m.Budget.id).with_for_update())
    budgets = {budget.id: budget for budget in locked}  # locked before their counters, in the order of `reserve`
    needed = run_seconds(session, {row.task_id for row in rows})
    day = local_day(now)
    touched: dict[tuple[uuid.UUID, uuid.UUID], tuple[Place, m.BudgetUse]] = {}
    uses: dict[tuple[tuple[uuid.UUID, uuid.UUID], date], m.BudgetUse] = {}
    for row in rows:
        place = Place(budgets[row.budget_id], row.holder_id)
        start = spending.period_start(place.budget.period_id, day)
        for each in {start, row.period_start}:
            if (place.key, each) not in uses:
                uses[place.key, each] = locked_use(session, place, each)
        use, old = uses[place.key, start], uses[place.key, row.period_start]
        row.settled_s = needed.get(row.task_id, 0.0)
        old.reserved_s = max(0.0, old.reserved_s - row.reserved_s)
        use.settled_s += row.settled_s
        row.period_start = use.period_start
        touched[place.key] = (place, use)
    session.flush()
    for place, use in touched.values():
        _warn(session, place, use, day)
    return len(rows)


def used_up(session: Session, now: datetime) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Return (budget, holder) of each hard budget that finished tasks alone have used up: its tasks wait."""
    day = local_day(now)
    budgets = session.scalars(sa.select(m.Budget).where(m.Budget.is_hard)).all()
    found = []
    for budget in budgets:
        start = spending.period_start(budget.period_id, day)
        holders = session.scalars(
            sa.select(m.BudgetUse.holder_id).where(
                m.BudgetUse.budget_id == budget.id, m.BudgetUse.period_start == start,
                m.BudgetUse.settled_s >= budget.limit_s + m.BudgetUse.granted_s,
            )
        )  # fmt: skip
        found += [(budget.id, h) for h in holders if account_of(session, budget, h, day).is_used_up]
    return found


def held_words(session: Session, task_ids: Sequence[uuid.UUID], now: datetime) -> dict[uuid.UUID, str]:
    """Return why tasks are held by a budget, for those that are."""
    keys = used_up(session, now)
    if not keys:
        return {}
    r = m.BudgetReservation
    rows = session.execute(
        sa.select(r.task_id, r.budget_id, r.holder_id)
        .where(r.task_id.in_(task_ids), sa.tuple_(r.budget_id, r.holder_id).in_(keys))
    ).all()  # fmt: skip
    words = {}
    for key in {(row.budget_id, row.holder_id) for row in rows}:
        budget = session.get_one(m.Budget, key[0])
        after = spending.next_start(budget.period_id, spending.period_start(budget.period_id, local_day(now)))
        until = f"; it begins anew on {after:%A, %-d %B}" if after else ""
        words[key] = f"Held: the budget of {holder_name(session, key[1])} is used up{until}."
    return {row.task_id: words[row.budget_id, row.holder_id] for row in rows}


def audit_counters(session: Session) -> list[str]:
    """Return each counter that differs from the sum over its reservations; none on a healthy studio."""
    r, u = m.BudgetReservation, m.BudgetUse
    opened = sa.func.coalesce(sa.func.sum(r.reserved_s).filter(r.settled_s.is_(None)), 0.0)
    settled = sa.func.coalesce(sa.func.sum(r.settled_s), 0.0)
    rows = session.execute(
        sa.select(u.budget_id, u.holder_id, u.period_start, u.reserved_s, u.settled_s, opened, settled)
        .outerjoin(r, sa.and_(r.budget_id == u.budget_id, r.holder_id == u.holder_id,
                              r.period_start == u.period_start))
        .group_by(u.budget_id, u.holder_id, u.period_start)
    )  # fmt: skip
    return [
        f"{budget}/{holder} from {start}: {reserved:.3f} s reserved and {done:.3f} s settled; rows: {a:.3f} and {b:.3f}"
        for budget, holder, start, reserved, done, a, b in rows
        if abs(float(reserved) - float(a or 0)) > 1e-3 or abs(float(done) - float(b or 0)) > 1e-3
    ]


def _over(session: Session, place: Place, account: Account, needed: float, guess: str) -> BudgetError:
    words = spending.refusal(holder_name(session, place.holder_id), place.budget.period_id, account, needed, guess)
    return BudgetError(
        f"{words} Nothing was submitted.",
        hint="Submit fewer scenes or an exempt tier, or ask an Admin: 'x121 budget set', 'x121 budget grant'.",
    )


def _warn(session: Session, place: Place, use: m.BudgetUse, day: date) -> list[str]:
    """Tell of the highest threshold that was passed since the last time; returns it in words."""
    account = account_of(session, place.budget, place.holder_id, day)
    steps = (*thresholds(session, place.budget.id), 100)
    passed = spending.threshold_passed(steps, use.warned_percent, account.percent)
    if passed is None:
        return []
    use.warned_percent = passed
    session.flush()
    words = spending.notice(holder_name(session, place.holder_id), place.budget.period_id, account)
    kind = EventKind.BUDGET_USED_UP if account.is_used_up else EventKind.BUDGET_WARNED
    facts = {"message": words, "percent": round(account.percent, 1), "holder": str(place.holder_id)}
    outbox.publish(session, kind, entity="budget", entity_id=place.budget.id, project_id=place.budget.project_id,
                   payload=facts)  # fmt: skip
    return [words]
