"""what workers say of their node classes; packs of a workflow's classes

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; workers are asked again for their capabilities, whose description was not kept so far."""
    op.add_column("worker", sa.Column("capabilities_hash", sa.CHAR(length=64), nullable=True))
    op.add_column("worker_node_class", sa.Column("spec", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.create_table(
        "workflow_node_pack",
        sa.Column("workflow_version_id", sa.Uuid(), nullable=False),
        sa.Column("node_class", sa.Text(), nullable=False),
        sa.Column("pack", sa.Text(), nullable=False),
        sa.Column("pack_version", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workflow_version_id"], ["workflow_version.id"],
            name=op.f("fk_workflow_node_pack_workflow_version_id"), ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workflow_version_id", "node_class", name=op.f("pk_workflow_node_pack")),
    )  # fmt: skip
    op.execute("UPDATE worker SET capabilities_at = NULL")


def downgrade() -> None:
    """Take back."""
    op.drop_table("workflow_node_pack")
    op.drop_column("worker_node_class", "spec")
    op.drop_column("worker", "capabilities_hash")
