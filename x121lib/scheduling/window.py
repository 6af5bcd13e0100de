"""The waiting tasks that one dispatch looks at: the first ones of each share and priority, by index alone."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.scheduling.fairness import Shares, order
from x121lib.store.session import among
from x121lib.terms.vocabulary import TaskStatus

LEAST_DEPTH = 8
"""Tasks of each share and priority that are read at first; more only where one was read to its end."""
_OPEN = (TaskStatus.QUEUED, TaskStatus.WAITING)


@dataclass(frozen=True)
class Row:
    """A waiting task as the window finds it."""

    task_id: uuid.UUID
    """The task."""
    priority: int
    """0 to 100."""
    queued_at: datetime
    """When it began to wait, or the moment that counts since a person moved it."""
    project_id: uuid.UUID
    """Its project."""
    person_id: uuid.UUID | None
    """Who submitted it."""
    is_off_peak: bool
    """Whether it waits for everything else."""
    attempt_number: int = 0
    """How often it was tried."""


def rows(
    session: Session, now: datetime, n: int, conditions: Sequence[sa.ColumnElement[bool]] = (),
    shares: Shares | None = None,
) -> list[Row]:  # fmt: skip
    """Return the first ``n`` waiting tasks that may run now in the order of their turns, locked.

    They are chosen among the first ``n`` of each project, person and priority, which suffices: see `fairness`. Rows
    that somebody else holds (a person cancelling, say) are left for the next tick. Finished tasks are in none of the
    indexes read here, so its cost does not grow with history.
    """
    t, depth = m.GpuTask, min(n, max(LEAST_DEPTH, n // 8))
    while True:
        found = _first_of_each_share(session, now, depth, conditions)
        chosen = order([row for row in found if not row.is_off_peak], shares, n=n)
        chosen += order([row for row in found if row.is_off_peak], shares, n=n - len(chosen))
        if depth >= n or depth not in Counter((r.project_id, r.person_id, r.priority) for r in chosen).values():
            break
        depth = min(n, depth * 8)  # a share was read to its end and may have more
    locked = set(
        session.scalars(
            sa.select(t.id)
            .where(among(t.id, [row.task_id for row in chosen]), t.status_id.in_(_OPEN))
            .order_by(t.id)
            .with_for_update(skip_locked=True)
        )
    )
    return [row for row in chosen if row.task_id in locked]


def _first_of_each_share(
    session: Session, now: datetime, depth: int, conditions: Sequence[sa.ColumnElement[bool]]
) -> list[Row]:
    return [Row(*row) for query in statements(now, depth, conditions) for row in session.execute(query)]


def statements(
    now: datetime, depth: int, conditions: Sequence[sa.ColumnElement[bool]] = ()
) -> list[sa.Select[*tuple[Any, ...]]]:
    """Return the queries for the first ``depth`` waiting tasks of each share and priority: of people, and of nobody."""
    t = m.GpuTask
    turn_at = sa.func.coalesce(t.turn_at, t.queued_at).label("turn_at")
    columns = (t.id, t.priority, turn_at, t.project_id, t.submitted_by_id, t.is_off_peak, t.attempt_number)
    ready = (t.status_id.in_(_OPEN), t.is_ready)
    groups = sa.select(t.project_id, t.submitted_by_id, t.priority).where(*ready).distinct().cte("shares")
    may_run = (*ready, sa.or_(t.not_before.is_(None), t.not_before <= now), *conditions)
    found = []
    for known, same in (
        (groups.c.submitted_by_id.is_not(None), t.submitted_by_id == groups.c.submitted_by_id),
        (groups.c.submitted_by_id.is_(None), t.submitted_by_id.is_(None)),
    ):
        first = (
            sa.select(*columns)
            .where(t.project_id == groups.c.project_id, same, t.priority == groups.c.priority, *may_run)
            .order_by(t.submitted_by_id, turn_at, t.id)  # of one person, or of nobody: the order of the index
            .limit(depth)
            .correlate(groups)
            .lateral("first_of_share")
        )
        found.append(sa.select(first).select_from(groups.join(first, sa.true())).where(known))
    return found
