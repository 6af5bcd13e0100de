"""Projects, characters, their image variants, faces and metadata."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from pgvector.sqlalchemy import Vector
from sqlalchemy.orm import Mapped, mapped_column

from x121lib.model.base import Base, fk, moment, now_column, pk, term, text, version_column
from x121lib.terms.vocabulary import FieldType, ProjectStatus, VariantStatus, VerdictOutcome, VersionOrigin


class Project(Base):
    """Top-level container of characters and scenes."""

    __tablename__ = "project"
    id: Mapped[uuid.UUID] = pk()
    name: Mapped[str] = text(unique=True)
    status_id: Mapped[ProjectStatus] = term(ProjectStatus, default=ProjectStatus.SETUP)
    default_tier_id: Mapped[uuid.UUID] = fk("tier.id", "RESTRICT")
    retention_days: Mapped[int | None] = mapped_column(sa.Integer, nullable=True)
    created_by_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)
    created_at: Mapped[datetime] = now_column()
    version: Mapped[int] = version_column()


class Tier(Base):
    """A quality tier; only deliverable ones are delivered. Size and steps of a recipe are multiplied by its scales."""

    __tablename__ = "tier"
    id: Mapped[uuid.UUID] = pk()
    name: Mapped[str] = text(unique=True)
    is_deliverable: Mapped[bool] = mapped_column(sa.Boolean, nullable=False)
    sort_order: Mapped[int] = mapped_column(sa.SmallInteger, nullable=False)
    resolution_scale: Mapped[float] = mapped_column(sa.Float, nullable=False, default=1.0, server_default="1")
    steps_scale: Mapped[float] = mapped_column(sa.Float, nullable=False, default=1.0, server_default="1")
    __table_args__ = (
        sa.CheckConstraint("resolution_scale BETWEEN 0.1 AND 4", name="resolution_scale_range"),
        sa.CheckConstraint("steps_scale BETWEEN 0.1 AND 4", name="steps_scale_range"),
    )


class VariantKind(Base):
    """A kind of seed image that the studio configures, with the prefix of its files."""

    __tablename__ = "variant_kind"
    id: Mapped[uuid.UUID] = pk()
    name: Mapped[str] = text(unique=True)
    filename_prefix: Mapped[str] = text(unique=True)
    is_source: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    sort_order: Mapped[int] = mapped_column(sa.SmallInteger, nullable=False)
    workflow_version_id: Mapped[uuid.UUID | None] = fk("workflow_version.id", "RESTRICT", nullable=True)


class TransitionMode(Base):
    """How a scene moves between variant kinds; *normal* stays with one and adds nothing to the name."""

    __tablename__ = "transition_mode"
    id: Mapped[uuid.UUID] = pk()
    name: Mapped[str] = text(unique=True)
    filename_suffix: Mapped[str] = text(unique=True)
    from_kind_id: Mapped[uuid.UUID | None] = fk("variant_kind.id", "RESTRICT", nullable=True)
    to_kind_id: Mapped[uuid.UUID | None] = fk("variant_kind.id", "RESTRICT", nullable=True)


class Character(Base):
    """One identity in a project."""

    __tablename__ = "character"
    id: Mapped[uuid.UUID] = pk()
    project_id: Mapped[uuid.UUID] = fk("project.id", "CASCADE")
    performer_id: Mapped[uuid.UUID] = fk("performer.id", "RESTRICT")
    name: Mapped[str] = text()
    folder_name: Mapped[str] = text()
    folder_key: Mapped[str] = text()
    imported_from: Mapped[str | None] = text(nullable=True)
    metadata_artifact_id: Mapped[uuid.UUID | None] = fk("artifact.id", "RESTRICT", nullable=True)
    created_at: Mapped[datetime] = now_column()
    version: Mapped[int] = version_column()
    __table_args__ = (sa.UniqueConstraint("project_id", "name"), sa.UniqueConstraint("project_id", "folder_key"))


class ImageVariant(Base):
    """A character's image of one kind, with the version that was approved as its hero."""

    __tablename__ = "image_variant"
    id: Mapped[uuid.UUID] = pk()
    character_id: Mapped[uuid.UUID] = fk("character.id", "CASCADE")
    kind_id: Mapped[uuid.UUID] = fk("variant_kind.id", "RESTRICT")
    status_id: Mapped[VariantStatus] = term(VariantStatus, default=VariantStatus.PENDING)
    approved_version_id: Mapped[uuid.UUID | None] = mapped_column(
        sa.ForeignKey("image_version.id", ondelete="SET NULL", use_alter=True), nullable=True, index=True
    )
    version: Mapped[int] = version_column()
    __table_args__ = (sa.UniqueConstraint("character_id", "kind_id"),)


