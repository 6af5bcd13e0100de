"""How much of what waits is on hold: it will not run until a person or a new budget period lets it go on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.scheduling import budgets, holding
from x121lib.terms.transitions import WAITING_STATUSES
from x121lib.terms.vocabulary import TaskStatus


@dataclass(frozen=True)
class OnHold:
    """Waiting tasks that are on hold."""

    n: int
    """How many."""
    done: float
    """The sum of their progress, each 0 to 1."""


def count(session: Session, now: datetime) -> OnHold:
    """Return what waits on hold: paused by itself or with its scene, batch, project or the studio, held by a budget.

    Tasks that wait for one of these count too: they can not run before it. At most four statements.
    """
    t, r = m.GpuTask, m.BudgetReservation
    held = [t.status_id == TaskStatus.PAUSED, *(~free for free in holding.conditions(session))]
    if used_up := budgets.used_up(session, now):
        held.append(sa.exists().where(r.task_id == t.id, sa.tuple_(r.budget_id, r.holder_id).in_(used_up)))
    waits = t.status_id.in_(WAITING_STATUSES)
    found = sa.select(t.id).where(waits, sa.or_(*held)).cte("on_hold", recursive=True)
    found = found.union(sa.select(t.id).join(found, found.c.id == t.after_task_id).where(waits))
    total = sa.func.coalesce(sa.func.sum(t.progress), 0.0)
    n, done = session.execute(sa.select(sa.func.count(), total).join(found, found.c.id == t.id)).one()
    return OnHold(int(n), float(done))
