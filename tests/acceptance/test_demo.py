"""The demo as a stranger runs it: interrupted, resumed, run again, begun anew. Some minutes, so only on request."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import psutil
import pytest

from x121lib.testing.real_studio import RealStudio, decode_complaints, pss_bytes, wait_until, zip_structure

pytestmark = [
    pytest.mark.timeout(1500),
    pytest.mark.skipif("X121_TEST_DEMO" not in os.environ, reason="takes minutes: set X121_TEST_DEMO=1"),
]
MEMORY_BYTES = 2_000_000_000


class _Meter(threading.Thread):
    """Measures the memory of a process tree and of the database beside it, twice a second."""

    def __init__(self, root: int, database: RealStudio) -> None:
        super().__init__(daemon=True)
        self._root, self._database = psutil.Process(root), database
        self._done = threading.Event()
        self.peak_bytes = 0

    def run(self) -> None:
        while not self._done.wait(0.5):
            try:
                tree = [self._root, *self._root.children(recursive=True)]
                server = self._database.server_pid()
                if server is not None:
                    tree += [psutil.Process(server), *psutil.Process(server).children()]
            except psutil.Error:
                continue
            self.peak_bytes = max(self.peak_bytes, pss_bytes(list({p.pid: p for p in tree}.values())))

    def stop(self) -> int:
        """Return the largest sum seen."""
        self._done.set()
        self.join()
        return self.peak_bytes


def _demo(studio: RealStudio, out: Path, *arguments: str) -> Path:
    began = time.monotonic()
    process, output = studio.start("demo", "--headless", "--out", str(out), *arguments)
    demo_home = RealStudio(studio.home / "demo")
    meter = _Meter(process.pid, demo_home)
    meter.start()
    code = process.wait(timeout=900)
    peak = meter.stop()
    assert code == 0, output.read_text()
    assert 0 < peak < MEMORY_BYTES
    last = output.read_text().strip().splitlines()[-1]
    with (studio.outputs / "figures.txt").open("a") as figures:
        figures.write(f"demo {arguments}: {time.monotonic() - began:.0f} s, {peak / 1e6:.0f} MB\n")
    return Path(last)


def test_the_demo_survives_an_interruption_runs_twice_and_begins_anew(new_studio: RealStudio, tmp_path: Path) -> None:
    demo = RealStudio(new_studio.home / "demo")
    process, output = new_studio.start("demo", "--headless", "--out", str(tmp_path / "a"))
    wait_until(lambda: "scenes are queued" in output.read_text(), "the demo generates", timeout_s=300)
    demo.wait_mid_take()
    demo.forget_database()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 1
    assert "goes on where it was" in output.read_text()
    assert "Traceback" not in output.read_text()
    assert demo.members() == []
    first = _demo(new_studio, tmp_path / "a")
    second = _demo(new_studio, tmp_path / "b")
    assert zip_structure(first) == zip_structure(second)
    assert len([name for name in zip_structure(first) if name.endswith(".mp4")]) == 12
    assert decode_complaints(second, tmp_path / "videos") == ""
    process, output = new_studio.start("demo", "--headless", "--fresh", "--out", str(tmp_path / "c"))
    wait_until(lambda: "Imported Aiko" in output.read_text(), "a new studio is made", timeout_s=120)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 1
