"""Processes killed in the middle of a scene: the work goes on, and nothing is lost or recorded twice."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from x121lib import model as m
from x121lib.terms.vocabulary import AttemptOutcome
from x121lib.testing.real_studio import RealStudio, decode_complaints, wait_until, zip_structure

pytestmark = pytest.mark.timeout(400)
NOTICED_S = 30.0
"""Within this a dead process is noticed and its work is queued again."""


def _check(studio: RealStudio, project: str, calm: list[str], folder: Path) -> None:
    """Everything was made once, is whole, and is delivered as from an undisturbed run."""
    with studio.opened():
        assert studio.double_records() == []
        assert studio.open_budget(project) == ([], 0.0), "nothing is reserved any more, and counters equal their sums"
        assert studio.failing_findings() == []
        package = studio.deliver(project)
    names = [n.replace(project, "{project}").replace(project.lower(), "{project}") for n in zip_structure(package)]
    assert names == calm
    assert decode_complaints(package, folder) == ""
    assert list((studio.settings.artifacts_dir / "tmp").iterdir()) == []


def _submit(studio: RealStudio, project: str) -> None:
    with studio.opened():
        studio.prepare(project)
        studio.set_budget(project)
        studio.submit(project)


def _lost(studio: RealStudio, task: m.GpuTask) -> bool:
    query = sa.select(m.GpuTaskAttempt.outcome_id).where(
        m.GpuTaskAttempt.task_id == task.id, m.GpuTaskAttempt.number == task.attempt_number
    )
    return studio.ask(query) == [AttemptOutcome.LOST]


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.capability("PRD-07/background-execution-of-jobs", "PRD-28/automatic-checkpoints")
def test_a_killed_consumer_is_replaced_and_its_takes_run_again(
    studio: RealStudio, calm: list[str], tmp_path: Path
) -> None:
    _submit(studio, "Consumer")
    with studio.up():
        task = studio.wait_mid_take()
        consumer = studio.member("jobs")
        consumer.send_signal(signal.SIGKILL)
        taken = wait_until(lambda: _lost(studio, task), "the lost take is queued again")
        assert taken < NOTICED_S
        studio.wait_made()
        assert studio.member("jobs").pid != consumer.pid
        left = list((studio.home / "work").glob(f"x121-{consumer.pid}-*"))
        assert left == [], "what the killed one had half-made is still there"
    _check(studio, "Consumer", calm, tmp_path)


@pytest.mark.capability("PRD-46/auto-failover", "PRD-46/health-checks-heartbeat")
def test_a_killed_engine_comes_back_and_its_take_runs_elsewhere(
    studio: RealStudio, calm: list[str], tmp_path: Path
) -> None:
    _submit(studio, "Engine")
    with studio.up():
        task = studio.wait_mid_take()
        (worker,) = studio.ask(sa.select(m.Worker).where(m.Worker.id == task.worker_id))
        port = worker.url.rsplit(":", 1)[1]
        engine = studio.member(f"--port {port} ")
        began = time.monotonic()
        engine.send_signal(signal.SIGKILL)
        wait_until(lambda: _lost(studio, task), "the lost take is queued again")
        assert time.monotonic() - began < NOTICED_S
        studio.wait_made()
        assert studio.member(f"--port {port} ").pid != engine.pid
        attempts = studio.ask(
            sa.select(m.GpuTaskAttempt)
            .where(m.GpuTaskAttempt.task_id == task.id, m.GpuTaskAttempt.number >= task.attempt_number)
            .order_by(m.GpuTaskAttempt.number)
        )
        assert attempts[0].worker_id != attempts[1].worker_id
    _check(studio, "Engine", calm, tmp_path)


def test_a_killed_database_is_started_again_under_the_running_studio(
    studio: RealStudio, calm: list[str], tmp_path: Path
) -> None:
    _submit(studio, "Database")
    with studio.up() as (up, output):
        studio.wait_mid_take()
        pid = studio.server_pid()
        assert pid is not None
        psutil.Process(pid).send_signal(signal.SIGKILL)
        wait_until(lambda: studio.server_pid() not in (None, pid), "the database runs again")
        studio.forget_database()
        studio.wait_made()
        assert up.poll() is None
        assert "Traceback" not in output.read_text()
    _check(studio, "Database", calm, tmp_path)


@pytest.mark.capability("PRD-28/automatic-checkpoints", "PRD-24/parallel-scene-generation")
def test_a_killed_studio_takes_its_processes_along_and_goes_on_at_the_next_start(
    studio: RealStudio, calm: list[str], tmp_path: Path
) -> None:
    _submit(studio, "Studio")
    with studio.up() as (up, _):
        wait_until(lambda: len(studio.running_tasks(progress=0.0)) == 2, "both scenes are generated at once")
        children = psutil.Process(up.pid).children(recursive=True)
        assert len([c for c in children if "engine" in " ".join(c.cmdline())]) == 2
        up.kill()
        up.wait()
        wait_until(studio.is_quiet, "its processes and the database have ended", timeout_s=40)
        wait_until(lambda: not any(_lives(c) for c in children), "no child is left", timeout_s=10)
    with studio.up():
        studio.wait_made()
    _check(studio, "Studio", calm, tmp_path)
