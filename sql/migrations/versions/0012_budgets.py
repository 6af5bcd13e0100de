"""budgets of GPU time

Revision ID: 0012
Revises: 0011b
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011b"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_TABLES = ("budget_reservation", "budget_use", "budget_exempt_kind", "budget_exempt_tier", "budget_threshold", "budget")


def _to(table: str, column: str, target: str, rule: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"), ondelete=rule)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "budget_period",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget_period")),
        sa.UniqueConstraint("name", name=op.f("uq_budget_period_name")),
    )
    op.create_table(
        "budget",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("period_id", sa.SmallInteger(), nullable=False),
        sa.Column("limit_s", sa.Float(), nullable=False),
        sa.Column("is_hard", sa.Boolean(), nullable=False),
        sa.Column("rolls_over", sa.Boolean(), nullable=False),
        sa.Column("created_at", _MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("num_nonnulls(project_id, person_id) <= 1", name=op.f("ck_budget_one_holder")),
        sa.CheckConstraint("limit_s >= 0", name=op.f("ck_budget_limit_not_negative")),
        _to("budget", "project_id", "project.id"),
        _to("budget", "person_id", "person.id"),
        _to("budget", "period_id", "budget_period.id", "RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget")),
        sa.UniqueConstraint(
            "project_id", "person_id", "period_id", name=op.f("uq_budget_project_id_person_id_period_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )  # fmt: skip
    for column in ("project_id", "person_id", "period_id"):
        op.create_index(op.f(f"ix_budget_{column}"), "budget", [column])
    op.create_table(
        "budget_threshold",
        sa.Column("budget_id", sa.Uuid(), nullable=False),
        sa.Column("percent", sa.SmallInteger(), nullable=False),
        _to("budget_threshold", "budget_id", "budget.id"),
        sa.PrimaryKeyConstraint("budget_id", "percent", name=op.f("pk_budget_threshold")),
    )
    op.create_table(
        "budget_exempt_tier",
        sa.Column("budget_id", sa.Uuid(), nullable=False),
        sa.Column("tier_id", sa.Uuid(), nullable=False),
        _to("budget_exempt_tier", "budget_id", "budget.id"),
        _to("budget_exempt_tier", "tier_id", "tier.id"),
        sa.PrimaryKeyConstraint("budget_id", "tier_id", name=op.f("pk_budget_exempt_tier")),
    )
    op.create_index("ix_budget_exempt_tier_tier_id", "budget_exempt_tier", ["tier_id"])
    op.create_table(
        "budget_exempt_kind",
        sa.Column("budget_id", sa.Uuid(), nullable=False),
        sa.Column("kind_id", sa.SmallInteger(), nullable=False),
        _to("budget_exempt_kind", "budget_id", "budget.id"),
        _to("budget_exempt_kind", "kind_id", "task_kind.id", "RESTRICT"),
        sa.PrimaryKeyConstraint("budget_id", "kind_id", name=op.f("pk_budget_exempt_kind")),
    )
    op.create_index("ix_budget_exempt_kind_kind_id", "budget_exempt_kind", ["kind_id"])
    _create_counters()


def _create_counters() -> None:
    op.create_table(
        "budget_use",
        sa.Column("budget_id", sa.Uuid(), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("settled_s", sa.Float(), nullable=False),
        sa.Column("reserved_s", sa.Float(), nullable=False),
        sa.Column("granted_s", sa.Float(), nullable=False),
        sa.Column("warned_percent", sa.SmallInteger(), nullable=False),
        _to("budget_use", "budget_id", "budget.id"),
        sa.PrimaryKeyConstraint("budget_id", "holder_id", "period_start", name=op.f("pk_budget_use")),
    )
    op.create_table(
        "budget_reservation",
        sa.Column("budget_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("reserved_s", sa.Float(), nullable=False),
        sa.Column("settled_s", sa.Float(), nullable=True),
        sa.Column("settled_at", _MOMENT, nullable=True),
        _to("budget_reservation", "budget_id", "budget.id"),
        _to("budget_reservation", "task_id", "gpu_task.id"),
        sa.PrimaryKeyConstraint("budget_id", "task_id", name=op.f("pk_budget_reservation")),
    )
    op.create_index("ix_budget_reservation_task_id", "budget_reservation", ["task_id"])
    op.create_index("ix_budget_reservation_holder", "budget_reservation", ["budget_id", "holder_id", "settled_at"])
    op.create_index(
        "ix_budget_reservation_unsettled", "budget_reservation", ["budget_id", "holder_id", "task_id"],
        postgresql_where=sa.text("settled_at IS NOT NULL AND settled_s IS NULL"),
    )  # fmt: skip


def downgrade() -> None:
    """Take back."""
    for table in (*_TABLES, "budget_period"):
        op.drop_table(table)
