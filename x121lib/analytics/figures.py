"""The figures that reports and pages show, from the live database or from an exported file."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import duckdb
from psycopg import sql
from sqlalchemy.orm import Session

from x121lib.analytics.tables import clear_table, get_query
from x121lib.base.errors import InvalidInputError, NotFoundError
from x121lib.terms.roles import Actor, Permission

Row = dict[str, Any]
"""One row by column name: text, whole numbers, floats, dates, moments in UTC, or None."""

DUCKDB_OPTIONS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
"""DuckDB never reaches for the network."""


def figure(session: Session, actor: Actor, name: str, project_id: uuid.UUID | None = None) -> list[Row]:
    """Return the rows of a named query (`sql/analytics/`) over the live database, of one project or of all.

    Raises:
        ForbiddenError: the actor may not export.
        NotFoundError: no query of that name.
    """
    actor.require(Permission.EXPORT)
    query = get_query(name)
    tables = [
        sql.SQL("{} AS NOT MATERIALIZED ({})").format(sql.Identifier(table), _select(table, project_id))
        for table in query.tables
    ]
    text = sql.SQL("WITH {} {}").format(sql.SQL(", ").join(tables), sql.SQL(query.sql))
    connection = session.connection()
    rows = connection.exec_driver_sql(text.as_string(connection.connection.driver_connection).replace("%", "%%"))
    return [dict(row) for row in rows.mappings()]


def exported_figure(path: Path, name: str) -> list[Row]:
    """Return the rows of a named query over an exported file; equal to `figure` at the time of the export.

    Raises:
        NotFoundError: no such file or query.
        InvalidInputError: the file is not an export of X121.
    """
    query = get_query(name)
    if not path.is_file():
        raise NotFoundError(f"There is no file {path}.")
    try:
        with duckdb.connect(str(path), read_only=True, config=DUCKDB_OPTIONS) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            result = connection.execute(query.sql)
            names = [column[0] for column in result.description or ()]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    except (duckdb.IOException, duckdb.CatalogException) as error:
        raise InvalidInputError(f"{path} is not an export of X121.", hint="'x121 export' writes one.") from error


def production_summary(session: Session, actor: Actor, project_id: uuid.UUID | None = None) -> list[Row]:
    """Return characters, scenes by status, takes, retakes and GPU hours per project."""
    return figure(session, actor, "production_summary", project_id)


def takes_per_scene(session: Session, actor: Actor, project_id: uuid.UUID | None = None) -> list[Row]:
    """Return takes and retakes per scene type and variant kind."""
    return figure(session, actor, "takes_per_scene", project_id)


def gate_pass_rates(session: Session, actor: Actor, project_id: uuid.UUID | None = None) -> list[Row]:
    """Return passed, borderline and failed takes per gate."""
    return figure(session, actor, "gate_pass_rates", project_id)


def gpu_time_by_scene_type(session: Session, actor: Actor, project_id: uuid.UUID | None = None) -> list[Row]:
    """Return GPU seconds per scene type and tier."""
    return figure(session, actor, "gpu_time_by_scene_type", project_id)


def throughput_by_day(session: Session, actor: Actor, project_id: uuid.UUID | None = None) -> list[Row]:
    """Return attempts and GPU seconds per day (UTC)."""
    return figure(session, actor, "throughput_by_day", project_id)


def _select(table: str, project_id: uuid.UUID | None) -> sql.Composable:
    # The comments end at their lines' ends; a newline keeps the closing bracket out of the last one.
    text = clear_table(table).select + "\n"
    return sql.SQL(text).format(project=sql.Literal(project_id))


def select_of(table: str, project_id: uuid.UUID | None) -> sql.Composable:
    """Return the PostgreSQL SELECT of a clear table, of one project or of all."""
    return _select(table, project_id)
