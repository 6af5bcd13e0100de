"""The clear tables that analysts see, and the named questions about them, read from `sql/`.

`sql/views/NAME.sql` is one PostgreSQL SELECT per table. Its first line describes the table; each column ends in
``AS name, -- TYPE: description``, where TYPE is DuckDB's. `sql/analytics/NAME.sql` asks those tables something in
SQL that PostgreSQL and DuckDB both read, so that live figures and exported ones come from one text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from x121lib.base.errors import NotFoundError
from x121lib.base.resources import resource_path

TABLES = (
    "projects", "characters", "variants", "scenes", "segments", "takes", "scores", "verdicts", "decisions", "tasks",
    "attempts", "node_times", "workers", "receipts", "deliveries",
)  # fmt: skip
"""Every table, those that others refer to first."""

_COLUMN = re.compile(r"^ {4}.* AS (?P<name>[a-z_0-9]+),? -- (?P<type>[A-Z0-9]+): (?P<description>.+)$")


@dataclass(frozen=True)
class Column:
    """A column of a clear table."""

    name: str
    """Name; a unit is part of it."""
    type: str
    """DuckDB type."""
    description: str
    """What it holds."""


@dataclass(frozen=True)
class ClearTable:
    """A table as analysts see it."""

    name: str
    """Name."""
    description: str
    """What a row is."""
    columns: tuple[Column, ...]
    """Columns in order."""
    select: str
    """PostgreSQL SELECT with the placeholder ``{project}``: a project's key, or NULL for all."""


@dataclass(frozen=True)
class NamedQuery:
    """A question about the clear tables."""

    name: str
    """Name, as in its file."""
    description: str
    """What it answers."""
    sql: str
    """SELECT over the clear tables."""
    tables: tuple[str, ...]
    """Clear tables that it reads."""


@cache
def clear_table(name: str) -> ClearTable:
    """Return a clear table's definition."""
    description, body = _described(resource_path("sql", "views", f"{name}.sql"))
    columns = []
    for line in body.splitlines()[1:]:
        found = _COLUMN.match(line)
        if found is None:
            break
        columns.append(Column(found["name"], found["type"], found["description"]))
    return ClearTable(name, description, tuple(columns), body)


@cache
def named_queries() -> dict[str, NamedQuery]:
    """Return every named query by name."""
    found = {}
    for path in sorted(resource_path("sql", "analytics").glob("*.sql")):
        description, body = _described(path)
        read = tuple(table for table in TABLES if re.search(rf"(?:FROM|JOIN)\s+{table}\b", body))
        found[path.stem] = NamedQuery(path.stem, description, body, read)
    return found


def get_query(name: str) -> NamedQuery:
    """Return a named query; raises `NotFoundError` naming the known ones."""
    query = named_queries().get(name)
    if query is None:
        raise NotFoundError(f"There is no figure '{name}'.", hint=f"Known: {', '.join(named_queries())}.")
    return query


def _described(path: Path) -> tuple[str, str]:
    first, _, body = path.read_text(encoding="utf-8").partition("\n")
    return first.removeprefix("-- ").strip(), body.strip()
