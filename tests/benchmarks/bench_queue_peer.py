"""The queue beside procrastinate on one PostgreSQL in one run: tasks a second through their whole life, and latency.

Both: two consumer processes with the same concurrency, an empty task, its success recorded with a commit of its own.
Ours: the task is a take of a real scene with a reservation on a budget; shares, tags, loaded models and measured speed
are on; it goes through the tick, Huey on PostgreSQL, a consumer's claim and its completion (attempt, lease, events,
budget, worker's speed). Left out: ComfyUI, the take's files and its quality gates. Procrastinate: its settings are the
defaults (LISTEN/NOTIFY on, jobs kept), async tasks, jobs put in with ``batch_defer``. The sides take turns.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import procrastinate
import psycopg
import sqlalchemy as sa
from psycopg import sql

from tests.benchmarks import bench_queue as ours
from tests.benchmarks.empty_work import OPEN, prepare, put_in
from tests.benchmarks.peer_consumer import TASK, make_app
from x121lib.scheduling import budgets
from x121lib.studio import Studio

SMALL = os.environ.get("X121_BENCH_SMALL") == "1"
TASKS, ROUNDS, SECONDS = (4000, 3, 15) if not SMALL else (400, 1, 3)
CONCURRENCY, CONSUMERS, RATE = 16, 2, 200
TIMES, LIMIT_MS = 3.0, 15.0
"""How often procrastinate's rate is owed, and the latency that is owed on a quiet machine."""
READY_S = 60.0
Row = dict[str, object]
DONE = """
SELECT count(*), count(*) FILTER (WHERE n = 1) FROM
  (SELECT t.id, count(a.id) AS n FROM gpu_task t LEFT JOIN gpu_task_attempt a ON a.task_id = t.id AND a.outcome_id = 1
   WHERE t.status_id = 9 GROUP BY t.id) AS each"""
PEER_OPEN = "SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE status IN ('todo', 'doing'))"


def bench() -> list[Row]:
    """Return the rows ``dispatch_vs_procrastinate`` and ``enqueue_to_start_p95_ms``."""
    with tempfile.TemporaryDirectory() as name, ours.studio_in(Path(name)) as studio:
        folder = Path(name)
        prepare(studio)
        peer_url = prepare_peer(studio)
        rates = [(our_rate(studio, folder), peer_rate(peer_url, folder)) for _ in range(ROUNDS)]
        mine, peers = our_latency(studio, folder), peer_latency(peer_url, folder)
    rate, peer_s = statistics.median(r for r, _ in rates), statistics.median(p for _, p in rates)
    version = procrastinate.__version__ if hasattr(procrastinate, "__version__") else "3"
    how = (
        f"procrastinate {version}, defaults, {CONSUMERS} processes × {CONCURRENCY} on both sides, same PostgreSQL, "
        "sides in turns; ours with shares, a budget, tags, models, speeds; no ComfyUI, files or gates on our side"
    )
    return [
        {"name": "dispatch_vs_procrastinate", "value": round(rate, 1), "unit": "tasks/s",
         "against": f"procrastinate, {peer_s:.1f} tasks/s (owed: {TIMES:.0f} times)", "ratio": round(rate / peer_s, 2),
         "note": f"whole life of an empty task; median of {ROUNDS} × {TASKS} tasks; {how}"},
        {"name": "enqueue_to_start_p95_ms", "value": round(percentile(mine, 95), 2), "unit": "ms",
         "against": f"procrastinate, {percentile(peers, 95):.2f} ms; limit {LIMIT_MS:.0f} ms on a quiet machine",
         "ratio": round(percentile(mine, 95) / max(percentile(peers, 95), 1e-3), 2),
         "note": f"{RATE} tasks/s for {SECONDS} s, insert's commit → first line of the body; medians "
                 f"{percentile(mine, 50):.2f} and {percentile(peers, 50):.2f} ms; {how}"},
    ]  # fmt: skip


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile of values by nearest rank."""
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


@contextmanager
def consumers(module: str, arguments: Callable[[Path], list[str]], folder: Path, **settings: str) -> Iterator[Path]:
    """Run the consumer processes for the block; what they wrote lies in the folder afterwards."""
    starts = Path(tempfile.mkdtemp(dir=folder))
    running = [
        subprocess.Popen(
            [sys.executable, "-m", module, *arguments(starts / str(n))], env={**os.environ, **settings},
            stderr=(starts / f"{n}.log").open("wb"),
        )
        for n in range(CONSUMERS)
    ]  # fmt: skip
    try:
        yield starts
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(timeout=30)


def wait_for(url: str, question: str, answer: object) -> None:
    """Ask until the database answers so."""
    deadline = time.monotonic() + READY_S * 10
    with psycopg.connect(url, autocommit=True) as connection:
        while (row := connection.execute(question.encode()).fetchone()) is None or row[0] != answer:
            if time.monotonic() > deadline:
                raise AssertionError(f"{question} never said {answer}")
            time.sleep(0.05)


@contextmanager
def our_consumers(studio: Studio, folder: Path) -> Iterator[Path]:
    """Run ours until they look for work."""
    settings = {
        "X121_HOME": str(studio.settings.home), "X121_DATABASE_URL": studio.house.database.url,
        "X121_CONSUMER_SLOTS": str(CONCURRENCY), "X121_LOG_LEVEL": "WARNING",
    }  # fmt: skip
    with consumers("tests.benchmarks.noop_consumer", lambda file: [str(file)], folder, **settings) as starts:
        ready = "SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'x121-consumer'"
        wait_for(studio.house.database.url, ready, CONSUMERS)
        time.sleep(2.0)
        yield starts


def our_rate(studio: Studio, folder: Path) -> float:
    """Return tasks a second, from the first insert to the last completion; each is complete once."""
    before = _done(studio)
    with our_consumers(studio, folder):
        began = time.perf_counter()
        put_in(studio, 1, TASKS)
        wait_for(studio.house.database.url, OPEN, answer=False)
        took = time.perf_counter() - began
    if [n - old for n, old in zip(_done(studio), before, strict=True)] != [TASKS, TASKS]:
        raise AssertionError("not every task was completed exactly once")
    with studio.transaction() as session:
        if wrong := budgets.audit_counters(session):
            raise AssertionError(wrong)
    return TASKS / took


def _done(studio: Studio) -> list[int]:
    """Return how many tasks are complete, and how many of them by one attempt."""
    with studio.transaction() as session:
        return [int(n) for n in session.execute(sa.text(DONE)).one()]


def our_latency(studio: Studio, folder: Path) -> list[float]:
    """Return milliseconds from each insert's commit to the first line of its body."""
    with our_consumers(studio, folder) as starts:
        given = {str(key): at for (key,), at in paced(lambda n: put_in(studio, n, n))}
        wait_for(studio.house.database.url, OPEN, answer=False)
    lines = [line.split() for file in starts.glob("[0-9]") for line in file.read_text().splitlines()]
    return [1000.0 * (float(at) - given[key]) for key, _, at in lines]


