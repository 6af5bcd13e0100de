"""The queue under faults while it works: three real consumer processes with empty takes on one PostgreSQL.

Whatever goes away (the server, a connection, the leading consumer, every free connection) or stays too long (a
transaction), each task is completed once, and the audit finds nothing afterwards. Processes killed in the middle of
real takes are the subject of `test_process_faults`.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import sqlalchemy as sa

from jobs.tick import LEADER_LOCK
from tests.benchmarks import empty_work as bench
from x121lib import model as m
from x121lib.base.settings import Settings
from x121lib.scheduling import auditing, policy
from x121lib.scheduling.fairness import LONGEST_OVERTAKING_S
from x121lib.store.embedded import EmbeddedServer, remove
from x121lib.store.session import DatabaseError
from x121lib.studio import Studio
from x121lib.terms.transitions import ENDED_STATUSES
from x121lib.terms.vocabulary import TaskStatus
from x121lib.testing.real_studio import wait_until
from x121lib.testing.small_studio import open_studio

pytestmark = pytest.mark.timeout(240)
CONSUMERS, BODY_S, LEASE_S = 3, 0.02, 3.0
LOOKING = "SELECT pid FROM pg_stat_activity WHERE application_name = 'x121-consumer'"
LEADER = f"""
SELECT a.client_port FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.objid = {LEADER_LOCK} AND l.granted"""


class Storm:
    """A studio on its own server with consumers that can be hurt."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fails = folder / "fails.txt"
        self.fails.touch()
        self.server = EmbeddedServer(Settings(home=folder / "server"))
        self.settings = Settings(home=folder / "home", database_url=self.acquire())
        self.studio: Studio
        self.consumers: list[subprocess.Popen[bytes]] = []
        self._put = 0

    def acquire(self) -> str:
        """Start the server where it is down; returns its URL."""
        self.url = self.server.acquire()
        return self.url

    def start(self) -> None:
        """Start a consumer with a home of its own, as another machine would have it."""
        number = len(list(self.folder.glob("machine*")))
        home = self.folder / f"machine{number}"
        environment = {
            **os.environ, "X121_HOME": str(home), "X121_DATABASE_URL": self.url, "X121_CONSUMER_SLOTS": "8",
            "X121_ARTIFACTS": str(self.settings.artifacts_dir), "X121_LEASE_S": str(LEASE_S), "NOOP_S": str(BODY_S),
            "NOOP_FAILS": str(self.fails),
        }  # fmt: skip
        command = [sys.executable, "-m", "tests.benchmarks.noop_consumer", str(self.folder / f"starts{number}")]
        with (self.folder / f"machine{number}.log").open("wb") as log:
            self.consumers.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))

    def ask(self, query: str) -> list[Any]:
        """Return the rows of a query; nothing while the database is away."""
        try:
            with self.studio.transaction() as session:
                return list(session.execute(sa.text(query)).all())
        except DatabaseError:
            return []

    def put(self, n: int, changes: str = "") -> list[Any]:
        """Submit tasks with reservations; returns their keys."""
        keys, _ = bench.put_in(self.studio, self._put, self._put + n - 1)
        self._put += n
        if changes:
            with self.studio.transaction() as session:
                session.execute(sa.text(f"UPDATE gpu_task SET {changes} WHERE id = ANY(:keys)"), {"keys": keys})
        return keys

    def n_over(self, keys: list[Any]) -> int:
        """Return how many of these tasks are over; -1 while the database is away."""
        query = sa.select(sa.func.count()).where(m.GpuTask.id.in_(keys), m.GpuTask.status_id.in_(ENDED_STATUSES))
        try:
            with self.studio.transaction() as session:
                return session.scalar(query) or 0
        except DatabaseError:
            return -1

    def wait_over(self, keys: list[Any], n: int | None = None) -> None:
        """Wait until that many of these tasks are over."""
        wanted = len(keys) if n is None else n
        wait_until(lambda: self.n_over(keys) >= wanted, f"{wanted} tasks are over", timeout_s=120)

    def check(self, keys: list[Any], status: TaskStatus = TaskStatus.COMPLETE) -> None:
        """Assert that these tasks ended so, with one complete attempt each at most, and that the audit is silent."""
        with self.studio.transaction() as session:
            tasks = list(session.scalars(sa.select(m.GpuTask).where(m.GpuTask.id.in_(keys))))
            faults = auditing.audit(session, self.studio.house.now())
        assert {task.status_id for task in tasks} == {status}
        assert len(tasks) == len(keys)
        # The simulated tasks share a handful of takes, which no real ones do.
        assert [fault for fault in faults if "is made by" not in fault] == []

    def leader(self) -> subprocess.Popen[bytes] | None:
        """Return the consumer whose tick leads."""
        ports = {row[0] for row in self.ask(LEADER)}
        for consumer in self.consumers:
            with contextlib.suppress(psutil.Error):
                if ports & {c.laddr.port for c in psutil.Process(consumer.pid).net_connections()}:
                    return consumer
        return None


@pytest.fixture(scope="module")
def storm() -> Iterator[Storm]:
    """Return the studio with its consumers running."""
    folder = Path(tempfile.mkdtemp(prefix="x121-chaos-"))
    folder.chmod(0o755)
    storm = Storm(folder)
    try:
        with open_studio(storm.settings) as storm.studio:
            bench.prepare(storm.studio)
            for _ in range(CONSUMERS):
                storm.start()
            wait_until(lambda: len(storm.ask(LOOKING)) == CONSUMERS, "every consumer looks for work")
            wait_until(lambda: storm.leader() is not None, "a consumer leads")
            storm.wait_over(storm.put(20))
            yield storm
    finally:
        for consumer in storm.consumers:
            consumer.kill()
            consumer.wait()
        storm.server.release()
        remove(Settings(home=folder / "server"))
        shutil.rmtree(folder)


