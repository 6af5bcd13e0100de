"""Statements past SQLAlchemy's execution, in a session's transaction: compiled once, and several in one round trip.

For what runs a thousand times a second; everything else is better served by the session itself.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Mapping
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.orm import Session

Statement = tuple[str, Mapping[str, Any]]
"""In psycopg's form, ``%(name)s`` for the value ``name``, and its values."""
PLANS_S = 10.0
"""Seconds for which a plan is kept: one that was made while a table was empty is bad for one that is not."""
FORGET_PLANS = "DISCARD PLANS"
_KEPT: Statement = (
    "SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true)",
    {},
)
_AS_USUAL: Statement = (
    "SELECT set_config('plan_cache_mode', NULL, true), set_config('enable_seqscan', NULL, true)",
    {},
)
_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]


class Compiled:
    """A statement of SQLAlchemy's Core as text, with the values that it has itself."""

    def __init__(self, statement: sa.ClauseElement) -> None:
        """Compile a statement; what it leaves open are its named parameters with the value None.

        What it says itself (statuses, keys) is written into the text: a plan that is kept for any value could not use
        an index of the rows of some statuses.
        """
        compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
        self.text = str(compiled)
        for name, value in compiled.params.items():
            if value is not None:
                self.text = self.text.replace(f"%({name})s", _literal(getattr(value, "number", value)))

    def __call__(self, **given: Any) -> Statement:
        """Return the statement with values for its open parameters."""
        return self.text, given


def _literal(value: int | uuid.UUID) -> str:
    if not isinstance(value, int | uuid.UUID):
        raise TypeError(f"{value!r} can not be written into a statement")
    return str(int(value)) if isinstance(value, int) else f"'{value}'"


def fetch(session: Session, *statements: Statement) -> list[list[tuple[Any, ...]]]:
    """Run statements in the session's transaction in one round trip, and return the rows of each.

    Raises:
        psycopg.Error: the first one that a statement met; the transaction is lost then.
    """
    connection: psycopg.Connection[Any] = session.connection().connection.driver_connection  # type: ignore[assignment]
    if len(statements) == 1:
        return [_rows(connection.execute(*statements[0]))]
    cursors = [connection.cursor() for _ in statements]
    with connection.pipeline():
        for cursor, statement in zip(cursors, statements, strict=True):
            cursor.execute(*statement)
    return [_rows(cursor) for cursor in cursors]


def fetch_kept(session: Session, *statements: Statement) -> list[list[tuple[Any, ...]]]:
    """As `fetch`, by plans that are made once for all values and kept for `PLANS_S`.

    For statements that find each row by a key. They hold for these statements only; what else the transaction runs is
    planned as usual.
    """
    kept = session.connection().info
    begin: list[Statement] = [_KEPT]
    if time.monotonic() - kept.get("planned", -PLANS_S) >= PLANS_S:
        kept["planned"] = time.monotonic()
        begin = [(FORGET_PLANS, {}), _KEPT]
    return fetch(session, *begin, *statements, _AS_USUAL)[len(begin) : -1]


def _rows(cursor: psycopg.Cursor[Any]) -> list[tuple[Any, ...]]:
    with contextlib.suppress(psycopg.ProgrammingError):  # it returns no rows
        return cursor.fetchall()
    return []
