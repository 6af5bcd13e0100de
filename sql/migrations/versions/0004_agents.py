"""agents: GPU hosts' agents, vitals, alerts, energy

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def _of_worker(table: str, key: str | None, *columns: sa.Column[object]) -> None:
    op.create_table(
        table,
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], name=op.f(f"fk_{table}_worker_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("worker_id", *([key] if key else []), name=op.f(f"pk_{table}")),
    )


def upgrade() -> None:
    """Apply."""
    _of_worker(
        "worker_agent", None, sa.Column("url", sa.Text(), nullable=False),
        sa.Column("key_encrypted", sa.LargeBinary(), nullable=False), sa.Column("answered_at", _MOMENT),
        sa.Column("trouble", sa.Text(), nullable=False), sa.Column("no_gpu_reason", sa.Text(), nullable=False),
    )  # fmt: skip
    _of_worker(
        "gpu_vital", "device_index", sa.Column("device_index", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False), sa.Column("utilisation", sa.Float()),
        sa.Column("vram_used_bytes", sa.BigInteger()), sa.Column("vram_total_bytes", sa.BigInteger()),
        sa.Column("temperature_c", sa.Float()), sa.Column("power_w", sa.Float()),
        sa.Column("throttled", sa.Text(), nullable=False), sa.Column("measured_at", _MOMENT, nullable=False),
    )  # fmt: skip
    _of_worker(
        "worker_alert", "name", sa.Column("name", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False), sa.Column("raised_at", _MOMENT, nullable=False),
    )  # fmt: skip
    _of_worker(
        "worker_energy", "day", sa.Column("day", sa.Date(), nullable=False),
        sa.Column("joules", sa.Float(), nullable=False), sa.Column("measured_s", sa.Float(), nullable=False),
    )  # fmt: skip


def downgrade() -> None:
    """Take back."""
    for table in ("worker_energy", "worker_alert", "gpu_vital", "worker_agent"):
        op.drop_table(table)
