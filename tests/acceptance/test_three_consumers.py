"""Three consumers as on three machines: homes of their own, one PostgreSQL, one folder of stored files, one leader."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import sqlalchemy as sa

from tests.acceptance.test_queue_chaos import LEADER
from x121lib import model as m
from x121lib.base.settings import Settings
from x121lib.comfyui.engine import start_engine
from x121lib.scheduling import auditing
from x121lib.studio import Studio
from x121lib.terms.vocabulary import AttemptOutcome, SceneStatus, TakeStatus, TaskStatus
from x121lib.testing.real_studio import wait_until
from x121lib.testing.small_studio import open_studio, stock

pytestmark = pytest.mark.timeout(300)
N_MACHINES = 3


@contextmanager
def machine(number: int, folder: Path, url: str) -> Iterator[psutil.Process]:
    """Run `x121 consumer` with a home of its own for the block."""
    environment = {
        **os.environ, "X121_HOME": str(folder / f"machine{number}"), "X121_DATABASE_URL": url, "X121_LEASE_S": "4",
        "X121_ARTIFACTS": str(folder / "files"), "X121_CONSUMER_SLOTS": "1",
    }  # fmt: skip
    with (folder / f"machine{number}.log").open("wb") as log:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("x121"), "consumer"], env=environment, stdout=log, stderr=log
        )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.fixture
def studio(tmp_path: Path, empty_url: str) -> Iterator[Studio]:
    """Return a studio with two characters, a tiny scene type and two engines; nothing consumes yet."""
    settings = Settings(home=tmp_path / "studio", database_url=empty_url, artifacts=tmp_path / "files")
    with open_studio(settings) as studio, ExitStack() as engines:
        stock(studio, tmp_path / "recipes")
        for n in range(2):
            engine = start_engine(tmp_path / f"engine{n}")
            engines.callback(engine.stop)
            studio.workers.add(engine.url, name=f"engine {n}", engine=True)
        yield studio


def ask(studio: Studio, query: Any) -> list[Any]:
    with studio.transaction() as session:
        return list(session.scalars(query))


def leading(studio: Studio, machines: list[psutil.Process]) -> psutil.Process | None:
    """Return the machine whose tick leads: the one at the other end of the connection that holds the lock."""
    ports = set(ask(studio, sa.text(LEADER)))
    for process in machines:
        for each in [process, *process.children(recursive=True)]:
            if ports & {c.laddr.port for c in each.net_connections()}:
                return each
    return None


@pytest.mark.capability("PRD-07/several-jobs-in-parallel", "PRD-46/auto-failover")
def test_three_machines_make_the_scenes_and_outlive_their_leader(
    studio: Studio, tmp_path: Path, empty_url: str
) -> None:
    with ExitStack() as running:
        machines = [running.enter_context(machine(n, tmp_path, empty_url)) for n in range(N_MACHINES)]
        wait_until(lambda: leading(studio, machines) is not None, "one of them leads")
        assert len(ask(studio, sa.text(LEADER))) == 1
        studio.project("Aurora").submit()
        done = sa.select(m.GpuTask.id).where(m.GpuTask.status_id == TaskStatus.COMPLETE)
        wait_until(lambda: len(ask(studio, done)) >= 1, "the first take is made")
        leader = leading(studio, machines)
        assert leader is not None
        leader.kill()
        machines = [each for each in machines if each.pid != leader.pid and leader not in each.children()]
        assert len(machines) == N_MACHINES - 1
        took = wait_until(lambda: leading(studio, machines) is not None, "another one leads", timeout_s=30)
        assert took < 10
        scenes = sa.select(m.Scene.status_id)
        wait_until(lambda: set(ask(studio, scenes)) == {SceneStatus.REVIEW}, "every scene is in review")
    _check(studio, tmp_path)


def _check(studio: Studio, tmp_path: Path) -> None:
    with studio.transaction() as session:
        assert auditing.audit(session, studio.house.now()) == []
        made = session.execute(
            sa.select(m.Take.id, sa.func.count(m.GpuTaskAttempt.id))
            .join(m.GpuTask, m.GpuTask.take_id == m.Take.id)
            .join(m.GpuTaskAttempt, m.GpuTaskAttempt.task_id == m.GpuTask.id)
            .where(m.Take.status_id == TakeStatus.PASSED, m.GpuTaskAttempt.outcome_id == AttemptOutcome.COMPLETE)
            .group_by(m.Take.id)
        ).all()
    assert [n for _, n in made] == [1] * 6, "two scenes of three segments, each made once"
    assert not [f for f in studio.doors.examine() if not f.ok and "Worker" not in f.what and "folder" not in f.what]
    for n in range(N_MACHINES):
        assert not (tmp_path / f"machine{n}" / "artifacts").exists(), "files lie in the shared folder only"
