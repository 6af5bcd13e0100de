"""Connections and transactions. Services flush, the edge that opened the transaction commits."""

from __future__ import annotations

import select
import time
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from x121lib.base.errors import X121Error

MINIMUM_POSTGRESQL = 160000
"""Lowest `server_version_num` that X121 accepts."""


class DatabaseError(X121Error):
    """The database can not be used as it is."""

    code = "store.database"


class DatabaseUnreachableError(DatabaseError):
    """Nothing answers at the database's address."""

    code = "store.unreachable"
    retryable = True


class DatabaseBusyError(DatabaseError):
    """The database undid a transaction because of another one (a deadlock, say); nothing was written."""

    code = "store.busy"
    retryable = True


class DatabaseFullError(DatabaseError):
    """The disk of the database has no room; nothing was written."""

    code = "store.database_full"


class Database:
    """One PostgreSQL database: a small pool of connections and the transactions on it."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        """Take a libpq URL (``postgresql://…``); nothing is opened yet."""
        self._pool_size = pool_size
        self.url = url
        self.engine = self._make_engine()

    def _make_engine(self) -> sa.Engine:
        return sa.create_engine(
            sa.make_url(self.url).set(drivername="postgresql+psycopg"),
            pool_size=self._pool_size,
            max_overflow=8,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 10, "application_name": "x121"},
        )

    def move(self, url: str) -> None:
        """Use another address from now on: the same database, whose server came back on another port."""
        old, self.url = self.engine, url
        self.engine = self._make_engine()
        old.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Yield a session; commit at the end, roll back on any error.

        Raises:
            DatabaseUnreachableError: the server is gone; retry once it is back.
            DatabaseBusyError: another transaction was in the way; retry at once.
            DatabaseFullError: its disk is full; free space first.
        """
        with self._mapped(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.OperationalError as error:
            raise _meaning(error) from error

    def check(self) -> None:
        """Raise `DatabaseError` unless this is PostgreSQL 16 or later with pgvector available."""
        with self.transaction() as session:
            number = int(session.scalar(sa.text("SHOW server_version_num")) or 0)
            if number < MINIMUM_POSTGRESQL:
                raise DatabaseError(
                    f"PostgreSQL {number // 10000} is too old.", hint="X121 needs PostgreSQL 16 or later with pgvector."
                )
            known = session.scalar(sa.text("SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'"))
            if not known:
                raise DatabaseError(
                    "This PostgreSQL has no pgvector.", hint="Install the pgvector extension on the server."
                )

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def _meaning(error: sa.exc.OperationalError) -> DatabaseError:
    """Return our error for a driver's; the class of the SQLSTATE tells a lost server from an undone transaction."""
    said = (str(error.orig).strip().splitlines() or ["no reason given"])[0]
    state = str(getattr(error.orig, "sqlstate", None) or "")
    if state.startswith(("40", "55")):
        return DatabaseBusyError(
            f"Another transaction was in the way ({said}).", hint="Nothing was written; try again."
        )
    if state == "53100":
        return DatabaseFullError(
            f"The disk of the database is full ({said}).", hint="Nothing was written. Free space, then try again."
        )
    return DatabaseUnreachableError(
        f"The database does not answer ({said}).", hint="What was committed is safe; 'x121 doctor' says more."
    )


class Listener:
    """A connection of its own that waits for NOTIFY on some channels; reconnects by itself."""

    def __init__(self, url: str, channels: Sequence[str], *, name: str = "x121-listener") -> None:
        self._url = url
        self._name = name
        self._channels = tuple(channels)
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None

    def _connected(self) -> psycopg.Connection[tuple[object, ...]]:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._url, autocommit=True, connect_timeout=5, application_name=self._name
            )
            for channel in self._channels:
                self._connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))
        return self._connection

    def wait(self, timeout_s: float) -> list[str]:
        """Return payloads that arrive within ``timeout_s`` seconds, at once when there is one.

        A lost connection counts as a wake-up with no payload after a short pause, never as an error.
        """
        try:
            connection = self._connected()
            got = [notice.payload for notice in connection.notifies(timeout=0)]
            if got:
                return got
            ready, _, _ = select.select([connection.fileno()], [], [], timeout_s)
            return [notice.payload for notice in connection.notifies(timeout=0.0)] if ready else []
        except psycopg.Error:
            self.close()
            time.sleep(min(timeout_s, 0.2))
            return []

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def among(column: sa.SQLColumnExpression[Any], keys: Collection[uuid.UUID]) -> sa.ColumnElement[bool]:
    """Return the condition that a column holds one of many keys: one array parameter, however many there are."""
    return column == sa.any_(sa.literal(list(keys), ARRAY(sa.Uuid)))
