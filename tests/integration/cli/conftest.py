"""The command line against a test's own studio."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from x121lib.cli.commands import app
from x121lib.testing.small_studio import Kept, drop_database

X121 = Callable[..., Result]


def _runner(kept: Kept, server_url: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[X121]:
    settings = kept.clone(server_url, home)
    assert settings.database_url is not None
    url = settings.database_url.get_secret_value()
    monkeypatch.setenv("X121_HOME", str(home))
    monkeypatch.setenv("X121_DATABASE_URL", url)
    monkeypatch.setenv("COLUMNS", "200")
    runner = CliRunner()

    def run(*arguments: object, code: int = 0) -> Result:
        result = runner.invoke(app, [str(a) for a in arguments])
        assert result.exit_code == code, (result.exit_code, result.output, result.exception)
        return result

    yield run
    drop_database(url)


@pytest.fixture
def x121(stocked_studio: Kept, server_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[X121]:
    """Return a function that runs `x121 …` on the stocked studio and checks the exit code."""
    yield from _runner(stocked_studio, server_url, tmp_path / "home", monkeypatch)


@pytest.fixture
def x121_reviewed(
    reviewed_studio: Kept, server_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[X121]:
    """Return the same on the studio whose scenes wait for review."""
    yield from _runner(reviewed_studio, server_url, tmp_path / "home", monkeypatch)