def paced(put: Callable[[int], tuple[Any, float]]) -> list[tuple[Any, float]]:
    """Put in `RATE` tasks a second for `SECONDS`."""
    began, found = time.perf_counter(), []
    for n in range(RATE * SECONDS):
        time.sleep(max(0.0, began + n / RATE - time.perf_counter()))
        found.append(put(n))
    return found


def prepare_peer(studio: Studio) -> str:
    """Make procrastinate's database on the same server; returns its URL."""
    with psycopg.connect(studio.house.database.url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE peer"))
    url = studio.house.database.url.rsplit("/", 1)[0] + "/peer"

    async def apply() -> None:
        app = make_app(url, 1)
        async with app.open_async():
            await app.schema_manager.apply_schema_async()

    asyncio.run(apply())
    return url


@contextmanager
def peer_consumers(url: str, folder: Path) -> Iterator[tuple[procrastinate.App, Path]]:
    """Run procrastinate's until they are registered; yields an application to put jobs in with."""
    arguments = [url, str(CONCURRENCY)]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DELETE FROM procrastinate_workers")
    with consumers("tests.benchmarks.peer_consumer", lambda file: [*arguments, str(file)], folder) as starts:
        wait_for(url, "SELECT count(*)::int FROM procrastinate_workers", CONSUMERS)
        time.sleep(2.0)
        app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=url))
        with app.open():
            yield app, starts


def peer_rate(url: str, folder: Path) -> float:
    """Return procrastinate's jobs a second, from the first insert to the last completion."""
    with peer_consumers(url, folder) as (app, _):
        jobs: list[Any] = [{"n": n} for n in range(TASKS)]
        began = time.perf_counter()
        app.configure_task(TASK, allow_unknown=True).batch_defer(*jobs)
        wait_for(url, PEER_OPEN, answer=False)
        return TASKS / (time.perf_counter() - began)


def peer_latency(url: str, folder: Path) -> list[float]:
    """Return milliseconds from each insert's commit to the first line of its body."""

    def put(n: int) -> tuple[int, float]:
        app.configure_task(TASK, allow_unknown=True).defer(n=n)
        return n, time.time()

    with peer_consumers(url, folder) as (app, starts):
        given = dict(paced(put))
        wait_for(url, PEER_OPEN, answer=False)
    lines = [line.split() for file in starts.glob("[0-9]") for line in file.read_text().splitlines()]
    return [1000.0 * (float(at) - given[int(n)]) for n, at in lines]
