"""power: idle times, wake-ups, weekly windows

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "wake_kind",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wake_kind")),
        sa.UniqueConstraint("name", name=op.f("uq_wake_kind_name")),
    )
    op.create_table(
        "worker_power",
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("idle_after_s", sa.Integer(), nullable=True),
        sa.Column("wake_kind_id", sa.SmallInteger(), nullable=True),
        sa.Column("wake_target", sa.Text(), nullable=False),
        sa.Column("configured_at", _MOMENT, nullable=False),
        sa.Column("wake_sent_at", _MOMENT, nullable=True),
        sa.Column("sleep_sent_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["worker.id"], name=op.f("fk_worker_power_worker_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["wake_kind_id"], ["wake_kind.id"], name=op.f("fk_worker_power_wake_kind_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("worker_id", name=op.f("pk_worker_power")),
    )
    op.create_index(op.f("ix_worker_power_wake_kind_id"), "worker_power", ["wake_kind_id"])
    op.create_table(
        "power_window",
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("weekday", sa.SmallInteger(), nullable=False),
        sa.Column("start_minute", sa.SmallInteger(), nullable=False),
        sa.Column("stop_minute", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["worker.id"], name=op.f("fk_power_window_worker_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("worker_id", "weekday", "start_minute", "stop_minute", name=op.f("pk_power_window")),
    )


def downgrade() -> None:
    """Take back; who sleeps counts as offline."""
    for table in ("power_window", "worker_power", "wake_kind"):
        op.drop_table(table)
    op.execute("UPDATE worker SET status_id = 3 WHERE status_id = 7")
