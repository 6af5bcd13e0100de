"""The database server as a process: seen, started, awaited, stopped, and stopped when its last user was killed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from x121lib.store import file_locks
from x121lib.store.errors import ServerStartError

_POLL_S = 0.004
_STOP_S = 60.0
_ORPHAN_S = 6.0
_KEEPER_S = 2.0
_ANSWER_S = 10.0
_TLS_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")  # length, code of SSLRequest
_children: set[int] = set()
_keepers: dict[Path, int] = {}


@dataclass(frozen=True)
class Postmaster:
    """What a server's `postmaster.pid` says.

    Attributes:
        pid: process id of the postmaster.
        port: its TCP port.
        ready: whether it accepts connections.
    """

    pid: int
    port: int
    ready: bool


def cluster_name(data: Path) -> str:
    """Return the name that every process of this database's server carries in its title."""
    return "x121." + hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:12]


def read_postmaster(data: Path) -> Postmaster | None:
    """Return what `postmaster.pid` says, None while there is none (or it is not complete)."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        return Postmaster(int(lines[0]), int(lines[3]), len(lines) > 7 and lines[7].strip() == "ready")
    except (FileNotFoundError, IndexError, ValueError):
        return None


def _titles() -> Iterator[tuple[int, str]]:
    """Yield process ids and titles; a zombie has none. Titles are readable to all, unlike other facts of a process."""
    if sys.platform == "linux":
        for name in os.listdir("/proc"):
            if name.isdigit():
                yield int(name), _title(int(name))
        return
    listing = subprocess.run(["/bin/ps", "-axo", "pid=,command="], capture_output=True, text=True, check=True)
    for line in listing.stdout.splitlines():
        number, _, title = line.strip().partition(" ")
        yield int(number), title


def _title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def is_server(pid: int, name: str) -> bool:
    """Return whether ``pid`` lives (is no zombie, no recycled id) and is the postmaster of cluster ``name``."""
    reap()
    title = _title(pid) if sys.platform == "linux" else dict(_titles()).get(pid, "")
    return f"cluster_name={name}" in title


def list_backends(name: str) -> list[int]:
    """Return the server processes of cluster ``name`` other than its postmaster."""
    return [pid for pid, title in _titles() if title.startswith(f"postgres: {name}: ")]


def list_postmasters(name: str) -> list[int]:
    """Return the living postmasters of cluster ``name``, found by their titles alone."""
    return [pid for pid, title in _titles() if "/postgres -D " in title and f" cluster_name={name}" in title]


def _signal_all(pids: list[int], how: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, how)


def kill_titled(part: str) -> None:
    """Kill the processes whose titles contain ``part``, and wait until they are gone."""
    while found := [pid for pid, title in _titles() if part in title]:
        _signal_all(found, signal.SIGKILL)
        time.sleep(_POLL_S)


def running_postmaster(data: Path) -> Postmaster | None:
    """Return the living server of ``data``, None where it is down (a stale `postmaster.pid` included)."""
    found = read_postmaster(data)
    return found if found is not None and is_server(found.pid, cluster_name(data)) else None


def launch(arguments: Sequence[str | Path], log: Path, options: Mapping[str, Any]) -> int:
    """Start a program that outlives this process, writing to ``log``; return its process id.

    ``options`` put it into a session of its own, so Ctrl-C on our terminal never reaches it.
    """
    with log.open("ab") as output:
        started = subprocess.Popen(
            [str(argument) for argument in arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            umask=0o077,
            **options,
        )
    started.returncode = 0  # it is meant to outlive us: no warning about that, and `reap` collects it
    _children.add(started.pid)
    return started.pid


def reap() -> None:
    """Collect the ended programs that this process launched, so that they do not stay as zombies."""
    for pid in list(_children):
        try:
            ended, _ = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:  # a forked process is not the parent
            ended = pid
        if ended:
            _children.discard(pid)


def wait_ready(data: Path, pid: int, *, timeout_s: float = 120.0) -> Postmaster | None:
    """Wait until the postmaster ``pid`` accepts connections; None when it ended first.

    Raises:
        ServerStartError: it is neither ready nor gone after ``timeout_s`` seconds.
    """
    deadline = time.monotonic() + timeout_s
    name = cluster_name(data)
    while time.monotonic() < deadline:
        found = read_postmaster(data)
        if found is not None and found.pid == pid and found.ready:
            return found
        if not is_server(pid, name):
            return None
        time.sleep(_POLL_S)
    raise ServerStartError(f"The database server was not ready after {timeout_s:.0f} s.", hint="Try again.")


def stop_server(data: Path) -> None:
    """Stop the server of ``data`` if it runs: fast (work in progress is rolled back), after a minute at once.

    Raises:
        ServerStartError: it does not end.
    """
    found = running_postmaster(data)
    if found is None:
        return
    name = cluster_name(data)
    for how in (signal.SIGINT, signal.SIGQUIT):
        with contextlib.suppress(ProcessLookupError):
            os.kill(found.pid, how)
        deadline = time.monotonic() + _STOP_S
        while time.monotonic() < deadline:
            if not is_server(found.pid, name):
                return
            time.sleep(_POLL_S)
    raise ServerStartError(f"The database server (process {found.pid}) does not stop.", hint="See its log.")


def clear_remains(data: Path, socket_dir: Path) -> None:
    """Remove what a killed server left, so that the next one starts: processes, a misleading pid file, sockets.

    Processes whose postmaster is gone end by themselves and hold the shared memory until then; those still there
    after some seconds are killed (what was committed is in the write-ahead log). Call it under the start lock,
    while no server runs.
    """
    name = cluster_name(data)
    deadline = time.monotonic() + _ORPHAN_S
    # A starter that was killed may have left a server that has not written its pid yet.
    _signal_all(list_postmasters(name), signal.SIGQUIT)
    while orphans := list_backends(name) + list_postmasters(name):
        if time.monotonic() > deadline:
            _signal_all(orphans, signal.SIGKILL)
        time.sleep(_POLL_S)
    # PostgreSQL takes any living process of that id, a zombie too, for a server. We know better.
    (data / "postmaster.pid").unlink(missing_ok=True)
    if socket_dir.is_dir():
        for left in socket_dir.iterdir():
            left.unlink(missing_ok=True)


def free_port(preferred: int | None) -> int:
    """Return ``preferred`` if nothing listens there on 127.0.0.1, else a free port."""
    for port in filter(None, (preferred, None)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Return whether a PostgreSQL answers on ``port``: one byte to the request for TLS, as the protocol has it."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_S) as connection:
            connection.sendall(_TLS_REQUEST)
            return connection.recv(1) in (b"N", b"S")
    except OSError:
        return False


def keep(run_dir: Path, data: Path) -> None:
    """Wait until no process uses the server any more and stop it: the last one may have been killed.

    Runs as a small process of its own (`launch_keeper`). Users hold ``alive`` shared; that it falls free wakes this
    process, which then judges under the start lock, as everybody does.
    """
    while True:
        file_locks.wait_alone(run_dir / "alive.lock")
        with file_locks.exclusive(run_dir / "start.lock"):
            users = file_locks.open_lock(run_dir / "users.lock")
            if file_locks.try_exclusive(users):
                stop_server(data)
                os._exit(0)  # drops all locks at once: who starts next finds no keeper and launches one
            file_locks.close_lock(users)


def wait_keeper(run_dir: Path) -> None:
    """Collect the keeper, if this process launched it, after the last user left: it ends by itself at once."""
    pid = _keepers.pop(run_dir, 0)
    deadline = time.monotonic() + _KEEPER_S
    while pid in _children and time.monotonic() < deadline:
        reap()
        time.sleep(_POLL_S)


def launch_keeper(run_dir: Path, data: Path, log: Path) -> None:
    """Start the process that stops the server after its last user, unless it runs already.

    It inherits the lock by which others know that it runs, so that there is no moment without one.
    """
    lock = file_locks.open_lock(run_dir / "keeper.lock")
    try:
        if not file_locks.try_exclusive(lock):
            return
        code = (
            "import sys, pathlib; sys.path.insert(0, sys.argv[1]); from x121lib.store.server_process import keep; "
            "keep(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))"
        )
        root = Path(__file__).resolve().parents[2]
        options: dict[str, Any] = {"env": {"PATH": "/usr/bin:/bin"}, "cwd": "/", "start_new_session": True}
        arguments: list[str | Path] = [sys.executable, "-I", "-S", "-c", code, root, run_dir, data]
        _keepers[run_dir] = launch(arguments, log, {**options, "pass_fds": (lock,)})
    finally:
        file_locks.close_lock(lock)
