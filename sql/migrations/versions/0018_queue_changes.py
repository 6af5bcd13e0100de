"""changes of waiting tasks, kept to be undone; turns of moved tasks

Revision ID: 0018
Revises: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_WAITING = sa.text("status_id IN (2, 3) AND is_ready")


def _to(table: str, column: str, target: str, rule: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"), ondelete=rule)


def _turns(by: object) -> None:
    op.drop_index("ix_gpu_task_turns", "gpu_task")
    op.create_index(
        "ix_gpu_task_turns", "gpu_task", ["project_id", "submitted_by_id", "priority", by, "id"],
        postgresql_where=_WAITING,
    )  # fmt: skip


def upgrade() -> None:
    """Apply."""
    op.add_column("gpu_task", sa.Column("turn_at", _MOMENT, nullable=True))
    _turns(sa.text("coalesce(turn_at, queued_at)"))
    op.create_table(
        "queue_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("made_at", _MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("undone_at", _MOMENT, nullable=True),
        sa.Column("undone_by_id", sa.Uuid(), nullable=True),
        _to("queue_change", "person_id", "person.id", "SET NULL"),
        _to("queue_change", "undone_by_id", "person.id", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_change")),
    )
    for column in ("person_id", "undone_by_id"):
        op.create_index(op.f(f"ix_queue_change_{column}"), "queue_change", [column])
    op.create_table(
        "queue_change_task",
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("new_version", sa.Integer(), nullable=False),
        *(sa.Column(f"{when}_class_id", sa.SmallInteger(), nullable=False) for when in ("old", "new")),
        *(sa.Column(f"{when}_priority", sa.SmallInteger(), nullable=False) for when in ("old", "new")),
        *(sa.Column(f"{when}_is_off_peak", sa.Boolean(), nullable=False) for when in ("old", "new")),
        *(sa.Column(f"{when}_not_before", _MOMENT, nullable=True) for when in ("old", "new")),
        *(sa.Column(f"{when}_turn_at", _MOMENT, nullable=True) for when in ("old", "new")),
        _to("queue_change_task", "change_id", "queue_change.id", "CASCADE"),
        _to("queue_change_task", "task_id", "gpu_task.id", "CASCADE"),
        _to("queue_change_task", "old_class_id", "priority_class.id", "RESTRICT"),
        _to("queue_change_task", "new_class_id", "priority_class.id", "RESTRICT"),
        sa.PrimaryKeyConstraint("change_id", "task_id", name=op.f("pk_queue_change_task")),
    )
    for column in ("task_id", "old_class_id", "new_class_id"):
        op.create_index(op.f(f"ix_queue_change_task_{column}"), "queue_change_task", [column])


def downgrade() -> None:
    """Take back."""
    op.drop_table("queue_change_task")
    op.drop_table("queue_change")
    _turns("queued_at")
    op.drop_column("gpu_task", "turn_at")
