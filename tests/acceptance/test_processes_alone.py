"""Every process of the studio by itself against a PostgreSQL of somebody else's: how it spreads over machines."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.settings import Settings
from x121lib.store.session import Database
from x121lib.testing.real_studio import RealStudio, decode_complaints, wait_until

pytestmark = pytest.mark.timeout(300)


class _SpreadStudio(RealStudio):
    """A studio whose database is a server that X121 did not start."""

    def __init__(self, home: Path, url: str) -> None:
        super().__init__(home)
        self.settings = Settings(home=home, web=False, database_url=url)
        self._url = url

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "X121_DATABASE_URL": self._url, "X121_PORT": "0"}

    @property
    def database(self) -> Database:
        if self._database is None:
            self._database = Database(self._url, pool_size=1)
        return self._database


@pytest.fixture
def spread(tmp_path: Path, empty_url: str) -> Iterator[_SpreadStudio]:
    """Return a studio on an empty database, nothing of it running."""
    studio = _SpreadStudio(tmp_path / "shared", empty_url)
    yield studio
    studio.kill_everything()


@contextmanager
def _process(studio: RealStudio, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run one process for the block and end it as a service manager does; it must end well."""
    process, output = studio.start(*arguments)
    try:
        yield process, output
        assert process.poll() is None, output.read_text()
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=60)
    assert code in (0, -signal.SIGTERM), output.read_text()
    assert "Traceback" not in output.read_text()


def _engine(folder: Path, number: int) -> tuple[str, ...]:
    root = ("--root", str(folder / "engine")) if number == 2 else ()  # without one it has a place of its own
    return ("engine", "--port", "0", "--port-file", str(folder / f"port{number}"), *root)


def _add_worker(studio: RealStudio, port_file: Path) -> None:
    wait_until(lambda: port_file.exists() and port_file.read_text().strip() != "", "the engine listens")
    said = studio.call("worker", "add", f"http://127.0.0.1:{port_file.read_text().strip()}")
    assert "online" in said.lower()


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/sign-in", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def test_each_process_runs_alone_and_together_they_make_the_delivery(spread: _SpreadStudio, tmp_path: Path) -> None:
    spread.call("db", "upgrade")
    with spread.opened():
        spread.prepare("Spread")
    with (
        _process(spread, *_engine(tmp_path, 1)), _process(spread, *_engine(tmp_path, 2)),
        _process(spread, "consumer"), _process(spread, "consumer"), _process(spread, "web") as (_, said),
    ):  # fmt: skip
        for number in (1, 2):
            _add_worker(spread, tmp_path / f"port{number}")
        spread.call("submit", "Spread")
        spread.wait_made()
        wait_until(lambda: "Sign in once" in said.read_text(), "the door says its address")
        address, link = (line.rpartition(" ")[2] for line in said.read_text().splitlines()[:2])
        wait_until(lambda: _answers(address), "the door answers")
        assert httpx.get(link, trust_env=False).status_code in (302, 303, 307)
        used = spread.ask(sa.select(m.GpuTaskAttempt.worker_id).distinct())
        assert len(used) == 2
    assert (spread.settings.engine_dir / "alone-0" / "output").is_dir()
    assert not (spread.home / "database").exists()
    assert not (spread.home / "database.location").exists()
    with spread.opened():
        assert spread.double_records() == []
        assert decode_complaints(spread.deliver("Spread"), tmp_path / "videos") == ""
