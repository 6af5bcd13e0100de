"""triggers

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_LOOKUPS = ("trigger_scope", "action_kind", "run_status")


def _to(table: str, column: str, target: str, rule: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"), ondelete=rule)


def _key(name: str, kind: type[sa.types.TypeEngine[object]] = sa.Uuid, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, kind(), nullable=nullable)


def _index(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def upgrade() -> None:
    """Apply."""
    for table in _LOOKUPS:
        op.create_table(
            table,
            sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
            *(sa.Column(name, sa.Text(), nullable=False) for name in ("name", "label")),
            sa.Column("sort_order", sa.SmallInteger(), nullable=False),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
            sa.UniqueConstraint("name", name=op.f(f"uq_{table}_name")),
        )
    _create_triggers()
    _create_firings()


def _create_triggers() -> None:
    table = "trigger"
    keys = {
        "event_kind_id": ("event_kind.id", "RESTRICT"), "scope_id": ("trigger_scope.id", "RESTRICT"),
        "project_id": ("project.id", "CASCADE"), "character_id": ("character.id", "CASCADE"),
        "scene_type_id": ("scene_type.id", "CASCADE"), "enabled_by_id": ("person.id", "SET NULL"),
        "created_by_id": ("person.id", "SET NULL"),
    }  # fmt: skip
    op.create_table(
        table,
        _key("id"),
        sa.Column("name", sa.Text(), nullable=False),
        *(_key(name, sa.SmallInteger) for name in ("event_kind_id", "scope_id")),
        *(_key(name, nullable=True) for name in ("project_id", "character_id", "scene_type_id")),
        sa.Column("rule", postgresql.JSONB(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        _key("enabled_by_id", nullable=True),
        sa.Column("enabled_at", _MOMENT, nullable=True),
        _key("created_by_id", nullable=True),
        sa.Column("created_at", _MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("removed_at", _MOMENT, nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint(
            "character_id IS NULL OR project_id IS NOT NULL", name=op.f("ck_trigger_character_in_project")
        ),
        *(_to(table, name, target, rule) for name, (target, rule) in keys.items()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trigger")),
    )
    op.create_index("ix_trigger_name", table, ["name"], unique=True, postgresql_where=sa.text("removed_at IS NULL"))
    _index(table, *keys)


def _create_firings() -> None:
    table = "trigger_firing"
    keys = {
        "trigger_id": ("trigger.id", "CASCADE"), "event_id": ("event.id", "CASCADE"),
        "parent_id": ("trigger_firing.id", "SET NULL"), "person_id": ("person.id", "SET NULL"),
        "scene_id": ("scene.id", "SET NULL"), "status_id": ("run_status.id", "RESTRICT"),
    }  # fmt: skip
    op.create_table(
        table,
        _key("id"),
        _key("trigger_id"),
        _key("event_id", sa.BigInteger),
        *(_key(name, nullable=True) for name in ("parent_id", "person_id", "scene_id")),
        sa.Column("depth", sa.SmallInteger(), nullable=False),
        sa.Column("is_otherwise", sa.Boolean(), nullable=False),
        _key("status_id", sa.SmallInteger),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        *(sa.Column(name, _MOMENT, nullable=True) for name in ("started_at", "finished_at", "lease_until")),
        *(_to(table, name, target, rule) for name, (target, rule) in keys.items()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trigger_firing")),
        sa.UniqueConstraint("trigger_id", "event_id", name=op.f("uq_trigger_firing_trigger_id_event_id")),
    )
    _index(table, *(name for name in keys if name != "trigger_id"))
    table = "trigger_step"
    op.create_table(
        table,
        _key("firing_id"),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        *(_key(name, sa.SmallInteger) for name in ("action_id", "status_id")),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("finished_at", _MOMENT, nullable=True),
        _to(table, "firing_id", "trigger_firing.id", "CASCADE"),
        _to(table, "action_id", "action_kind.id", "RESTRICT"),
        _to(table, "status_id", "run_status.id", "RESTRICT"),
        sa.PrimaryKeyConstraint("firing_id", "position", name=op.f("pk_trigger_step")),
    )
    _index(table, "action_id", "status_id")
    op.create_table(
        "event_cause",
        _key("event_id", sa.BigInteger),
        _key("firing_id"),
        _to("event_cause", "event_id", "event.id", "CASCADE"),
        _to("event_cause", "firing_id", "trigger_firing.id", "CASCADE"),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_event_cause")),
    )
    _index("event_cause", "firing_id")


def downgrade() -> None:
    """Take back."""
    for table in ("event_cause", "trigger_step", "trigger_firing", "trigger", *_LOOKUPS):
        op.drop_table(table)