class ImageVersion(Base):
    """One version of a variant's image; never overwritten."""

    __tablename__ = "image_version"
    id: Mapped[uuid.UUID] = pk()
    variant_id: Mapped[uuid.UUID] = fk("image_variant.id", "CASCADE")
    number: Mapped[int]
    artifact_id: Mapped[uuid.UUID] = fk("artifact.id", "RESTRICT")
    original_artifact_id: Mapped[uuid.UUID | None] = fk("artifact.id", "RESTRICT", nullable=True)
    origin_id: Mapped[VersionOrigin] = term(VersionOrigin)
    parent_version_id: Mapped[uuid.UUID | None] = fk("image_version.id", "SET NULL", nullable=True)
    receipt_id: Mapped[uuid.UUID | None] = fk("receipt.id", "RESTRICT", nullable=True)
    imported_from: Mapped[str | None] = text(nullable=True)
    created_by_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)
    created_at: Mapped[datetime] = now_column()
    __table_args__ = (sa.UniqueConstraint("variant_id", "number"),)


class ImageCheck(Base):
    """One check of source-image QA on an image version, with its reason in words."""

    __tablename__ = "image_check"
    id: Mapped[uuid.UUID] = pk()
    image_version_id: Mapped[uuid.UUID] = fk("image_version.id", "CASCADE")
    name: Mapped[str] = text()
    outcome_id: Mapped[VerdictOutcome] = term(VerdictOutcome)
    value: Mapped[float | None]
    threshold: Mapped[float | None]
    reason: Mapped[str] = text()
    __table_args__ = (sa.UniqueConstraint("image_version_id", "name"),)


class Face(Base):
    """The primary face of an image and its embedding, named by the backend and pack that made it."""

    __tablename__ = "face"
    id: Mapped[uuid.UUID] = pk()
    artifact_id: Mapped[uuid.UUID] = fk("artifact.id", "CASCADE")
    backend: Mapped[str] = text()
    pack: Mapped[str] = text()
    box_x: Mapped[int]
    box_y: Mapped[int]
    box_width: Mapped[int]
    box_height: Mapped[int]
    confidence: Mapped[float]
    embedding: Mapped[Any] = mapped_column(Vector(512), nullable=False)
    __table_args__ = (
        sa.UniqueConstraint("artifact_id", "backend", "pack"),
        sa.Index(
            "ix_face_embedding", "embedding", postgresql_using="hnsw",
            postgresql_ops={"embedding": "vector_cosine_ops"},
        ),
    )  # fmt: skip


class MetadataField(Base):
    """A field of the character metadata schema."""

    __tablename__ = "metadata_field"
    id: Mapped[uuid.UUID] = pk()
    name: Mapped[str] = text(unique=True)
    field_type_id: Mapped[FieldType] = term(FieldType)
    is_required: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    sort_order: Mapped[int] = mapped_column(sa.SmallInteger, nullable=False)


class CharacterMetadataValue(Base):
    """One typed value of a character's metadata."""

    __tablename__ = "character_metadata_value"
    character_id: Mapped[uuid.UUID] = fk("character.id", "CASCADE", primary_key=True)
    field_id: Mapped[uuid.UUID] = fk("metadata_field.id", "RESTRICT", primary_key=True)
    text_value: Mapped[str | None] = text(nullable=True)
    integer_value: Mapped[int | None] = mapped_column(sa.BigInteger, nullable=True)
    number_value: Mapped[float | None]
    boolean_value: Mapped[bool | None]
    date_value: Mapped[date | None]
    updated_at: Mapped[datetime | None] = moment()
    __table_args__ = (
        sa.Index("ix_character_metadata_value_field_id", "field_id"),
        sa.CheckConstraint(
            "num_nonnulls(text_value, integer_value, number_value, boolean_value, date_value) = 1", name="one_value"
        ),
    )
