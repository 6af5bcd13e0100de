"""When waiting tasks are expected to start, if nothing else is submitted. Pure."""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Expected:
    """A waiting task as the forecast sees it."""

    task_id: uuid.UUID
    """The task."""
    seconds: float | None
    """GPU seconds that it is expected to need; None where nothing like it was measured."""
    workers: frozenset[uuid.UUID]
    """Workers that may run it."""
    after: uuid.UUID | None = None
    """Task that must be over first."""
    not_before_s: float = 0.0
    """Seconds from now before which it does not start."""


@dataclass(frozen=True)
class Fleet:
    """What the workers are busy with."""

    free_in_s: Mapping[uuid.UUID, Sequence[float]]
    """Seconds from now in which each slot of each available worker is free."""
    ends_in_s: Mapping[uuid.UUID, float] = field(default_factory=dict)
    """Seconds from now in which running tasks end."""


@dataclass(frozen=True)
class Span:
    """When and where a waiting task is expected to run."""

    start_s: float
    """Seconds from now until it starts."""
    end_s: float
    """Seconds from now until it ends."""
    worker_id: uuid.UUID
    """The worker whose slot it takes."""


def spans(tasks: Sequence[Expected], fleet: Fleet) -> dict[uuid.UUID, Span]:
    """Return when and where each task is expected to run.

    Tasks are taken in their serving order; each starts on the slot, among those that may run it, which is free first.
    A task without a measured time, one that waits for such a task, and one that no worker may run get no forecast, but
    the slot of an unmeasured one is counted as taken for the longest time that is known of another task.
    """
    slots = [(free, number, worker) for worker, each in fleet.free_in_s.items() for number, free in enumerate(each)]
    heapq.heapify(slots)
    ends: dict[uuid.UUID, float | None] = dict(fleet.ends_in_s)
    longest = max((t.seconds for t in tasks if t.seconds is not None), default=0.0)
    found: dict[uuid.UUID, Span] = {}
    for task in tasks:
        earliest = max(0.0, task.not_before_s)
        known = task.seconds is not None
        if task.after is not None:
            before = ends.get(task.after)
            known = known and before is not None
            earliest = max(earliest, before or 0.0)
        passed, slot = [], None
        while slots and slot is None:
            head = heapq.heappop(slots)
            if head[2] in task.workers:
                slot = head
            else:
                passed.append(head)
        if slot is not None:
            start = max(earliest, slot[0])
            end = start + (task.seconds if task.seconds is not None else longest)
            if known:
                found[task.task_id] = Span(start, end, slot[2])
            ends[task.task_id] = end if known else None
            passed.append((end, slot[1], slot[2]))
        for each in passed:
            heapq.heappush(slots, each)
    return found
