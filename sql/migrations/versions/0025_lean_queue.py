"""the queue's indexes: shares in one, only what is open in another, none where nobody looks

Revision ID: 0025
Revises: 0024
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_OFTEN_EMPTY = ("take_id", "image_variant_id", "batch_id", "after_task_id", "worker_id")
_NOBODY = "00000000-0000-0000-0000-000000000000"


def upgrade() -> None:
    """Apply."""
    for name in ("kind_id", "class_id", "status_id", "leased", "turns"):
        op.drop_index(op.f(f"ix_gpu_task_{name}"), table_name="gpu_task")
    op.drop_index(op.f("ix_gpu_task_attempt_outcome_id"), table_name="gpu_task_attempt")
    for name in _OFTEN_EMPTY:
        op.drop_index(op.f(f"ix_gpu_task_{name}"), table_name="gpu_task")
        where = sa.text(f"{name} IS NOT NULL")
        op.create_index(op.f(f"ix_gpu_task_{name}"), "gpu_task", [name], postgresql_where=where)
    op.create_index(
        "ix_gpu_task_open", "gpu_task", ["status_id", "lease_until"],
        postgresql_where=sa.text("status_id IN (1, 2, 3, 4, 5, 6)"),
    )  # fmt: skip
    op.create_index(
        "ix_gpu_task_turns", "gpu_task",
        ["project_id", sa.text(f"coalesce(submitted_by_id, '{_NOBODY}'::uuid)"), "priority",
         sa.text("coalesce(turn_at, queued_at)"), "id"],
        postgresql_where=sa.text("status_id IN (2, 3) AND is_ready"),
    )  # fmt: skip


def downgrade() -> None:
    """Take back."""
    for name in ("open", "turns"):
        op.drop_index(f"ix_gpu_task_{name}", table_name="gpu_task")
    for name in _OFTEN_EMPTY:
        op.drop_index(op.f(f"ix_gpu_task_{name}"), table_name="gpu_task")
        op.create_index(op.f(f"ix_gpu_task_{name}"), "gpu_task", [name])
    for name in ("kind_id", "class_id", "status_id"):
        op.create_index(op.f(f"ix_gpu_task_{name}"), "gpu_task", [name])
    op.create_index(op.f("ix_gpu_task_attempt_outcome_id"), "gpu_task_attempt", ["outcome_id"])
    op.create_index("ix_gpu_task_leased", "gpu_task", ["lease_until"], postgresql_where=sa.text("status_id IN (4, 5)"))
    op.create_index(
        "ix_gpu_task_turns", "gpu_task",
        ["project_id", "submitted_by_id", "priority", sa.text("coalesce(turn_at, queued_at)"), "id"],
        postgresql_where=sa.text("status_id IN (2, 3) AND is_ready"),
    )  # fmt: skip
