"""Scenes, segments, takes, their receipts and the cuts sent to review."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from x121lib.model.base import Base, fk, moment, now_column, pk, term, text, version_column
from x121lib.terms.vocabulary import SceneStatus, SegmentStatus, TakeStatus


class Scene(Base):
    """One deliverable video: character × scene type × variant kind × transition mode × index."""

    __tablename__ = "scene"
    id: Mapped[uuid.UUID] = pk()
    project_id: Mapped[uuid.UUID] = fk("project.id", "CASCADE")
    character_id: Mapped[uuid.UUID] = fk("character.id", "CASCADE", index=False)
    scene_type_id: Mapped[uuid.UUID] = fk("scene_type.id", "RESTRICT")
    scene_type_version_id: Mapped[uuid.UUID] = fk("scene_type_version.id", "RESTRICT")
    variant_kind_id: Mapped[uuid.UUID] = fk("variant_kind.id", "RESTRICT")
    transition_mode_id: Mapped[uuid.UUID] = fk("transition_mode.id", "RESTRICT")
    tier_id: Mapped[uuid.UUID] = fk("tier.id", "RESTRICT")
    index_number: Mapped[int] = mapped_column(sa.SmallInteger, nullable=False, default=1)
    status_id: Mapped[SceneStatus] = term(SceneStatus, default=SceneStatus.PENDING)
    failure_reason: Mapped[str | None] = text(nullable=True)
    created_at: Mapped[datetime] = now_column()
    updated_at: Mapped[datetime] = now_column()
    version: Mapped[int] = version_column()
    __table_args__ = (
        sa.UniqueConstraint("character_id", "scene_type_id", "variant_kind_id", "transition_mode_id", "index_number"),
    )


class Segment(Base):
    """Consecutive frames of a scene; its chosen take is the one in the cut."""

    __tablename__ = "segment"
    id: Mapped[uuid.UUID] = pk()
    scene_id: Mapped[uuid.UUID] = fk("scene.id", "CASCADE", index=False)
    sequence_index: Mapped[int] = mapped_column(sa.SmallInteger, nullable=False)
    planned_frames: Mapped[int]
    status_id: Mapped[SegmentStatus] = term(SegmentStatus, default=SegmentStatus.PENDING)
    chosen_take_id: Mapped[uuid.UUID | None] = mapped_column(
        sa.ForeignKey("take.id", ondelete="SET NULL", use_alter=True), nullable=True, index=True
    )
    __table_args__ = (sa.UniqueConstraint("scene_id", "sequence_index"),)


class Take(Base):
    """One attempt at a segment; never overwritten."""

    __tablename__ = "take"
    id: Mapped[uuid.UUID] = pk()
    segment_id: Mapped[uuid.UUID] = fk("segment.id", "CASCADE", index=False)
    number: Mapped[int] = mapped_column(sa.SmallInteger, nullable=False)
    status_id: Mapped[TakeStatus] = term(TakeStatus, default=TakeStatus.PLANNED)
    seed: Mapped[int] = mapped_column(sa.Numeric(20, 0, asdecimal=False), nullable=False)
    seed_frame_artifact_id: Mapped[uuid.UUID | None] = fk("artifact.id", "RESTRICT", nullable=True)
    output_artifact_id: Mapped[uuid.UUID | None] = fk("artifact.id", "RESTRICT", nullable=True)
    boundary_artifact_id: Mapped[uuid.UUID | None] = fk("artifact.id", "RESTRICT", nullable=True)
    boundary_frame: Mapped[int | None]
    n_frames: Mapped[int | None]
    receipt_id: Mapped[uuid.UUID | None] = fk("receipt.id", "RESTRICT", nullable=True)
    created_at: Mapped[datetime] = now_column()
    finished_at: Mapped[datetime | None] = moment()
    __table_args__ = (sa.UniqueConstraint("segment_id", "number"),)


class HandOffCorrection(Base):
    """How a take's boundary frame was matched back to the scene's first frame before it was handed on, in CIELAB."""

    __tablename__ = "hand_off_correction"
    take_id: Mapped[uuid.UUID] = fk("take.id", "CASCADE", primary_key=True)
    shift_l: Mapped[float]
    shift_a: Mapped[float]
    shift_b: Mapped[float]
    gain_l: Mapped[float]
    gain_a: Mapped[float]
    gain_b: Mapped[float]
    drift_before: Mapped[float]
    drift_after: Mapped[float]


class SceneVersion(Base):
    """A scene's cut as it was sent to review."""

    __tablename__ = "scene_version"
    id: Mapped[uuid.UUID] = pk()
    scene_id: Mapped[uuid.UUID] = fk("scene.id", "CASCADE", index=False)
    number: Mapped[int] = mapped_column(sa.SmallInteger, nullable=False)
    artifact_id: Mapped[uuid.UUID] = fk("artifact.id", "RESTRICT")
    filmstrip_artifact_id: Mapped[uuid.UUID | None] = fk("artifact.id", "RESTRICT", nullable=True)
    n_frames: Mapped[int]
    created_at: Mapped[datetime] = now_column()
    __table_args__ = (sa.UniqueConstraint("scene_id", "number"),)


