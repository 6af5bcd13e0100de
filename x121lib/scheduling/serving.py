"""The order in which waiting tasks are served, as dispatch has it, for whoever shows or plans the queue."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from x121lib.scheduling.fairness import UNKNOWN_S, Shares, order
from x121lib.terms.vocabulary import TaskStatus

_OPEN = (TaskStatus.QUEUED, TaskStatus.WAITING)


@dataclass(frozen=True)
class _Waiting:
    """A row of a waiting task as `fairness` wants it."""

    task_id: uuid.UUID
    priority: int
    queued_at: datetime
    project_id: uuid.UUID | None
    person_id: uuid.UUID | None
    row: Any


def in_turn(rows: Sequence[Any], shares: Shares, seconds: Mapping[uuid.UUID, float]) -> list[Any]:
    """Return waiting tasks in the order of their turns; off-peak ones, then scheduled, then paused ones at the end.

    Args:
        rows: waiting tasks: ``task_id``, ``status``, ``priority``, ``queued_at``, ``turn_at``, ``not_before``,
            ``project_id``, ``person_id`` and ``is_off_peak``.
        shares: how people and projects stand.
        seconds: GPU seconds that tasks are expected to need, where measured; each counts for the turns after it.
    """
    usual = sum(seconds.values()) / len(seconds) if seconds else UNKNOWN_S
    found: list[Any] = []
    for off_peak in (False, True):
        waiting = [
            _Waiting(row["task_id"], row["priority"], row["turn_at"] or row["queued_at"], row["project_id"],
                     row["person_id"], row)
            for row in rows
            if row["status"] in _OPEN and bool(row["is_off_peak"]) is off_peak
        ]  # fmt: skip
        found += [task.row for task in order(waiting, shares, usual)]
    for status in (TaskStatus.SCHEDULED, TaskStatus.PAUSED):
        rest = [row for row in rows if row["status"] is status]
        found += sorted(rest, key=lambda row: (row["not_before"] or row["queued_at"], row["task_id"]))
    return found
