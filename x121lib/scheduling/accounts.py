"""Whose budgets a task counts in, what stands on them, and what takes are expected to need."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.scheduling import spending
from x121lib.scheduling.spending import Account
from x121lib.scheduling.standing import versions_of
from x121lib.store import audit
from x121lib.store.direct import Compiled, fetch_kept
from x121lib.terms.roles import Actor
from x121lib.terms.vocabulary import AttemptOutcome, TaskKind

UNMEASURED_S = 300.0
"""GPU seconds that are reserved for a take whose workflow has no measured one yet."""


@dataclass(frozen=True)
class Place:
    """A budget with the holder whose counters are meant."""

    budget: m.Budget
    """The budget."""
    holder_id: uuid.UUID
    """Key of the project or person."""

    @property
    def key(self) -> tuple[uuid.UUID, uuid.UUID]:
        """Key of the budget, key of the holder."""
        return self.budget.id, self.holder_id


def local_day(now: datetime) -> date:
    """Return the day in the studio's time zone."""
    return now.astimezone().date()


def seconds_per_take(session: Session, workflow_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, float]:
    """Return the mean GPU seconds of each workflow's takes over all workers; a workflow without any is left out."""
    s = m.WorkerSpeed
    mean = sa.func.sum(s.mean_s * s.n_takes) / sa.func.sum(s.n_takes)
    rows = session.execute(
        sa.select(s.workflow_id, mean).where(s.workflow_id.in_(workflow_ids)).group_by(s.workflow_id)
    )
    return {workflow_id: float(seconds) for workflow_id, seconds in rows}


def measured(session: Session, task_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, float]:
    """Return the mean GPU seconds of the takes of each task's workflow, for those that were measured."""
    workflows = {task: workflow for task, (workflow, _) in versions_of(session, list(task_ids)).items()}
    known = seconds_per_take(session, list(set(workflows.values())))
    return {task: known[workflow] for task, workflow in workflows.items() if workflow in known}


def estimates(session: Session, task_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, float]:
    """Return the GPU seconds that each task is expected to need, `UNMEASURED_S` where nothing was measured."""
    return dict.fromkeys(task_ids, UNMEASURED_S) | measured(session, task_ids)


GUESS = f" ({UNMEASURED_S:.0f} s a take, since none of its workflow was measured yet)"
"""Said of an estimate that stands on nothing measured."""


def account_of(session: Session, budget: m.Budget, holder_id: uuid.UUID, day: date) -> Account:
    """Return what stands on a holder's budget in the period of a day."""
    start = spending.period_start(budget.period_id, day)
    u = m.BudgetUse
    use = session.get(u, {"budget_id": budget.id, "holder_id": holder_id, "period_start": start})
    reserved = session.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(u.reserved_s), 0.0)).where(
            u.budget_id == budget.id, u.holder_id == holder_id
        )
    )
    rest = 0.0
    before = spending.previous_start(budget.period_id, start) if budget.rolls_over else None
    if before is not None and before >= spending.period_start(budget.period_id, local_day(budget.created_at)):
        last = session.get(u, {"budget_id": budget.id, "holder_id": holder_id, "period_start": before})
        rest = spending.carried(budget.limit_s, last.granted_s if last else 0.0, last.settled_s if last else 0.0)
    return Account(
        budget.limit_s, use.settled_s if use else 0.0, float(reserved or 0.0), rest, use.granted_s if use else 0.0
    )


def thresholds(session: Session, budget_id: uuid.UUID) -> tuple[int, ...]:
    """Return the percentages at which people are warned, ascending."""
    t = m.BudgetThreshold
    return tuple(session.scalars(sa.select(t.percent).where(t.budget_id == budget_id).order_by(t.percent)))


def holder_name(session: Session, holder_id: uuid.UUID) -> str:
    """Return the name of a project or person."""
    project = session.get(m.Project, holder_id)
    if project is not None:
        return project.name
    person = session.get(m.Person, holder_id)
    return person.name if person is not None else "somebody who is gone"


