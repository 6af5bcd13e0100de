"""The queue at size: tasks dispatched a second with everything on, and that history costs nothing.

1,200 workers as rows, 100,000 waiting tasks of 12 people in 6 projects, 1,000,000 finished ones, of which 3,000 in the
last day; fair shares, budgets, tags, models and measured speed are on. Each round dispatches until every slot is taken,
then the takes are recorded as over in bulk, outside of what is measured.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.settings import Settings
from x121lib.scheduling import service as queue
from x121lib.store.embedded import EmbeddedServer, remove
from x121lib.studio import Studio
from x121lib.testing.small_studio import open_studio, stock

SMALL = os.environ.get("X121_BENCH_SMALL") == "1"
WORKERS, WAITING, FINISHED = (1200, 100_000, 1_000_000) if not SMALL else (200, 10_000, 20_000)
RECENT, PEOPLE, PROJECTS, ROUNDS = 3000, 12, 6, 4
LIMIT = 1000.0
"""Tasks a second that dispatch owes."""
Row = dict[str, object]

WORKER_ROWS = """
INSERT INTO worker (id, name, url, kind_id, status_id, slots, server_version, device, error_streak, version)
SELECT gen_random_uuid(), 'gpu ' || n, 'http://127.0.0.1:9/' || n, 1, 1, 1, '0.25.1', 'cuda:0', 0, 1
FROM generate_series(1, :n) AS n;
INSERT INTO worker_tag (worker_id, tag)
SELECT id, 'fast' FROM worker WHERE name LIKE 'gpu %' AND abs(hashtext(name)) % 2 = 0;
INSERT INTO worker_loaded_model (worker_id, name)
SELECT id, 'video_model.safetensors' FROM worker WHERE name LIKE 'gpu %' AND abs(hashtext(name)) % 3 = 0;
INSERT INTO worker_speed (worker_id, workflow_id, mean_s, n_takes)
SELECT w.id, f.id, 60 + abs(hashtext(w.name)) % 60, 5 FROM worker w CROSS JOIN workflow f WHERE w.name LIKE 'gpu %'"""
PEOPLE_ROWS = """
INSERT INTO person (id, name, email, is_active, version, session_epoch)
SELECT gen_random_uuid(), 'Person ' || n, 'p' || n || '@example.com', true, 1, 1 FROM generate_series(1, :n) AS n"""
PROJECT_ROWS = """
INSERT INTO project (id, name, status_id, default_tier_id, version)
SELECT gen_random_uuid(), 'Project ' || n, p.status_id, p.default_tier_id, 1
FROM generate_series(1, :n) AS n, project p WHERE p.name = 'Aurora'"""
TASK_ROWS = """
WITH people AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS i FROM person WHERE name LIKE 'Person %'),
     projects AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS i FROM project WHERE name LIKE 'Project %'),
     takes AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS i, count(*) OVER () AS total FROM take)
INSERT INTO gpu_task (id, kind_id, take_id, project_id, submitted_by_id, class_id, priority, status_id, queued_at,
                      attempt_number, failed_attempts, progress, finished_at, version, is_ready, is_off_peak)
SELECT gen_random_uuid(), 1, t.id, r.id, p.id, 2, (ARRAY[50, 50, 50, 80, 20])[1 + n % 5], :status,
       now() - make_interval(secs => n / 50.0), :attempts, 0, 0, {finished}, 1, true, false
FROM generate_series(1, :n) AS n
JOIN people p ON p.i = n % :people JOIN projects r ON r.i = n % :projects JOIN takes t ON t.i = n % t.total"""
ATTEMPT_ROWS = """
INSERT INTO gpu_task_attempt (id, task_id, number, worker_id, prompt_id, outcome_id, dispatched_at, started_at,
                              finished_at, run_s)
SELECT gen_random_uuid(), id, 1, NULL, gen_random_uuid(), 1, finished_at - interval '60 s',
       finished_at - interval '60 s', finished_at, 60 FROM gpu_task t
