"""recurring schedules

Revision ID: 0022
Revises: 0021
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_CHOICES = (("character", "character"), ("scene_type", "scene_type"), ("variant_kind", "variant_kind"))


def _to(table: str, column: str, target: str, rule: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"), ondelete=rule)


def _schedule() -> None:
    op.create_table(
        "schedule",
        sa.Column("id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("name", "cron", "zone")),
        *(sa.Column(name, sa.Uuid(), nullable=name == "tier_id") for name in ("project_id", "person_id", "tier_id")),
        sa.Column("class_id", sa.SmallInteger(), nullable=False),
        sa.Column("n_chosen", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.Boolean(), nullable=False)
            for name in ("is_off_peak", "is_failed_only", "runs_missed", "is_enabled")
        ),
        sa.Column("next_due_at", _MOMENT, nullable=True),
        sa.Column("created_at", _MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        _to("schedule", "project_id", "project.id"),
        _to("schedule", "person_id", "person.id"),
        _to("schedule", "tier_id", "tier.id", "RESTRICT"),
        _to("schedule", "class_id", "priority_class.id", "RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule")),
        sa.UniqueConstraint("name", name=op.f("uq_schedule_name")),
    )
    for column in ("project_id", "person_id", "tier_id", "class_id"):
        op.create_index(op.f(f"ix_schedule_{column}"), "schedule", [column])
    op.create_index("ix_schedule_next_due_at", "schedule", ["next_due_at"], postgresql_where=sa.text("is_enabled"))


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "schedule_outcome",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_outcome")),
        sa.UniqueConstraint("name", name=op.f("uq_schedule_outcome_name")),
    )
    _schedule()
    for name, target in _CHOICES:
        table, column = f"schedule_{name}", f"{name}_id"
        op.create_table(
            table,
            sa.Column("schedule_id", sa.Uuid(), nullable=False),
            sa.Column(column, sa.Uuid(), nullable=False),
            _to(table, "schedule_id", "schedule.id"),
            _to(table, column, f"{target}.id"),
            sa.PrimaryKeyConstraint("schedule_id", column, name=op.f(f"pk_{table}")),
        )
        op.create_index(f"ix_{table}_{column}", table, [column])
    op.create_table(
        "schedule_run",
        *(sa.Column(name, sa.Uuid(), nullable=name == "batch_id") for name in ("id", "schedule_id", "batch_id")),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("ran_at", _MOMENT, nullable=False),
        sa.Column("outcome_id", sa.SmallInteger(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("n_scenes", sa.Integer(), nullable=False),
        sa.Column("n_takes", sa.Integer(), nullable=False),
        _to("schedule_run", "schedule_id", "schedule.id"),
        _to("schedule_run", "batch_id", "batch.id", "SET NULL"),
        _to("schedule_run", "outcome_id", "schedule_outcome.id", "RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_run")),
        sa.UniqueConstraint("schedule_id", "due_at", name=op.f("uq_schedule_run_schedule_id_due_at")),
    )
    for column in ("batch_id", "outcome_id"):
        op.create_index(op.f(f"ix_schedule_run_{column}"), "schedule_run", [column])


def downgrade() -> None:
    """Take back."""
    op.drop_table("schedule_run")
    for name, _ in _CHOICES:
        op.drop_table(f"schedule_{name}")
    op.drop_table("schedule")
    op.drop_table("schedule_outcome")
