"""What PostgreSQL's own catalogue says of the migrated schema, and that the audit notices what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from x121lib import model as m
from x121lib.model.base import LOOKUPS
from x121lib.store.session import Database
from x121lib.terms.vocabulary import ProjectStatus, Term

STATE_WORDS = {
    "status",
    "state",
    "kind",
    "role",
    "tier",
    "origin",
    "outcome",
    "phase",
    "stage",
    "mode",
    "type",
    "level",
}
"""Words that name a state where they are the last word of a text column's name (`media_type` is a standard's name)."""
STANDARD_NAMES = {("artifact", "media_type")}
SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
DOCUMENTS = {
    "attempt_trace.events": "another program's messages as they came, for people to read",
    "attempt_trace.nodes": "a picture of one moment, written anew each second and read as a whole",
    "attempt_trace.request": "another program's own document, as it was sent to it",
    "attempt_trace.result": "another program's own document, as it came back",
    "audit_entry.after": "what a row was at one moment, of any table, never read by a rule",
    "audit_entry.before": "what a row was at one moment, of any table, never read by a rule",
    "delivery.manifest": "the delivered file itself, kept as it was delivered",
    "event.payload": "the message as it was sent; its form belongs to the kind of event",
    "gpu_task_attempt.error_context": "what another program said of its failure, for people to read",
    "receipt_parameter.value": "one value of any type that a workflow's slot takes",
    "scene_type_slot_value.value": "one value of any type that a workflow's slot takes",
    "take_override.value": "one value of any type that a workflow's slot takes",
    "trigger.rule": "a rule as a person wrote it, validated and read as a whole, never queried",
    "worker_node_class.spec": "another program's own description of a class, read as a whole",
    "workflow_slot.class_default": "one value of any type that a workflow's slot takes",
    "workflow_slot.default_value": "one value of any type that a workflow's slot takes",
    "workflow_version.graph": "another program's own document, sent to it as it is",
}
"""Columns that hold a whole document → why it is one value here, not rows."""
OURS = "n.nspname = 'public' AND c.relname NOT LIKE 'huey\\_%' AND c.relname <> 'alembic_version'"

COLUMNS = sa.text(f"""
    SELECT c.relname AS table_name, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type_name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND {OURS}
    ORDER BY 1, a.attnum""")
FOREIGN_KEYS = sa.text(f"""
    SELECT k.conname AS name, c.relname AS table_name, k.confdeltype AS on_delete, k.conrelid, k.conkey,
           t.relname AS target, k.convalidated AS validated
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_class t ON t.oid = k.confrelid
    WHERE k.contype = 'f' AND {OURS} ORDER BY 1""")
INDEXES = sa.text("""
    SELECT indrelid, indkey::int2[] AS keys,
           indpred IS NULL OR pg_get_expr(indpred, indrelid) = '(' || a.attname || ' IS NOT NULL)' AS whole
    FROM pg_index LEFT JOIN pg_attribute a ON a.attrelid = indrelid AND a.attnum = indkey[0] WHERE indisvalid""")
LOOKUP_TABLES = {table.name for table in LOOKUPS.values()}
WITHOUT_KEY = sa.text(f"""
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND {OURS}
      AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p')""")
NAMES = sa.text(f"""
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'i', 'S', 'v') AND {OURS}
    UNION SELECT k.conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {OURS}""")


def text_states(connection: Connection) -> list[str]:
    """Return text columns whose name says that they hold a state."""
    return [
        f"{row.table_name}.{row.name}"
        for row in connection.execute(COLUMNS)
        if re.match(r"text|character|\"char\"", row.type_name)
        and row.name.removesuffix("_name").rsplit("_", 1)[-1] in STATE_WORDS
        and (row.table_name, row.name) not in STANDARD_NAMES
    ]


def loose_foreign_keys(connection: Connection) -> list[str]:
    """Return foreign keys without an explicit delete rule."""
    return [row.name for row in connection.execute(FOREIGN_KEYS) if row.on_delete == "a" or not row.validated]


def unindexed_foreign_keys(connection: Connection) -> list[str]:
    """Return foreign keys whose columns are not the first columns of an index of every row that has them.

    Left out: keys to lookup tables, of which only a migration ever deletes a row.
    """
    indexes = connection.execute(INDEXES).all()
    return [
        key.name
        for key in connection.execute(FOREIGN_KEYS)
        if key.target not in LOOKUP_TABLES
        and not any(
            index.indrelid == key.conrelid
            and index.whole
            and set(list(index.keys)[: len(key.conkey)]) == set(key.conkey)
            for index in indexes
        )
    ]


