"""Ctrl-C at any moment, a full disk, two commands at once: one clear word, nothing lost, the next start goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from x121lib import model as m
from x121lib.terms.vocabulary import SceneStatus, TaskStatus
from x121lib.testing.real_studio import RealStudio, decode_complaints, wait_until

pytestmark = pytest.mark.timeout(400)
END_S = 20.0
"""Within this `x121 up` has ended after Ctrl-C: 8 s of grace for the consumer, 8 s for the others, some for itself."""


def _has_loaded(studio: RealStudio, library: str) -> bool:
    return any(library in Path(f"/proc/{p.pid}/maps").read_text() for p in studio.members(" up"))


Moment = Callable[[RealStudio, Path], bool]
_MOMENTS: dict[str, tuple[Moment, set[int]]] = {
    "while the program loads": (lambda studio, output: _has_loaded(studio, "numpy"), {0, 130}),
    "while the database starts": (lambda studio, output: (studio.home / "run" / "start.lock").exists(), {0}),
    "while the processes start": (lambda studio, output: bool(studio.members("comfyui.engine")), {0}),
    "when it is ready": (lambda studio, output: "Ctrl-C ends it" in output.read_text(), {0}),
}


def _end(process: subprocess.Popen[bytes]) -> tuple[int, float]:
    """Send Ctrl-C; return the exit code and the seconds it took."""
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    return process.wait(timeout=60), time.monotonic() - began


def _assert_clean_end(studio: RealStudio, output: Path) -> None:
    assert studio.members() == []
    wait_until(lambda: studio.server_pid() is None, "the database has ended", timeout_s=10)
    said = output.read_text() + "".join(f.read_text() for f in (studio.home / "logs").glob("*.out"))
    assert "Traceback" not in said


@pytest.mark.parametrize("moment", _MOMENTS)
def test_ctrl_c_during_the_start_ends_everything(studio: RealStudio, moment: str) -> None:
    reached, codes = _MOMENTS[moment]
    process, output = studio.start("up")
    wait_until(lambda: reached(studio, output), moment)
    code, took = _end(process)
    assert code in codes, output.read_text()
    assert took < END_S
    _assert_clean_end(studio, output)


@pytest.mark.capability("PRD-28/automatic-checkpoints")
def test_ctrl_c_during_generation_gives_the_work_back(studio: RealStudio, tmp_path: Path) -> None:
    with studio.opened():
        studio.prepare("Pause")
        studio.submit("Pause")
    process, output = studio.start("up")
    wait_until(lambda: "Ctrl-C ends it" in output.read_text(), "x121 up is ready")
    task = studio.wait_mid_take()
    studio.forget_database()
    code, took = _end(process)
    assert (code, took < END_S) == (0, True)
    _assert_clean_end(studio, output)
    with studio.opened() as opened, opened.transaction() as session:
        again = session.get_one(m.GpuTask, task.id)
        assert again.status_id == TaskStatus.QUEUED, "given back at once, without waiting for its lease"
        assert again.failed_attempts == 0
    with studio.up():
        studio.wait_made()
    with studio.opened():
        assert studio.double_records() == []
        assert decode_complaints(studio.deliver("Pause"), tmp_path) == ""


@pytest.fixture
def disk(studio: RealStudio) -> Iterator[Callable[[int], None]]:
    """Put the artifacts on a small disk of their own and return what sets its size in bytes."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a tiny disk")
    folder = studio.settings.artifacts_dir
    folder.mkdir(parents=True, exist_ok=True)
    saved = folder.rename(folder.with_name("artifacts-saved"))
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "x121", str(folder)], check=False)
    if mounted.returncode != 0:
        folder.rmdir()
        saved.rename(folder)
        pytest.skip("this machine allows no mount")
    subprocess.run(["cp", "-a", f"{saved}/.", str(folder)], check=True)

    def resize(n_bytes: int) -> None:
        subprocess.run(["mount", "-o", f"remount,size={n_bytes}", str(folder)], check=True)

    yield resize
    subprocess.run(["cp", "-a", f"{folder}/.", str(saved)], check=True)
    subprocess.run(["umount", "-l", str(folder)], check=True)
    folder.rmdir()
    saved.rename(folder)


def _fill(folder: Path, resize: Callable[[int], None], *, left_bytes: int) -> None:
    """Shrink the disk until ``left_bytes`` are free; what is written meanwhile makes for another try."""
    for _ in range(50):
        disk = os.statvfs(folder)
        try:
            resize((disk.f_blocks - disk.f_bfree) * disk.f_frsize + left_bytes)
            return
        except subprocess.CalledProcessError:
            continue
    raise AssertionError("the disk could not be shrunk")


@pytest.mark.capability("PRD-28/partial-failure-handling", "PRD-07/no-silent-retries")
def test_a_full_disk_holds_the_work_with_one_clear_word_until_there_is_room(
    studio: RealStudio, disk: Callable[[int], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X121_DISK_RESERVE_MB", "8")
    folder = studio.settings.artifacts_dir
    with studio.opened():
        studio.prepare("Disk")
    with studio.up():
        studio.call("submit", "Disk")
        studio.wait_mid_take()
        _fill(folder, disk, left_bytes=64 * 1024)
        lost = sa.select(m.GpuTaskAttempt.id).where(m.GpuTaskAttempt.error_code == "store.disk_full")
        wait_until(lambda: bool(studio.ask(lost)) and not studio.running_tasks(progress=-1), "the work is held")
        assert studio.ask(sa.select(m.GpuTask.id).where(m.GpuTask.status_id == TaskStatus.FAILED)) == []
        assert SceneStatus.FAILED not in studio.scene_statuses()
        assert list((folder / "tmp").iterdir()) == []
        reasons = {task["why"] for task in json.loads(studio.call("queue", "--json"))}
        assert len(reasons) == 1
        assert "Free space on that disk; work goes on by itself." in reasons.pop()
        process, output = studio.start("doctor", "--json")
        assert process.wait(timeout=120) == 1
        (finding,) = [f for f in json.loads(output.read_text()) if "MB are free in" in f["what"]]
        assert not finding["ok"]
        disk(256 * 1024 * 1024)
        studio.wait_made()
    with studio.opened():
        assert studio.double_records() == []
        assert decode_complaints(studio.deliver("Disk"), tmp_path) == ""


def test_two_commands_at_once_on_a_new_home_share_its_first_start(new_studio: RealStudio) -> None:
    started = [new_studio.start("project", "create", name) for name in ("One", "Two")]
    for process, output in started:
        assert process.wait(timeout=120) == 0, output.read_text()
    listing = new_studio.call("project", "list", "--json")
    assert '"One"' in listing
    assert '"Two"' in listing
    wait_until(new_studio.is_quiet, "the database ended with its last user", timeout_s=20)
