"""A database server's settings, its first set-up and its start."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from x121lib.store import server_process
from x121lib.store.errors import ServerStartError
from x121lib.store.server_files import Install, Location

_NAME = "x121"
_SOCKET_PATH_MAX_BYTES = 100  # sun_path holds 104 bytes on macOS, 108 on Linux, with the final zero
_FULL_BELOW_MB = 100
_REMAINS_S = 10.0

_INITDB_OPTIONS = (
    f"--username={_NAME}",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",  # so that sorting never depends on the machine's C library
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
    "--no-sync",  # the whole folder is synced at the end of the first start
)
_SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "48MB",  # below the 64 MB of /dev/shm that containers give to parallel index builds
    "max_wal_size": "512MB",
    "huge_pages": "off",
    "io_method": "sync",
    "max_parallel_workers_per_gather": "1",
    "autovacuum_max_workers": "2",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",
}


def initialise(location: Location, install: Install, password: str) -> None:
    """Make an empty data folder; an incomplete one goes first. Call it while no server runs there.

    Raises:
        ServerStartError: there is no room, or `initdb` fails; nothing is left.
    """
    server_process.kill_titled(f" -D {location.folder}/data.")  # the `initdb` of a starter that was killed
    for left in location.folder.glob("data*"):
        _remove_tree(left)
    data = location.folder / f"data.{secrets.token_hex(4)}"
    password_file = location.folder / "password"
    try:
        password_file.unlink(missing_ok=True)
        password_file.touch(mode=0o600, exist_ok=False)
        password_file.write_text(password)
        location.user.give(password_file)
        made = location.user.run([install.tool("initdb"), "-D", data, f"--pwfile={password_file}", *_INITDB_OPTIONS])
        if made.returncode != 0:
            raise failure(location, "The database could not be set up", made.stdout, None)
        data.rename(location.data)
    except OSError as error:
        raise ServerStartError(f"The database could not be set up in {location.folder}: {error}.") from error
    finally:
        password_file.unlink(missing_ok=True)
        shutil.rmtree(data, ignore_errors=True)


def _remove_tree(folder: Path) -> None:
    """Delete a folder in which the children of a killed `initdb` may still write and delete.

    They carry no name that tells whose they are and end by themselves when their standard input closes: what
    vanishes or appears meanwhile is met by another try.
    """
    deadline = time.monotonic() + _REMAINS_S
    while folder.exists():
        try:
            shutil.rmtree(folder)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def launch_server(location: Location, install: Install, port: int, log: Path) -> int:
    """Start the server on ``port`` (and on a unix socket where the path is short enough); return its process id."""
    location.socket_dir.mkdir(mode=0o700, exist_ok=True)
    location.user.give(location.socket_dir)
    fits = len(os.fsencode(location.socket_dir)) + len("/.s.PGSQL.65535") <= _SOCKET_PATH_MAX_BYTES
    options = {
        **_SERVER_SETTINGS,
        "port": str(port),
        "unix_socket_directories": str(location.socket_dir) if fits else "",
        "cluster_name": server_process.cluster_name(location.data),
    }
    arguments = [argument for key, value in options.items() for argument in ("-c", f"{key}={value}")]
    program = install.tool("postgres")
    try:
        return server_process.launch(
            [program, "-D", location.data, *arguments],
            log,
            location.user.popen_options(),
        )
    except OSError as error:
        raise ServerStartError(f"The database server does not start: {error}.") from error


def failure(location: Location, what: str, output: str, log: Path | None) -> ServerStartError:
    """Return the error for a person: the end of the server's log, and the disk where that is the reason."""
    lines = [line for line in output.splitlines() if line.strip()][-8:]
    free_mb = shutil.disk_usage(location.folder).free // 1_000_000
    full = free_mb < _FULL_BELOW_MB or "No space left" in output
    hint = f"The server's log is {log}." if log else ""
    if full:
        hint = f"Free space: that disk has {free_mb} MB left."
    return ServerStartError(f"{what} in {location.folder}: " + " | ".join(lines or ["it said nothing"]), hint=hint)


def database_url(port: int, password: str, database: str = _NAME) -> str:
    """Return the libpq URL of a database of the embedded server."""
    return f"postgresql://{_NAME}:{quote(password, safe='')}@127.0.0.1:{port}/{database}"


def make_database(port: int, password: str) -> None:
    """Make the database and its extension in a new, running server.

    Raises:
        ServerStartError: the server refuses.
    """
    try:
        with psycopg.connect(database_url(port, password, "postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_NAME)))
        with psycopg.connect(database_url(port, password), autocommit=True) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    except psycopg.Error as error:
        raise ServerStartError(f"The database could not be set up: {error}.") from error


def sync(path: Path) -> None:
    """Flush a file or a folder to the disk; one that is gone meanwhile needs none."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Flush a folder, all that is in it, and its entry in its parent: files at once share the disk's flushes."""
    folders = [Path(name) for name, _, _ in os.walk(folder)]
    files = [path for inside in folders for path in inside.iterdir() if not path.is_dir()]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(sync, [*files, *folders, folder, folder.parent]))
