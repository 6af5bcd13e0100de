"""Dump and restore with the bundled tools."""

from __future__ import annotations

import stat
from pathlib import Path

import psycopg
import pytest

from x121lib.store import pgtools
from x121lib.store.errors import BackupError
from x121lib.store.server_files import Install, find_install


def _fill(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        connection.execute("CREATE TABLE kept (number bigint PRIMARY KEY, face vector(3))")
        connection.execute("INSERT INTO kept SELECT n, '[1,2,3]' FROM generate_series(1, 100) AS n")


def _count(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM kept WHERE face = '[1,2,3]'").fetchone()
    assert row is not None
    return int(row[0])


def test_a_dump_brings_the_database_back(empty_url: str, tmp_path: Path) -> None:
    _fill(empty_url)
    to = tmp_path / "backups" / "x121.dump"
    pgtools.dump(empty_url.replace("postgresql://", "postgresql+psycopg://"), to)
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    with psycopg.connect(empty_url) as connection:
        connection.execute("DELETE FROM kept WHERE number > 3")
    assert _count(empty_url) == 3
    pgtools.restore(empty_url, to)
    assert _count(empty_url) == 100


def test_a_damaged_dump_changes_nothing(empty_url: str, tmp_path: Path) -> None:
    _fill(empty_url)
    to = tmp_path / "x121.dump"
    pgtools.dump(empty_url, to)
    to.chmod(0o600)
    to.write_bytes(to.read_bytes()[: to.stat().st_size // 2])
    with pytest.raises(BackupError, match="pg_restore failed"):
        pgtools.restore(empty_url, to)
    assert _count(empty_url) == 100


def test_a_failed_dump_keeps_the_older_one(empty_url: str, tmp_path: Path) -> None:
    to = tmp_path / "x121.dump"
    to.write_bytes(b"older")
    with pytest.raises(BackupError, match="cannot be reached"):
        pgtools.dump(empty_url.rsplit("/", 1)[0] + "/no_such_database", to)
    assert to.read_bytes() == b"older"
    assert [path.name for path in tmp_path.iterdir()] == ["x121.dump"]


def test_tools_older_than_the_server_are_refused(
    empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pgtools, "find_install", lambda: Install(find_install(16).root, 16))
    with pytest.raises(BackupError, match=r"PostgreSQL 18; the bundled tools are older \(16\)"):
        pgtools.dump(empty_url, tmp_path / "x121.dump")
