"""fleet: workers' history, capabilities, loaded models, speed, required tags

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _of_worker(table: str, *columns: sa.Column[str]) -> None:
    op.create_table(
        table,
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], name=op.f(f"fk_{table}_worker_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("worker_id", *(c.name for c in columns), name=op.f(f"pk_{table}")),
    )


def upgrade() -> None:
    """Apply."""
    op.add_column("worker", sa.Column("capabilities_at", sa.DateTime(timezone=True), nullable=True))
    table = "worker_status_change"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("from_status_id", sa.SmallInteger(), nullable=True),
        sa.Column("to_status_id", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], name=op.f(f"fk_{table}_worker_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["from_status_id"], ["worker_status.id"], name=op.f(f"fk_{table}_from_status_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["to_status_id"], ["worker_status.id"], name=op.f(f"fk_{table}_to_status_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f(f"fk_{table}_person_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    for column in ("worker_id", "from_status_id", "to_status_id", "person_id"):
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
    _of_worker("worker_node_class", sa.Column("name", sa.Text(), nullable=False))
    _of_worker("worker_model", sa.Column("folder", sa.Text(), nullable=False),
               sa.Column("name", sa.Text(), nullable=False))  # fmt: skip
    _of_worker("worker_loaded_model", sa.Column("name", sa.Text(), nullable=False))
    op.create_table(
        "worker_speed",
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("workflow_id", sa.Uuid(), nullable=False),
        sa.Column("mean_s", sa.Float(), nullable=False),
        sa.Column("n_takes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["worker.id"], name=op.f("fk_worker_speed_worker_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflow.id"], name=op.f("fk_worker_speed_workflow_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("worker_id", "workflow_id", name=op.f("pk_worker_speed")),
    )
    op.create_index(op.f("ix_worker_speed_workflow_id"), "worker_speed", ["workflow_id"])
    op.create_table(
        "workflow_worker_tag",
        sa.Column("workflow_id", sa.Uuid(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflow.id"], name=op.f("fk_workflow_worker_tag_workflow_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workflow_id", "tag", name=op.f("pk_workflow_worker_tag")),
    )


def downgrade() -> None:
    """Take back; what stood in maintenance becomes draining, which every version knows."""
    for table in (
        "workflow_worker_tag", "worker_speed", "worker_loaded_model", "worker_model", "worker_node_class",
        "worker_status_change",
    ):  # fmt: skip
        op.drop_table(table)
    op.drop_column("worker", "capabilities_at")
    op.execute("UPDATE worker SET status_id = 4 WHERE status_id = 6")
