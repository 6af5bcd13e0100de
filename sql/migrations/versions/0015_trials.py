"""dry runs of workflows

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_KEYS = {
    "workflow_version_id": ("workflow_version.id", "CASCADE", False), "worker_id": ("worker.id", "SET NULL", True),
    "started_by_id": ("person.id", "SET NULL", True),
}  # fmt: skip


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "workflow_trial",
        sa.Column("id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Uuid(), nullable=nullable) for name, (_, _, nullable) in _KEYS.items()),
        sa.Column("prompt_id", sa.Uuid(), nullable=False),
        sa.Column("outcome_id", sa.SmallInteger(), nullable=True),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("started_at", _MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=False),
        *(sa.Column(name, _MOMENT, nullable=True) for name in ("cancel_requested_at", "finished_at")),
        *(sa.Column(name, sa.Float(), nullable=True) for name in ("queue_s", "run_s", "first_frame_ssim")),
        sa.Column("codec", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in ("width", "height", "n_frames")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("error_code", "error_message")),
        *(
            sa.ForeignKeyConstraint([name], [target], name=op.f(f"fk_workflow_trial_{name}"), ondelete=rule)
            for name, (target, rule, _) in _KEYS.items()
        ),
        sa.ForeignKeyConstraint(
            ["outcome_id"], ["attempt_outcome.id"], name=op.f("fk_workflow_trial_outcome_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_trial")),
    )
    for name in (*_KEYS, "outcome_id"):
        op.create_index(op.f(f"ix_workflow_trial_{name}"), "workflow_trial", [name], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_table("workflow_trial")
