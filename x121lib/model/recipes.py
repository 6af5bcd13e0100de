"""Workflows, scene types and quality profiles, each with immutable versions."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from x121lib.model.base import Base, fk, now_column, pk, term, text
from x121lib.terms.vocabulary import MetricDirection, SlotType, WorkflowStatus


class Workflow(Base):
    """A named ComfyUI workflow."""

    __tablename__ = "workflow"
    id: Mapped[uuid.UUID] = pk()
    name: Mapped[str] = text(unique=True)
    created_at: Mapped[datetime] = now_column()


class WorkflowVersion(Base):
    """One version of a workflow: the graph in API form, never changed once stored."""

    __tablename__ = "workflow_version"
    id: Mapped[uuid.UUID] = pk()
    workflow_id: Mapped[uuid.UUID] = fk("workflow.id", "CASCADE")
    number: Mapped[int]
    graph: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False)
    graph_hash: Mapped[str] = mapped_column(sa.CHAR(64), nullable=False)
    status_id: Mapped[WorkflowStatus] = term(WorkflowStatus, default=WorkflowStatus.DRAFT)
    repeats_seed_frame: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    vram_bytes: Mapped[int | None] = mapped_column(sa.BigInteger, nullable=True)
    created_by_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)
    created_at: Mapped[datetime] = now_column()
    __table_args__ = (
        sa.UniqueConstraint("workflow_id", "number"),
        sa.UniqueConstraint("workflow_id", "graph_hash", "repeats_seed_frame"),
    )


class WorkflowSlot(Base):
    """A named place in a workflow's graph that a take fills; its ``found_name`` is empty where a person added it."""

    __tablename__ = "workflow_slot"
    id: Mapped[uuid.UUID] = pk()
    workflow_version_id: Mapped[uuid.UUID] = fk("workflow_version.id", "CASCADE")
    name: Mapped[str] = text()
    node_id: Mapped[str] = text()
    input_name: Mapped[str] = text()
    slot_type_id: Mapped[SlotType] = term(SlotType)
    found_name: Mapped[str] = text(default="")
    label: Mapped[str] = text(default="")
    is_hidden: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    default_value: Mapped[Any] = mapped_column(JSONB(none_as_null=True), nullable=True)
    class_default: Mapped[Any] = mapped_column(JSONB(none_as_null=True), nullable=True)
    minimum: Mapped[Decimal | None] = mapped_column(sa.Numeric, nullable=True)
    maximum: Mapped[Decimal | None] = mapped_column(sa.Numeric, nullable=True)
    step: Mapped[Decimal | None] = mapped_column(sa.Numeric, nullable=True)
    has_own_range: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    __table_args__ = (sa.UniqueConstraint("workflow_version_id", "node_id", "input_name"),)


class WorkflowSlotChoice(Base):
    """One of the values that a slot takes, where it does not take any."""

    __tablename__ = "workflow_slot_choice"
    slot_id: Mapped[uuid.UUID] = fk("workflow_slot.id", "CASCADE", primary_key=True)
    position: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True, autoincrement=False)
    value: Mapped[str] = text()


class WorkflowNodePack(Base):
    """The pack that a node class of a workflow comes from, as the file of the editor says."""

    __tablename__ = "workflow_node_pack"
    workflow_version_id: Mapped[uuid.UUID] = fk("workflow_version.id", "CASCADE", primary_key=True)
    node_class: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    pack: Mapped[str] = text()
    pack_version: Mapped[str] = text(default="")


class SceneType(Base):
    """A reusable kind of scene, e.g. ``dance``."""

    __tablename__ = "scene_type"
    id: Mapped[uuid.UUID] = pk()
    name: Mapped[str] = text(unique=True)
    created_at: Mapped[datetime] = now_column()


