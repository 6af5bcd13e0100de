"""Which task goes to which worker, and why another waits: pure functions over frozen values."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Candidate:
    """A waiting task as dispatch sees it."""

    task_id: uuid.UUID
    """Key of the task."""
    priority: int
    """0 to 100, higher first."""
    queued_at: datetime
    """When it began to wait."""
    avoid: frozenset[uuid.UUID] = frozenset()
    """Workers on which an earlier attempt was lost or failed."""
    prefer: uuid.UUID | None = None
    """The worker that has a part of the work in its cache; it is not waited for."""


@dataclass(frozen=True)
class WorkerView:
    """A worker as dispatch sees it."""

    worker_id: uuid.UUID
    """Key of the worker."""
    name: str
    """Name, for reasons in words."""
    slots: int
    """Takes that it runs at once."""
    busy: int
    """Takes that it runs now."""
    available: bool
    """Online, not draining, not set aside."""


@dataclass(frozen=True)
class Assignment:
    """One task for one worker, with the reason in words."""

    task_id: uuid.UUID
    """The task."""
    worker_id: uuid.UUID
    """The worker."""
    reason: str
    """Why this worker."""


def order(tasks: Sequence[Candidate]) -> list[Candidate]:
    """Return tasks in the order in which they are served: priority, then age, then key."""
    return sorted(tasks, key=lambda t: (-t.priority, t.queued_at, t.task_id))


def assign(tasks: Sequence[Candidate], workers: Sequence[WorkerView]) -> list[Assignment]:
    """Match waiting tasks with free slots.

    Tasks are served in `order`. Each goes to the available worker with the lowest load (busy / slots) that it
    need not avoid, a resumed one to the worker that has its nodes in the cache, while that is free. When every
    available worker is to be avoided, any of them will do, so that a small fleet never starves a task.
    """
    free = {w.worker_id: w.slots - w.busy for w in workers if w.available and w.slots > w.busy}
    views = {w.worker_id: w for w in workers}
    available = {w.worker_id for w in workers if w.available}
    chosen: list[Assignment] = []
    for task in order(tasks):
        if not free:
            break
        must_avoid = task.avoid if available - task.avoid else frozenset()
        options = [w for w in free if w not in must_avoid]
        if not options:
            continue
        if task.prefer in options:
            best, why = task.prefer, f"{views[task.prefer].name} has the finished nodes of this take in its cache"
        else:
            best = min(options, key=lambda w: ((views[w].slots - free[w]) / views[w].slots, views[w].name))
            why = f"{views[best].name} is the least loaded free worker"
        chosen.append(Assignment(task.task_id, best, why))
        free[best] -= 1
        if free[best] == 0:
            del free[best]
    return chosen


def why_waiting(position: int, workers: Sequence[WorkerView]) -> str:
    """Return one sentence with the strongest cause why the task at ``position`` (0 = next) waits."""
    if not workers:
        return "No GPU worker is known: add one with 'x121 worker add URL', or start the local engines with 'x121 up'."
    available = [w for w in workers if w.available]
    if not available:
        return f"None of the {len(workers)} GPU workers is online."
    running = sum(w.busy for w in available)
    slots = sum(w.slots for w in available)
    if running < slots:
        return "Next to be sent."
    return f"{_ordinal(position + 1)} in the queue: all {slots} slots are busy."


def _ordinal(n: int) -> str:
    suffix = "th" if 10 <= n % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{suffix}"
