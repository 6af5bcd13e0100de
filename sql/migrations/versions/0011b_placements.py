"""placements of models on workers

Revision ID: 0011b
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011b"
down_revision = "0011"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "model_placement",
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("model_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.CHAR(length=64), nullable=False),
        sa.Column("status_id", sa.SmallInteger(), nullable=False),
        sa.Column("sent_bytes", sa.BigInteger(), nullable=False),
        sa.Column("n_bytes", sa.BigInteger(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("owner", sa.Uuid(), nullable=True),
        sa.Column("lease_until", _MOMENT, nullable=True),
        sa.Column("requested_at", _MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["worker.id"], name=op.f("fk_model_placement_worker_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["model_id"], ["model.id"], name=op.f("fk_model_placement_model_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["status_id"], ["download_status.id"], name=op.f("fk_model_placement_status_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("worker_id", "model_id", name=op.f("pk_model_placement")),
    )
    op.create_index(op.f("ix_model_placement_model_id"), "model_placement", ["model_id"], unique=False)
    op.create_index(op.f("ix_model_placement_status_id"), "model_placement", ["status_id"], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_table("model_placement")
