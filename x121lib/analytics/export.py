"""Write a DuckDB file of clear, described tables for analysts."""

from __future__ import annotations

import os
import secrets
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.analytics.figures import DUCKDB_OPTIONS, select_of
from x121lib.analytics.tables import TABLES, ClearTable, clear_table
from x121lib.base.clock import system_now
from x121lib.base.errors import ConflictError, InvalidInputError, NotFoundError, X121Error
from x121lib.store.session import Database, DatabaseUnreachableError
from x121lib.terms.roles import Actor, Permission

_NULL = r"\N"
"""Unquoted mark of NULL in the CSV between the databases; PostgreSQL quotes a text that equals it."""


class ExportFailedError(X121Error):
    """The file could not be written; an earlier file is as it was."""

    code = "analytics.export_failed"


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote."""

    path: Path
    """The file."""
    n_rows: dict[str, int]
    """Rows per table."""
    n_bytes: int
    """Size of the file."""
    wall_s: float
    """Seconds that it took."""


def export(database: Database, actor: Actor, to: Path, *, project_id: uuid.UUID | None = None) -> ExportReport:
    """Write every clear table to the DuckDB file ``to``, as one moment of the database saw them.

    An existing file is replaced at the end, whole; any failure leaves it as it was. Rows stream through files
    beside ``to``, so memory does not grow with them, and the database's snapshot is held only while it is read.

    Args:
        database: where the truth is.
        actor: who asks.
        to: file to write; its folder must exist.
        project_id: export this project only; workers are the studio's and always there.

    Raises:
        ForbiddenError: the actor may not export.
        NotFoundError: no such project.
        InvalidInputError: ``to`` is a folder, or its folder does not exist.
        ConflictError: somebody is writing to the existing file.
        ExportFailedError: the disk is full or refuses.
    """
    actor.require(Permission.EXPORT)
    started = time.monotonic()
    _check_target(to)
    tables = [clear_table(name) for name in TABLES]
    try:
        with tempfile.TemporaryDirectory(prefix=".x121-export-", dir=to.parent) as folder:
            with _snapshot(database) as session:
                revision = _revision(session, project_id)
                for table in tables:
                    _copy_out(session, table, project_id, Path(folder) / f"{table.name}.csv")
            written = Path(folder) / f"{secrets.token_hex(4)}.duckdb"
            n_rows = _write(written, Path(folder), tables, revision, project_id)
            _put_in_place(written, to)
    except (OSError, duckdb.Error) as error:
        raise ExportFailedError(
            f"The export to {to} failed: {error}.", hint="An earlier file is as it was. Is there room on the disk?"
        ) from error
    return ExportReport(to, n_rows, to.stat().st_size, time.monotonic() - started)


def _check_target(to: Path) -> None:
    if to.is_dir():
        raise InvalidInputError(f"{to} is a folder.", hint="Name a file, e.g. studio.duckdb.")
    if not to.parent.is_dir():
        raise InvalidInputError(f"The folder {to.parent} does not exist.")
    if to.with_name(f"{to.name}.wal").exists():
        raise ConflictError(f"{to} is being written by another program.", hint="Close it there, or name another file.")


@contextmanager
def _snapshot(database: Database) -> Iterator[Session]:
    """Yield a session that reads one moment of the database and can write nothing."""
    try:
        with database.transaction() as session:
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            session.connection(execution_options=options)
            session.execute(sa.text("SET LOCAL TimeZone = 'UTC'"))
            yield session
    except psycopg.OperationalError as error:
        raise DatabaseUnreachableError("The database stopped answering during the export.") from error


def _revision(session: Session, project_id: uuid.UUID | None) -> str:
    if project_id is not None and session.get(m.Project, project_id) is None:
        raise NotFoundError("There is no such project.")
    return str(session.scalar(sa.text("SELECT version_num FROM alembic_version")))


def _copy_out(session: Session, table: ClearTable, project_id: uuid.UUID | None, path: Path) -> None:
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, NULL {})").format(
        select_of(table.name, project_id), sql.Literal(_NULL)
    )
    with path.open("wb") as file, connection.cursor() as cursor, cursor.copy(statement) as rows:
        for chunk in rows:
            file.write(chunk)


def _write(
    path: Path, folder: Path, tables: list[ClearTable], revision: str, project_id: uuid.UUID | None
) -> dict[str, int]:
    n_rows = {}
    with duckdb.connect(str(path), config=DUCKDB_OPTIONS) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table in tables:
            n_rows[table.name] = _load(connection, table, folder / f"{table.name}.csv")
        connection.execute("CREATE TABLE export (exported_at TIMESTAMPTZ, schema_revision VARCHAR, project_id UUID)")
        connection.execute("INSERT INTO export VALUES (?, ?, ?)", [system_now(), revision, project_id])
        _comment(connection, "TABLE export", "One row: when this file was written and of what.")
        _comment(connection, "COLUMN export.exported_at", "When this file was written.")
        _comment(connection, "COLUMN export.schema_revision", "Revision of the studio's database.")
        _comment(connection, "COLUMN export.project_id", "Project exported; empty for all.")
        connection.execute("CHECKPOINT")
    return n_rows


def _load(connection: duckdb.DuckDBPyConnection, table: ClearTable, path: Path) -> int:
    columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
    connection.execute(f'CREATE TABLE "{table.name}" ({columns})')
    _comment(connection, f'TABLE "{table.name}"', table.description)
    for column in table.columns:
        _comment(connection, f'COLUMN "{table.name}"."{column.name}"', column.description)
    if path.stat().st_size:
        types = {column.name: column.type for column in table.columns}
        connection.execute(
            f"""INSERT INTO "{table.name}" SELECT * FROM read_csv(
                ?, columns = ?, header = false, auto_detect = false, delim = ',', quote = '"', escape = '"',
                nullstr = '{_NULL}', allow_quoted_nulls = false, parallel = false, max_line_size = 33554432)""",
            [str(path), types],
        )
    [(count,)] = connection.execute(f'SELECT count(*) FROM "{table.name}"').fetchall()
    return int(count)


def _comment(connection: duckdb.DuckDBPyConnection, target: str, text: str) -> None:
    quoted = text.replace("'", "''")
    connection.execute(f"COMMENT ON {target} IS '{quoted}'")


def _put_in_place(written: Path, to: Path) -> None:
    with written.open("rb") as file:
        os.fsync(file.fileno())
    written.replace(to)
    folder = os.open(to.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
