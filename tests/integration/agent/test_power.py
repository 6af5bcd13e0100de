"""Power of workers, with a real agent that is told to sleep and real packets, commands and requests that wake."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.integration.agent.test_agent import made, running
from x121lib.base.errors import ForbiddenError, InvalidInputError, RefusedError, X121Error
from x121lib.scheduling import service as queue
from x121lib.scheduling import waking, workers
from x121lib.studio import Studio
from x121lib.terms.roles import Actor
from x121lib.testing.fake_nvml import FakeNvml
from x121lib.testing.small_studio import Clock

MAC = "aa:bb:cc:dd:ee:ff"


@contextmanager
def ear() -> Iterator[tuple[socket.socket, int]]:
    """Listen for packets on this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(5)
        yield listener, listener.getsockname()[1]


def healthy(studio: Studio, name: str) -> None:
    """Store that a worker answers."""
    with studio.transaction() as session:
        key = workers.find(session, name).id
        workers.record_health(session, workers.HealthReport(key, ok=True), studio.house.now())


def status(studio: Studio, name: str = "far") -> str:
    """Return a worker's status."""
    return str(studio.workers.show(name)["status"])


@pytest.mark.capability("PRD-87/idle-timeout", "PRD-87/wake-on-demand", "PRD-87/graceful-shutdown")
def test_an_idle_worker_sleeps_and_a_waiting_task_wakes_it(stocked: Studio, clock: Clock, tmp_path: Path) -> None:
    stocked.workers.add("http://127.0.0.1:9", name="far")
    off = [sys.executable, "-c", f"open({str(tmp_path / 'off')!r}, 'a').write('x')"]
    with running(made(tmp_path, power_off=off), FakeNvml()) as (url, key), ear() as (listener, port):
        stocked.agents.attach("far", url, key)
        stocked.power.configure("far", idle_minutes=15, wake="lan", target=f"{MAC}@127.0.0.1:{port}")
        healthy(stocked, "far")
        stocked.project("Aurora").submit(characters=["Aiko"])
        with stocked.transaction() as session:
            (sent,) = queue.dispatch(session, stocked.house.now(), 1e6)
        with pytest.raises(RefusedError, match="'far' is in mid-take"):
            stocked.power.sleep("far")
        clock.advance(16 * 60)
        assert stocked.power.look() == 0
        with stocked.transaction() as session:
            queue.cancel(session, stocked.actor, [sent.task_id], stocked.house.now())
        healthy(stocked, "far")
        assert stocked.power.look() == 0
        clock.advance(16 * 60)
        assert stocked.power.look() == 1
        assert (status(stocked), (tmp_path / "off").read_text()) == ("asleep", "x")
        healthy(stocked, "far")
        assert status(stocked) == "asleep"
        assert stocked.power.look() == 0
        stocked.project("Aurora").submit(characters=["Lena"])
        assert stocked.power.look() == 1
        assert listener.recv(200) == b"\xff" * 6 + bytes.fromhex(MAC.replace(":", "")) * 16
        assert stocked.power.look() == 0
        healthy(stocked, "far")
        assert status(stocked) == "online"
    reasons = list(stocked.workers.history("far")["reason"])
    assert "Put to sleep after 15 min without work." in reasons
    assert "Woken for waiting tasks." in reasons


def test_a_host_that_cannot_sleep_takes_work_again_and_its_history_says_why(
    stocked: Studio, clock: Clock, tmp_path: Path
) -> None:
    stocked.workers.add("http://127.0.0.1:9", name="far")
    off = [sys.executable, "-c", "import sys; print('no right'); sys.exit(3)"]
    with running(made(tmp_path, power_off=off), FakeNvml()) as (url, key):
        stocked.agents.attach("far", url, key)
        stocked.power.configure("far", idle_minutes=1, wake="lan", target=MAC)
        clock.advance(61)
        healthy(stocked, "far")
        assert stocked.power.look() == 1
        assert status(stocked) == "offline"
        assert "exit code 3: no right" in stocked.workers.history("far").iloc[0]["reason"]
        healthy(stocked, "far")
        assert stocked.power.look() == 0
        with pytest.raises(X121Error, match="exit code 3: no right"):
            stocked.power.sleep("far")
        assert status(stocked) == "offline"
        with pytest.raises(RefusedError, match="'far' is offline"):
            stocked.power.sleep("far")


