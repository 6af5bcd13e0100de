"""fair shares, readiness, off-peak

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_NOT_READY = """
    UPDATE gpu_task SET is_ready = false
    FROM gpu_task AS earlier LEFT JOIN take ON take.id = earlier.take_id
    WHERE earlier.id = gpu_task.after_task_id AND gpu_task.status_id IN (1, 2, 3, 6)
      AND NOT (earlier.status_id = 9 AND COALESCE(take.status_id = 3, false))"""
"""Waiting tasks (1, 2, 3, 6) whose earlier task is not complete (9) with a take that passed (3)."""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "share_weight",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.CheckConstraint("num_nonnulls(project_id, person_id) = 1", name=op.f("ck_share_weight_one_holder")),
        sa.CheckConstraint("weight > 0", name=op.f("ck_share_weight_weight_positive")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_share_weight_project_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_share_weight_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share_weight")),
        sa.UniqueConstraint("project_id", name=op.f("uq_share_weight_project_id")),
        sa.UniqueConstraint("person_id", name=op.f("uq_share_weight_person_id")),
    )
    op.add_column("gpu_task", sa.Column("is_ready", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("gpu_task", sa.Column("is_off_peak", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute(_NOT_READY)
    op.create_index(
        "ix_gpu_task_turns", "gpu_task", ["project_id", "submitted_by_id", "priority", "queued_at", "id"],
        postgresql_where=sa.text("status_id IN (2, 3) AND is_ready"),
    )  # fmt: skip
    op.create_index("ix_gpu_task_attempt_finished_at", "gpu_task_attempt", ["finished_at"])


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_gpu_task_attempt_finished_at", "gpu_task_attempt")
    op.drop_index("ix_gpu_task_turns", "gpu_task")
    op.drop_column("gpu_task", "is_off_peak")
    op.drop_column("gpu_task", "is_ready")
    op.drop_table("share_weight")