class SceneVersionCut(Base):
    """One take's frame range in a scene version, in order."""

    __tablename__ = "scene_version_cut"
    scene_version_id: Mapped[uuid.UUID] = fk("scene_version.id", "CASCADE", primary_key=True)
    position: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True)
    take_id: Mapped[uuid.UUID] = fk("take.id", "RESTRICT")
    start_frame: Mapped[int]
    stop_frame: Mapped[int]


class Receipt(Base):
    """Everything that made one take or image; `request_hash` covers all of its inputs."""

    __tablename__ = "receipt"
    id: Mapped[uuid.UUID] = pk()
    request_hash: Mapped[str] = mapped_column(sa.CHAR(64), nullable=False, index=True)
    workflow_version_id: Mapped[uuid.UUID] = fk("workflow_version.id", "RESTRICT")
    tier_id: Mapped[uuid.UUID | None] = fk("tier.id", "RESTRICT", nullable=True)
    seed: Mapped[int] = mapped_column(sa.Numeric(20, 0, asdecimal=False), nullable=False)
    text_prompt: Mapped[str] = text(default="")
    negative_prompt: Mapped[str] = text(default="")
    worker_id: Mapped[uuid.UUID | None] = fk("worker.id", "SET NULL", nullable=True)
    server_version: Mapped[str] = text(default="")
    x121_version: Mapped[str] = text(default="")
    created_at: Mapped[datetime] = now_column()


class ReceiptInput(Base):
    """A file that went into a receipt's slot."""

    __tablename__ = "receipt_input"
    receipt_id: Mapped[uuid.UUID] = fk("receipt.id", "CASCADE", primary_key=True)
    slot: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    artifact_id: Mapped[uuid.UUID] = fk("artifact.id", "RESTRICT")


class ReceiptParameter(Base):
    """A value that went into a receipt's slot."""

    __tablename__ = "receipt_parameter"
    receipt_id: Mapped[uuid.UUID] = fk("receipt.id", "CASCADE", primary_key=True)
    slot: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB, nullable=False)


class ReceiptModel(Base):
    """A model or LoRA file that a receipt's graph names, with its weight where the node has one."""

    __tablename__ = "receipt_model"
    id: Mapped[uuid.UUID] = pk()
    receipt_id: Mapped[uuid.UUID] = fk("receipt.id", "CASCADE")
    node_id: Mapped[str] = text()
    input_name: Mapped[str] = text()
    file_name: Mapped[str] = text()
    weight: Mapped[float | None]
    model_version_id: Mapped[uuid.UUID | None] = fk("model_version.id", "SET NULL", nullable=True)
    __table_args__ = (sa.UniqueConstraint("receipt_id", "node_id", "input_name"),)
