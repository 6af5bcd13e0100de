"""The embedded PostgreSQL: one server per `X121_HOME`, shared by its X121 processes, stopped by the last one.

The binaries come with a wheel; starting, sharing and stopping them is done here. The server is nobody's child. Each
process that uses it holds a shared lock on a file in ``X121_HOME/run``, which the kernel drops however the process
ends. Starting and stopping happen under another lock, so that two processes that begin at once share one server.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from x121lib.base.errors import RefusedError, X121Error
from x121lib.base.log import get_logger
from x121lib.base.secrets import ensure_private_dir, read_or_make_secret
from x121lib.base.settings import Settings
from x121lib.store import file_locks, server_files, server_process, server_setup
from x121lib.store.errors import NoEmbeddedBuildError, ServerStartError
from x121lib.store.server_files import Install, Location
from x121lib.store.server_process import Postmaster

__all__ = [
    "EmbeddedServer",
    "NoEmbeddedBuildError",
    "ServerStatus",
    "find_orphans",
    "remove",
]

_LOG = get_logger(__name__)
_COMPLETE = "x121.complete"
_LOG_MAX_BYTES = 5_000_000
_START_TRIES = 4
_TRY_AGAIN = (
    "could not create any TCP/IP sockets",
    "Address already in use",
    "pre-existing shared memory block",
)


@dataclass(frozen=True)
class ServerStatus:
    """What is known of the embedded server.

    Attributes:
        running: whether its postmaster lives.
        pid: process id of the postmaster, None when down.
        port: its port on 127.0.0.1, None when down.
        data_dir: PostgreSQL's data folder, None before the first start.
        version: major version of the database, None before the first start.
        users: ids of the processes that use the server (known on Linux only).
    """

    running: bool
    pid: int | None
    port: int | None
    data_dir: Path | None
    version: str | None
    users: tuple[int, ...]


class EmbeddedServer:
    """The embedded database server of one `X121_HOME`, as one process sees it.

    Each process calls `acquire` itself, a forked one too; a fork holds nothing of its parent's.
    """

    def __init__(self, settings: Settings) -> None:
        self._home = settings.home
        self._secrets_dir = settings.secrets_dir
        self._log_file = settings.log_dir / "database.log"
        self._run_dir = settings.home / "run"
        self._held: tuple[int, int, int] | None = None  # process id, users lock, alive lock

    def acquire(self) -> str:
        """Start the server if it is down, join its users, and return its libpq URL.

        Calling it again in one process starts a server that was lost meanwhile (and may tell another port); one
        `release` is enough.

        Raises:
            NoEmbeddedBuildError: no PostgreSQL is bundled for this machine.
            ServerStartError: the server does not start; the message has the last lines of its log.
            DatabaseFolderError: the database folder is gone or is not ours.
        """
        self._home.mkdir(parents=True, exist_ok=True)
        ensure_private_dir(self._run_dir)
        self._log_file.parent.mkdir(parents=True, exist_ok=True)
        with file_locks.exclusive(self._run_dir / "start.lock"):
            joined = self._join()
            try:
                location = server_files.find_location(self._home) or server_files.make_location(self._home)
                password = read_or_make_secret(self._secrets_dir, "database-password")
                found = self._attach(location) or self._start(location, password)
                server_process.launch_keeper(self._run_dir, location.data, self._log_file)
            except BaseException as error:
                if joined:
                    self._give_up()
                if isinstance(error, OSError):
                    raise ServerStartError(f"The database in {self._home} cannot be started: {error}.") from error
                raise
        return server_setup.database_url(found.port, password)

    def release(self) -> None:
        """Leave the server's users; the last one stops it. Without an `acquire` before, nothing happens."""
        if not self._is_held():
            return
        with file_locks.exclusive(self._run_dir / "start.lock"):
            last = self._held is not None and file_locks.try_exclusive(self._held[1])
            if last:
                self._stop()
            self._leave()
        if last:
            server_process.wait_keeper(self._run_dir)

    def stop(self) -> None:
        """Stop the server (fast), whoever uses it; their next `acquire` starts it again."""
        if not self._run_dir.exists():
            return
        with file_locks.exclusive(self._run_dir / "start.lock"):
            self._stop()

    def is_running(self) -> bool:
        """Return whether the server's postmaster lives."""
        return self.status().running

    def status(self) -> ServerStatus:
        """Return what is known of the server; starts nothing."""
        location = server_files.find_location(self._home)
        if location is None:
            return ServerStatus(
                running=False,
                pid=None,
                port=None,
                data_dir=None,
                version=None,
                users=self._users(),
            )
        found = server_process.running_postmaster(location.data)
        return ServerStatus(
            running=found is not None,
            pid=found.pid if found else None,
            port=found.port if found else None,
            data_dir=location.data,
            version=_version(location),
            users=self._users(),
        )

    def _users(self) -> tuple[int, ...]:
        return file_locks.holders(self._run_dir / "users.lock")

    def _is_held(self) -> bool:
        return self._held is not None and self._held[0] == os.getpid()

    def _join(self) -> bool:
        """Hold the users' locks; return whether they were not held before."""
        if self._is_held():
            return False
        users = file_locks.open_lock(self._run_dir / "users.lock")
        alive = file_locks.open_lock(self._run_dir / "alive.lock")
        file_locks.take_shared(users)
        file_locks.take_shared(alive)
        self._held = (os.getpid(), users, alive)
        return True

    def _give_up(self) -> None:
        """Leave after a failed start, and let no half-made server run on without a user."""
        if self._held is not None and file_locks.try_exclusive(self._held[1]):
            with contextlib.suppress(X121Error):  # the first error is the one to tell
                self._stop()
        self._leave()

    def _leave(self) -> None:
        if self._held is not None:
            for descriptor in self._held[1:]:
                file_locks.close_lock(descriptor)
            self._held = None

    def _stop(self) -> None:
        location = server_files.find_location(self._home)
        if location is not None:
            server_process.stop_server(location.data)

    def _attach(self, location: Location) -> Postmaster | None:
        """Return the running server once it is ready; None when it is down, just ending or just killed."""
        found = server_process.running_postmaster(location.data)
        if found is None or not (location.data / _COMPLETE).exists():
            return None
        if not found.ready:
            found = server_process.wait_ready(location.data, found.pid)
        if found is not None and not server_process.answers(found.port):
            server_process.stop_server(location.data)
            return None
        return found

    def _start(self, location: Location, password: str) -> Postmaster:
        began = time.monotonic()
        complete = location.data / _COMPLETE
        first = not complete.exists()
        major = None if first else _version(location)
        install = server_files.find_install(int(major) if major else None)
        install = server_files.reachable_install(install, location.user)
        if not location.user.can_enter(location.folder):
            raise ServerStartError(
                f"The database server's user cannot reach {location.folder} any more.",
                hint=f"Allow others to pass through the folders above it, as before, or move {location.folder}.",
            )
        if first:
            server_process.stop_server(location.data)  # one that never became complete holds nothing of value
            server_setup.initialise(location, install, password)
        found = self._start_server(location, install)
        if first:
            server_setup.make_database(found.port, password)
            server_setup.sync_tree(location.data)
            complete.touch()
            location.user.give(complete)
            server_setup.sync(complete)
            server_setup.sync(location.data)
        _LOG.info(
            "Database server ready on port %d after %.2f s.",
            found.port,
            time.monotonic() - began,
        )
        return found

    def _start_server(self, location: Location, install: Install) -> Postmaster:
        """Start the server; another port, or some patience with what a killed one left, may be needed."""
        port_file = self._run_dir / "port"
        preferred = int(port_file.read_text()) if port_file.exists() else None
        self._trim_log()
        output = ""
        for _ in range(_START_TRIES):
            server_process.clear_remains(location.data, location.socket_dir)
            port = server_process.free_port(preferred)
            begin = self._log_file.stat().st_size if self._log_file.exists() else 0
            pid = server_setup.launch_server(location, install, port, self._log_file)
            found = server_process.wait_ready(location.data, pid)
            if found is not None:
                port_file.write_text(str(found.port))
                return found
            with self._log_file.open("rb") as log:
                log.seek(begin)
                output = log.read().decode(errors="replace")
            if not any(reason in output for reason in _TRY_AGAIN):
                break
            preferred = None
        raise server_setup.failure(location, "The database server does not start", output, self._log_file)

    def _trim_log(self) -> None:
        if self._log_file.exists() and self._log_file.stat().st_size > _LOG_MAX_BYTES:
            self._log_file.replace(self._log_file.with_suffix(".log.1"))


def _version(location: Location) -> str | None:
    path = location.data / "PG_VERSION"
    return path.read_text().strip() if path.exists() else None


def find_orphans(settings: Settings) -> list[Path]:
    """Return database folders below /var/lib/x121 whose `X121_HOME` no longer exists (never this home's own)."""
    own = server_files.find_location(settings.home)
    return [folder for folder in server_files.list_orphans() if own is None or folder != own.folder]


def remove(settings: Settings) -> None:
    """Stop this home's server and delete its database with all that is in it; nothing happens where there is none.

    Raises:
        RefusedError: another X121 process uses it.
    """
    run_dir = settings.home / "run"
    if not settings.home.exists():
        return
    with file_locks.exclusive(run_dir / "start.lock"):
        users = file_locks.open_lock(run_dir / "users.lock")
        try:
            if not file_locks.try_exclusive(users):
                raise RefusedError(
                    "X121 is running and uses the database.",
                    hint="Stop it, then try again.",
                )
            location = server_files.find_location(settings.home)
            if location is not None:
                server_process.stop_server(location.data)
                server_files.delete_location(location, settings.home)
        finally:
            file_locks.close_lock(users)
