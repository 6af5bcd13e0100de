"""traces of attempts, overrides of takes, pauses in the middle

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("gpu_task", sa.Column("pause_requested_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "attempt_trace",
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("node_id", sa.Text(), nullable=True),
        sa.Column("step", sa.Float(), nullable=False),
        sa.Column("n_steps", sa.Float(), nullable=False),
        sa.Column("nodes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("request", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("events", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("preview", sa.LargeBinary(), nullable=True),
        sa.Column("preview_node_id", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["gpu_task_attempt.id"], name=op.f("fk_attempt_trace_attempt_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_attempt_trace")),
    )
    op.create_table(
        "take_override",
        sa.Column("take_id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("set_by_id", sa.Uuid(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["take_id"], ["take.id"], name=op.f("fk_take_override_take_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["set_by_id"], ["person.id"], name=op.f("fk_take_override_set_by_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("take_id", "slot", name=op.f("pk_take_override")),
    )
    op.create_index(op.f("ix_take_override_set_by_id"), "take_override", ["set_by_id"], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_index(op.f("ix_take_override_set_by_id"), table_name="take_override")
    op.drop_table("take_override")
    op.drop_table("attempt_trace")
    op.drop_column("gpu_task", "pause_requested_at")
