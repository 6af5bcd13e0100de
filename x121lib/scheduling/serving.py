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

    One that waits for another of them comes behind it, wherever its own turn is: it can not start before.

    Args:
        rows: waiting tasks: ``task_id``, ``status``, ``priority``, ``queued_at``, ``turn_at``, ``not_before``,
            ``project_id``, ``person_id``, ``is_off_peak`` and ``waits_for``, the task before it that is not done.
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
    return _behind(found)


def _behind(rows: Sequence[Any]) -> list[Any]:
    """Return rows in their order, those that wait for a later one right behind it; in a circle as they were."""
    keys, placed = {row["task_id"] for row in rows}, set[uuid.UUID]()
    behind: dict[uuid.UUID, list[Any]] = {}
    found: list[Any] = []
    for row in rows:
        before = row["waits_for"]
        if before in keys and before not in placed:
            behind.setdefault(before, []).append(row)
            continue
        free = [row]
        while free:
            found.append(free.pop())
            placed.add(found[-1]["task_id"])
            free += reversed(behind.pop(found[-1]["task_id"], []))
    return found + [row for row in rows if row["task_id"] not in placed]
