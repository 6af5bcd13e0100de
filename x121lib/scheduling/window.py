"""The waiting tasks that one dispatch looks at: the first ones of each share and priority, by index alone."""

from __future__ import annotations

import functools
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.scheduling.fairness import Shares, order
from x121lib.store.direct import Compiled, Statement, fetch_kept
from x121lib.terms.vocabulary import TaskStatus

LEAST_DEPTH = 2
"""Tasks of each share and priority that are read at first; more only of those that were read to their end."""
_OPEN = (TaskStatus.QUEUED, TaskStatus.WAITING)
_IN_ORDER: Statement = ("SELECT set_config('enable_sort', 'off', true)", {})
"""Only `ix_gpu_task_turns` gives the order of turns without a sort, however few tasks wait when the plan is made."""
_IN_ANY_ORDER: Statement = ("SELECT set_config('enable_sort', NULL, true)", {})
_SHARE = ("project_id", "person_id", "priority")
Share = tuple[uuid.UUID, uuid.UUID | None, int]
"""A project, a person, and a priority."""


class Row(NamedTuple):
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

    @property
    def share(self) -> Share:
        """Whose it is, and how urgent."""
        return self.project_id, self.person_id, self.priority


class Read:
    """What was read of the waiting tasks: the first ones of each share.

    Attributes:
        depth: how many of each share of which nothing was expected.
        rows: they, in no order.
    """

    def __init__(
        self, depth: int, rows: Sequence[tuple[Any, ...]], hints: Mapping[Share, int] = MappingProxyType({})
    ) -> None:
        self.depth = depth
        self.rows = [Row._make(row) for row in rows]
        self._deeper = dict(hints)

    def ended(self, chosen: Sequence[Row], n: int) -> dict[Share, int]:
        """Return the shares of which all that was read was chosen, and how many are to be read of each for ``n``."""
        taken = Counter(row.share for row in chosen)
        found = {share: k for share, k in taken.items() if k == self._deeper.get(share, self.depth) < n}
        return {share: min(n, max(4 * k, 2 * n // len(found))) for share, k in found.items()}

    def add(self, depths: dict[Share, int], rows: Sequence[tuple[Any, ...]]) -> None:
        """Take rows of some shares, so many of each, in the place of those that were read."""
        self._deeper |= depths
        self.rows = [row for row in self.rows if row.share not in depths] + [Row._make(row) for row in rows]


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
        deeper = read.ended(chosen, n)
        if not deeper:
            return chosen
        read.add(deeper, _first_of_shares(session, now, deeper, conditions))


def depth_for(n: int) -> int:
    """Return how many tasks of each share are read at first where ``n`` are wanted and no share is known."""
    return min(n, max(LEAST_DEPTH, n // 4))


def expected(chosen: Iterable[Row]) -> dict[Share, int]:
    """Return how many tasks of each share to read where so many of it were chosen last: a quarter more."""
    return {share: k + k // 4 + 1 for share, k in Counter(row.share for row in chosen).items()}


def reading(now: datetime, depth: int, hints: Mapping[Share, int]) -> list[Statement]:
    """Return the statements that read the first tasks of each share, for `fetch_kept`; the second answers.

    Args:
        now: the present time.
        depth: how many of each share.
        hints: how many of some shares.
    """
    return [_IN_ORDER, _statement(are_given=False)(now=now, depth=depth, **_arrays(hints)), _IN_ANY_ORDER]


def _first_of_each_share(
    session: Session, now: datetime, depth: int, conditions: Sequence[sa.ColumnElement[bool]]
) -> Sequence[tuple[Any, ...]]:
    if conditions:
        values = {"now": now, "depth": depth, **_arrays({})}
        return session.execute(statement(conditions), values).all()
    return fetch_kept(session, *reading(now, depth, {}))[1]


def _first_of_shares(
    session: Session, now: datetime, depths: dict[Share, int], conditions: Sequence[sa.ColumnElement[bool]]
) -> Sequence[tuple[Any, ...]]:
    given = {"now": now, **_arrays(depths)}
    if conditions:
        return session.execute(statement(conditions, are_given=True), given).all()
    return fetch_kept(session, _IN_ORDER, _statement(are_given=True)(**given), _IN_ANY_ORDER)[1]


def statement(
    conditions: Sequence[sa.ColumnElement[bool]] = (), *, are_given: bool = False
) -> sa.Select[*tuple[Any, ...]]:
    """Return the query for the first ``:depth`` waiting tasks of each share and priority that may run ``:now``.

    The shares are found by skipping from one to the next in the index of turns: what waits behind the first tasks of a
    share is never read. Of the shares ``:projects``, ``:people``, ``:priorities`` the first ``:depths`` are read.

    Args:
        conditions: what a task must meet besides.
        are_given: read no other shares than these.
    """
    t = m.GpuTask
    mine = _share_of(t)
    turn_at = sa.func.coalesce(t.turn_at, t.queued_at).label("turn_at")
    now = sa.bindparam("now", None, sa.DateTime(timezone=True))
    given = _given_shares()
    shares: sa.FromClause = given if are_given else _all_shares()
    depth = given.c.depth if are_given else sa.func.coalesce(given.c.depth, sa.bindparam("depth", None, sa.Integer))
    may_run = (*_is_open(t), sa.or_(t.not_before.is_(None), t.not_before <= now), *conditions)
    found = (
        sa.select(t.id, t.priority, turn_at, t.project_id, t.submitted_by_id, t.is_off_peak, t.attempt_number)
        .where(mine[0] == shares.c.project_id, mine[1] == shares.c.person_id, mine[2] == shares.c.priority, *may_run)
        .order_by(turn_at, t.id)
        .limit(depth)
        .correlate(shares, given)
        .lateral("first_of_share")
    )
    if not are_given:
        shares_and_depths = shares.outerjoin(given, sa.and_(*(shares.c[name] == given.c[name] for name in _SHARE)))
        return sa.select(found).select_from(shares_and_depths.join(found, sa.true()))
    return sa.select(found).select_from(given.join(found, sa.true()))


@functools.cache
def _statement(*, are_given: bool) -> Compiled:
    return Compiled(statement(are_given=are_given))


def _all_shares() -> sa.CTE:
    t, mine = m.GpuTask, _share_of(m.GpuTask)
    columns: list[sa.Label[Any]] = [c.label(name) for c, name in zip(mine, _SHARE, strict=True)]
    first: sa.Select[*tuple[Any, ...]] = sa.select(*columns).where(*_is_open(t)).order_by(*mine).limit(1)
    shares = sa.select(first.subquery("first")).cte("shares", recursive=True)
    after = sa.orm.aliased(m.GpuTask)
    theirs = _share_of(after)
    following = (
        sa.select(*(c.label(name) for c, name in zip(theirs, _SHARE, strict=True)))
        .where(*_is_open(after))
        .where(sa.tuple_(*theirs) > sa.tuple_(shares.c.project_id, shares.c.person_id, shares.c.priority))
        .order_by(*theirs)
        .limit(1)
        .correlate(shares)
        .lateral("following")
    )
    return shares.union_all(sa.select(following).select_from(shares.join(following, sa.true())))


def _given_shares() -> sa.TableValuedAlias:
    types: dict[str, Any] = {
        "projects": sa.Uuid,
        "people": sa.Uuid,
        "priorities": sa.SmallInteger,
        "depths": sa.Integer,
    }
    given: list[Any] = [sa.bindparam(name, None, ARRAY(kind)) for name, kind in types.items()]
    columns: list[Any] = [sa.column(n, kind) for n, kind in zip((*_SHARE, "depth"), types.values(), strict=True)]
    return sa.func.unnest(*given).table_valued(*columns).render_derived(name="given")


def _arrays(depths: Mapping[Share, int]) -> dict[str, list[Any]]:
    """Return the values for `_given_shares`."""
    return {
        "projects": [project for project, _, _ in depths], "people": [person or m.NOBODY for _, person, _ in depths],
        "priorities": [priority for *_, priority in depths], "depths": list(depths.values()),
    }  # fmt: skip


def _is_open(t: type[m.GpuTask]) -> tuple[sa.ColumnElement[bool], ...]:
    return t.status_id.in_(_OPEN), t.is_ready.expression


def _share_of(t: type[m.GpuTask]) -> tuple[sa.SQLColumnExpression[Any], ...]:
    """Return the columns of a share as the index of turns has them; nobody's tasks are those of person 0."""
    return t.project_id, sa.func.coalesce(t.submitted_by_id, m.NOBODY), t.priority
