"""The studio's processes on this machine: start them, watch them, start dead ones again, end them in order."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from x121lib.base.errors import X121Error
from x121lib.base.log import get_logger
from x121lib.base.process import spawn, stop
from x121lib.studio import Studio

_log = get_logger(__name__)
START_S = 60.0
"""Seconds that a process may take to be ready."""


class NotReadyError(X121Error):
    """A process of the studio did not become ready."""

    code = "cli.not_ready"


@dataclass
class Child:
    """A process that the studio keeps alive."""

    name: str
    """Name in messages and of its log file."""
    arguments: list[str]
    """Arguments of ``python``."""
    env: dict[str, str] = field(default_factory=dict)
    """Environment beside this process's."""
    process: subprocess.Popen[bytes] | None = None
    """The running process."""
    restarts: int = 0
    """How often it was started again."""
    not_before: float = 0.0
    """Monotonic time before which it is not started again."""


class Supervisor:
    """Engines, consumer and web door as child processes; a dead one is started again."""

    def __init__(
        self, studio: Studio, *, engines: int, stopping: threading.Event, web: bool = True, consumer: bool = True
    ) -> None:
        self._studio = studio
        self._children: list[Child] = []
        self._web = web
        self._engines = engines
        self._consumer = consumer
        self.web_url = ""
        self.stopping = stopping
        self._database_lost_at = -60.0

    def start(self) -> None:
        """Start everything, unless `stopping` is set meanwhile; `wait_ready` waits for it."""
        for number in range(1, self._engines + 1):
            if self.stopping.is_set():
                return
            self._start_engine(number)
        if self._consumer:
            self._add(Child("consumer", ["jobs"]))
        if self._web:
            self._start_web()

    def _start_engine(self, number: int) -> None:
        settings = self._studio.settings
        port = free_port(settings.host, 0)
        root = settings.engine_dir / f"engine-{number}"
        root.mkdir(parents=True, exist_ok=True)
        arguments = ["x121lib.comfyui.engine", "--host", "127.0.0.1", "--port", str(port), "--root", str(root)]
        self._add(Child(f"engine-{number}", arguments))
        self._studio.workers.add(f"http://127.0.0.1:{port}", name=f"engine-{number}", engine=True)

    def _start_web(self) -> None:
        settings = self._studio.settings
        port = free_port(settings.host, settings.port)
        self.web_url = f"http://{settings.host}:{port}"
        self._add(Child("web", ["dashboards", "--host", settings.host, "--port", str(port)]))

    def _add(self, child: Child) -> None:
        self._launch(child)
        self._children.append(child)

    def _launch(self, child: Child) -> None:
        log = self._studio.settings.log_dir / f"{child.name}.out"
        env = {"X121_HOME": str(self._studio.settings.home), **child.env}
        child.process = spawn(child.arguments, env=env, log=log)
        _log.info("%s runs as process %s", child.name, child.process.pid)

    def wait_ready(self) -> None:
        """Wait until the engines and the web door answer.

        Raises:
            NotReadyError: one of them does not within a minute; its log's last line is named.
        """
        deadline = time.monotonic() + START_S
        pending = [c for c in self._children if c.name != "consumer"]
        while pending and not self.stopping.is_set():
            pending = [c for c in pending if not _answers(self._port(c))]
            dead = next((c for c in pending if c.process is not None and c.process.poll() is not None), None)
            if dead is not None or time.monotonic() > deadline:
                name = (dead or pending[0]).name
                log = self._studio.settings.log_dir / f"{name}.out"
                raise NotReadyError(f"The process '{name}' did not start: {_last_line(log)}", hint=f"See {log}.")
            if pending:
                self.stopping.wait(0.1)

    def _port(self, child: Child) -> int:
        return int(child.arguments[child.arguments.index("--port") + 1])

    def keep_alive(self) -> None:
        """Start dead processes again, at most once in a while each; also the embedded database."""
        self._revive_database()
        for child in self._children:
            if child.process is None or child.process.poll() is None or time.monotonic() < child.not_before:
                continue
            _log.warning("%s ended with %s: starting it again", child.name, child.process.returncode)
            child.restarts += 1
            child.not_before = time.monotonic() + min(30.0, 0.5 * 2**child.restarts)
            self._launch(child)

    def _revive_database(self) -> None:
        try:
            moved = self._studio.opened.revive()
        except X121Error as error:
            if time.monotonic() - self._database_lost_at > 30.0:  # said once in a while, not at each try
                _log.warning("the database cannot be started again yet: %s", error)
                self._database_lost_at = time.monotonic()
            return
        if moved:
            _log.warning("the database came back at another address: starting everything that uses it again")
            for child in self._children:
                if not child.name.startswith("engine-") and child.process is not None:
                    stop(child.process)

    def run(self, *, until: Callable[[], bool] | None = None) -> None:
        """Keep everything alive until `stopping` is set or ``until`` says so."""
        while not self.stopping.wait(0.5):
            self.keep_alive()
            if until is not None and until():
                return

    def stop(self) -> None:
        """End the processes: consumer first, so that it gives its work back, then the web door and the engines."""
        self.stopping.set()
        consumers = [c.process for c in self._children if c.process is not None and c.name == "consumer"]
        others = [c.process for c in self._children if c.process is not None and c.name != "consumer"]
        for group in (consumers, others):
            for process in group:
                if process.poll() is None:
                    process.terminate()
            for process in group:
                stop(process)
        self._children.clear()


def stop_on_signals() -> threading.Event:
    """Return an event that SIGINT and SIGTERM set; call it before anything starts, so that nothing is cut in two."""
    stopping = threading.Event()

    def handle(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGINT, handle)
    signal.signal(signal.SIGTERM, handle)
    return stopping


def free_port(host: str, wanted: int) -> int:
    """Return ``wanted`` or the next free port after it; any free one for 0."""
    for port in range(wanted, wanted + 100) if wanted else (0,):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise NotReadyError(f"No port from {wanted} to {wanted + 99} is free.", hint="Set X121_PORT to another one.")


def _answers(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        return "it left no log"
    return lines[-1] if lines else "it said nothing"
