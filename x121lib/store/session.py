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
from x121lib.store.together import Together

IDLE_S = 1.0
"""Seconds after which a pooled connection is asked whether it still lives before it is used."""
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
        self._together = Together(url)

    def _make_engine(self) -> sa.Engine:
        engine = sa.create_engine(
            sa.make_url(self.url).set(drivername="postgresql+psycopg"),
            pool_size=self._pool_size,
            max_overflow=8,
            pool_use_lifo=True,  # few connections that stay warm, with their prepared statements
            connect_args={"connect_timeout": 10, "application_name": "x121"},
        )
        sa.event.listen(engine, "checkout", _ping_where_idle)
        sa.event.listen(engine, "checkin", _remember)
        return engine

    def move(self, url: str) -> None:
        """Use another address from now on: the same database, whose server came back on another port."""
        old, self.url = self.engine, url
        self.engine = self._make_engine()
        self._together.close()
        self._together = Together(url)
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

    def at_once(self, statement: str, values: dict[str, Any]) -> Any:
        """Run one statement that is a whole transaction; returns its row or None.

        Statements of several threads at once share a round trip, and nothing else: see `Together`.

        Args:
            statement: in psycopg's form, ``%(name)s`` for the value ``name``.
            values: what it is given.

        Raises:
            DatabaseUnreachableError, DatabaseBusyError, DatabaseFullError: as `transaction`.
        """
        try:
            return self._together.run(statement, values)
        except psycopg.OperationalError as error:
            raise _meaning(error) from error

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.OperationalError as error:
            raise _meaning(error.orig) from error
        except psycopg.OperationalError as error:  # of `direct`
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
        """Close every connection."""
        self._together.close()
        self.engine.dispose()


def _remember(connection: Any, record: Any) -> None:
    del connection
    record.info["idle_since"] = time.monotonic()


def _ping_where_idle(connection: Any, record: Any, proxy: Any) -> None:
    """Replace a pooled connection that the server closed meanwhile; one that was in use just now is not asked."""
    del proxy
    if time.monotonic() - record.info.get("idle_since", time.monotonic()) < IDLE_S:
        return
    try:
        connection.autocommit = True
        connection.execute("SELECT 1")
        connection.autocommit = False
    except psycopg.Error as error:
        raise sa.exc.DisconnectionError from error


def _meaning(error: BaseException | None) -> DatabaseError:
    """Return our error for a driver's; the class of the SQLSTATE tells a lost server from an undone transaction."""
    said = (str(error).strip().splitlines() or ["no reason given"])[0]
    state = str(getattr(error, "sqlstate", None) or "")
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
        self._holds: int | None = None

    def _connected(self) -> psycopg.Connection[tuple[object, ...]]:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._url, autocommit=True, connect_timeout=5, application_name=self._name
            )
            self._holds = None
            for channel in self._channels:
                self._connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))
        return self._connection

    def holds(self, key: int) -> bool:
        """Take the advisory lock of a number unless another session has it; returns whether this one has it.

        It is kept until `close`, or until the connection is lost: then another session may have it at once.
        """
        try:
            connection = self._connected()
            if self._holds != key:
                row = connection.execute("SELECT pg_try_advisory_lock(%s)", [key]).fetchone()
                self._holds = key if row and row[0] else None
            return self._holds == key
        except psycopg.Error:
            self.close()
            return False

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

    def fileno(self) -> int | None:
        """Return the descriptor of the open connection."""
        open_now = self._connection is not None and not self._connection.closed
        return self._connection.fileno() if open_now and self._connection is not None else None

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def wait_for_any(listeners: Sequence[Listener], timeout_s: float) -> list[list[str]]:
    """Wait until something arrives for one of some listeners, at most ``timeout_s`` seconds; returns each's payloads.

    A lost connection counts as a wake-up with no payload after a short pause, never as an error.
    """
    got = [listener.wait(0.0) for listener in listeners]
    files = [f for listener in listeners if (f := listener.fileno()) is not None]
    if any(got):
        return got
    if files:
        select.select(files, [], [], timeout_s)
    else:
        time.sleep(min(timeout_s, 0.2))
    return [listener.wait(0.0) for listener in listeners]


def among(column: sa.SQLColumnExpression[Any], keys: Collection[uuid.UUID]) -> sa.ColumnElement[bool]:
    """Return the condition that a column holds one of many keys: one array parameter, however many there are."""
    return column == sa.any_(sa.literal(list(keys), ARRAY(sa.Uuid)))
