"""Fair shares in the database: weights, and the GPU time that people and projects used lately."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import InvalidInputError
from x121lib.base.ids import new_id
from x121lib.scheduling.fairness import WINDOW_S, Ledger, Shares, Standing, Used, even_again
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.transitions import LEASED_STATUSES
from x121lib.terms.vocabulary import TaskStatus

LARGEST_WEIGHT = 1000.0
_OPEN = (TaskStatus.QUEUED, TaskStatus.WAITING)


def set_weight(
    session: Session, actor: Actor, weight: float, *, project_id: uuid.UUID | None = None,
    person_id: uuid.UUID | None = None,
) -> None:  # fmt: skip
    """Set the weight of a project's or person's share; 1 is everybody's. Writes the audit entry.

    Raises:
        InvalidInputError: not exactly one of them, or a weight outside 0.01 to `LARGEST_WEIGHT`.
    """
    actor.require(Permission.MANAGE_BUDGETS)
    if (project_id is None) == (person_id is None):
        raise InvalidInputError("Say whose share it is.", hint="One project or one person.")
    if not 0.01 <= weight <= LARGEST_WEIGHT:
        raise InvalidInputError("A weight is 0.01 to 1000; everybody's is 1.")
    w = m.ShareWeight
    mine = w.project_id == project_id if project_id is not None else w.person_id == person_id
    row = session.scalars(sa.select(w).where(mine).with_for_update()).one_or_none()
    before = row.weight if row is not None else 1.0
    if row is None:
        row = w(id=new_id(), project_id=project_id, person_id=person_id, weight=weight)
        session.add(row)
    row.weight = weight
    session.flush()
    target = ("project", project_id) if project_id is not None else ("person", person_id)
    audit.record(session, actor, "share.set", target, before={"weight": before}, after={"weight": weight})


def read(session: Session, now: datetime) -> Shares:
    """Return what people and projects used in the last `WINDOW_S`, running takes included, and their weights."""
    a, t = m.GpuTaskAttempt, m.GpuTask
    ran = sa.func.coalesce(a.run_s, sa.extract("epoch", a.finished_at - a.started_at), 0.0)
    done = session.execute(
        sa.select(t.project_id, t.submitted_by_id, sa.func.sum(ran))
        .join(t, t.id == a.task_id)
        .where(a.finished_at > now - timedelta(seconds=WINDOW_S))
        .group_by(t.project_id, t.submitted_by_id)
    )
    running = session.execute(
        sa.select(t.project_id, t.submitted_by_id, sa.func.sum(sa.extract("epoch", now - a.started_at)))
        .join(a, sa.and_(a.task_id == t.id, a.number == t.attempt_number))
        .where(t.status_id.in_(LEASED_STATUSES))
        .group_by(t.project_id, t.submitted_by_id)
    )
    waiting = session.execute(
        sa.select(t.project_id, t.submitted_by_id).where(t.status_id.in_(_OPEN), t.is_ready).distinct()
    )
    used: dict[uuid.UUID, float] = {}
    people, projects = set(), set()
    for project_id, person_id, seconds in [*done, *running, *((*row, 0.0) for row in waiting)]:
        projects.add(project_id)
        if person_id is not None:
            people.add(person_id)
        for key in (project_id, person_id):
            if key is not None:
                used[key] = used.get(key, 0.0) + max(0.0, float(seconds or 0.0))
    return Shares(used, weights(session), frozenset(people), frozenset(projects))


def weights(session: Session) -> dict[uuid.UUID, float]:
    """Return the weights that were set, by project and by person."""
    w = m.ShareWeight
    rows = session.execute(sa.select(sa.func.coalesce(w.project_id, w.person_id), w.weight))
    return {key: weight for key, weight in rows}


def listing(session: Session, now: datetime) -> list[tuple[str, str, float, Standing]]:
    """Return (scope, name, weight, standing) of everybody who used GPU time, waits for it, or has a weight."""
    shares = read(session, now)
    ledger = Ledger(shares)
    sides: tuple[tuple[str, type[m.Project] | type[m.Person], frozenset[uuid.UUID]], ...] = (
        ("project", m.Project, shares.projects), ("person", m.Person, shares.people),
    )  # fmt: skip
    found = []
    for scope, table, active in sides:
        rows = session.execute(sa.select(table.id, table.name).where(table.id.in_(active | set(shares.weights))))
        for key, name in sorted(rows, key=lambda row: str(row[1]).lower()):
            standing = ledger.standing(key) if key in active else Standing(0.0, 0.0)
            found.append((scope, name, shares.weights.get(key, 1.0), standing))
    return found


def history(session: Session, now: datetime) -> list[Used]:
    """Return the GPU time of the last `WINDOW_S`, take by take."""
    a, t = m.GpuTaskAttempt, m.GpuTask
    ran = sa.func.coalesce(a.run_s, sa.extract("epoch", a.finished_at - a.started_at), 0.0)
    rows = session.execute(
        sa.select(a.finished_at, ran, t.submitted_by_id, t.project_id)
        .join(t, t.id == a.task_id)
        .where(a.finished_at > now - timedelta(seconds=WINDOW_S))
    )
    return [Used(at, float(s), person_id, project_id) for at, s, person_id, project_id in rows if at is not None]


def words(
    session: Session, ledger: Ledger, person_id: uuid.UUID | None, project_id: uuid.UUID | None,
    used: Sequence[Used] = (),
) -> str:  # fmt: skip
    """Return why others go before a task whose person or project is above its share; empty where it is not.

    With what was ``used`` lately it says too when that is over, if nobody uses more.
    """
    worst = max((key for key in (person_id, project_id) if key is not None),
                key=lambda key: ledger.standing(key).excess, default=None)  # fmt: skip
    if worst is None or ledger.standing(worst).excess < NOTEWORTHY:
        return ""
    who: m.Person | m.Project | None = session.get(m.Person, worst) or session.get(m.Project, worst)
    standing = ledger.standing(worst)
    name = who.name if who is not None else "somebody"
    said = f"{name} used {standing.used:.0%} of the last 24 hours' GPU time; {standing.fair:.0%} are fair"
    even = even_again(used, worst, standing.fair)
    return f"{said}, which it is again by {even.astimezone(UTC):%d %b %H:%M} UTC." if even is not None else f"{said}."


NOTEWORTHY = 0.05
"""Excess from which a share is told as a reason."""
