"""A studio of simulated workers, people and projects, and takes with empty bodies for `noop_consumer`."""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa

from tests.benchmarks import bench_queue as ours
from x121lib.scheduling import budgets
from x121lib.scheduling import service as queue
from x121lib.studio import Studio
from x121lib.terms.roles import SYSTEM
from x121lib.testing.small_studio import stock

WORKERS, SLOTS, PEOPLE, PROJECTS = 100, 8, 12, 6
WORKER_ROWS = ours.WORKER_ROWS.replace("1, 1, 1, '0.25.1'", f"1, 1, {SLOTS}, '0.25.1'")
NEEDED = "INSERT INTO workflow_worker_tag (workflow_id, tag) SELECT id, 'fast' FROM workflow"
TASK_ROWS = ours.TASK_ROWS.format(finished="NULL").replace(
    "generate_series(1, :n)", "generate_series(CAST(:first AS int), CAST(:last AS int))"
)
OPEN = "SELECT EXISTS (SELECT FROM gpu_task WHERE status_id IN (2, 3, 4, 5))"


def prepare(studio: Studio) -> None:
    """Fill the studio: workers as rows, people, projects, a budget and a weight."""
    stock(studio, studio.settings.home / "recipes")
    studio.project("Aurora").submit()
    for statements, values in (
        ("UPDATE gpu_task SET status_id = 7, finished_at = now()", {}), (WORKER_ROWS, {"n": WORKERS}), (NEEDED, {}),
        (ours.PEOPLE_ROWS, {"n": PEOPLE}), (ours.PROJECT_ROWS, {"n": PROJECTS}),
    ):  # fmt: skip
        ours.run(studio, statements, **values)
    studio.budgets.set(1e6, project="Project 1", period="month")
    studio.shares.set(2, project="Project 2")
    ours.analyse(studio)


def put_in(studio: Studio, first: int, last: int) -> tuple[list[Any], float]:
    """Submit takes with reservations in one transaction that wakes the tick; returns keys, and when it committed."""
    values = {"first": first, "last": last, "status": 3, "attempts": 0, "people": PEOPLE, "projects": PROJECTS}
    with studio.transaction() as session:
        keys = list(session.scalars(sa.text(f"{TASK_ROWS} RETURNING id"), values))
        budgets.reserve(session, SYSTEM, keys, studio.house.now(), enforce=False)
        queue.wake(session)
    return keys, time.time()