class SceneTypeVersion(Base):
    """One version of a scene type's settings; scenes keep the version that they were planned with."""

    __tablename__ = "scene_type_version"
    id: Mapped[uuid.UUID] = pk()
    scene_type_id: Mapped[uuid.UUID] = fk("scene_type.id", "CASCADE")
    number: Mapped[int]
    workflow_version_id: Mapped[uuid.UUID] = fk("workflow_version.id", "RESTRICT")
    qa_profile_version_id: Mapped[uuid.UUID] = fk("qa_profile_version.id", "RESTRICT")
    transition_mode_id: Mapped[uuid.UUID] = fk("transition_mode.id", "RESTRICT")
    description: Mapped[str] = text(default="")
    text_prompt: Mapped[str] = text(default="")
    negative_prompt: Mapped[str] = text(default="")
    target_duration_s: Mapped[Decimal] = mapped_column(sa.Numeric(10, 3), nullable=False)
    segment_duration_s: Mapped[Decimal] = mapped_column(sa.Numeric(10, 3), nullable=False)
    rate_numerator: Mapped[int]
    rate_denominator: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]
    vram_bytes: Mapped[int | None] = mapped_column(sa.BigInteger, nullable=True)
    re_anchors: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False, server_default=sa.false())
    content_hash: Mapped[str] = mapped_column(sa.CHAR(64), nullable=False)
    created_by_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)
    created_at: Mapped[datetime] = now_column()
    __table_args__ = (sa.UniqueConstraint("scene_type_id", "number"),)


class SceneTypeVariantKind(Base):
    """A variant kind that a scene type applies to."""

    __tablename__ = "scene_type_variant_kind"
    scene_type_version_id: Mapped[uuid.UUID] = fk("scene_type_version.id", "CASCADE", primary_key=True)
    variant_kind_id: Mapped[uuid.UUID] = fk("variant_kind.id", "RESTRICT", primary_key=True)
    __table_args__ = (sa.Index("ix_scene_type_variant_kind_variant_kind_id", "variant_kind_id"),)


class SceneTypeSlotValue(Base):
    """A fixed value for a slot of the scene type's workflow, written as JSON text."""

    __tablename__ = "scene_type_slot_value"
    scene_type_version_id: Mapped[uuid.UUID] = fk("scene_type_version.id", "CASCADE", primary_key=True)
    slot: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB, nullable=False)


class Metric(Base):
    """A quality measure with its unit, direction and source."""

    __tablename__ = "metric"
    id: Mapped[uuid.UUID] = pk()
    name: Mapped[str] = text(unique=True)
    unit: Mapped[str] = text()
    direction_id: Mapped[MetricDirection] = term(MetricDirection)
    source: Mapped[str] = text()
    description: Mapped[str] = text()


class QaProfile(Base):
    """A named set of gates."""

    __tablename__ = "qa_profile"
    id: Mapped[uuid.UUID] = pk()
    name: Mapped[str] = text(unique=True)


class QaProfileVersion(Base):
    """One version of a profile's thresholds."""

    __tablename__ = "qa_profile_version"
    id: Mapped[uuid.UUID] = pk()
    profile_id: Mapped[uuid.UUID] = fk("qa_profile.id", "CASCADE")
    number: Mapped[int]
    content_hash: Mapped[str] = mapped_column(sa.CHAR(64), nullable=False)
    created_at: Mapped[datetime] = now_column()
    __table_args__ = (sa.UniqueConstraint("profile_id", "number"),)


class QaGate(Base):
    """A metric's thresholds in a profile version; an empty bound does not apply."""

    __tablename__ = "qa_gate"
    id: Mapped[uuid.UUID] = pk()
    profile_version_id: Mapped[uuid.UUID] = fk("qa_profile_version.id", "CASCADE")
    metric_id: Mapped[uuid.UUID] = fk("metric.id", "RESTRICT")
    warn_below: Mapped[float | None]
    fail_below: Mapped[float | None]
    warn_above: Mapped[float | None]
    fail_above: Mapped[float | None]
    __table_args__ = (sa.UniqueConstraint("profile_version_id", "metric_id"),)
