"""The forecast of starts, from what the database holds."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from x121lib.scheduling import forecast
from x121lib.scheduling.accounts import seconds_per_take
from x121lib.scheduling.policy import WorkerView
from x121lib.scheduling.standing import versions_of
from x121lib.terms.transitions import LEASED_STATUSES
from x121lib.terms.vocabulary import TaskStatus

MOST = 2000
"""Tasks of the queue's beginning that a start is forecast for."""
Lacks = Mapping[uuid.UUID, Mapping[uuid.UUID, tuple[str, ...]]]


def expected_starts(
    session: Session, rows: Sequence[Any], views: Sequence[WorkerView], needs: Mapping[uuid.UUID, frozenset[str]],
    lacks: Lacks, now: datetime,
) -> dict[uuid.UUID, datetime]:  # fmt: skip
    """Return when waiting tasks are expected to start.

    Args:
        session: an open session.
        rows: tasks that are not over, in serving order: ``task_id``, ``status``, ``progress``, ``started_at``,
            ``worker_id``, ``waits_for``, ``not_before``.
        views: the workers.
        needs: tags that each task's worker must have.
        lacks: task → worker → what it lacks.
        now: the time.
    """
    rows = rows[:MOST]
    seconds = _seconds(session, [row["task_id"] for row in rows])
    available = [view for view in views if view.available]
    ends: dict[uuid.UUID, float] = {}
    free: dict[uuid.UUID, list[float]] = {view.worker_id: [] for view in available}
    for row in rows:
        if row["status"] in LEASED_STATUSES and row["worker_id"] in free:
            left = _left(row, seconds.get(row["task_id"]), now)
            ends[row["task_id"]] = left
            free[row["worker_id"]].append(left)
    for view in available:
        free[view.worker_id] += [0.0] * max(0, view.slots - len(free[view.worker_id]))
    waiting = [
        forecast.Expected(
            row["task_id"], seconds.get(row["task_id"]),
            frozenset(
                v.worker_id for v in available
                if needs.get(row["task_id"], frozenset()) <= v.tags and v.worker_id not in lacks.get(row["task_id"], {})
            ),
            row["waits_for"], (row["not_before"] - now).total_seconds() if row["not_before"] is not None else 0.0,
        )
        for row in rows
        if row["status"] in (TaskStatus.QUEUED, TaskStatus.WAITING, TaskStatus.SCHEDULED)
    ]  # fmt: skip
    found = forecast.starts(waiting, forecast.Fleet(free, ends))
    return {task_id: now + timedelta(seconds=s) for task_id, s in found.items()}


def _seconds(session: Session, task_ids: list[uuid.UUID]) -> dict[uuid.UUID, float]:
    workflows = {task: workflow for task, (workflow, _) in versions_of(session, task_ids).items()}
    known = seconds_per_take(session, list(set(workflows.values())))
    return {task: known[workflow] for task, workflow in workflows.items() if workflow in known}


def _left(row: Any, usual: float | None, now: datetime) -> float:
    """Return the seconds that a running task still needs: from its own pace, else from what is usual."""
    share = float(row["progress"])
    ran = (now - row["started_at"]).total_seconds() if row["started_at"] is not None else 0.0
    if share >= 0.1:
        return max(0.0, ran * (1.0 - share) / share)
    return max(0.0, (usual or 0.0) - ran)