_COUNTED = Compiled(
    sa.select(m.GpuTask.id, m.GpuTask.project_id, m.GpuTask.submitted_by_id, m.GpuTask.kind_id, m.Scene.tier_id)
    .outerjoin(m.Take, m.Take.id == m.GpuTask.take_id)
    .outerjoin(m.Segment, m.Segment.id == m.Take.segment_id)
    .outerjoin(m.Scene, m.Scene.id == m.Segment.scene_id)
    .where(m.GpuTask.id == sa.any_(sa.bindparam("task_ids", None, ARRAY(sa.Uuid))))
    .where(sa.exists().where(sa.or_(m.Budget.project_id == m.GpuTask.project_id, m.Budget.project_id.is_(None))))
)
"""Those of some tasks that a budget may count."""


def places_of(session: Session, task_ids: Sequence[uuid.UUID]) -> list[tuple[uuid.UUID, Place]]:
    """Return the budgets that each task counts in, locked, in one order for everybody."""
    session.flush()
    (rows,) = fetch_kept(session, _COUNTED(task_ids=list(task_ids)))
    groups: dict[tuple[uuid.UUID, uuid.UUID | None, TaskKind, uuid.UUID | None], list[uuid.UUID]] = {}
    for task_id, project_id, person_id, kind, tier_id in rows:
        groups.setdefault((project_id, person_id, TaskKind.from_number(kind), tier_id), []).append(task_id)
    return [
        (t, place) for group, tasks in groups.items() for place in places(session, *group, lock=True) for t in tasks
    ]


def places(
    session: Session, project_id: uuid.UUID, person_id: uuid.UUID | None, kind: TaskKind, tier_id: uuid.UUID | None,
    *, lock: bool = False,
) -> list[Place]:  # fmt: skip
    """Return the budgets that such a task counts in; a person's own budget stands instead of everybody's."""
    b = m.Budget
    query = sa.select(b).where(sa.or_(b.project_id == project_id, b.project_id.is_(None))).order_by(b.id)
    rows = session.scalars(query.with_for_update() if lock else query).all()
    own = {row.period_id for row in rows if person_id is not None and row.person_id == person_id}
    found = []
    for row in rows:
        if row.project_id is not None:
            found.append(Place(row, row.project_id))
        elif person_id is not None and (
            row.person_id == person_id or (row.person_id is None and row.period_id not in own)
        ):
            found.append(Place(row, person_id))
    return [place for place in found if not _is_exempt(session, place.budget.id, kind, tier_id)]


def _is_exempt(session: Session, budget_id: uuid.UUID, kind: TaskKind, tier_id: uuid.UUID | None) -> bool:
    if session.get(m.BudgetExemptKind, {"budget_id": budget_id, "kind_id": kind}) is not None:
        return True
    return (
        tier_id is not None
        and session.get(m.BudgetExemptTier, {"budget_id": budget_id, "tier_id": tier_id}) is not None
    )


def locked_use(session: Session, place: Place, start: date) -> m.BudgetUse:
    """Return a holder's counters in the period that begins on ``start``, locked; they begin at zero."""
    key = {"budget_id": place.budget.id, "holder_id": place.holder_id, "period_start": start}
    session.execute(
        insert(m.BudgetUse).values(**key, settled_s=0.0, reserved_s=0.0, granted_s=0.0, warned_percent=0)
        .on_conflict_do_nothing()
    )  # fmt: skip
    return session.get_one(m.BudgetUse, key, with_for_update=True)


def run_seconds(session: Session, task_ids: set[uuid.UUID]) -> dict[uuid.UUID, float]:
    """Return the GPU seconds that the attempts of each task ran, those that were lost with their machine left out."""
    a = m.GpuTaskAttempt
    ran = sa.func.coalesce(a.run_s, sa.extract("epoch", a.finished_at - a.started_at), 0.0)
    rows = session.execute(
        sa.select(a.task_id, sa.func.sum(ran))
        .where(a.task_id.in_(task_ids), a.outcome_id != AttemptOutcome.LOST)
        .group_by(a.task_id)
    )
    return {task_id: float(seconds) for task_id, seconds in rows}


def grant(session: Session, actor: Actor, place: Place, use: m.BudgetUse, seconds: float, reason: str) -> None:
    """Write a grant and its audit entry; warnings begin anew."""
    use.granted_s += seconds
    use.warned_percent = 0
    session.flush()
    facts = {"holder": str(place.holder_id), "seconds": round(seconds, 3), "reason": reason}
    audit.record(session, actor, "budget.grant", ("budget", place.budget.id), after=facts)
