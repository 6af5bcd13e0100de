"""first floor

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import pgvector.sqlalchemy
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "artifact_kind",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifact_kind")),
        sa.UniqueConstraint("name", name=op.f("uq_artifact_kind_name")),
    )
    op.create_table(
        "attempt_outcome",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt_outcome")),
        sa.UniqueConstraint("name", name=op.f("uq_attempt_outcome_name")),
    )
    op.create_table(
        "decision_outcome",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision_outcome")),
        sa.UniqueConstraint("name", name=op.f("uq_decision_outcome_name")),
    )
    op.create_table(
        "delivery_status",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_status")),
        sa.UniqueConstraint("name", name=op.f("uq_delivery_status_name")),
    )
    op.create_table(
        "event_cursor",
        sa.Column("consumer", sa.Text(), nullable=False),
        sa.Column("last_transaction_id", sa.BigInteger(), nullable=False),
        sa.Column("last_event_id", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("consumer", name=op.f("pk_event_cursor")),
    )
    op.create_table(
        "event_kind",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_kind")),
        sa.UniqueConstraint("name", name=op.f("uq_event_kind_name")),
    )
    op.create_table(
        "failure_tag",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failure_tag")),
        sa.UniqueConstraint("name", name=op.f("uq_failure_tag_name")),
    )
    op.create_table(
        "field_type",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_field_type")),
        sa.UniqueConstraint("name", name=op.f("uq_field_type_name")),
    )
    op.create_table(
        "metric_direction",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metric_direction")),
        sa.UniqueConstraint("name", name=op.f("uq_metric_direction_name")),
    )
    op.create_table(
        "performer_kind",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_performer_kind")),
        sa.UniqueConstraint("name", name=op.f("uq_performer_kind_name")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("session_epoch", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("email", name=op.f("uq_person_email")),
    )
    op.create_table(
        "priority_class",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_priority_class")),
        sa.UniqueConstraint("name", name=op.f("uq_priority_class_name")),
    )
    op.create_table(
        "project_status",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_status")),
        sa.UniqueConstraint("name", name=op.f("uq_project_status_name")),
    )
    op.create_table(
        "qa_profile",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_qa_profile")),
        sa.UniqueConstraint("name", name=op.f("uq_qa_profile_name")),
    )
    op.create_table(
        "release_purpose",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_purpose")),
        sa.UniqueConstraint("name", name=op.f("uq_release_purpose_name")),
    )
    op.create_table(
        "role",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role")),
        sa.UniqueConstraint("name", name=op.f("uq_role_name")),
    )
    op.create_table(
        "scene_status",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scene_status")),
        sa.UniqueConstraint("name", name=op.f("uq_scene_status_name")),
    )
    op.create_table(
        "scene_type",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scene_type")),
        sa.UniqueConstraint("name", name=op.f("uq_scene_type_name")),
    )
    op.create_table(
        "segment_status",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment_status")),
        sa.UniqueConstraint("name", name=op.f("uq_segment_status_name")),
    )
    op.create_table(
        "slot_type",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slot_type")),
        sa.UniqueConstraint("name", name=op.f("uq_slot_type_name")),
    )
    op.create_table(
        "take_status",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_take_status")),
        sa.UniqueConstraint("name", name=op.f("uq_take_status_name")),
    )
    op.create_table(
        "task_kind",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_kind")),
        sa.UniqueConstraint("name", name=op.f("uq_task_kind_name")),
    )
    op.create_table(
        "task_status",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_status")),
        sa.UniqueConstraint("name", name=op.f("uq_task_status_name")),
    )
    op.create_table(
        "tier",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_deliverable", sa.Boolean(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tier")),
        sa.UniqueConstraint("name", name=op.f("uq_tier_name")),
    )
    op.create_table(
        "variant_status",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variant_status")),
        sa.UniqueConstraint("name", name=op.f("uq_variant_status_name")),
    )
    op.create_table(
        "verdict_outcome",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdict_outcome")),
        sa.UniqueConstraint("name", name=op.f("uq_verdict_outcome_name")),
    )
    op.create_table(
        "version_origin",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_version_origin")),
        sa.UniqueConstraint("name", name=op.f("uq_version_origin_name")),
    )
    op.create_table(
        "worker_kind",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker_kind")),
        sa.UniqueConstraint("name", name=op.f("uq_worker_kind_name")),
    )
    op.create_table(
        "worker_status",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker_status")),
        sa.UniqueConstraint("name", name=op.f("uq_worker_status_name")),
    )
    op.create_table(
        "workflow",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow")),
        sa.UniqueConstraint("name", name=op.f("uq_workflow_name")),
    )
    op.create_table(
        "workflow_status",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_status")),
        sa.UniqueConstraint("name", name=op.f("uq_workflow_status_name")),
    )
    op.create_table(
        "artifact",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.CHAR(length=64), nullable=False),
        sa.Column("n_bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("kind_id", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["kind_id"], ["artifact_kind.id"], name=op.f("fk_artifact_kind_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifact")),
        sa.UniqueConstraint("sha256", name=op.f("uq_artifact_sha256")),
    )
    op.create_index(op.f("ix_artifact_kind_id"), "artifact", ["kind_id"], unique=False)
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=True),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("previous_hash", sa.CHAR(length=64), nullable=False),
        sa.Column("entry_hash", sa.CHAR(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_audit_entry_person_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("entry_hash", name=op.f("uq_audit_entry_entry_hash")),
    )
    op.create_index(op.f("ix_audit_entry_entity_id"), "audit_entry", ["entity_id"], unique=False)
    op.create_index(op.f("ix_audit_entry_person_id"), "audit_entry", ["person_id"], unique=False)
    op.create_table(
        "metadata_field",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("field_type_id", sa.SmallInteger(), nullable=False),
        sa.Column("is_required", sa.Boolean(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["field_type_id"], ["field_type.id"], name=op.f("fk_metadata_field_field_type_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metadata_field")),
        sa.UniqueConstraint("name", name=op.f("uq_metadata_field_name")),
    )
    op.create_index(op.f("ix_metadata_field_field_type_id"), "metadata_field", ["field_type_id"], unique=False)
    op.create_table(
        "metric",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("direction_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["direction_id"], ["metric_direction.id"], name=op.f("fk_metric_direction_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metric")),
        sa.UniqueConstraint("name", name=op.f("uq_metric_name")),
    )
    op.create_index(op.f("ix_metric_direction_id"), "metric", ["direction_id"], unique=False)
    op.create_table(
        "performer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind_id", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("legal_name_encrypted", sa.LargeBinary(), nullable=True),
        sa.Column("adult_verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("adult_verified_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.ForeignKeyConstraint(
            ["adult_verified_by_id"], ["person.id"], name=op.f("fk_performer_adult_verified_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["kind_id"], ["performer_kind.id"], name=op.f("fk_performer_kind_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_performer")),
        sa.UniqueConstraint("name", name=op.f("uq_performer_name")),
    )
    op.create_index(op.f("ix_performer_adult_verified_by_id"), "performer", ["adult_verified_by_id"], unique=False)
    op.create_index(op.f("ix_performer_kind_id"), "performer", ["kind_id"], unique=False)
    op.create_table(
        "person_role",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("role_id", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_person_role_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["role_id"], ["role.id"], name=op.f("fk_person_role_role_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("person_id", "role_id", name=op.f("pk_person_role")),
    )
    op.create_index("ix_person_role_role_id", "person_role", ["role_id"], unique=False)
    op.create_table(
        "project",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status_id", sa.SmallInteger(), nullable=False),
        sa.Column("default_tier_id", sa.Uuid(), nullable=False),
        sa.Column("retention_days", sa.Integer(), nullable=True),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["person.id"], name=op.f("fk_project_created_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["default_tier_id"], ["tier.id"], name=op.f("fk_project_default_tier_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["status_id"], ["project_status.id"], name=op.f("fk_project_status_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project")),
        sa.UniqueConstraint("name", name=op.f("uq_project_name")),
    )
    op.create_index(op.f("ix_project_created_by_id"), "project", ["created_by_id"], unique=False)
    op.create_index(op.f("ix_project_default_tier_id"), "project", ["default_tier_id"], unique=False)
    op.create_index(op.f("ix_project_status_id"), "project", ["status_id"], unique=False)
    op.create_table(
        "qa_profile_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.CHAR(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["qa_profile.id"], name=op.f("fk_qa_profile_version_profile_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_qa_profile_version")),
        sa.UniqueConstraint("profile_id", "number", name=op.f("uq_qa_profile_version_profile_id_number")),
    )
    op.create_index(op.f("ix_qa_profile_version_profile_id"), "qa_profile_version", ["profile_id"], unique=False)
    op.create_table(
        "sign_in_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_sign_in_link_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_link_token_hash")),
    )
    op.create_index(op.f("ix_sign_in_link_person_id"), "sign_in_link", ["person_id"], unique=False)
    op.create_table(
        "worker",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("kind_id", sa.SmallInteger(), nullable=False),
        sa.Column("status_id", sa.SmallInteger(), nullable=False),
        sa.Column("slots", sa.SmallInteger(), nullable=False),
        sa.Column("server_version", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("vram_bytes", sa.BigInteger(), nullable=True),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_streak", sa.Integer(), nullable=False),
        sa.Column("set_aside_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.ForeignKeyConstraint(["kind_id"], ["worker_kind.id"], name=op.f("fk_worker_kind_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["status_id"], ["worker_status.id"], name=op.f("fk_worker_status_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker")),
        sa.UniqueConstraint("url", name=op.f("uq_worker_url")),
    )
    op.create_index(op.f("ix_worker_kind_id"), "worker", ["kind_id"], unique=False)
    op.create_index(op.f("ix_worker_status_id"), "worker", ["status_id"], unique=False)
    op.create_table(
        "workflow_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workflow_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("graph", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("graph_hash", sa.CHAR(length=64), nullable=False),
        sa.Column("status_id", sa.SmallInteger(), nullable=False),
        sa.Column("repeats_seed_frame", sa.Boolean(), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["person.id"], name=op.f("fk_workflow_version_created_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["status_id"], ["workflow_status.id"], name=op.f("fk_workflow_version_status_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflow.id"], name=op.f("fk_workflow_version_workflow_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_version")),
        sa.UniqueConstraint(
            "workflow_id",
            "graph_hash",
            "repeats_seed_frame",
            name=op.f("uq_workflow_version_workflow_id_graph_hash_repeats_seed_frame"),
        ),
        sa.UniqueConstraint("workflow_id", "number", name=op.f("uq_workflow_version_workflow_id_number")),
    )
    op.create_index(op.f("ix_workflow_version_created_by_id"), "workflow_version", ["created_by_id"], unique=False)
    op.create_index(op.f("ix_workflow_version_status_id"), "workflow_version", ["status_id"], unique=False)
    op.create_index(op.f("ix_workflow_version_workflow_id"), "workflow_version", ["workflow_id"], unique=False)
    op.create_table(
        "artifact_image",
        sa.Column("artifact_id", sa.Uuid(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["artifact_id"], ["artifact.id"], name=op.f("fk_artifact_image_artifact_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("artifact_id", name=op.f("pk_artifact_image")),
    )
    op.create_table(
        "artifact_video",
        sa.Column("artifact_id", sa.Uuid(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("n_frames", sa.Integer(), nullable=False),
        sa.Column("rate_numerator", sa.Integer(), nullable=False),
        sa.Column("rate_denominator", sa.Integer(), nullable=False),
        sa.Column("codec", sa.String(), nullable=False),
        sa.Column("pixel_format", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["artifact_id"], ["artifact.id"], name=op.f("fk_artifact_video_artifact_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("artifact_id", name=op.f("pk_artifact_video")),
    )
    op.create_table(
        "batch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("submitted_by_id", sa.Uuid(), nullable=True),
        sa.Column("tier_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_batch_project_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["submitted_by_id"], ["person.id"], name=op.f("fk_batch_submitted_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["tier_id"], ["tier.id"], name=op.f("fk_batch_tier_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
    )
    op.create_index(op.f("ix_batch_project_id"), "batch", ["project_id"], unique=False)
    op.create_index(op.f("ix_batch_submitted_by_id"), "batch", ["submitted_by_id"], unique=False)
    op.create_index(op.f("ix_batch_tier_id"), "batch", ["tier_id"], unique=False)
    op.create_table(
        "character",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("performer_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folder_name", sa.Text(), nullable=False),
        sa.Column("folder_key", sa.Text(), nullable=False),
        sa.Column("imported_from", sa.Text(), nullable=True),
        sa.Column("metadata_artifact_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.ForeignKeyConstraint(
            ["metadata_artifact_id"],
            ["artifact.id"],
            name=op.f("fk_character_metadata_artifact_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["performer_id"], ["performer.id"], name=op.f("fk_character_performer_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_character_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_character")),
        sa.UniqueConstraint("project_id", "folder_key", name=op.f("uq_character_project_id_folder_key")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_character_project_id_name")),
    )
    op.create_index(op.f("ix_character_metadata_artifact_id"), "character", ["metadata_artifact_id"], unique=False)
    op.create_index(op.f("ix_character_performer_id"), "character", ["performer_id"], unique=False)
    op.create_index(op.f("ix_character_project_id"), "character", ["project_id"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("status_id", sa.SmallInteger(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("is_partial", sa.Boolean(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.CHAR(length=64), nullable=True),
        sa.Column("n_bytes", sa.BigInteger(), nullable=True),
        sa.Column("manifest", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["person.id"], name=op.f("fk_delivery_created_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_delivery_project_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["status_id"], ["delivery_status.id"], name=op.f("fk_delivery_status_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
    )
    op.create_index(op.f("ix_delivery_created_by_id"), "delivery", ["created_by_id"], unique=False)
    op.create_index(op.f("ix_delivery_project_id"), "delivery", ["project_id"], unique=False)
    op.create_index(op.f("ix_delivery_status_id"), "delivery", ["status_id"], unique=False)
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "transaction_id",
            sa.BigInteger(),
            server_default=sa.text("(pg_current_xact_id()::text::bigint)"),
            nullable=False,
        ),
        sa.Column("kind_id", sa.SmallInteger(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["kind_id"], ["event_kind.id"], name=op.f("fk_event_kind_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_event_project_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index("ix_event_entity_id", "event", ["entity_id"], unique=False)
    op.create_index(op.f("ix_event_kind_id"), "event", ["kind_id"], unique=False)
    op.create_index(op.f("ix_event_project_id"), "event", ["project_id"], unique=False)
    op.create_index(op.f("ix_event_transaction_id"), "event", ["transaction_id"], unique=False)
    op.create_table(
        "face",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("artifact_id", sa.Uuid(), nullable=False),
        sa.Column("backend", sa.Text(), nullable=False),
        sa.Column("pack", sa.Text(), nullable=False),
        sa.Column("box_x", sa.Integer(), nullable=False),
        sa.Column("box_y", sa.Integer(), nullable=False),
        sa.Column("box_width", sa.Integer(), nullable=False),
        sa.Column("box_height", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("embedding", pgvector.sqlalchemy.vector.VECTOR(dim=512), nullable=False),
        sa.ForeignKeyConstraint(["artifact_id"], ["artifact.id"], name=op.f("fk_face_artifact_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_face")),
        sa.UniqueConstraint("artifact_id", "backend", "pack", name=op.f("uq_face_artifact_id_backend_pack")),
    )
    op.create_index(op.f("ix_face_artifact_id"), "face", ["artifact_id"], unique=False)
    op.create_index(
        "ix_face_embedding",
        "face",
        ["embedding"],
        unique=False,
        postgresql_using="hnsw",
        postgresql_ops={"embedding": "vector_cosine_ops"},
    )
    op.create_table(
        "likeness_release",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("performer_id", sa.Uuid(), nullable=False),
        sa.Column("document_artifact_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("covers_all_variant_kinds", sa.Boolean(), nullable=False),
        sa.Column("covers_all_projects", sa.Boolean(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by_id", sa.Uuid(), nullable=True),
        sa.Column("revocation_reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["person.id"], name=op.f("fk_likeness_release_created_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["document_artifact_id"],
            ["artifact.id"],
            name=op.f("fk_likeness_release_document_artifact_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["performer_id"], ["performer.id"], name=op.f("fk_likeness_release_performer_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["revoked_by_id"], ["person.id"], name=op.f("fk_likeness_release_revoked_by_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_likeness_release")),
    )
    op.create_index(op.f("ix_likeness_release_created_by_id"), "likeness_release", ["created_by_id"], unique=False)
    op.create_index(
        op.f("ix_likeness_release_document_artifact_id"), "likeness_release", ["document_artifact_id"], unique=False
    )
    op.create_index(op.f("ix_likeness_release_performer_id"), "likeness_release", ["performer_id"], unique=False)
    op.create_index(op.f("ix_likeness_release_revoked_by_id"), "likeness_release", ["revoked_by_id"], unique=False)
    op.create_table(
        "qa_gate",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("profile_version_id", sa.Uuid(), nullable=False),
        sa.Column("metric_id", sa.Uuid(), nullable=False),
        sa.Column("warn_below", sa.Double(), nullable=True),
        sa.Column("fail_below", sa.Double(), nullable=True),
        sa.Column("warn_above", sa.Double(), nullable=True),
        sa.Column("fail_above", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["metric_id"], ["metric.id"], name=op.f("fk_qa_gate_metric_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["profile_version_id"],
            ["qa_profile_version.id"],
            name=op.f("fk_qa_gate_profile_version_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_qa_gate")),
        sa.UniqueConstraint("profile_version_id", "metric_id", name=op.f("uq_qa_gate_profile_version_id_metric_id")),
    )
    op.create_index(op.f("ix_qa_gate_metric_id"), "qa_gate", ["metric_id"], unique=False)
    op.create_index(op.f("ix_qa_gate_profile_version_id"), "qa_gate", ["profile_version_id"], unique=False)
    op.create_table(
        "receipt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("request_hash", sa.CHAR(length=64), nullable=False),
        sa.Column("workflow_version_id", sa.Uuid(), nullable=False),
        sa.Column("tier_id", sa.Uuid(), nullable=True),
        sa.Column("seed", sa.Numeric(precision=20, scale=0, asdecimal=False), nullable=False),
        sa.Column("text_prompt", sa.Text(), nullable=False),
        sa.Column("negative_prompt", sa.Text(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("server_version", sa.Text(), nullable=False),
        sa.Column("x121_version", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tier_id"], ["tier.id"], name=op.f("fk_receipt_tier_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], name=op.f("fk_receipt_worker_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["workflow_version_id"],
            ["workflow_version.id"],
            name=op.f("fk_receipt_workflow_version_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
    )
    op.create_index(op.f("ix_receipt_request_hash"), "receipt", ["request_hash"], unique=False)
    op.create_index(op.f("ix_receipt_tier_id"), "receipt", ["tier_id"], unique=False)
    op.create_index(op.f("ix_receipt_worker_id"), "receipt", ["worker_id"], unique=False)
    op.create_index(op.f("ix_receipt_workflow_version_id"), "receipt", ["workflow_version_id"], unique=False)
    op.create_table(
        "variant_kind",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("filename_prefix", sa.Text(), nullable=False),
        sa.Column("is_source", sa.Boolean(), nullable=False),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False),
        sa.Column("workflow_version_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workflow_version_id"],
            ["workflow_version.id"],
            name=op.f("fk_variant_kind_workflow_version_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variant_kind")),
        sa.UniqueConstraint("filename_prefix", name=op.f("uq_variant_kind_filename_prefix")),
        sa.UniqueConstraint("name", name=op.f("uq_variant_kind_name")),
    )
    op.create_index(op.f("ix_variant_kind_workflow_version_id"), "variant_kind", ["workflow_version_id"], unique=False)
    op.create_table(
        "worker_tag",
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], name=op.f("fk_worker_tag_worker_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("worker_id", "tag", name=op.f("pk_worker_tag")),
    )
    op.create_table(
        "workflow_slot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workflow_version_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("input_name", sa.Text(), nullable=False),
        sa.Column("slot_type_id", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["slot_type_id"], ["slot_type.id"], name=op.f("fk_workflow_slot_slot_type_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["workflow_version_id"],
            ["workflow_version.id"],
            name=op.f("fk_workflow_slot_workflow_version_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_slot")),
        sa.UniqueConstraint(
            "workflow_version_id",
            "name",
            "node_id",
            "input_name",
            name=op.f("uq_workflow_slot_workflow_version_id_name_node_id_input_name"),
        ),
    )
    op.create_index(op.f("ix_workflow_slot_slot_type_id"), "workflow_slot", ["slot_type_id"], unique=False)
    op.create_index(
        op.f("ix_workflow_slot_workflow_version_id"), "workflow_slot", ["workflow_version_id"], unique=False
    )
    op.create_table(
        "character_metadata_value",
        sa.Column("character_id", sa.Uuid(), nullable=False),
        sa.Column("field_id", sa.Uuid(), nullable=False),
        sa.Column("text_value", sa.Text(), nullable=True),
        sa.Column("integer_value", sa.BigInteger(), nullable=True),
        sa.Column("number_value", sa.Double(), nullable=True),
        sa.Column("boolean_value", sa.Boolean(), nullable=True),
        sa.Column("date_value", sa.Date(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "num_nonnulls(text_value, integer_value, number_value, boolean_value, date_value) = 1",
            name=op.f("ck_character_metadata_value_one_value"),
        ),
        sa.ForeignKeyConstraint(
            ["character_id"],
            ["character.id"],
            name=op.f("fk_character_metadata_value_character_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["field_id"], ["metadata_field.id"], name=op.f("fk_character_metadata_value_field_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("character_id", "field_id", name=op.f("pk_character_metadata_value")),
    )
    op.create_index("ix_character_metadata_value_field_id", "character_metadata_value", ["field_id"], unique=False)
    op.create_table(
        "image_variant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("character_id", sa.Uuid(), nullable=False),
        sa.Column("kind_id", sa.Uuid(), nullable=False),
        sa.Column("status_id", sa.SmallInteger(), nullable=False),
        sa.Column("approved_version_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.ForeignKeyConstraint(
            ["character_id"], ["character.id"], name=op.f("fk_image_variant_character_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["kind_id"], ["variant_kind.id"], name=op.f("fk_image_variant_kind_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["status_id"], ["variant_status.id"], name=op.f("fk_image_variant_status_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_image_variant")),
        sa.UniqueConstraint("character_id", "kind_id", name=op.f("uq_image_variant_character_id_kind_id")),
    )
    op.create_index(
        op.f("ix_image_variant_approved_version_id"), "image_variant", ["approved_version_id"], unique=False
    )
    op.create_index(op.f("ix_image_variant_character_id"), "image_variant", ["character_id"], unique=False)
    op.create_index(op.f("ix_image_variant_kind_id"), "image_variant", ["kind_id"], unique=False)
    op.create_index(op.f("ix_image_variant_status_id"), "image_variant", ["status_id"], unique=False)
    op.create_table(
        "receipt_input",
        sa.Column("receipt_id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("artifact_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["artifact_id"], ["artifact.id"], name=op.f("fk_receipt_input_artifact_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["receipt_id"], ["receipt.id"], name=op.f("fk_receipt_input_receipt_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("receipt_id", "slot", name=op.f("pk_receipt_input")),
    )
    op.create_index(op.f("ix_receipt_input_artifact_id"), "receipt_input", ["artifact_id"], unique=False)
    op.create_table(
        "receipt_model",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("receipt_id", sa.Uuid(), nullable=False),
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("input_name", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["receipt_id"], ["receipt.id"], name=op.f("fk_receipt_model_receipt_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt_model")),
        sa.UniqueConstraint(
            "receipt_id", "node_id", "input_name", name=op.f("uq_receipt_model_receipt_id_node_id_input_name")
        ),
    )
    op.create_index(op.f("ix_receipt_model_receipt_id"), "receipt_model", ["receipt_id"], unique=False)
    op.create_table(
        "receipt_parameter",
        sa.Column("receipt_id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["receipt_id"], ["receipt.id"], name=op.f("fk_receipt_parameter_receipt_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("receipt_id", "slot", name=op.f("pk_receipt_parameter")),
    )
    op.create_table(
        "release_project",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_release_project_project_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["release_id"], ["likeness_release.id"], name=op.f("fk_release_project_release_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("release_id", "project_id", name=op.f("pk_release_project")),
    )
    op.create_index("ix_release_project_project_id", "release_project", ["project_id"], unique=False)
    op.create_table(
        "release_purpose_grant",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("purpose_id", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["purpose_id"],
            ["release_purpose.id"],
            name=op.f("fk_release_purpose_grant_purpose_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["release_id"],
            ["likeness_release.id"],
            name=op.f("fk_release_purpose_grant_release_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("release_id", "purpose_id", name=op.f("pk_release_purpose_grant")),
    )
    op.create_index("ix_release_purpose_grant_purpose_id", "release_purpose_grant", ["purpose_id"], unique=False)
    op.create_table(
        "release_variant_kind",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("variant_kind_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["release_id"], ["likeness_release.id"], name=op.f("fk_release_variant_kind_release_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["variant_kind_id"],
            ["variant_kind.id"],
            name=op.f("fk_release_variant_kind_variant_kind_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("release_id", "variant_kind_id", name=op.f("pk_release_variant_kind")),
    )
    op.create_index(
        "ix_release_variant_kind_variant_kind_id", "release_variant_kind", ["variant_kind_id"], unique=False
    )
    op.create_table(
        "transition_mode",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("filename_suffix", sa.Text(), nullable=False),
        sa.Column("from_kind_id", sa.Uuid(), nullable=True),
        sa.Column("to_kind_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["from_kind_id"], ["variant_kind.id"], name=op.f("fk_transition_mode_from_kind_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["to_kind_id"], ["variant_kind.id"], name=op.f("fk_transition_mode_to_kind_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transition_mode")),
        sa.UniqueConstraint("filename_suffix", name=op.f("uq_transition_mode_filename_suffix")),
        sa.UniqueConstraint("name", name=op.f("uq_transition_mode_name")),
    )
    op.create_index(op.f("ix_transition_mode_from_kind_id"), "transition_mode", ["from_kind_id"], unique=False)
    op.create_index(op.f("ix_transition_mode_to_kind_id"), "transition_mode", ["to_kind_id"], unique=False)
    op.create_table(
        "image_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("variant_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("artifact_id", sa.Uuid(), nullable=False),
        sa.Column("original_artifact_id", sa.Uuid(), nullable=True),
        sa.Column("origin_id", sa.SmallInteger(), nullable=False),
        sa.Column("parent_version_id", sa.Uuid(), nullable=True),
        sa.Column("receipt_id", sa.Uuid(), nullable=True),
        sa.Column("imported_from", sa.Text(), nullable=True),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["artifact_id"], ["artifact.id"], name=op.f("fk_image_version_artifact_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["person.id"], name=op.f("fk_image_version_created_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["origin_id"], ["version_origin.id"], name=op.f("fk_image_version_origin_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["original_artifact_id"],
            ["artifact.id"],
            name=op.f("fk_image_version_original_artifact_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["parent_version_id"],
            ["image_version.id"],
            name=op.f("fk_image_version_parent_version_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["receipt_id"], ["receipt.id"], name=op.f("fk_image_version_receipt_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["image_variant.id"], name=op.f("fk_image_version_variant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_image_version")),
        sa.UniqueConstraint("variant_id", "number", name=op.f("uq_image_version_variant_id_number")),
    )
    op.create_index(op.f("ix_image_version_artifact_id"), "image_version", ["artifact_id"], unique=False)
    op.create_index(op.f("ix_image_version_created_by_id"), "image_version", ["created_by_id"], unique=False)
    op.create_index(
        op.f("ix_image_version_original_artifact_id"), "image_version", ["original_artifact_id"], unique=False
    )
    op.create_index(op.f("ix_image_version_origin_id"), "image_version", ["origin_id"], unique=False)
    op.create_index(op.f("ix_image_version_parent_version_id"), "image_version", ["parent_version_id"], unique=False)
    op.create_index(op.f("ix_image_version_receipt_id"), "image_version", ["receipt_id"], unique=False)
    op.create_index(op.f("ix_image_version_variant_id"), "image_version", ["variant_id"], unique=False)
    op.create_table(
        "release_transition_mode",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("transition_mode_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["release_id"],
            ["likeness_release.id"],
            name=op.f("fk_release_transition_mode_release_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["transition_mode_id"],
            ["transition_mode.id"],
            name=op.f("fk_release_transition_mode_transition_mode_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("release_id", "transition_mode_id", name=op.f("pk_release_transition_mode")),
    )
    op.create_index(
        "ix_release_transition_mode_transition_mode_id", "release_transition_mode", ["transition_mode_id"], unique=False
    )
    op.create_table(
        "scene_type_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("scene_type_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("workflow_version_id", sa.Uuid(), nullable=False),
        sa.Column("qa_profile_version_id", sa.Uuid(), nullable=False),
        sa.Column("transition_mode_id", sa.Uuid(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("text_prompt", sa.Text(), nullable=False),
        sa.Column("negative_prompt", sa.Text(), nullable=False),
        sa.Column("target_duration_s", sa.Numeric(precision=10, scale=3), nullable=False),
        sa.Column("segment_duration_s", sa.Numeric(precision=10, scale=3), nullable=False),
        sa.Column("rate_numerator", sa.Integer(), nullable=False),
        sa.Column("rate_denominator", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.CHAR(length=64), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["person.id"], name=op.f("fk_scene_type_version_created_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["qa_profile_version_id"],
            ["qa_profile_version.id"],
            name=op.f("fk_scene_type_version_qa_profile_version_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["scene_type_id"], ["scene_type.id"], name=op.f("fk_scene_type_version_scene_type_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["transition_mode_id"],
            ["transition_mode.id"],
            name=op.f("fk_scene_type_version_transition_mode_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["workflow_version_id"],
            ["workflow_version.id"],
            name=op.f("fk_scene_type_version_workflow_version_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scene_type_version")),
        sa.UniqueConstraint("scene_type_id", "number", name=op.f("uq_scene_type_version_scene_type_id_number")),
    )
    op.create_index(op.f("ix_scene_type_version_created_by_id"), "scene_type_version", ["created_by_id"], unique=False)
    op.create_index(
        op.f("ix_scene_type_version_qa_profile_version_id"),
        "scene_type_version",
        ["qa_profile_version_id"],
        unique=False,
    )
    op.create_index(op.f("ix_scene_type_version_scene_type_id"), "scene_type_version", ["scene_type_id"], unique=False)
    op.create_index(
        op.f("ix_scene_type_version_transition_mode_id"), "scene_type_version", ["transition_mode_id"], unique=False
    )
    op.create_index(
        op.f("ix_scene_type_version_workflow_version_id"), "scene_type_version", ["workflow_version_id"], unique=False
    )
    op.create_table(
        "image_check",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("image_version_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("outcome_id", sa.SmallInteger(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("threshold", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["image_version_id"], ["image_version.id"], name=op.f("fk_image_check_image_version_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["outcome_id"], ["verdict_outcome.id"], name=op.f("fk_image_check_outcome_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_image_check")),
        sa.UniqueConstraint("image_version_id", "name", name=op.f("uq_image_check_image_version_id_name")),
    )
    op.create_index(op.f("ix_image_check_image_version_id"), "image_check", ["image_version_id"], unique=False)
    op.create_index(op.f("ix_image_check_outcome_id"), "image_check", ["outcome_id"], unique=False)
    op.create_table(
        "scene",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("character_id", sa.Uuid(), nullable=False),
        sa.Column("scene_type_id", sa.Uuid(), nullable=False),
        sa.Column("scene_type_version_id", sa.Uuid(), nullable=False),
        sa.Column("variant_kind_id", sa.Uuid(), nullable=False),
        sa.Column("transition_mode_id", sa.Uuid(), nullable=False),
        sa.Column("tier_id", sa.Uuid(), nullable=False),
        sa.Column("index_number", sa.SmallInteger(), nullable=False),
        sa.Column("status_id", sa.SmallInteger(), nullable=False),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.ForeignKeyConstraint(
            ["character_id"], ["character.id"], name=op.f("fk_scene_character_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_scene_project_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["scene_type_id"], ["scene_type.id"], name=op.f("fk_scene_scene_type_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["scene_type_version_id"],
            ["scene_type_version.id"],
            name=op.f("fk_scene_scene_type_version_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["status_id"], ["scene_status.id"], name=op.f("fk_scene_status_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["tier_id"], ["tier.id"], name=op.f("fk_scene_tier_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["transition_mode_id"],
            ["transition_mode.id"],
            name=op.f("fk_scene_transition_mode_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["variant_kind_id"], ["variant_kind.id"], name=op.f("fk_scene_variant_kind_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scene")),
        sa.UniqueConstraint(
            "character_id",
            "scene_type_id",
            "variant_kind_id",
            "transition_mode_id",
            "index_number",
            name=op.f("uq_scene_character_id_scene_type_id_variant_kind_id_transition_mode_id_index_number"),
        ),
    )
    op.create_index(op.f("ix_scene_project_id"), "scene", ["project_id"], unique=False)
    op.create_index(op.f("ix_scene_scene_type_id"), "scene", ["scene_type_id"], unique=False)
    op.create_index(op.f("ix_scene_scene_type_version_id"), "scene", ["scene_type_version_id"], unique=False)
    op.create_index(op.f("ix_scene_status_id"), "scene", ["status_id"], unique=False)
    op.create_index(op.f("ix_scene_tier_id"), "scene", ["tier_id"], unique=False)
    op.create_index(op.f("ix_scene_transition_mode_id"), "scene", ["transition_mode_id"], unique=False)
    op.create_index(op.f("ix_scene_variant_kind_id"), "scene", ["variant_kind_id"], unique=False)
    op.create_table(
        "scene_type_slot_value",
        sa.Column("scene_type_version_id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["scene_type_version_id"],
            ["scene_type_version.id"],
            name=op.f("fk_scene_type_slot_value_scene_type_version_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("scene_type_version_id", "slot", name=op.f("pk_scene_type_slot_value")),
    )
    op.create_table(
        "scene_type_variant_kind",
        sa.Column("scene_type_version_id", sa.Uuid(), nullable=False),
        sa.Column("variant_kind_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["scene_type_version_id"],
            ["scene_type_version.id"],
            name=op.f("fk_scene_type_variant_kind_scene_type_version_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["variant_kind_id"],
            ["variant_kind.id"],
            name=op.f("fk_scene_type_variant_kind_variant_kind_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("scene_type_version_id", "variant_kind_id", name=op.f("pk_scene_type_variant_kind")),
    )
    op.create_index(
        "ix_scene_type_variant_kind_variant_kind_id", "scene_type_variant_kind", ["variant_kind_id"], unique=False
    )
    op.create_table(
        "batch_scene",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("scene_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_batch_scene_batch_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["scene_id"], ["scene.id"], name=op.f("fk_batch_scene_scene_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("batch_id", "scene_id", name=op.f("pk_batch_scene")),
    )
    op.create_index("ix_batch_scene_scene_id", "batch_scene", ["scene_id"], unique=False)
    op.create_table(
        "scene_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("scene_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("artifact_id", sa.Uuid(), nullable=False),
        sa.Column("filmstrip_artifact_id", sa.Uuid(), nullable=True),
        sa.Column("n_frames", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["artifact_id"], ["artifact.id"], name=op.f("fk_scene_version_artifact_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["filmstrip_artifact_id"],
            ["artifact.id"],
            name=op.f("fk_scene_version_filmstrip_artifact_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["scene_id"], ["scene.id"], name=op.f("fk_scene_version_scene_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scene_version")),
        sa.UniqueConstraint("scene_id", "number", name=op.f("uq_scene_version_scene_id_number")),
    )
    op.create_index(op.f("ix_scene_version_artifact_id"), "scene_version", ["artifact_id"], unique=False)
    op.create_index(
        op.f("ix_scene_version_filmstrip_artifact_id"), "scene_version", ["filmstrip_artifact_id"], unique=False
    )
    op.create_table(
        "segment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("scene_id", sa.Uuid(), nullable=False),
        sa.Column("sequence_index", sa.SmallInteger(), nullable=False),
        sa.Column("planned_frames", sa.Integer(), nullable=False),
        sa.Column("status_id", sa.SmallInteger(), nullable=False),
        sa.Column("chosen_take_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["scene_id"], ["scene.id"], name=op.f("fk_segment_scene_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["status_id"], ["segment_status.id"], name=op.f("fk_segment_status_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment")),
        sa.UniqueConstraint("scene_id", "sequence_index", name=op.f("uq_segment_scene_id_sequence_index")),
    )
    op.create_index(op.f("ix_segment_chosen_take_id"), "segment", ["chosen_take_id"], unique=False)
    op.create_index(op.f("ix_segment_status_id"), "segment", ["status_id"], unique=False)
    op.create_table(
        "decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("scene_version_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("outcome_id", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("frame", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["outcome_id"], ["decision_outcome.id"], name=op.f("fk_decision_outcome_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_decision_person_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["scene_version_id"], ["scene_version.id"], name=op.f("fk_decision_scene_version_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index(op.f("ix_decision_outcome_id"), "decision", ["outcome_id"], unique=False)
    op.create_index(op.f("ix_decision_person_id"), "decision", ["person_id"], unique=False)
    op.create_index(op.f("ix_decision_scene_version_id"), "decision", ["scene_version_id"], unique=False)
    op.create_index(
        "ix_decision_waiting",
        "decision",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("applied_at IS NULL AND undone_at IS NULL"),
    )
    op.create_table(
        "delivery_item",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("artifact_id", sa.Uuid(), nullable=True),
        sa.Column("scene_version_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["artifact_id"], ["artifact.id"], name=op.f("fk_delivery_item_artifact_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_delivery_item_delivery_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["scene_version_id"],
            ["scene_version.id"],
            name=op.f("fk_delivery_item_scene_version_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("delivery_id", "path", name=op.f("pk_delivery_item")),
    )
    op.create_index(op.f("ix_delivery_item_artifact_id"), "delivery_item", ["artifact_id"], unique=False)
    op.create_index(op.f("ix_delivery_item_scene_version_id"), "delivery_item", ["scene_version_id"], unique=False)
    op.create_table(
        "note",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("scene_version_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("frame", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_note_person_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["scene_version_id"], ["scene_version.id"], name=op.f("fk_note_scene_version_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
    )
    op.create_index(op.f("ix_note_person_id"), "note", ["person_id"], unique=False)
    op.create_index(op.f("ix_note_scene_version_id"), "note", ["scene_version_id"], unique=False)
    op.create_table(
        "take",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("segment_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("status_id", sa.SmallInteger(), nullable=False),
        sa.Column("seed", sa.Numeric(precision=20, scale=0, asdecimal=False), nullable=False),
        sa.Column("seed_frame_artifact_id", sa.Uuid(), nullable=True),
        sa.Column("output_artifact_id", sa.Uuid(), nullable=True),
        sa.Column("boundary_artifact_id", sa.Uuid(), nullable=True),
        sa.Column("boundary_frame", sa.Integer(), nullable=True),
        sa.Column("n_frames", sa.Integer(), nullable=True),
        sa.Column("receipt_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["boundary_artifact_id"], ["artifact.id"], name=op.f("fk_take_boundary_artifact_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["output_artifact_id"], ["artifact.id"], name=op.f("fk_take_output_artifact_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipt.id"], name=op.f("fk_take_receipt_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["seed_frame_artifact_id"],
            ["artifact.id"],
            name=op.f("fk_take_seed_frame_artifact_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["segment_id"], ["segment.id"], name=op.f("fk_take_segment_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["status_id"], ["take_status.id"], name=op.f("fk_take_status_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_take")),
        sa.UniqueConstraint("segment_id", "number", name=op.f("uq_take_segment_id_number")),
    )
    op.create_index(op.f("ix_take_boundary_artifact_id"), "take", ["boundary_artifact_id"], unique=False)
    op.create_index(op.f("ix_take_output_artifact_id"), "take", ["output_artifact_id"], unique=False)
    op.create_index(op.f("ix_take_receipt_id"), "take", ["receipt_id"], unique=False)
    op.create_index(op.f("ix_take_seed_frame_artifact_id"), "take", ["seed_frame_artifact_id"], unique=False)
    op.create_index(op.f("ix_take_status_id"), "take", ["status_id"], unique=False)
    op.create_table(
        "decision_tag",
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("failure_tag_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decision.id"], name=op.f("fk_decision_tag_decision_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["failure_tag_id"], ["failure_tag.id"], name=op.f("fk_decision_tag_failure_tag_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("decision_id", "failure_tag_id", name=op.f("pk_decision_tag")),
    )
    op.create_index("ix_decision_tag_failure_tag_id", "decision_tag", ["failure_tag_id"], unique=False)
    op.create_table(
        "gpu_task",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind_id", sa.SmallInteger(), nullable=False),
        sa.Column("take_id", sa.Uuid(), nullable=True),
        sa.Column("image_variant_id", sa.Uuid(), nullable=True),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=True),
        sa.Column("submitted_by_id", sa.Uuid(), nullable=True),
        sa.Column("class_id", sa.SmallInteger(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("status_id", sa.SmallInteger(), nullable=False),
        sa.Column("after_task_id", sa.Uuid(), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seed", sa.Numeric(precision=20, scale=0, asdecimal=False), nullable=True),
        sa.Column("attempt_number", sa.Integer(), nullable=False),
        sa.Column("failed_attempts", sa.Integer(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("num_nonnulls(take_id, image_variant_id) = 1", name=op.f("ck_gpu_task_makes_one_thing")),
        sa.CheckConstraint("priority BETWEEN 0 AND 100", name=op.f("ck_gpu_task_priority_range")),
        sa.ForeignKeyConstraint(
            ["after_task_id"], ["gpu_task.id"], name=op.f("fk_gpu_task_after_task_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_gpu_task_batch_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["class_id"], ["priority_class.id"], name=op.f("fk_gpu_task_class_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["image_variant_id"], ["image_variant.id"], name=op.f("fk_gpu_task_image_variant_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["kind_id"], ["task_kind.id"], name=op.f("fk_gpu_task_kind_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_gpu_task_project_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["status_id"], ["task_status.id"], name=op.f("fk_gpu_task_status_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["submitted_by_id"], ["person.id"], name=op.f("fk_gpu_task_submitted_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["take_id"], ["take.id"], name=op.f("fk_gpu_task_take_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], name=op.f("fk_gpu_task_worker_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gpu_task")),
    )
    op.create_index(op.f("ix_gpu_task_after_task_id"), "gpu_task", ["after_task_id"], unique=False)
    op.create_index(op.f("ix_gpu_task_batch_id"), "gpu_task", ["batch_id"], unique=False)
    op.create_index(op.f("ix_gpu_task_class_id"), "gpu_task", ["class_id"], unique=False)
    op.create_index(op.f("ix_gpu_task_image_variant_id"), "gpu_task", ["image_variant_id"], unique=False)
    op.create_index(op.f("ix_gpu_task_kind_id"), "gpu_task", ["kind_id"], unique=False)
    op.create_index(
        "ix_gpu_task_leased", "gpu_task", ["lease_until"], unique=False, postgresql_where=sa.text("status_id IN (4, 5)")
    )
    op.create_index(op.f("ix_gpu_task_project_id"), "gpu_task", ["project_id"], unique=False)
    op.create_index(op.f("ix_gpu_task_status_id"), "gpu_task", ["status_id"], unique=False)
    op.create_index(op.f("ix_gpu_task_submitted_by_id"), "gpu_task", ["submitted_by_id"], unique=False)
    op.create_index(op.f("ix_gpu_task_take_id"), "gpu_task", ["take_id"], unique=False)
    op.create_index(
        "ix_gpu_task_waiting",
        "gpu_task",
        [sa.literal_column("priority DESC"), "queued_at", "id"],
        unique=False,
        postgresql_where=sa.text("status_id IN (2, 3)"),
    )
    op.create_index(op.f("ix_gpu_task_worker_id"), "gpu_task", ["worker_id"], unique=False)
    op.create_table(
        "scene_version_cut",
        sa.Column("scene_version_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("take_id", sa.Uuid(), nullable=False),
        sa.Column("start_frame", sa.Integer(), nullable=False),
        sa.Column("stop_frame", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["scene_version_id"],
            ["scene_version.id"],
            name=op.f("fk_scene_version_cut_scene_version_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["take_id"], ["take.id"], name=op.f("fk_scene_version_cut_take_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("scene_version_id", "position", name=op.f("pk_scene_version_cut")),
    )
    op.create_index(op.f("ix_scene_version_cut_take_id"), "scene_version_cut", ["take_id"], unique=False)
    op.create_table(
        "score",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("take_id", sa.Uuid(), nullable=False),
        sa.Column("metric_id", sa.Uuid(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("start_frame", sa.Integer(), nullable=True),
        sa.Column("stop_frame", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["metric_id"], ["metric.id"], name=op.f("fk_score_metric_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["take_id"], ["take.id"], name=op.f("fk_score_take_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score")),
        sa.UniqueConstraint("take_id", "metric_id", name=op.f("uq_score_take_id_metric_id")),
    )
    op.create_index(op.f("ix_score_metric_id"), "score", ["metric_id"], unique=False)
    op.create_table(
        "verdict",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("take_id", sa.Uuid(), nullable=False),
        sa.Column("gate_id", sa.Uuid(), nullable=False),
        sa.Column("outcome_id", sa.SmallInteger(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("threshold", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["gate_id"], ["qa_gate.id"], name=op.f("fk_verdict_gate_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["outcome_id"], ["verdict_outcome.id"], name=op.f("fk_verdict_outcome_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["take_id"], ["take.id"], name=op.f("fk_verdict_take_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdict")),
        sa.UniqueConstraint("take_id", "gate_id", name=op.f("uq_verdict_take_id_gate_id")),
    )
    op.create_index(op.f("ix_verdict_gate_id"), "verdict", ["gate_id"], unique=False)
    op.create_index(op.f("ix_verdict_outcome_id"), "verdict", ["outcome_id"], unique=False)
    op.create_table(
        "gpu_task_attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("prompt_id", sa.Uuid(), nullable=False),
        sa.Column("outcome_id", sa.SmallInteger(), nullable=True),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("queue_s", sa.Double(), nullable=True),
        sa.Column("run_s", sa.Double(), nullable=True),
        sa.Column("download_s", sa.Double(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("error_context", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["outcome_id"], ["attempt_outcome.id"], name=op.f("fk_gpu_task_attempt_outcome_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["task_id"], ["gpu_task.id"], name=op.f("fk_gpu_task_attempt_task_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["worker.id"], name=op.f("fk_gpu_task_attempt_worker_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gpu_task_attempt")),
        sa.UniqueConstraint("task_id", "number", name=op.f("uq_gpu_task_attempt_task_id_number")),
    )
    op.create_index(op.f("ix_gpu_task_attempt_outcome_id"), "gpu_task_attempt", ["outcome_id"], unique=False)
    op.create_index(op.f("ix_gpu_task_attempt_worker_id"), "gpu_task_attempt", ["worker_id"], unique=False)
    op.create_foreign_key(
        "fk_image_variant_approved_version_id",
        "image_variant",
        "image_version",
        ["approved_version_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.create_foreign_key(
        "fk_segment_chosen_take_id", "segment", "take", ["chosen_take_id"], ["id"], ondelete="SET NULL"
    )


def downgrade() -> None:
    """Take back."""
    op.drop_constraint("fk_segment_chosen_take_id", "segment", type_="foreignkey")
    op.drop_constraint("fk_image_variant_approved_version_id", "image_variant", type_="foreignkey")
    op.drop_index(op.f("ix_gpu_task_attempt_worker_id"), table_name="gpu_task_attempt")
    op.drop_index(op.f("ix_gpu_task_attempt_outcome_id"), table_name="gpu_task_attempt")
    op.drop_table("gpu_task_attempt")
    op.drop_index(op.f("ix_verdict_outcome_id"), table_name="verdict")
    op.drop_index(op.f("ix_verdict_gate_id"), table_name="verdict")
    op.drop_table("verdict")
    op.drop_index(op.f("ix_score_metric_id"), table_name="score")
    op.drop_table("score")
    op.drop_index(op.f("ix_scene_version_cut_take_id"), table_name="scene_version_cut")
    op.drop_table("scene_version_cut")
    op.drop_index(op.f("ix_gpu_task_worker_id"), table_name="gpu_task")
    op.drop_index("ix_gpu_task_waiting", table_name="gpu_task", postgresql_where=sa.text("status_id IN (2, 3)"))
    op.drop_index(op.f("ix_gpu_task_take_id"), table_name="gpu_task")
    op.drop_index(op.f("ix_gpu_task_submitted_by_id"), table_name="gpu_task")
    op.drop_index(op.f("ix_gpu_task_status_id"), table_name="gpu_task")
    op.drop_index(op.f("ix_gpu_task_project_id"), table_name="gpu_task")
    op.drop_index("ix_gpu_task_leased", table_name="gpu_task", postgresql_where=sa.text("status_id IN (4, 5)"))
    op.drop_index(op.f("ix_gpu_task_kind_id"), table_name="gpu_task")
    op.drop_index(op.f("ix_gpu_task_image_variant_id"), table_name="gpu_task")
    op.drop_index(op.f("ix_gpu_task_class_id"), table_name="gpu_task")
    op.drop_index(op.f("ix_gpu_task_batch_id"), table_name="gpu_task")
    op.drop_index(op.f("ix_gpu_task_after_task_id"), table_name="gpu_task")
    op.drop_table("gpu_task")
    op.drop_index("ix_decision_tag_failure_tag_id", table_name="decision_tag")
    op.drop_table("decision_tag")
    op.drop_index(op.f("ix_take_status_id"), table_name="take")
    op.drop_index(op.f("ix_take_seed_frame_artifact_id"), table_name="take")
    op.drop_index(op.f("ix_take_receipt_id"), table_name="take")
    op.drop_index(op.f("ix_take_output_artifact_id"), table_name="take")
    op.drop_index(op.f("ix_take_boundary_artifact_id"), table_name="take")
    op.drop_table("take")
    op.drop_index(op.f("ix_note_scene_version_id"), table_name="note")
    op.drop_index(op.f("ix_note_person_id"), table_name="note")
    op.drop_table("note")
    op.drop_index(op.f("ix_delivery_item_scene_version_id"), table_name="delivery_item")
    op.drop_index(op.f("ix_delivery_item_artifact_id"), table_name="delivery_item")
    op.drop_table("delivery_item")
    op.drop_index(
        "ix_decision_waiting",
        table_name="decision",
        postgresql_where=sa.text("applied_at IS NULL AND undone_at IS NULL"),
    )
    op.drop_index(op.f("ix_decision_scene_version_id"), table_name="decision")
    op.drop_index(op.f("ix_decision_person_id"), table_name="decision")
    op.drop_index(op.f("ix_decision_outcome_id"), table_name="decision")
    op.drop_table("decision")
    op.drop_index(op.f("ix_segment_status_id"), table_name="segment")
    op.drop_index(op.f("ix_segment_chosen_take_id"), table_name="segment")
    op.drop_table("segment")
    op.drop_index(op.f("ix_scene_version_filmstrip_artifact_id"), table_name="scene_version")
    op.drop_index(op.f("ix_scene_version_artifact_id"), table_name="scene_version")
    op.drop_table("scene_version")
    op.drop_index("ix_batch_scene_scene_id", table_name="batch_scene")
    op.drop_table("batch_scene")
    op.drop_index("ix_scene_type_variant_kind_variant_kind_id", table_name="scene_type_variant_kind")
    op.drop_table("scene_type_variant_kind")
    op.drop_table("scene_type_slot_value")
    op.drop_index(op.f("ix_scene_variant_kind_id"), table_name="scene")
    op.drop_index(op.f("ix_scene_transition_mode_id"), table_name="scene")
    op.drop_index(op.f("ix_scene_tier_id"), table_name="scene")
    op.drop_index(op.f("ix_scene_status_id"), table_name="scene")
    op.drop_index(op.f("ix_scene_scene_type_version_id"), table_name="scene")
    op.drop_index(op.f("ix_scene_scene_type_id"), table_name="scene")
    op.drop_index(op.f("ix_scene_project_id"), table_name="scene")
    op.drop_table("scene")
    op.drop_index(op.f("ix_image_check_outcome_id"), table_name="image_check")
    op.drop_index(op.f("ix_image_check_image_version_id"), table_name="image_check")
    op.drop_table("image_check")
    op.drop_index(op.f("ix_scene_type_version_workflow_version_id"), table_name="scene_type_version")
    op.drop_index(op.f("ix_scene_type_version_transition_mode_id"), table_name="scene_type_version")
    op.drop_index(op.f("ix_scene_type_version_scene_type_id"), table_name="scene_type_version")
    op.drop_index(op.f("ix_scene_type_version_qa_profile_version_id"), table_name="scene_type_version")
    op.drop_index(op.f("ix_scene_type_version_created_by_id"), table_name="scene_type_version")
    op.drop_table("scene_type_version")
    op.drop_index("ix_release_transition_mode_transition_mode_id", table_name="release_transition_mode")
    op.drop_table("release_transition_mode")
    op.drop_index(op.f("ix_image_version_variant_id"), table_name="image_version")
    op.drop_index(op.f("ix_image_version_receipt_id"), table_name="image_version")
    op.drop_index(op.f("ix_image_version_parent_version_id"), table_name="image_version")
    op.drop_index(op.f("ix_image_version_origin_id"), table_name="image_version")
    op.drop_index(op.f("ix_image_version_created_by_id"), table_name="image_version")
    op.drop_index(op.f("ix_image_version_artifact_id"), table_name="image_version")
    op.drop_table("image_version")
    op.drop_index(op.f("ix_transition_mode_to_kind_id"), table_name="transition_mode")
    op.drop_index(op.f("ix_transition_mode_from_kind_id"), table_name="transition_mode")
    op.drop_table("transition_mode")
    op.drop_index("ix_release_variant_kind_variant_kind_id", table_name="release_variant_kind")
    op.drop_table("release_variant_kind")
    op.drop_index("ix_release_purpose_grant_purpose_id", table_name="release_purpose_grant")
    op.drop_table("release_purpose_grant")
    op.drop_index("ix_release_project_project_id", table_name="release_project")
    op.drop_table("release_project")
    op.drop_table("receipt_parameter")
    op.drop_index(op.f("ix_receipt_model_receipt_id"), table_name="receipt_model")
    op.drop_table("receipt_model")
    op.drop_index(op.f("ix_receipt_input_artifact_id"), table_name="receipt_input")
    op.drop_table("receipt_input")
    op.drop_index(op.f("ix_image_variant_status_id"), table_name="image_variant")
    op.drop_index(op.f("ix_image_variant_kind_id"), table_name="image_variant")
    op.drop_index(op.f("ix_image_variant_character_id"), table_name="image_variant")
    op.drop_index(op.f("ix_image_variant_approved_version_id"), table_name="image_variant")
    op.drop_table("image_variant")
    op.drop_index("ix_character_metadata_value_field_id", table_name="character_metadata_value")
    op.drop_table("character_metadata_value")
    op.drop_index(op.f("ix_workflow_slot_workflow_version_id"), table_name="workflow_slot")
    op.drop_index(op.f("ix_workflow_slot_slot_type_id"), table_name="workflow_slot")
    op.drop_table("workflow_slot")
    op.drop_table("worker_tag")
    op.drop_index(op.f("ix_variant_kind_workflow_version_id"), table_name="variant_kind")
    op.drop_table("variant_kind")
    op.drop_index(op.f("ix_receipt_workflow_version_id"), table_name="receipt")
    op.drop_index(op.f("ix_receipt_worker_id"), table_name="receipt")
    op.drop_index(op.f("ix_receipt_tier_id"), table_name="receipt")
    op.drop_index(op.f("ix_receipt_request_hash"), table_name="receipt")
    op.drop_table("receipt")
    op.drop_index(op.f("ix_qa_gate_profile_version_id"), table_name="qa_gate")
    op.drop_index(op.f("ix_qa_gate_metric_id"), table_name="qa_gate")
    op.drop_table("qa_gate")
    op.drop_index(op.f("ix_likeness_release_revoked_by_id"), table_name="likeness_release")
    op.drop_index(op.f("ix_likeness_release_performer_id"), table_name="likeness_release")
    op.drop_index(op.f("ix_likeness_release_document_artifact_id"), table_name="likeness_release")
    op.drop_index(op.f("ix_likeness_release_created_by_id"), table_name="likeness_release")
    op.drop_table("likeness_release")
    op.drop_index(
        "ix_face_embedding",
        table_name="face",
        postgresql_using="hnsw",
        postgresql_ops={"embedding": "vector_cosine_ops"},
    )
    op.drop_index(op.f("ix_face_artifact_id"), table_name="face")
    op.drop_table("face")
    op.drop_index(op.f("ix_event_transaction_id"), table_name="event")
    op.drop_index(op.f("ix_event_project_id"), table_name="event")
    op.drop_index(op.f("ix_event_kind_id"), table_name="event")
    op.drop_index("ix_event_entity_id", table_name="event")
    op.drop_table("event")
    op.drop_index(op.f("ix_delivery_status_id"), table_name="delivery")
    op.drop_index(op.f("ix_delivery_project_id"), table_name="delivery")
    op.drop_index(op.f("ix_delivery_created_by_id"), table_name="delivery")
    op.drop_table("delivery")
    op.drop_index(op.f("ix_character_project_id"), table_name="character")
    op.drop_index(op.f("ix_character_performer_id"), table_name="character")
    op.drop_index(op.f("ix_character_metadata_artifact_id"), table_name="character")
    op.drop_table("character")
    op.drop_index(op.f("ix_batch_tier_id"), table_name="batch")
    op.drop_index(op.f("ix_batch_submitted_by_id"), table_name="batch")
    op.drop_index(op.f("ix_batch_project_id"), table_name="batch")
    op.drop_table("batch")
    op.drop_table("artifact_video")
    op.drop_table("artifact_image")
    op.drop_index(op.f("ix_workflow_version_workflow_id"), table_name="workflow_version")
    op.drop_index(op.f("ix_workflow_version_status_id"), table_name="workflow_version")
    op.drop_index(op.f("ix_workflow_version_created_by_id"), table_name="workflow_version")
    op.drop_table("workflow_version")
    op.drop_index(op.f("ix_worker_status_id"), table_name="worker")
    op.drop_index(op.f("ix_worker_kind_id"), table_name="worker")
    op.drop_table("worker")
    op.drop_index(op.f("ix_sign_in_link_person_id"), table_name="sign_in_link")
    op.drop_table("sign_in_link")
    op.drop_index(op.f("ix_qa_profile_version_profile_id"), table_name="qa_profile_version")
    op.drop_table("qa_profile_version")
    op.drop_index(op.f("ix_project_status_id"), table_name="project")
    op.drop_index(op.f("ix_project_default_tier_id"), table_name="project")
    op.drop_index(op.f("ix_project_created_by_id"), table_name="project")
    op.drop_table("project")
    op.drop_index("ix_person_role_role_id", table_name="person_role")
    op.drop_table("person_role")
    op.drop_index(op.f("ix_performer_kind_id"), table_name="performer")
    op.drop_index(op.f("ix_performer_adult_verified_by_id"), table_name="performer")
    op.drop_table("performer")
    op.drop_index(op.f("ix_metric_direction_id"), table_name="metric")
    op.drop_table("metric")
    op.drop_index(op.f("ix_metadata_field_field_type_id"), table_name="metadata_field")
    op.drop_table("metadata_field")
    op.drop_index(op.f("ix_audit_entry_person_id"), table_name="audit_entry")
    op.drop_index(op.f("ix_audit_entry_entity_id"), table_name="audit_entry")
    op.drop_table("audit_entry")
    op.drop_index(op.f("ix_artifact_kind_id"), table_name="artifact")
    op.drop_table("artifact")
    op.drop_table("workflow_status")
    op.drop_table("workflow")
    op.drop_table("worker_status")
    op.drop_table("worker_kind")
    op.drop_table("version_origin")
    op.drop_table("verdict_outcome")
    op.drop_table("variant_status")
    op.drop_table("tier")
    op.drop_table("task_status")
    op.drop_table("task_kind")
    op.drop_table("take_status")
    op.drop_table("slot_type")
    op.drop_table("segment_status")
    op.drop_table("scene_type")
    op.drop_table("scene_status")
    op.drop_table("role")
    op.drop_table("release_purpose")
    op.drop_table("qa_profile")
    op.drop_table("project_status")
    op.drop_table("priority_class")
    op.drop_table("person")
    op.drop_table("performer_kind")
    op.drop_table("metric_direction")
    op.drop_table("field_type")
    op.drop_table("failure_tag")
    op.drop_table("event_kind")
    op.drop_table("event_cursor")
    op.drop_table("delivery_status")
    op.drop_table("decision_outcome")
    op.drop_table("attempt_outcome")
    op.drop_table("artifact_kind")
