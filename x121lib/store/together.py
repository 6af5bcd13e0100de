"""Statements of many threads on one connection: each a transaction of its own, those that meet share a round trip."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from typing import Any

import psycopg

from x121lib.base.gather import Gather
from x121lib.store.direct import FORGET_PLANS, PLANS_S

_IDLE_S = 1.0
"""Seconds after which the connection is asked whether it still lives before it is used."""
_WAIT_FOR_NO_DISK = "SET synchronous_commit = off"
_WAIT_FOR_THE_DISK = "RESET synchronous_commit"
_FLUSH = "SELECT pg_logical_emit_message(true, 'x121', '')"
"""A transaction that changes nothing and is written: its commit brings all before it to the disk."""
_PLANS = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off"
"""Plans are made for all values, since each statement finds its rows by keys, and kept for `PLANS_S`."""
Statement = tuple[str, dict[str, Any]]
"""In psycopg's form, ``%(name)s`` for the value ``name``, and its values."""


class Together:
    """One connection for statements that are whole transactions.

    Statements that meet are sent together (PostgreSQL's pipeline, with a synchronisation point behind each): one round
    trip, and each commits or fails by itself. They share one wait for the disk: only the last commit waits for it, and
    with its record those before it are on the disk too. Nobody gets an answer before that.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._connection: psycopg.Connection[Any] | None = None
        self._used_at = 0.0
        self._planned_at = 0.0
        self._gather: Gather[Statement, Any] = Gather(self._send)

    def run(self, statement: str, values: dict[str, Any]) -> Any:
        """Run a statement and return its first row or None.

        Raises:
            psycopg.Error: of this statement, or of the connection; then it may have been run or not.
        """
        return self._gather((statement, values))

    def close(self) -> None:
        """Close the connection; the next statement opens another."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _send(self, statements: Sequence[Statement]) -> Sequence[Any]:
        connection = self._living()
        try:
            self._forget_plans(connection)
            if len(statements) == 1:
                return [connection.execute(*statements[0]).fetchone()]
            return self._send_all(connection, statements)
        except psycopg.Error:
            if len(statements) > 1 or connection.closed:
                self.close()
            raise
        finally:
            self._used_at = time.monotonic()

    def _send_all(self, connection: psycopg.Connection[Any], statements: Sequence[Statement]) -> Sequence[Any]:
        """Send all before the first answer is read; what failed among them is run again alone, for its own error."""
        cursors = [connection.cursor() for _ in statements]
        first, then, last = (connection.cursor() for _ in range(3))
        sent = [(first, _WAIT_FOR_NO_DISK, {}), *((c, *s) for c, s in zip(cursors, statements, strict=True))]
        with contextlib.suppress(psycopg.Error), connection.pipeline() as pipeline:
            for cursor, statement, values in [*sent, (then, _WAIT_FOR_THE_DISK, {}), (last, _FLUSH, {})]:
                # Both queue first and may then raise what an earlier statement met; its cursor has no result then.
                with contextlib.suppress(psycopg.Error):
                    cursor.execute(statement, values)
                with contextlib.suppress(psycopg.Error):
                    pipeline.sync()
        if connection.closed or last.pgresult is None:
            raise psycopg.OperationalError("the connection was lost")
        return [
            cursor.fetchone() if cursor.pgresult is not None else self._alone(connection, statement)
            for cursor, statement in zip(cursors, statements, strict=True)
        ]

    @staticmethod
    def _alone(connection: psycopg.Connection[Any], statement: Statement) -> Any:
        try:
            return connection.execute(*statement).fetchone()
        except psycopg.Error as error:
            return error

    def _forget_plans(self, connection: psycopg.Connection[Any]) -> None:
        if time.monotonic() - self._planned_at >= PLANS_S:
            connection.execute(FORGET_PLANS)
            self._planned_at = time.monotonic()

    def _living(self) -> psycopg.Connection[Any]:
        connection = self._connection
        if connection is not None and time.monotonic() - self._used_at > _IDLE_S:
            try:
                connection.execute("SELECT 1")
            except psycopg.Error:
                connection.close()
        if connection is None or connection.closed:
            connection = psycopg.connect(
                self._url, autocommit=True, connect_timeout=10, application_name="x121", options=_PLANS
            )
            self._connection = connection
        return connection
