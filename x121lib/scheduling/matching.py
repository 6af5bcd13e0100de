"""Waiting tasks matched with free workers, past those that no free worker can run."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy.orm import Session

from x121lib.scheduling import policy, queries, reading, shares
from x121lib.scheduling.reading import SPARE, Glance, View
from x121lib.scheduling.recall import BRISK_S, STEADY_S, Recall


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
        n_before = len(chosen)
        window = reading.candidates(session, now, seen, View(n_given + SPARE, without, used), recall)
        tasks |= {task.task_id: task for task in window}
        chosen = policy.assign(list(tasks.values()), seen.workers, now, used)
        if without and len(chosen) == n_before:
            recall(("nothing past", without), BRISK_S, lambda: True)
        if len(chosen) >= seen.free or len(window) < n_given + SPARE:
            break
        if len(chosen) >= n_given:  # there may be work for more slots than was thought
            n_given = min(seen.free, 4 * n_given)
            continue
        given = {a.task_id for a in chosen}
        more = queries.made(session, {t.task_id for t in window if t.task_id not in given}) - without
        if not more or recall.has(("nothing past", without | more), BRISK_S):
            break
        without |= more
    return [(tasks[a.task_id], a) for a in chosen]
