"""The waiting tasks that one dispatch looks at: the first ones of each share and priority, by index alone."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.terms.vocabulary import TaskStatus

MOST_PER_SHARE = 256
"""Tasks of one project, person and priority that one dispatch looks at, at most."""
_OPEN = (TaskStatus.QUEUED, TaskStatus.WAITING)


@dataclass(frozen=True)
class Row:
    """A waiting task as the window finds it."""

    task_id: uuid.UUID
    """The task."""
    priority: int
    """0 to 100."""
    queued_at: datetime
    """When it began to wait."""
    project_id: uuid.UUID
    """Its project."""
    person_id: uuid.UUID | None
    """Who submitted it."""
    is_off_peak: bool
    """Whether it waits for everything else."""


def rows(
    session: Session, now: datetime, per_share: int, conditions: Sequence[sa.ColumnElement[bool]] = ()
) -> list[Row]:
    """Return the first ``per_share`` waiting tasks of each project, person and priority that may run now, locked.

    Rows that somebody else holds (a person cancelling, say) are left for the next tick. Finished tasks are in none of
    the indexes read here, so its cost does not grow with history.
    """
    t = m.GpuTask
    ready = (t.status_id.in_(_OPEN), t.is_ready)
    groups = sa.select(t.project_id, t.submitted_by_id, t.priority).where(*ready).distinct().cte("shares")
    may_run = (*ready, sa.or_(t.not_before.is_(None), t.not_before <= now), *conditions)
    found: list[uuid.UUID] = []
    for known, same in (
        (groups.c.submitted_by_id.is_not(None), t.submitted_by_id == groups.c.submitted_by_id),
        (groups.c.submitted_by_id.is_(None), t.submitted_by_id.is_(None)),
    ):
        first = (
            sa.select(t.id)
            .where(t.project_id == groups.c.project_id, same, t.priority == groups.c.priority, *may_run)
            .order_by(t.queued_at, t.id)
            .limit(min(per_share, MOST_PER_SHARE))
            .correlate(groups)
            .lateral("first_of_share")
        )
        query = sa.select(first.c.id).select_from(groups.join(first, sa.true())).where(known)
        found += session.scalars(query)
    locked = session.execute(
        sa.select(t.id, t.priority, t.queued_at, t.project_id, t.submitted_by_id, t.is_off_peak)
        .where(t.id.in_(found), t.status_id.in_(_OPEN))
        .order_by(t.id)
        .with_for_update(skip_locked=True)
    )
    return [Row(*row) for row in locked]
