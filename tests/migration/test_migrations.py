"""Migrations run up, down and up; an upgrade backs up first and refuses a newer schema."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from x121lib import model as m
from x121lib.base.resources import resource_path
from x121lib.store import migrations, pgtools
from x121lib.store.session import Database

TABLES = sa.text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'")


def _tables(database: Database) -> set[str]:
    with database.engine.connect() as connection:
        return set(connection.scalars(TABLES))


def _set_revision(database: Database, revision: str) -> None:
    with database.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :to"), {"to": revision})


def test_up_down_and_up_again(empty_database: Database) -> None:
    assert migrations.status(empty_database).current is None
    migrations.upgrade(empty_database)
    first = _tables(empty_database)
    assert first == set(m.Base.metadata.tables)
    migrations.downgrade(empty_database, "base")
    assert _tables(empty_database) == set()
    migrations.upgrade(empty_database)
    assert _tables(empty_database) == first
    assert migrations.status(empty_database).up_to_date
    assert migrations.differences(empty_database) == []


def test_the_models_equal_the_migrated_schema(database: Database) -> None:
    assert migrations.differences(database) == []


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE project DROP COLUMN created_at",
        "ALTER TABLE project ADD COLUMN odd int",
        "DROP INDEX ix_project_status_id",
        "CREATE TABLE odd (id int PRIMARY KEY)",
        "ALTER TABLE project ALTER COLUMN name DROP NOT NULL",
    ],
)
def test_a_difference_is_noticed(database: Database, change: str) -> None:
    with database.engine.begin() as connection:
        connection.execute(sa.text(change))
    assert migrations.differences(database) != []


def test_nothing_is_done_twice(database: Database, tmp_path: Path) -> None:
    assert migrations.upgrade(database, backup_dir=tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_an_empty_database_needs_no_backup(empty_database: Database, tmp_path: Path) -> None:
    assert migrations.upgrade(empty_database, backup_dir=tmp_path / "backups") is None
    assert not (tmp_path / "backups").exists()


def test_an_upgrade_with_data_backs_up_first(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.transaction() as session:
        session.add(m.Person(name="Mira", email="mira@example.test"))
    older = tmp_path / "migrations"
    _with_one_more_migration(older)
    monkeypatch.setattr("x121lib.store.migrations.resource_path", lambda *parts: older)
    backup = migrations.upgrade(database, backup_dir=tmp_path / "backups")
    assert backup is not None
    assert backup.is_file()
    assert migrations.status(database).current == "zz01"
    with database.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM person"))
    pgtools.restore(database.url, backup)
    with database.engine.connect() as connection:
        assert connection.scalars(sa.select(m.Person.name)).all() == ["Mira"]
    assert migrations.status(database).current != "zz01"


def _with_one_more_migration(folder: Path, body: str = "op.execute('CREATE TABLE later (id int PRIMARY KEY)')") -> None:
    """Copy the project's migrations into a folder and add one that comes after them."""
    real = resource_path("sql", "migrations")
    for source in real.rglob("*"):
        if source.is_file() and source.suffix in {".py", ".mako"}:
            copy = folder / source.relative_to(real)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(source.read_bytes())
    head = ScriptDirectory(str(real)).get_current_head()
    (folder / "versions" / "zz01_later.py").write_text(
        f"from alembic import op\nrevision = 'zz01'\ndown_revision = {head!r}\n\n"
        f"def upgrade():\n    {body}\n\ndef downgrade():\n    op.execute('DROP TABLE later')\n"
    )


def test_a_failed_upgrade_changes_nothing(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _tables(database), migrations.status(database).current
    _with_one_more_migration(tmp_path / "m", "op.execute('CREATE TABLE later (id int)'); op.execute('SELECT 1/0')")
    monkeypatch.setattr("x121lib.store.migrations.resource_path", lambda *parts: tmp_path / "m")
    with pytest.raises(sa.exc.DataError, match="division by zero"):
        migrations.upgrade(database, backup_dir=tmp_path / "backups")
    assert (_tables(database), migrations.status(database).current) == before
    assert len(list((tmp_path / "backups").iterdir())) == 1


def test_a_newer_schema_is_refused_untouched(database: Database, tmp_path: Path) -> None:
    _set_revision(database, "zzzz")
    before = _tables(database)
    with pytest.raises(migrations.NewerSchemaError, match="zzzz") as caught:
        migrations.upgrade(database, backup_dir=tmp_path)
    assert "later" in (caught.value.hint or "")
    assert list(tmp_path.iterdir()) == []
    assert _tables(database) == before
    assert migrations.status(database).current == "zzzz"
