"""chains whose colour is matched back to their beginning

Revision ID: 0026
Revises: 0025
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    off = sa.Column("re_anchors", sa.Boolean(), server_default=sa.false(), nullable=False)
    op.add_column("scene_type_version", off)
    numbers = ("shift_l", "shift_a", "shift_b", "gain_l", "gain_a", "gain_b", "drift_before", "drift_after")
    op.create_table(
        "hand_off_correction",
        sa.Column("take_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=False) for name in numbers),
        sa.ForeignKeyConstraint(
            ["take_id"], ["take.id"], name=op.f("fk_hand_off_correction_take_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("take_id", name=op.f("pk_hand_off_correction")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("hand_off_correction")
    op.drop_column("scene_type_version", "re_anchors")
