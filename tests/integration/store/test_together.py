"""Statements that are whole transactions, from many threads on one connection."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from x121lib.store.session import Database, DatabaseUnreachableError

INSERT = "INSERT INTO kept (n) VALUES (%(n)s) RETURNING n, pg_backend_pid(), pg_current_xact_id()::text"


@pytest.fixture
def kept(database: Database) -> Database:
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (n int PRIMARY KEY CHECK (n >= 0))")
    return database


def test_each_statement_is_a_transaction_and_all_share_one_connection(kept: Database) -> None:
    with ThreadPoolExecutor(16) as pool:
        rows = list(pool.map(lambda n: kept.at_once(INSERT, {"n": n}), range(400)))
    assert [row[0] for row in rows] == list(range(400))
    assert len({row[1] for row in rows}) == 1
    assert len({row[2] for row in rows}) == 400, "one commit each"


def test_nobody_is_answered_before_the_disk_has_it(kept: Database) -> None:
    insert = "INSERT INTO kept (n) VALUES (%(n)s) RETURNING pg_current_wal_insert_lsn()::text"
    with psycopg.connect(kept.url, autocommit=True) as connection:  # the tests' server waits for no disk
        name = psycopg.sql.Identifier(connection.info.dbname)
        connection.execute(psycopg.sql.SQL("ALTER DATABASE {} SET synchronous_commit = on").format(name))
    flushed = Database(kept.url)

    def late(n: int) -> bool:
        (written,) = kept.at_once(insert, {"n": n})
        return not flushed.at_once("SELECT pg_current_wal_flush_lsn() > %(lsn)s::pg_lsn", {"lsn": written})[0]

    with ThreadPoolExecutor(16) as pool:
        assert not any(pool.map(late, range(400)))
    assert kept.at_once("SHOW synchronous_commit", {}) == ("on",)
    flushed.dispose()


def test_a_statement_that_fails_fails_alone(kept: Database) -> None:
    def insert(n: int) -> str:
        try:
            kept.at_once(INSERT, {"n": n if n % 5 else -1})
        except psycopg.errors.CheckViolation:
            return "refused"
        return "kept"

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(insert, range(1, 201)))
    assert found == ["kept" if n % 5 else "refused" for n in range(1, 201)]
    with psycopg.connect(kept.url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (160,)


def test_a_lost_connection_is_replaced(kept: Database) -> None:
    pid = kept.at_once(INSERT, {"n": 1})[1]
    with psycopg.connect(kept.url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    with contextlib.suppress(DatabaseUnreachableError):  # the first one may meet the dead connection, and says so
        kept.at_once("SELECT 7", {})
    assert kept.at_once("SELECT 8", {}) == (8,)
