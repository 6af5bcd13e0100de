"""A scene of four segments on a real ComfyUI that `x121 worker add` names, with the sample workflow as it is.

``X121_TEST_COMFYUI_START`` is the command that starts one, with ``{port}`` and ``{folder}`` (its base directory) in it.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from x121lib import model as m
from x121lib.terms.vocabulary import AttemptOutcome, SceneStatus, TaskStatus
from x121lib.testing.real_studio import RealStudio, decode_complaints, wait_until

_START = os.environ.get("X121_TEST_COMFYUI_START", "")
pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(not _START, reason="X121_TEST_COMFYUI_START names no command that starts a ComfyUI"),
]
SEGMENTS = 4
START_S = 120.0
NOTICED_S = 90.0
"""Within this a ComfyUI that does not come back is given up: `Patience.unreachable_s` and a look at the queue."""


class _Server:
    """One ComfyUI process on one port and folder, however often it is killed."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        for name in ("input", "output", "temp", "user", "models", "custom_nodes"):
            (folder / name).mkdir(parents=True)
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [word.format(port=self.port, folder=folder) for word in shlex.split(_START)]
        self._log = folder / "log.txt"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        wait_until(self.answers, f"ComfyUI runs: {self._command}", timeout_s=START_S)

    def answers(self) -> bool:
        """Tell whether it answers; raises where its process ended."""
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()[-2000:]
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/system_stats", timeout=2.0).status_code == 200
        return False

    def kill(self) -> None:
        """Kill its process group."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def prompts(self) -> list[dict[str, Any]]:
        """Return its history since its last start."""
        return list(httpx.get(f"{self.url}/history", timeout=30.0).json().values())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Server]:
    """Return a running ComfyUI."""
    made = _Server(tmp_path_factory.mktemp("comfyui"))
    try:
        made.start()
        yield made
    finally:
        made.kill()


@pytest.fixture(scope="module")
def studio(studio_without_engines: RealStudio, server: _Server) -> RealStudio:
    """Return a studio whose one GPU worker is that ComfyUI."""
    studio_without_engines.call("worker", "add", server.url, "--name", "real")
    return studio_without_engines


def _attempts(studio: RealStudio, project: str) -> list[list[AttemptOutcome | None]]:
    """Return the outcomes of each segment's attempts, in order."""
    query = (
        sa.select(m.Segment.sequence_index, m.GpuTaskAttempt.outcome_id)
        .join(m.Take, m.Take.segment_id == m.Segment.id)
        .join(m.GpuTask, m.GpuTask.take_id == m.Take.id)
        .join(m.GpuTaskAttempt, m.GpuTaskAttempt.task_id == m.GpuTask.id)
        .join(m.Scene, m.Scene.id == m.Segment.scene_id)
        .join(m.Character, m.Character.id == m.Scene.character_id)
        .join(m.Project, m.Project.id == m.Character.project_id)
        .where(m.Project.name == project)
        .order_by(m.Segment.sequence_index, m.GpuTaskAttempt.number)
    )
    found: list[list[AttemptOutcome | None]] = [[] for _ in range(SEGMENTS)]
    with studio.opened() as opened, opened.transaction() as session:
        for index, outcome in session.execute(query):
            found[index - 1].append(outcome)
    return found


def _submitted(studio: RealStudio, project: str) -> None:
    with studio.opened():
        studio.prepare_sample(project, scene_types=("idle",), duration_s=2.0 * SEGMENTS)
    said = studio.call("submit", project, "--scene-types", "idle")
    assert said.startswith("1 scenes are queued"), said


def _check(studio: RealStudio, project: str, folder: Path) -> None:
    assert SceneStatus.FAILED not in studio.scene_statuses()
    assert studio.double_records() == []
    assert studio.failing_findings() == []
    assert decode_complaints(studio.deliver(project), folder) == ""


@pytest.mark.capability("PRD-05/real-time-state-sync-with-comfyui")
def test_a_scene_of_four_segments_is_made_on_a_real_comfyui(
    studio: RealStudio, server: _Server, tmp_path: Path
) -> None:
    _submitted(studio, "Calm")
    with studio.up():
        studio.wait_made()
        assert len(server.prompts()) == SEGMENTS
    with studio.opened():
        assert _attempts(studio, "Calm") == [[AttemptOutcome.COMPLETE]] * SEGMENTS
        _check(studio, "Calm", tmp_path)


@pytest.mark.capability("PRD-05/reconnect-and-reconcile-with-history", "PRD-28/automatic-checkpoints")
def test_a_comfyui_killed_in_the_third_segment_costs_one_take(
    studio: RealStudio, server: _Server, tmp_path: Path
) -> None:
    _submitted(studio, "Killed")
    third = (
        sa.select(m.GpuTask.id)
        .join(m.Take, m.Take.id == m.GpuTask.take_id)
        .join(m.Segment, m.Segment.id == m.Take.segment_id)
        .where(m.Segment.sequence_index == 3, m.GpuTask.status_id == TaskStatus.RUNNING, m.GpuTask.progress > 0.05)
    )
    with studio.up():
        wait_until(lambda: bool(studio.ask(third)), "the third segment is generated")
        server.kill()
        noticed_s = wait_until(lambda: not studio.ask(third), "the lost take is queued again")
        assert noticed_s < NOTICED_S
        server.start()
        studio.wait_made()
        assert len(server.prompts()) == 2, "the third segment again and the fourth"
    with studio.opened():
        first, second, lost, fourth = _attempts(studio, "Killed")
        assert first == second == fourth == [AttemptOutcome.COMPLETE]
        assert len(lost) == 2
        assert lost[0] is not AttemptOutcome.COMPLETE
        assert lost[1] is AttemptOutcome.COMPLETE
        _check(studio, "Killed", tmp_path)