WHERE status_id = 9 AND NOT EXISTS (SELECT FROM gpu_task_attempt a WHERE a.task_id = t.id)"""
OVER = """
UPDATE gpu_task SET status_id = 9, finished_at = now(), lease_until = NULL WHERE status_id = 4;
UPDATE gpu_task_attempt SET finished_at = now() - interval '2 days', outcome_id = 1 WHERE finished_at IS NULL"""


def bench() -> list[Row]:
    """Return the rows ``dispatch_rate`` and ``dispatch_vs_history``."""
    with tempfile.TemporaryDirectory() as folder, studio_in(Path(folder)) as studio:
        _fill(studio)
        few = _seconds_per_task(studio)
        _add_history(studio)
        many = _seconds_per_task(studio)
    rate = 1.0 / many
    note = (
        f"{WORKERS} free workers, {WAITING} waiting, {FINISHED} finished; shares, a budget, tags, models, speeds on; "
        f"median of {ROUNDS} dispatches of {WORKERS} tasks; one process and its PostgreSQL on this machine"
    )
    return [
        {"name": "dispatch_rate", "value": round(rate, 1), "unit": "tasks/s", "against": f"limit {LIMIT:.0f}",
         "ratio": round(rate / LIMIT, 2), "note": note},
        {"name": "dispatch_vs_history", "value": round(1000 * many, 3), "unit": "ms/task",
         "against": f"without finished tasks, {1000 * few:.3f} ms/task", "ratio": round(many / few, 2),
         "note": f"the same dispatches before and after {FINISHED} finished tasks; ratio of times, 1 is flat"},
    ]  # fmt: skip


@contextmanager
def studio_in(folder: Path) -> Iterator[Studio]:
    settings = Settings(home=folder / "home")
    server = EmbeddedServer(settings)
    given = settings.model_copy(update={"database_url": type(settings)(database_url=server.acquire()).database_url})
    try:
        with open_studio(given) as studio:
            yield studio
    finally:
        server.release()
        remove(settings)


def run(studio: Studio, statements: str, **values: object) -> None:
    with studio.transaction() as session:
        for statement in statements.split(";\n"):
            bound = {name: value for name, value in values.items() if f":{name}" in statement}
            session.execute(sa.text(statement), bound)


def _fill(studio: Studio) -> None:
    stock(studio, studio.settings.home / "recipes")
    studio.project("Aurora").submit()
    run(studio, "UPDATE gpu_task SET status_id = 7, finished_at = now()")
    run(studio, WORKER_ROWS, n=WORKERS)
    run(studio, PEOPLE_ROWS, n=PEOPLE)
    run(studio, PROJECT_ROWS, n=PROJECTS)
    studio.budgets.set(1e6, project="Project 1", period="month")
    studio.shares.set(2, project="Project 2")
    run(studio, TASK_ROWS.format(finished="NULL"), n=WAITING, status=3, attempts=0, people=PEOPLE, projects=PROJECTS)
    analyse(studio)


def _add_history(studio: Studio) -> None:
    age = f"now() - CASE WHEN n <= {RECENT} THEN interval '1 hour' ELSE make_interval(days => 2 + n % 700) END"
    rows = TASK_ROWS.format(finished=age)
    run(studio, rows, n=FINISHED, status=9, attempts=1, people=PEOPLE, projects=PROJECTS)
    run(studio, ATTEMPT_ROWS)
    analyse(studio)


def analyse(studio: Studio) -> None:
    with studio.house.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE gpu_task"))
        connection.execute(sa.text("VACUUM ANALYZE gpu_task_attempt"))


def _seconds_per_task(studio: Studio) -> float:
    found = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        with studio.transaction() as session:
            sent = queue.dispatch(session, studio.house.now() + timedelta(seconds=60), 15.0)
        found.append((time.perf_counter() - began) / len(sent))
        if len(sent) != WORKERS:
            raise AssertionError(f"{len(sent)} of {WORKERS} free workers got a task")
        run(studio, OVER)
    with studio.transaction() as session:
        doubled = session.scalar(
            sa.select(sa.func.count()).select_from(
                sa.select(m.GpuTaskAttempt.task_id).group_by(m.GpuTaskAttempt.task_id)
                .having(sa.func.count() > 1).subquery()
            )
        )  # fmt: skip
    if doubled:
        raise AssertionError(f"{doubled} tasks were dispatched twice")
    return statistics.median(found[1:])
