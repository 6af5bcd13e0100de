"""The database under faults: killed servers, killed users, starts at once, a full disk. Real processes only."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from x121lib.base.settings import Settings
from x121lib.store import file_locks, server_process
from x121lib.store.embedded import EmbeddedServer, remove
from x121lib.store.errors import ServerStartError

_USER = """
import sys
from pathlib import Path
from x121lib.base.settings import Settings
from x121lib.store.embedded import EmbeddedServer
server = EmbeddedServer(Settings(home=Path(sys.argv[1])))
print(server.acquire(), flush=True)
sys.stdin.readline()
server.release()
print("released", flush=True)
"""
_WRITER = """
import sys
from pathlib import Path
import psycopg
from x121lib.base.settings import Settings
from x121lib.store.embedded import EmbeddedServer
url = EmbeddedServer(Settings(home=Path(sys.argv[1]))).acquire()
with psycopg.connect(url, autocommit=True) as connection:
    for number in range(10**9):
        connection.execute("INSERT INTO kept VALUES (%s)", [number])
        print(number, flush=True)
"""


@contextlib.contextmanager
def _home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="x121-"))
    folder.chmod(0o755)  # every user can reach it; pytest's own folders are of mode 0700
    yield folder
    EmbeddedServer(Settings(home=folder)).stop()
    remove(Settings(home=folder))
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A home with a database that every test may break."""
    with _home() as folder:
        yield folder


@pytest.fixture
def new_home() -> Iterator[Path]:
    """A home without a database."""
    with _home() as folder:
        yield folder


@contextlib.contextmanager
def _process(code: str, home: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", code, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    assert line, "the process ended without a word"
    return line


def _leave(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    assert _line(process) == "released"


def _numbers(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT number FROM kept ORDER BY number")]


def _make_table(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE IF EXISTS kept")
        connection.execute("CREATE TABLE kept (number bigint PRIMARY KEY)")


def _kill(server: EmbeddedServer) -> int:
    """Kill the server without warning, and return its process id once it is dead (a zombie of ours)."""
    pid = server.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return pid


def test_a_killed_server_loses_no_committed_row(home: Path) -> None:
    server = EmbeddedServer(Settings(home=home))
    url = server.acquire()
    _make_table(url)
    with psycopg.connect(url, autocommit=True) as connection:
        for number in range(50):
            connection.execute("INSERT INTO kept VALUES (%s)", [number])
    open_one = psycopg.connect(url)
    open_one.execute("INSERT INTO kept VALUES (999)")
    pid = _kill(server)
    assert _numbers(server.acquire()) == list(range(50))
    assert server.status().pid != pid
    with pytest.raises(psycopg.OperationalError):
        open_one.execute("SELECT 1")
    open_one.close()
    server.release()
    assert not server.is_running()


def test_backends_that_outlive_their_server_are_waited_for_and_then_killed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_process, "_ORPHAN_S", 0.5)
    server = EmbeddedServer(Settings(home=home))
    with psycopg.connect(server.acquire(), autocommit=True) as connection:
        backend = connection.info.backend_pid
        os.kill(backend, signal.SIGSTOP)  # it cannot see that its server is gone, and holds the shared memory
        _kill(server)
        with psycopg.connect(server.acquire()) as other:
            assert other.execute("SELECT 1").fetchone() == (1,)
    server.release()


@pytest.mark.parametrize("recycled", [True, False])
def test_a_stale_pid_file_does_not_mislead(home: Path, recycled: bool) -> None:
    server = EmbeddedServer(Settings(home=home))
    server.acquire()
    status = server.status()
    assert status.data_dir is not None
    pid_file = status.data_dir / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    server.stop()
    with subprocess.Popen(["sleep", "600"]) as bystander:
        pid_file.write_text("\n".join([str(bystander.pid if recycled else status.pid), *lines[1:]]) + "\n")
        with psycopg.connect(server.acquire()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        server.release()
        assert bystander.poll() is None  # nobody took it for the server
        bystander.kill()


def test_a_killed_writer_loses_nothing_that_it_reported(home: Path) -> None:
    server = EmbeddedServer(Settings(home=home))
    url = server.acquire()
    _make_table(url)
    with _process(_WRITER, home) as writer:
        reported = [int(_line(writer)) for _ in range(200)]
        writer.kill()
    found = _numbers(server.acquire())
    assert found[:200] == reported
    assert found == list(range(len(found)))
    server.release()


def test_processes_that_start_at_once_share_one_server(new_home: Path) -> None:
    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(_process(_USER, new_home)) for _ in range(3)]
        urls = {_line(process) for process in processes}
        assert len(urls) == 1
        status = EmbeddedServer(Settings(home=new_home)).status()
        assert set(status.users) == {process.pid for process in processes}
        with psycopg.connect(urls.pop()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        for process in processes[:-1]:
            _leave(process)
        assert EmbeddedServer(Settings(home=new_home)).status().pid == status.pid  # one still uses it
        _leave(processes[-1])
        assert not EmbeddedServer(Settings(home=new_home)).is_running()


def test_the_server_stops_after_its_last_user_was_killed(home: Path) -> None:
    server = EmbeddedServer(Settings(home=home))
    with _process(_USER, home) as one, _process(_USER, home) as two:
        assert _line(one) == _line(two)
        one.kill()
        one.wait()
        assert server.is_running()
        two.kill()
        two.wait()
    file_locks.wait_alone(home / "run" / "keeper.lock")  # until the keeper has done its work
    assert not server.is_running()


def test_a_forked_child_neither_uses_nor_holds_the_server(home: Path) -> None:
    server = EmbeddedServer(Settings(home=home))
    server.acquire()
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(write_end)
        server.release()  # not its own to release
        os.read(read_end, 1)
        os._exit(0)
    os.close(read_end)
    assert server.is_running()
    server.release()
    assert not server.is_running()
    os.close(write_end)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a tiny disk")
def test_a_full_disk_is_said_and_leaves_no_server(home: Path) -> None:
    disk = home / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=755", "x121", str(disk)], check=False)
    if mounted.returncode != 0:
        pytest.skip("this machine allows no mount")
    settings = Settings(home=disk / "home")
    try:
        server = EmbeddedServer(settings)
        with pytest.raises(ServerStartError, match=r"No space left.*Free space"):
            server.acquire()
        assert not server.is_running()
        assert server.status().users == ()
        subprocess.run(["mount", "-o", "remount,size=300m", str(disk)], check=True)
        with psycopg.connect(server.acquire()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        server.release()
        remove(settings)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_processes_killed_in_their_first_start_spoil_nothing(new_home: Path) -> None:
    for _ in range(2):
        with _process(_USER, new_home) as process:
            while not list(new_home.glob("database/data*/PG_VERSION")):
                assert process.poll() is None
            process.kill()
            process.wait()
    server = EmbeddedServer(Settings(home=new_home))
    with psycopg.connect(server.acquire()) as connection:
        assert connection.execute("SELECT '[1,2]'::vector <-> '[1,2]'").fetchone() == (0.0,)
    server.release()
    assert [path.name for path in (new_home / "database").glob("data*")] == ["data"]
