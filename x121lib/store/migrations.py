"""The schema's versions: upgrade, status, check; the rows that every studio starts with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects.postgresql import insert

from x121lib import model as m
from x121lib.base.resources import resource_path
from x121lib.store import pgtools
from x121lib.store.session import Database, DatabaseError

_UPGRADE_LOCK = 0x58313230


class NewerSchemaError(DatabaseError):
    """The database was made by a later X121."""

    code = "store.newer_schema"


@dataclass(frozen=True)
class SchemaStatus:
    """Where the database's schema stands."""

    current: str | None
    """Revision of the database; None when empty."""
    head: str
    """Revision that this X121 needs."""
    known: bool
    """Whether this X121 knows the current revision."""

    @property
    def up_to_date(self) -> bool:
        """Whether nothing is to do."""
        return self.current == self.head


def _config(connection: sa.Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(resource_path("sql", "migrations")))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@lru_cache
def _revisions(folder: Path) -> tuple[str, ...]:
    """Return the revisions that a folder of migrations holds, newest first; read once, as modules are."""
    return tuple(r.revision for r in ScriptDirectory(str(folder)).walk_revisions())


def status(database: Database) -> SchemaStatus:
    """Return where the schema stands."""
    revisions = _revisions(resource_path("sql", "migrations"))
    with database.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return SchemaStatus(current=current, head=revisions[0], known=current is None or current in revisions)


def upgrade(database: Database, *, backup_dir: Path | None = None) -> Path | None:
    """Bring the schema to this X121's version and return the backup made before it, if any.

    An empty database needs no backup. Two processes that upgrade at once take turns. All of it is one
    transaction: a failure leaves the old schema.

    Raises:
        NewerSchemaError: the database was made by a later X121; nothing is changed.
    """
    before = status(database)
    _refuse_newer(before)
    if before.up_to_date:
        return None
    backup = None
    if before.current is not None and backup_dir is not None:
        backup_dir.mkdir(parents=True, exist_ok=True)
        backup = backup_dir / f"before-{before.head}-{datetime.now(UTC):%Y%m%dT%H%M%S}.dump"
        pgtools.dump(database.url, backup)
    with database.engine.begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_UPGRADE_LOCK)))
        if MigrationContext.configure(connection).get_current_revision() == before.head:
            return backup  # another process was first, and may be writing its first rows by now
        connection.execute(sa.text("CREATE EXTENSION IF NOT EXISTS vector"))
        command.upgrade(_config(connection), "head")
        seed(connection)
    return backup


def downgrade(database: Database, revision: str) -> None:
    """Take the schema back to ``revision`` (``base`` = empty)."""
    with database.engine.begin() as connection:
        command.downgrade(_config(connection), revision)


def make_revision(database: Database, message: str) -> None:
    """Write a new migration from the difference between the models and the database (for developers)."""
    with database.engine.begin() as connection:
        command.revision(_config(connection), message=message, autogenerate=True)


def differences(database: Database) -> list[object]:
    """Return what differs between the models and the database's schema; empty when equal."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_object": lambda _o, name, kind, reflected, _c: (
                    not (kind == "table" and reflected and str(name).startswith("huey_"))
                ),
                "compare_type": lambda _c, _i, _m, _it, kind: False if isinstance(kind, m.TermType) else None,
            },
        )
        return list(compare_metadata(context, m.Base.metadata))


def _refuse_newer(now: SchemaStatus) -> None:
    if not now.known:
        raise NewerSchemaError(
            f"The database's schema ({now.current}) is newer than this X121 ({now.head}).",
            hint="Nothing was changed. Install the X121 that made it, or a later one.",
        )


def seed(connection: sa.Connection) -> None:
    """Write the vocabulary's rows, so that the lookup tables equal `x121lib.terms`. Idempotent."""
    for term, table in m.LOOKUPS.items():
        rows = [
            {"id": t.number, "name": t.value, "label": t.label, "sort_order": position}
            for position, t in enumerate(term, start=1)
        ]
        statement = insert(table).values(rows)
        update = {c: statement.excluded[c] for c in ("name", "label", "sort_order")}
        connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=update))