def test_the_server_is_restarted_under_load(storm: Storm) -> None:
    keys = storm.put(300)
    storm.wait_over(keys, 50)
    pid = storm.server.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGINT)
    wait_until(lambda: not psutil.pid_exists(pid) or not storm.server.is_running(), "the server has ended")
    assert storm.n_over(keys) == -1
    before = storm.url
    assert storm.acquire() == before
    storm.wait_over(keys)
    storm.check(keys)


def test_connections_are_killed_again_and_again(storm: Storm) -> None:
    keys = storm.put(300)
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = {0}"
    living = """SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
                AND backend_type = 'client backend'"""
    chance = random.Random(7)
    for _ in range(10):
        storm.wait_over(keys, min(len(keys), storm.n_over(keys) + 10))
        if pids := [row[0] for row in storm.ask(living)]:
            storm.ask(kill.format(chance.choice(pids)))
    storm.wait_over(keys)
    storm.check(keys)


@pytest.mark.capability("PRD-07/background-execution-of-jobs")
def test_the_leading_consumer_is_killed_and_another_one_leads(storm: Storm) -> None:
    keys = storm.put(400)
    storm.wait_over(keys, 50)
    leader = storm.leader()
    assert leader is not None
    leader.kill()
    leader.wait()
    storm.consumers.remove(leader)
    took = wait_until(lambda: storm.leader() not in (None, leader), "another consumer leads", timeout_s=30)
    assert took < 10
    late = storm.put(50)
    storm.wait_over([*keys, *late])
    storm.check([*keys, *late])
    storm.start()
    wait_until(lambda: len(storm.ask(LOOKING)) == CONSUMERS, "a new consumer looks for work")


def test_every_connection_is_taken_for_a_while(storm: Storm) -> None:
    keys = storm.put(200)
    with contextlib.ExitStack() as held, contextlib.suppress(psycopg.OperationalError):
        while True:
            held.enter_context(psycopg.connect(storm.url))
    more: list[psycopg.Connection[Any]] = []
    with contextlib.suppress(psycopg.OperationalError):
        while len(more) < 500:
            more.append(psycopg.connect(storm.url))
    assert len(more) < 500, "the server never said that it is full"
    time.sleep(2.0)  # long enough for everything that asks for a connection to be refused one
    for connection in more:
        connection.close()
    storm.wait_over(keys)
    storm.check(keys)


def test_tasks_that_fail_at_once_take_nobodys_turn(storm: Storm) -> None:
    with storm.studio.transaction() as session:
        session.execute(sa.text("UPDATE worker SET error_streak = 0, set_aside_until = NULL"))
    bad = storm.put(5, "status_id = 6")
    storm.fails.write_text("\n".join(str(key) for key in bad))
    with storm.studio.transaction() as session:
        session.execute(sa.text("UPDATE gpu_task SET status_id = 3, priority = 100 WHERE status_id = 6"))
    good = storm.put(200)
    storm.wait_over(good)
    storm.wait_over(bad)
    storm.check(good)
    storm.check(bad, TaskStatus.FAILED)
    with storm.studio.transaction() as session:
        attempts = session.execute(
            sa.select(m.GpuTaskAttempt.task_id, sa.func.count())
            .where(m.GpuTaskAttempt.task_id.in_(bad)).group_by(m.GpuTaskAttempt.task_id)
        ).all()  # fmt: skip
    assert all(n <= policy.MOST_ATTEMPTS for _, n in attempts)


@pytest.mark.capability("PRD-08/priority-levels")
def test_old_background_work_is_not_starved_by_a_flood_of_urgent_work(storm: Storm) -> None:
    old = storm.studio.house.now() - timedelta(seconds=LONGEST_OVERTAKING_S + 3600)
    background = storm.put(20, f"status_id = 6, priority = 0, queued_at = '{old.isoformat()}'")
    urgent = storm.put(1200, "priority = 100")
    with storm.studio.transaction() as session:
        session.execute(sa.text("UPDATE gpu_task SET status_id = 3 WHERE status_id = 6"))
        session.execute(sa.text("SELECT pg_notify('x121_work', '')"))
    storm.wait_over([*background, *urgent])
    storm.check([*background, *urgent])
    with storm.studio.transaction() as session:
        rows = session.execute(sa.select(m.GpuTask.id, m.GpuTask.started_at).where(m.GpuTask.started_at.is_not(None)))
        at = {key: when.timestamp() for key, when in rows if when is not None}
    assert max(at[key] for key in background) < max(at[key] for key in urgent)
    middle = statistics.median(at[key] for key in background)
    assert middle < statistics.quantiles([at[key] for key in urgent], n=10)[-1]


def test_a_transaction_held_open_slows_nothing_to_a_crawl(storm: Storm) -> None:
    def seconds(n: int) -> float:
        began = time.monotonic()
        keys = storm.put(n)
        storm.wait_over(keys)
        storm.check(keys)
        return time.monotonic() - began

    free = seconds(400)
    with psycopg.connect(storm.url) as held:
        held.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        held.execute("SELECT count(*) FROM gpu_task")
        blocked = [seconds(400) for _ in range(3)]
    assert blocked[-1] < 4 * free + 2, (free, blocked)


def test_nothing_is_left_behind(storm: Storm) -> None:
    assert storm.ask(bench.OPEN) == [(False,)]
    done = subprocess.run(
        [Path(sys.executable).with_name("x121"), "db", "audit"], capture_output=True, text=True, check=False,
        env={**os.environ, "X121_HOME": str(storm.settings.home), "X121_DATABASE_URL": storm.url},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "accounts are right" in done.stdout
