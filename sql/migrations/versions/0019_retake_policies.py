"""retake policies, and the takes that they made

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "retake_policy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.Column("scene_type_id", sa.Uuid(), nullable=True),
        sa.Column("most_retakes", sa.SmallInteger(), nullable=False),
        sa.Column("best_of", sa.SmallInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("num_nonnulls(project_id, scene_type_id) = 1", name=op.f("ck_retake_policy_one_scope")),
        sa.CheckConstraint("most_retakes BETWEEN 1 AND 20", name=op.f("ck_retake_policy_most_retakes_range")),
        sa.CheckConstraint("best_of BETWEEN 1 AND most_retakes", name=op.f("ck_retake_policy_best_of_range")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_retake_policy_project_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["scene_type_id"], ["scene_type.id"], name=op.f("fk_retake_policy_scene_type_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retake_policy")),
        sa.UniqueConstraint("project_id", name=op.f("uq_retake_policy_project_id")),
        sa.UniqueConstraint("scene_type_id", name=op.f("uq_retake_policy_scene_type_id")),
    )
    _create_children()
    op.create_table(
        "auto_retake",
        sa.Column("take_id", sa.Uuid(), nullable=False),
        sa.Column("first_take_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["take_id"], ["take.id"], name=op.f("fk_auto_retake_take_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["first_take_id"], ["take.id"], name=op.f("fk_auto_retake_first_take_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("take_id", name=op.f("pk_auto_retake")),
    )
    op.create_index(op.f("ix_auto_retake_first_take_id"), "auto_retake", ["first_take_id"])


def _create_children() -> None:
    def policy(table: str) -> sa.ForeignKeyConstraint:
        return sa.ForeignKeyConstraint(
            ["policy_id"], ["retake_policy.id"], name=op.f(f"fk_{table}_policy_id"), ondelete="CASCADE"
        )

    op.create_table(
        "retake_policy_metric",
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("metric_id", sa.Uuid(), nullable=False),
        policy("retake_policy_metric"),
        sa.ForeignKeyConstraint(
            ["metric_id"], ["metric.id"], name=op.f("fk_retake_policy_metric_metric_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("policy_id", "metric_id", name=op.f("pk_retake_policy_metric")),
    )
    op.create_index("ix_retake_policy_metric_metric_id", "retake_policy_metric", ["metric_id"])
    op.create_table(
        "retake_policy_spread",
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("spread", sa.Float(), nullable=False),
        sa.CheckConstraint("spread > 0", name=op.f("ck_retake_policy_spread_spread_positive")),
        policy("retake_policy_spread"),
        sa.PrimaryKeyConstraint("policy_id", "slot", name=op.f("pk_retake_policy_spread")),
    )
    op.create_table(
        "retake_policy_phrase",
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("phrase", sa.Text(), nullable=False),
        policy("retake_policy_phrase"),
        sa.PrimaryKeyConstraint("policy_id", "position", name=op.f("pk_retake_policy_phrase")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("auto_retake")
    for table in ("retake_policy_phrase", "retake_policy_spread", "retake_policy_metric", "retake_policy"):
        op.drop_table(table)
