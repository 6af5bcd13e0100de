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


@dataclass(frozen=True)
class Read:
    """What was read of the waiting tasks."""

    depth: int
    """How many of each share and priority."""
    rows: list[Row]
    """They, in no order."""

    @property
    def n_shares(self) -> int:
        """How many shares have waiting tasks."""
        return len({(row.project_id, row.person_id, row.priority) for row in self.rows})


def rows(
    session: Session, now: datetime, n: int, conditions: Sequence[sa.ColumnElement[bool]] = (),
    shares: Shares | None = None, read: Read | None = None,
) -> list[Row]:  # fmt: skip
    """Return the first ``n`` waiting tasks that may run now in the order of their turns.

    They are chosen among the first ``n`` of each project, person and priority, which suffices: see `fairness`. Finished
    tasks are in none of the indexes read here, so its cost does not grow with history.

    Args:
        session: an open session.
        now: the present time.
        n: how many.
        conditions: what a task must meet besides.
        shares: how shares stand.
        read: what was read already, under the same conditions.
    """
    read = read or Read(depth_for(n), _first_of_each_share(session, now, depth_for(n), conditions))
    while True:
        chosen = order([row for row in read.rows if not row.is_off_peak], shares, n=n)
        chosen += order([row for row in read.rows if row.is_off_peak], shares, n=n - len(chosen))
        by_share = Counter((row.project_id, row.person_id, row.priority) for row in chosen)
        if read.depth >= n or read.depth not in by_share.values():
            return chosen
        depth = min(n, read.depth * 4)  # a share was read to its end and may have more
        read = Read(depth, _first_of_each_share(session, now, depth, conditions))


def depth_for(n: int, n_shares: int = 4) -> int:
    """Return how many tasks of each share are read at first where ``n`` are wanted: twice an even part."""
    return min(n, max(LEAST_DEPTH, 2 * n // max(1, n_shares)))


def _first_of_each_share(
    session: Session, now: datetime, depth: int, conditions: Sequence[sa.ColumnElement[bool]]
) -> list[Row]:
    return [Row(*row) for row in session.execute(statement(conditions), {"now": now, "depth": depth})]


def statement(conditions: Sequence[sa.ColumnElement[bool]] = ()) -> sa.Select[*tuple[Any, ...]]:
    """Return the query for the first ``:depth`` waiting tasks of each share and priority that may run ``:now``.

    The shares are found by skipping from one to the next in the index of turns: what waits behind the first tasks of a
    share is never read.
    """
    t = m.GpuTask
    ready = (t.status_id.in_(_OPEN), t.is_ready)
    mine, share = _share_of(t), ("project_id", "person_id", "priority")
    columns: list[sa.Label[Any]] = [c.label(name) for c, name in zip(mine, share, strict=True)]
    first: sa.Select[*tuple[Any, ...]] = sa.select(*columns).where(*ready).order_by(*mine).limit(1)
    shares = sa.select(first.subquery("first")).cte("shares", recursive=True)
    after = sa.orm.aliased(m.GpuTask)
    theirs = _share_of(after)
    following = (
        sa.select(*(c.label(name) for c, name in zip(theirs, share, strict=True)))
        .where(after.status_id.in_(_OPEN), after.is_ready)
        .where(sa.tuple_(*theirs) > sa.tuple_(shares.c.project_id, shares.c.person_id, shares.c.priority))
        .order_by(*theirs)
        .limit(1)
        .correlate(shares)
        .lateral("following")
    )
    shares = shares.union_all(sa.select(following).select_from(shares.join(following, sa.true())))
    turn_at = sa.func.coalesce(t.turn_at, t.queued_at).label("turn_at")
    now, depth = sa.bindparam("now", None, sa.DateTime(timezone=True)), sa.bindparam("depth", None, sa.Integer)
    may_run = (*ready, sa.or_(t.not_before.is_(None), t.not_before <= now), *conditions)
    found = (
        sa.select(t.id, t.priority, turn_at, t.project_id, t.submitted_by_id, t.is_off_peak, t.attempt_number)
        .where(mine[0] == shares.c.project_id, mine[1] == shares.c.person_id, mine[2] == shares.c.priority, *may_run)
        .order_by(turn_at, t.id)
        .limit(depth)
        .correlate(shares)
        .lateral("first_of_share")
    )
    return sa.select(found).select_from(shares.join(found, sa.true()))


def _share_of(t: type[m.GpuTask]) -> tuple[sa.SQLColumnExpression[Any], ...]:
    """Return the columns of a share as the index of turns has them; nobody's tasks are those of person 0."""
    return t.project_id, sa.func.coalesce(t.submitted_by_id, m.NOBODY), t.priority
