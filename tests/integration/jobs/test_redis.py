"""Huey's messages on a real Redis, where this machine has its server."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.app import enqueue_all, give_back, make_huey
from x121lib.testing.real_studio import wait_until

SERVER = shutil.which("redis-server")
pytestmark = pytest.mark.skipif(SERVER is None, reason="this machine has no redis-server")


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """Run a Redis of this test's own, which keeps nothing."""
    pytest.importorskip("redis")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(SERVER), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            wait_until(lambda: _answers(port), "redis answers", timeout_s=20)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_messages_go_in_together_and_come_out_in_order(redis_url: str) -> None:
    huey = make_huey("", redis_url)
    say = huey.task(name="say")(lambda word, n: None)
    enqueue_all(huey, [say.s("a", n) for n in range(100)])
    enqueue_all(huey, [])
    assert [huey.dequeue().data for _ in range(100)] == [(("a", n), {}) for n in range(100)]
    assert huey.storage.queue_size() == 0
    give_back(huey)
    huey.storage.pool.disconnect()
