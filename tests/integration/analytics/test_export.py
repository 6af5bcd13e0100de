"""The exported DuckDB file says what PostgreSQL says, and is there whole or not at all."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa

from x121lib import model as m
from x121lib.analytics import figures
from x121lib.analytics.export import ExportFailedError, export
from x121lib.analytics.tables import TABLES, clear_table, named_queries
from x121lib.base.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from x121lib.store.session import Database
from x121lib.terms.roles import Actor
from x121lib.testing.production import AWKWARD, LARGEST_SEED, START, Studio

MODELS: dict[str, Any] = {
    "projects": m.Project, "characters": m.Character, "variants": m.ImageVariant, "scenes": m.Scene,
    "segments": m.Segment, "takes": m.Take, "scores": m.Score, "verdicts": m.Verdict, "decisions": m.Decision,
    "tasks": m.GpuTask, "attempts": m.GpuTaskAttempt, "node_times": m.AttemptNodeTime, "workers": m.Worker,
    "receipts": m.Receipt, "deliveries": m.Delivery,
}  # fmt: skip


def _rows(path: Path, query: str) -> list[Any]:
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(query).fetchall()


def _counts(database: Database) -> dict[str, int]:
    with database.transaction() as session:
        return {
            name: session.scalar(sa.select(sa.func.count()).select_from(model)) or 0 for name, model in MODELS.items()
        }


def test_every_table_holds_as_many_rows_as_the_database(
    database: Database, admin: Actor, studio: Studio, tmp_path: Path
) -> None:
    report = export(database, admin, tmp_path / "x.duckdb")
    expected = _counts(database)
    assert set(expected) == set(TABLES)
    assert min(expected.values()) > 0
    assert report.n_rows == expected
    for name, count in expected.items():
        assert _rows(report.path, f'SELECT count(*) FROM "{name}"') == [(count,)]
    assert report.n_bytes == report.path.stat().st_size
    assert [path.name for path in tmp_path.iterdir()] == ["x.duckdb"]


def test_awkward_values_arrive_unchanged(database: Database, admin: Actor, studio: Studio, tmp_path: Path) -> None:
    path = export(database, admin, tmp_path / "x.duckdb").path
    rows = _rows(path, "SELECT DISTINCT text_prompt, negative_prompt, seed, tier, worker_id FROM receipts")
    assert rows == [(AWKWARD, "", LARGEST_SEED, None, None)]
    assert _rows(path, "SELECT DISTINCT failure_reason FROM scenes ORDER BY 1 NULLS FIRST") == [(None,), (AWKWARD,)]
    [(decided_at, waited_s)] = _rows(path, "SELECT DISTINCT decided_at, waited_s FROM decisions")
    assert (decided_at, waited_s) == (START + timedelta(seconds=90), 90.0)
    [(duration_s,)] = _rows(path, "SELECT DISTINCT duration_s FROM takes")
    assert duration_s == pytest.approx(120 * 1001 / 24000, rel=1e-12)
    names = _rows(path, "SELECT project, scene_type, status, target_duration_s FROM scenes ORDER BY 1, 3")
    assert names == [
        ("Autumn", "idle_test", "Approved", 5.25), ("Spring", "idle_test", "Approved", 5.25),
        ("Spring", "idle_test", "Failed", 5.25),
    ]  # fmt: skip


def test_every_table_and_column_is_described_and_typed(
    database: Database, admin: Actor, studio: Studio, tmp_path: Path
) -> None:
    path = export(database, admin, tmp_path / "x.duckdb").path
    columns = _rows(path, "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() WHERE NOT internal")
    assert [row for row in columns if not row[3]] == []
    assert _rows(path, "SELECT table_name FROM duckdb_tables() WHERE comment IS NULL") == []
    for table, column, kind, _ in columns:
        if column.endswith("_id"):
            assert kind == "UUID", (table, column)
        if column.endswith("_at"):
            assert kind == "TIMESTAMP WITH TIME ZONE", (table, column)
        if column.endswith("_s"):
            assert kind == "DOUBLE", (table, column)
    text = " ".join(column for _, column, _, _ in columns)
    assert not any(word in text for word in ("email", "password", "legal"))


def test_one_project_brings_nothing_of_another(
    database: Database, admin: Actor, studio: Studio, tmp_path: Path
) -> None:
    path = export(database, admin, tmp_path / "x.duckdb", project_id=studio.spring).path
    assert _rows(path, "SELECT name FROM projects") == [("Spring",)]
    assert _rows(path, "SELECT DISTINCT project FROM scenes") == [("Spring",)]
    assert _rows(path, "SELECT count(*) FROM takes") == [(3,)]
    assert _rows(path, "SELECT count(*) FROM receipts") == [(3,)]
    assert _rows(path, "SELECT count(*) FROM attempts") == [(6,)]
    assert _rows(path, "SELECT project_id, schema_revision <> '' FROM export") == [(studio.spring, True)]
    with pytest.raises(NotFoundError):
        export(database, admin, tmp_path / "y.duckdb", project_id=uuid.uuid4())
    assert not (tmp_path / "y.duckdb").exists()


def test_the_export_sees_one_moment(database: Database, admin: Actor, studio: Studio, tmp_path: Path) -> None:
    """A project deleted after the snapshot is taken is still in every table."""
    seen = threading.Event()

    def interfere(_c: Any, _u: Any, statement: str, *_: Any) -> None:
        if "alembic_version" in statement and not seen.is_set():
            seen.set()
            with database.engine.connect() as connection, connection.begin():
                connection.execute(sa.delete(m.Project).where(m.Project.id == studio.autumn))

    sa.event.listen(database.engine, "after_cursor_execute", interfere)
    report = export(database, admin, tmp_path / "x.duckdb")
    assert seen.is_set()
    assert (report.n_rows["projects"], report.n_rows["scenes"], report.n_rows["takes"]) == (2, 3, 4)
    assert _counts(database)["projects"] == 1


def test_an_earlier_file_is_replaced_whole_or_kept(
    database: Database, admin: Actor, studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = tmp_path / "x.duckdb"
    to.write_bytes(b"an earlier file")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(ExportFailedError, match="No space left"):
            export(database, admin, to)
    assert to.read_bytes() == b"an earlier file"
    assert [path.name for path in tmp_path.iterdir()] == ["x.duckdb"]
    export(database, admin, to)
    assert _rows(to, "SELECT count(*) FROM scenes") == [(3,)]


def test_impossible_targets_and_actors_are_refused(
    database: Database, admin: Actor, reviewer: Actor, tmp_path: Path
) -> None:
    (tmp_path / "busy.duckdb.wal").write_bytes(b"")
    for to, error in (
        (tmp_path, InvalidInputError), (tmp_path / "no" / "x.duckdb", InvalidInputError),
        (tmp_path / "busy.duckdb", ConflictError),
    ):  # fmt: skip
        with pytest.raises(error):
            export(database, admin, to)
    with pytest.raises(ForbiddenError):
        export(database, reviewer, tmp_path / "x.duckdb")
    with database.transaction() as session, pytest.raises(ForbiddenError):
        figures.production_summary(session, reviewer)


def test_an_empty_studio_exports_empty_tables(database: Database, admin: Actor, tmp_path: Path) -> None:
    report = export(database, admin, tmp_path / "x.duckdb")
    assert report.n_rows["scenes"] == 0
    for name in named_queries():
        figures.exported_figure(report.path, name)


@pytest.mark.parametrize("name", sorted(named_queries()))
def test_live_and_exported_figures_agree(
    database: Database, admin: Actor, studio: Studio, tmp_path: Path, name: str
) -> None:
    path = export(database, admin, tmp_path / "x.duckdb").path
    with database.transaction() as session:
        live = figures.figure(session, admin, name)
        assert live == figures.exported_figure(path, name)
        assert live
        assert figures.figure(session, admin, name, studio.autumn) != live or name in {
            "worker_use"
        }  # workers are the studio's
    assert named_queries()[name].description.endswith(".")


def test_the_figures_are_right(database: Database, admin: Actor, studio: Studio) -> None:
    with database.transaction() as session:
        [spring] = figures.production_summary(session, admin, studio.spring)
        [takes] = figures.takes_per_scene(session, admin, studio.spring)
        [gate] = figures.gate_pass_rates(session, admin, studio.spring)
        [gpu] = figures.gpu_time_by_scene_type(session, admin, studio.spring)
        days = figures.throughput_by_day(session, admin, studio.spring)
    assert (spring["n_scenes"], spring["n_approved"], spring["n_failed"], spring["n_retakes"]) == (2, 1, 1, 1)
    assert spring["gpu_hours"] == pytest.approx(90 / 3600)
    assert (takes["n_takes"], takes["takes_per_scene"], takes["retaken_share"]) == (3, 1.5, 0.5)
    assert (gate["n_passed"], gate["n_failed"], gate["pass_rate"]) == (2, 1, pytest.approx(2 / 3))
    assert (gpu["n_attempts"], gpu["gpu_s"]) == (6, 90.0)
    assert gpu["gpu_s_per_video_s"] == pytest.approx(90 / (3 * 120 * 1001 / 24000))
    assert [(str(day["finished_on"]), day["n_attempts"], day["n_complete"]) for day in days] == [
        ("2026-03-01", 3, 0), ("2026-03-02", 3, 3),
    ]  # fmt: skip


def test_a_file_of_another_kind_and_unknown_names_are_refused(database: Database, admin: Actor, tmp_path: Path) -> None:
    other = tmp_path / "other.duckdb"
    other.write_bytes(b"no database at all" * 1000)
    with pytest.raises(InvalidInputError):
        figures.exported_figure(other, "worker_use")
    with pytest.raises(NotFoundError, match="worker_use"):
        figures.exported_figure(other, "no_such_figure")
    with pytest.raises(NotFoundError):
        figures.exported_figure(tmp_path / "absent.duckdb", "worker_use")


def test_every_select_column_is_declared(database: Database) -> None:
    """A column whose line lacks its type and description would shift all that follow."""
    with database.transaction() as session:
        connection = session.connection().connection.driver_connection
        for name in TABLES:
            cursor = connection.execute(figures.select_of(name, None))  # type: ignore[union-attr]
            assert [column.name for column in cursor.description] == [c.name for c in clear_table(name).columns]
