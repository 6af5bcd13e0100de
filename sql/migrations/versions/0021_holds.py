"""pauses of scenes, batches, projects and the studio; GPU memory that recipes state

Revision ID: 0021
Revises: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_TARGETS = (("project_id", "project"), ("batch_id", "batch"), ("scene_id", "scene"), ("task_id", "gpu_task"))


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "queue_hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        *(sa.Column(column, sa.Uuid(), nullable=True) for column, _ in _TARGETS),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(project_id, batch_id, scene_id, task_id) <= 1", name=op.f("ck_queue_hold_one_target")
        ),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_queue_hold_{column}"), ondelete="CASCADE")
            for column, table in _TARGETS
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_queue_hold_person_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_hold")),
        sa.UniqueConstraint(
            "project_id", "batch_id", "scene_id", "task_id",
            name=op.f("uq_queue_hold_project_id_batch_id_scene_id_task_id"), postgresql_nulls_not_distinct=True,
        ),
    )  # fmt: skip
    for column in (*(column for column, _ in _TARGETS), "person_id"):
        op.create_index(op.f(f"ix_queue_hold_{column}"), "queue_hold", [column])
    for table in ("workflow_version", "scene_type_version"):
        op.add_column(table, sa.Column("vram_bytes", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Take back."""
    for table in ("scene_type_version", "workflow_version"):
        op.drop_column(table, "vram_bytes")
    op.drop_table("queue_hold")