def odd_names(connection: Connection) -> list[str]:
    """Return names of tables, columns, constraints and indexes that are not snake_case or were cut short."""
    names = {*connection.scalars(NAMES), *(row.name for row in connection.execute(COLUMNS))}
    return sorted(name for name in names if not SNAKE.fullmatch(name) or len(name) >= 63)


def odd_keys(connection: Connection) -> list[str]:
    """Return keys to lookup tables and UUID keys whose columns do not end in ``_id``."""
    columns = {(row.table_name, row.name): row.type_name for row in connection.execute(COLUMNS)}
    found = sa.inspect(connection)
    return [
        f"{table}.{column}"
        for table in m.Base.metadata.tables
        for key in found.get_foreign_keys(table)
        for column in key["constrained_columns"]
        if columns[table, column] in {"uuid", "smallint"} and not column.endswith("_id") and column != "id"
    ]


Audit = Callable[[Connection], list[str]]
AUDITS: list[Audit] = [text_states, loose_foreign_keys, unindexed_foreign_keys, odd_names, odd_keys]


@pytest.mark.capability("PRD-00/3nf-schema")
def test_every_table_has_a_key_and_no_list_or_document_hides_rows(database: Database) -> None:
    with database.engine.connect() as connection:
        assert list(connection.scalars(WITHOUT_KEY)) == []
        columns = connection.execute(COLUMNS).all()
    assert len({row.table_name for row in columns}) == len(m.Base.metadata.tables)
    hidden = [f"{r.table_name}.{r.name}" for r in columns if r.type_name.endswith("[]") or "json" in r.type_name]
    assert [name for name in hidden if name not in DOCUMENTS] == []
    assert set(hidden) == set(DOCUMENTS)


@pytest.mark.capability("PRD-00/lookup-tables-for-every-status")
def test_no_state_lives_in_text(database: Database) -> None:
    with database.engine.connect() as connection:
        assert text_states(connection) == []


@pytest.mark.capability("PRD-00/foreign-keys-with-explicit-cascade-rules")
def test_every_foreign_key_has_a_delete_rule_and_an_index(database: Database) -> None:
    with database.engine.connect() as connection:
        assert len(connection.execute(FOREIGN_KEYS).all()) > 50
        assert loose_foreign_keys(connection) == []
        assert unindexed_foreign_keys(connection) == []


def test_names_are_consistent(database: Database) -> None:
    with database.engine.connect() as connection:
        assert odd_names(connection) == []
        assert odd_keys(connection) == []


@pytest.mark.capability("PRD-00/lookup-tables-for-every-status")
@pytest.mark.parametrize("term", m.LOOKUPS, ids=lambda term: term.__name__)
def test_lookup_tables_equal_the_vocabulary(database: Database, term: type[Term]) -> None:
    table = m.LOOKUPS[term]
    with database.engine.connect() as connection:
        rows = connection.execute(sa.select(table.c.id, table.c.name, table.c.label).order_by(table.c.sort_order)).all()
    assert [tuple(row) for row in rows] == [(t.number, t.value, t.label) for t in term]


@pytest.mark.parametrize(
    ("ddl", "audit", "found"),
    [
        ("CREATE TABLE odd (id int PRIMARY KEY, review_status text)", text_states, "odd.review_status"),
        ("CREATE TABLE odd (id int PRIMARY KEY, person_role varchar(9))", text_states, "odd.person_role"),
        ("CREATE TABLE odd (id int PRIMARY KEY REFERENCES scene_status)", loose_foreign_keys, "odd_id_fkey"),
        (
            "CREATE TABLE odd (id int PRIMARY KEY, one_id uuid REFERENCES project ON DELETE RESTRICT)",
            unindexed_foreign_keys,
            "odd_one_id_fkey",
        ),
        ('CREATE TABLE "Odd" (id int PRIMARY KEY)', odd_names, "Odd"),
    ],
)
def test_the_audit_notices(database: Database, ddl: str, audit: Audit, found: str) -> None:
    assert audit in AUDITS
    with database.engine.connect() as connection:
        connection.execute(sa.text(ddl))
        assert found in audit(connection)
        connection.rollback()


def test_a_lookup_row_in_use_cannot_be_deleted(database: Database) -> None:
    with database.transaction() as session:
        tier = m.Tier(name="draft", is_deliverable=False, sort_order=1)
        session.add(tier)
        session.flush()
        session.add(m.Project(name="Aurora", default_tier_id=tier.id))
    table = m.LOOKUPS[ProjectStatus]
    with pytest.raises(sa.exc.IntegrityError, match="violates"), database.engine.begin() as connection:
        connection.execute(sa.delete(table))
