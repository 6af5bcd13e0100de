"""scales of size and steps per tier, and what was estimated at each submission

Revision ID: 0023
Revises: 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for name in ("resolution_scale", "steps_scale"):
        op.add_column("tier", sa.Column(name, sa.Float(), server_default="1", nullable=False))
        op.create_check_constraint(op.f(f"ck_tier_{name}_range"), "tier", f"{name} BETWEEN 0.1 AND 4")
    op.create_table(
        "batch_estimate",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("n_takes", sa.Integer(), nullable=False),
        sa.Column("n_history", sa.Integer(), nullable=False),
        sa.Column("gpu_s", sa.Float(), nullable=False),
        sa.Column("gpu_low_s", sa.Float(), nullable=False),
        sa.Column("gpu_high_s", sa.Float(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batch.id"], name=op.f("fk_batch_estimate_batch_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_batch_estimate")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("batch_estimate")
    for name in ("resolution_scale", "steps_scale"):
        op.drop_constraint(op.f(f"ck_tier_{name}_range"), "tier", type_="check")
        op.drop_column("tier", name)
