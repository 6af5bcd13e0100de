"""The forecast of the queue, from rows of its tasks."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from x121lib.scheduling import forecast
from x121lib.scheduling.policy import WorkerView
from x121lib.terms.vocabulary import TaskStatus

MOST = 2000
"""Tasks of the queue's beginning that a start is forecast for."""
Lacks = Mapping[uuid.UUID, Mapping[uuid.UUID, tuple[str, ...]]]
_MAY_START = (TaskStatus.QUEUED, TaskStatus.WAITING, TaskStatus.SCHEDULED)


def expected_spans(
    waiting: Sequence[Any], running: Mapping[uuid.UUID, tuple[uuid.UUID | None, float]], views: Sequence[WorkerView],
    fits: tuple[Mapping[uuid.UUID, frozenset[str]], Lacks], seconds: Mapping[uuid.UUID, float], now: datetime,
) -> dict[uuid.UUID, forecast.Span]:  # fmt: skip
    """Return when and where waiting tasks are expected to run.

    Args:
        waiting: waiting tasks in the order in which they are served: ``task_id``, ``status``, ``waits_for``,
            ``not_before``.
        running: tasks on workers → (worker, seconds that they still need).
        views: the workers.
        fits: task → tags that its worker must have; task → worker → what it lacks.
        seconds: GPU seconds that each task is expected to need, where measured.
        now: the time.
    """
    needs, lacks = fits
    free: dict[uuid.UUID, list[float]] = {view.worker_id: [] for view in views if view.available}
    for worker_id, left_s in running.values():
        if worker_id in free:
            free[worker_id].append(left_s)
    for view in views:
        if view.available:
            free[view.worker_id] += [0.0] * max(0, view.slots - len(free[view.worker_id]))
    tasks = [
        forecast.Expected(
            row["task_id"], seconds.get(row["task_id"]),
            frozenset(
                view.worker_id for view in views
                if view.available and needs.get(row["task_id"], frozenset()) <= view.tags
                and view.worker_id not in lacks.get(row["task_id"], {})
            ),
            row["waits_for"], (row["not_before"] - now).total_seconds() if row["not_before"] is not None else 0.0,
        )
        for row in waiting[:MOST]
        if row["status"] in _MAY_START
    ]  # fmt: skip
    return forecast.spans(tasks, forecast.Fleet(free, {task: left for task, (_, left) in running.items()}))


def left_s(progress: float, began: datetime | None, usual: float | None, now: datetime) -> float | None:
    """Return the seconds that a running task still needs: from its own pace, else from what is usual; None unknown."""
    if began is not None and progress >= 0.1:
        return max(0.0, (now - began).total_seconds() * (1.0 - progress) / progress)
    return None if usual is None else max(0.0, usual * (1.0 - progress))
