"""slots of workflows: range, default, label, hidden

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_OLD = "uq_workflow_slot_workflow_version_id_name_node_id_input_name"
_NEW = "uq_workflow_slot_workflow_version_id_node_id_input_name"
_RANGES = {
    "seed": (0, 2**64 - 1), "steps": (1, 10_000), "cfg": (0, 100), "denoise": (0, 1), "frame_rate": (1, 120),
    "width": (16, 16_384), "height": (16, 16_384), "frame_count": (1, 16_384),
}  # fmt: skip
"""Ranges that held so far without being stored, by name."""


def upgrade() -> None:
    """Apply; slots that are known have the range that held for them."""
    for column in (
        sa.Column("found_name", sa.Text(), nullable=False, server_default=""),
        sa.Column("label", sa.Text(), nullable=False, server_default=""),
        sa.Column("is_hidden", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("default_value", postgresql.JSONB(), nullable=True),
        sa.Column("class_default", postgresql.JSONB(), nullable=True),
        sa.Column("minimum", sa.Numeric(), nullable=True),
        sa.Column("maximum", sa.Numeric(), nullable=True),
        sa.Column("step", sa.Numeric(), nullable=True),
        sa.Column("has_own_range", sa.Boolean(), nullable=False, server_default=sa.false()),
    ):
        op.add_column("workflow_slot", column)
    op.execute("UPDATE workflow_slot SET found_name = name")
    for name, (low, high) in _RANGES.items():
        op.execute(
            sa.text("UPDATE workflow_slot SET minimum = :low, maximum = :high WHERE name = :name").bindparams(
                sa.bindparam("low", low, sa.Numeric), sa.bindparam("high", high, sa.Numeric), name=name
            )
        )
    for name in ("found_name", "label", "is_hidden", "has_own_range"):
        op.alter_column("workflow_slot", name, server_default=None)
    op.execute(
        "DELETE FROM workflow_slot a USING workflow_slot b WHERE a.id > b.id AND a.node_id = b.node_id"
        " AND a.workflow_version_id = b.workflow_version_id AND a.input_name = b.input_name"
    )
    op.drop_constraint(op.f(_OLD), "workflow_slot", type_="unique")
    op.create_unique_constraint(op.f(_NEW), "workflow_slot", ["workflow_version_id", "node_id", "input_name"])
    op.create_table(
        "workflow_slot_choice",
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["slot_id"], ["workflow_slot.id"], name=op.f("fk_workflow_slot_choice_slot_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("slot_id", "position", name=op.f("pk_workflow_slot_choice")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("workflow_slot_choice")
    op.drop_constraint(op.f(_NEW), "workflow_slot", type_="unique")
    op.create_unique_constraint(op.f(_OLD), "workflow_slot", ["workflow_version_id", "name", "node_id", "input_name"])
    for name in (
        "found_name", "label", "is_hidden", "default_value", "class_default", "minimum", "maximum", "step",
        "has_own_range",
    ):  # fmt: skip
        op.drop_column("workflow_slot", name)
