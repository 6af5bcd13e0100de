"""Waiting tasks matched with free workers, past those that no free worker can run."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy.orm import Session

from x121lib.scheduling import policy, queries, reading, shares
from x121lib.scheduling.reading import SPARE, Glance, View
from x121lib.scheduling.recall import STEADY_S, Recall


def assignments(
    session: Session, seen: Glance, now: datetime, recall: Recall
) -> list[tuple[policy.Candidate, policy.Assignment]]:
    """Match tasks with workers by `policy.assign`, for a dispatch that has ``seen`` the queue.

    Work that gets none of the free workers (they lack what it needs, or its own ones are busy) is looked past by what
    it makes, so that a batch of it, however long, holds up nothing behind it: one more look at the queue for each such
    kind of work, and none while every free slot is taken or the whole queue was seen.
    """
    free = seen.free
    used = recall("shares", STEADY_S, lambda: shares.read(session, now))
    without: set[queries.Made] = set()
    tasks: dict[uuid.UUID, policy.Candidate] = {}
    while True:
        window = reading.candidates(session, now, seen, View(free + SPARE, frozenset(without), used), recall)
        tasks |= {task.task_id: task for task in window}
        chosen = policy.assign(list(tasks.values()), seen.workers, now, used)
        if len(chosen) >= free or len(window) < free + SPARE:
            return [(tasks[a.task_id], a) for a in chosen]
        given = {a.task_id for a in chosen}
        more = queries.made(session, {t.task_id for t in window if t.task_id not in given}) - without
        if not more:
            return [(tasks[a.task_id], a) for a in chosen]
        without |= more
