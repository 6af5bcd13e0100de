"""Waiting tasks matched with free workers, past those that run nowhere."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from x121lib.scheduling import policy, queries, shares

SPARE = 64
"""Tasks of each share that are looked at beyond the free slots: some may have to wait for their worker."""


def assignments(session: Session, workers: Sequence[policy.WorkerView], now: datetime) -> list[policy.Assignment]:
    """Match tasks with workers by `policy.assign`.

    Work that no available worker can run is looked past by what it makes, so that a batch of it, however long, holds
    up nothing behind it; one more look at the queue for each such kind of work, and none while free slots are filled.
    """
    free = sum(max(0, w.slots - w.busy) for w in workers if w.available)
    without: set[queries.Made] = set()
    tasks: dict[uuid.UUID, policy.Candidate] = {}
    while True:
        window = queries.candidates(session, now, workers, without, free + SPARE)
        stuck = {task.task_id for task in window if policy.runs_nowhere(task, workers)}
        tasks |= {task.task_id: task for task in window if task.task_id not in stuck}
        more = queries.made(session, stuck) - without if stuck and len(tasks) < free else set()
        if not more:
            return policy.assign(list(tasks.values()), workers, now, shares.read(session, now))
        without |= more
