"""Waiting tasks matched with free workers, past those that no free worker can run."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from x121lib.scheduling import policy, queries, shares
from x121lib.scheduling.recall import FRESH, STEADY_S, Recall

SPARE = 64
"""Tasks that are looked at beyond the free slots: some may have to wait for their worker."""


def assignments(
    session: Session, workers: Sequence[policy.WorkerView], now: datetime, recall: Recall = FRESH
) -> list[policy.Assignment]:
    """Match tasks with workers by `policy.assign`.

    Work that gets none of the free workers (they lack what it needs, or its own ones are busy) is looked past by what
    it makes, so that a batch of it, however long, holds up nothing behind it: one more look at the queue for each such
    kind of work, and none while every free slot is taken or the whole queue was seen.
    """
    free = sum(max(0, w.slots - w.busy) for w in workers if w.available)
    used = recall("shares", STEADY_S, lambda: shares.read(session, now))
    without: set[queries.Made] = set()
    tasks: dict[uuid.UUID, policy.Candidate] = {}
    while True:
        window = queries.candidates(session, now, workers, queries.View(free + SPARE, frozenset(without), used), recall)
        tasks |= {task.task_id: task for task in window}
        chosen = policy.assign(list(tasks.values()), workers, now, used)
        if len(chosen) >= free or len(window) < free + SPARE:
            return chosen
        given = {a.task_id for a in chosen}
        more = queries.made(session, {t.task_id for t in window if t.task_id not in given}) - without
        if not more:
            return chosen
        without |= more