def test_commands_wake_only_by_their_name_in_the_settings(stocked: Studio, tmp_path: Path, reviewer: Actor) -> None:
    stocked.workers.add("http://127.0.0.1:9", name="far")
    mark = tmp_path / "woken"
    command = [sys.executable, "-c", f"open({str(mark)!r}, 'w').write('x')"]
    stocked.settings.wake_commands = {"rack": command, "bad": ["/nonexistent/command"]}
    stocked.power.configure("far", wake="command", target="rack")
    stocked.power.wake("far")
    assert mark.read_text() == "x"
    with pytest.raises(ForbiddenError):
        stocked.as_actor(reviewer).power.wake("far")
    before = stocked.power.show("far")
    for given in (
        {"wake": "command", "target": "touch /tmp/x"}, {"wake": "lan", "target": "aa:bb"}, {"wake": "smoke"},
        {"wake": "http", "target": "file:///etc/passwd"}, {"idle_minutes": 15}, {"windows": ("mon 9-5",)},
        {"wake": "lan", "target": MAC, "idle_minutes": 0.1}, {"windows": ("mon 08:00-09:00",)},
    ):  # fmt: skip
        with pytest.raises(X121Error) as refused:
            stocked.power.configure("far", **given)
        assert isinstance(refused.value, InvalidInputError)
    assert stocked.power.show("far") == before
    stocked.power.configure("far", wake="command", target="bad")
    with pytest.raises(waking.WakeError, match="could not be sent"):
        stocked.power.wake("far")


@pytest.mark.capability("PRD-87/minimum-fleet-size", "PRD-87/scheduled-power-windows")
def test_windows_and_the_minimum_fleet(stocked: Studio, clock: Clock, tmp_path: Path) -> None:
    stocked.workers.add("http://127.0.0.1:9", name="far")
    local = stocked.house.now().astimezone()
    day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][(local.weekday() + 3) % 7]
    with running(made(tmp_path, power_off=[sys.executable, "-c", ""]), FakeNvml()) as (url, key), ear() as (_, port):
        stocked.agents.attach("far", url, key)
        target = f"{MAC}@127.0.0.1:{port}"
        stocked.power.configure("far", wake="lan", target=target, windows=(f"{day} 00:00-24:00",))
        healthy(stocked, "far")
        stocked.settings.minimum_fleet = 1
        assert stocked.power.look() == 0
        stocked.settings.minimum_fleet = 0
        assert stocked.power.look() == 1
        assert status(stocked) == "asleep"
        clock.advance(3 * 86_400)
        assert stocked.power.look() == 1
    history = stocked.workers.history("far")["reason"].tolist()
    assert history[:2] == ["Woken at the beginning of its window.", "Put to sleep outside its windows."]


def test_a_host_is_woken_by_a_request_and_a_refusal_is_said(
    stocked: Studio, httpserver_url: tuple[str, list[str]]
) -> None:
    address, heard = httpserver_url
    stocked.workers.add("http://127.0.0.1:9", name="far")
    stocked.power.configure("far", wake="http", target=f"{address}/wake?host=far")
    stocked.power.wake("far")
    assert heard == ["POST /wake?host=far"]
    assert stocked.power.show("far")["woken_at"] is not None
    stocked.power.configure("far", wake="http", target=f"{address}/refuse")
    with pytest.raises(waking.WakeError, match="500"):
        stocked.power.wake("far")
    stocked.settings.allow_private_addresses = False
    with pytest.raises(X121Error, match="private"):
        stocked.power.wake("far")
    assert heard[1:] == ["POST /refuse"]


@pytest.fixture
def httpserver_url() -> Iterator[tuple[str, list[str]]]:
    """Return the address of a server that takes POST, and what it heard; it refuses ``/refuse``."""
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(f"POST {self.path}")
            self.send_response(500 if self.path == "/refuse" else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", heard
    server.shutdown()
    server.server_close()
