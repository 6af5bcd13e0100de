"""what a hard budget allowed when it let work in

Revision ID: 0024
Revises: 0023
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("budget_reservation", sa.Column("admitted_start", sa.Date(), nullable=True))
    op.add_column("budget_reservation", sa.Column("allowed_s", sa.Float(), nullable=True))
    op.create_check_constraint(
        op.f("ck_budget_reservation_admitted_whole"),
        "budget_reservation",
        "num_nulls(admitted_start, allowed_s) IN (0, 2)",
    )


def downgrade() -> None:
    """Take back."""
    op.drop_constraint(op.f("ck_budget_reservation_admitted_whole"), "budget_reservation", type_="check")
    op.drop_column("budget_reservation", "allowed_s")
    op.drop_column("budget_reservation", "admitted_start")
