"""Waiting tasks matched with free workers, past those that no free worker can run."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from x121lib.scheduling import policy, queries, reading, shares
from x121lib.scheduling.reading import SPARE, Glance, View
from x121lib.scheduling.recall import BRISK_S, STEADY_S, Recall

PATIENT_S = 5.0
"""Seconds after which work is looked past again that could run, and waits for a worker with its models."""


def assignments(
    session: Session, seen: Glance, now: datetime, recall: Recall
) -> list[tuple[policy.Candidate, policy.Assignment]]:
    """Match tasks with workers by `policy.assign`, for a dispatch that has ``seen`` the queue.

    Work that gets none of the free workers (they lack what it needs, or its own ones are busy) is looked past by what
    it makes, so that a batch of it, however long, holds up nothing behind it: one more look at the queue for each such
    kind of work, and none while every free slot is taken, the whole queue was seen, or such a look found nothing just
    now.
    """
    n_given = recall.expected(seen.free)
    used = recall("shares", STEADY_S, lambda: shares.read(session, now))
    without: frozenset[queries.Made] = frozenset()
    tasks: dict[uuid.UUID, policy.Candidate] = {}
    chosen: list[policy.Assignment] = []
    while True:
        n_before, began = len(chosen), time.monotonic()
        window = reading.candidates(session, now, seen, View(n_given + SPARE, without, used), recall)
        tasks |= {task.task_id: task for task in window}
        chosen = policy.assign(list(tasks.values()), seen.workers, now, used)
        if without and len(chosen) == n_before:
            recall.note("nothing past", time.monotonic() - began)
        if len(chosen) >= seen.free or len(window) < n_given + SPARE:
            break
        if len(chosen) >= n_given:  # there may be work for more slots than was thought
            n_given = min(seen.free, 4 * n_given)
            continue
        given = {a.task_id for a in chosen}
        left = [task for task in window if task.task_id not in given]
        if recall.has("nothing past", BRISK_S if _is_held_up(left, seen.workers, chosen) else PATIENT_S):
            break
        more = queries.made(session, {task.task_id for task in left}) - without
        if not more:
            break
        without |= more
    recall.left = len(tasks) > len(chosen)
    return [(tasks[a.task_id], a) for a in chosen]


def _is_held_up(
    left: Sequence[policy.Candidate], workers: Sequence[policy.WorkerView], chosen: Sequence[policy.Assignment]
) -> bool:
    """Return whether one of the tasks that were left can run on no worker that has a slot free after the choice."""
    given = Counter(a.worker_id for a in chosen)
    free = [w for w in workers if w.available and w.busy + given[w.worker_id] < w.slots]
    return any(
        not any(needs <= worker.tags and worker.worker_id not in lacks for worker in free)
        for needs, lacks in {(task.needs, frozenset(task.lacks)) for task in left}
    )
