"""models

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "model_kind",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_kind")),
        sa.UniqueConstraint("name", name=op.f("uq_model_kind_name")),
    )
    op.create_table(
        "model_root",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("scanned_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_root")),
        sa.UniqueConstraint("path", name=op.f("uq_model_root_path")),
    )
    op.create_table(
        "model_status",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_status")),
        sa.UniqueConstraint("name", name=op.f("uq_model_status_name")),
    )
    op.create_table(
        "model",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("root_id", sa.Uuid(), nullable=False),
        sa.Column("kind_id", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("status_id", sa.SmallInteger(), nullable=False),
        sa.Column("n_bytes", sa.BigInteger(), nullable=False),
        sa.Column("modified_ns", sa.BigInteger(), nullable=False),
        sa.Column("rating", sa.SmallInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_model_rating_range")),
        sa.ForeignKeyConstraint(["kind_id"], ["model_kind.id"], name=op.f("fk_model_kind_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["root_id"], ["model_root.id"], name=op.f("fk_model_root_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["status_id"], ["model_status.id"], name=op.f("fk_model_status_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model")),
        sa.UniqueConstraint("root_id", "path", name=op.f("uq_model_root_id_path")),
    )
    op.create_index(op.f("ix_model_kind_id"), "model", ["kind_id"], unique=False)
    op.create_index(op.f("ix_model_name"), "model", ["name"], unique=False)
    op.create_index(op.f("ix_model_status_id"), "model", ["status_id"], unique=False)
    op.create_table(
        "model_note",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("model_id", sa.Uuid(), nullable=False),
        sa.Column("other_model_id", sa.Uuid(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("is_warning", sa.Boolean(), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["person.id"], name=op.f("fk_model_note_created_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_model_note_model_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["other_model_id"], ["model.id"], name=op.f("fk_model_note_other_model_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_note")),
    )
    op.create_index(op.f("ix_model_note_created_by_id"), "model_note", ["created_by_id"], unique=False)
    op.create_index(op.f("ix_model_note_model_id"), "model_note", ["model_id"], unique=False)
    op.create_index(op.f("ix_model_note_other_model_id"), "model_note", ["other_model_id"], unique=False)
    op.create_table(
        "model_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("model_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.CHAR(length=64), nullable=False),
        sa.Column("n_bytes", sa.BigInteger(), nullable=False),
        sa.Column("base_model", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_model_version_model_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_version")),
        sa.UniqueConstraint("model_id", "number", name=op.f("uq_model_version_model_id_number")),
    )
    op.create_index(op.f("ix_model_version_sha256"), "model_version", ["sha256"], unique=False)
    op.create_table(
        "model_trigger_word",
        sa.Column("model_version_id", sa.Uuid(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_version_id"],
            ["model_version.id"],
            name=op.f("fk_model_trigger_word_model_version_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("model_version_id", "word", name=op.f("pk_model_trigger_word")),
    )
    op.add_column("receipt_model", sa.Column("model_version_id", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_receipt_model_model_version_id"), "receipt_model", ["model_version_id"], unique=False)
    op.create_foreign_key(
        op.f("fk_receipt_model_model_version_id"),
        "receipt_model",
        "model_version",
        ["model_version_id"],
        ["id"],
        ondelete="SET NULL",
    )


def downgrade() -> None:
    """Take back."""
    op.drop_constraint(op.f("fk_receipt_model_model_version_id"), "receipt_model", type_="foreignkey")
    op.drop_index(op.f("ix_receipt_model_model_version_id"), table_name="receipt_model")
    op.drop_column("receipt_model", "model_version_id")
    op.drop_table("model_trigger_word")
    op.drop_index(op.f("ix_model_version_sha256"), table_name="model_version")
    op.drop_table("model_version")
    op.drop_index(op.f("ix_model_note_other_model_id"), table_name="model_note")
    op.drop_index(op.f("ix_model_note_model_id"), table_name="model_note")
    op.drop_index(op.f("ix_model_note_created_by_id"), table_name="model_note")
    op.drop_table("model_note")
    op.drop_index(op.f("ix_model_status_id"), table_name="model")
    op.drop_index(op.f("ix_model_name"), table_name="model")
    op.drop_index(op.f("ix_model_kind_id"), table_name="model")
    op.drop_table("model")
    op.drop_table("model_status")
    op.drop_table("model_root")
    op.drop_table("model_kind")
