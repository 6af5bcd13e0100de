"""The queue's truth: GPU tasks, their attempts, and the workers that run them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from x121lib.model.base import Base, fk, moment, now_column, pk, term, text, version_column
from x121lib.terms.transitions import ENDED_STATUSES
from x121lib.terms.vocabulary import AttemptOutcome, PriorityClass, TaskKind, TaskStatus, WorkerKind, WorkerStatus

WAITING_NUMBERS = f"({TaskStatus.WAITING.number}, {TaskStatus.QUEUED.number})"
OPEN_NUMBERS = f"({', '.join(str(status.number) for status in TaskStatus if status not in ENDED_STATUSES)})"
NOBODY = uuid.UUID(int=0)
"""Stands in `ix_gpu_task_turns` for who submitted what nobody did."""


OFTEN_EMPTY = ("take_id", "image_variant_id", "batch_id", "after_task_id", "worker_id")


class Batch(Base):
    """What one submission asked for."""

    __tablename__ = "batch"
    id: Mapped[uuid.UUID] = pk()
    project_id: Mapped[uuid.UUID] = fk("project.id", "CASCADE")
    submitted_by_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)
    tier_id: Mapped[uuid.UUID] = fk("tier.id", "RESTRICT")
    created_at: Mapped[datetime] = now_column()


class BatchScene(Base):
    """A scene that a batch asked for."""

    __tablename__ = "batch_scene"
    batch_id: Mapped[uuid.UUID] = fk("batch.id", "CASCADE", primary_key=True)
    scene_id: Mapped[uuid.UUID] = fk("scene.id", "CASCADE", primary_key=True)
    __table_args__ = (sa.Index("ix_batch_scene_scene_id", "scene_id"),)


class BatchEstimate(Base):
    """What a batch was expected to need when it was submitted; written only where every take had a history."""

    __tablename__ = "batch_estimate"
    batch_id: Mapped[uuid.UUID] = fk("batch.id", "CASCADE", primary_key=True)
    n_takes: Mapped[int]
    n_history: Mapped[int]
    gpu_s: Mapped[float]
    gpu_low_s: Mapped[float]
    gpu_high_s: Mapped[float]
    created_at: Mapped[datetime] = now_column()


class GpuTask(Base):
    """One unit of GPU work with its lease; `attempt_number` is the fencing token.

    ``is_ready`` says that what it waits for (``after_task_id``) has passed; `pipeline.flow` keeps it. ``turn_at`` is
    the moment from which its age counts where a person moved it, in place of ``queued_at``.
    """

    __tablename__ = "gpu_task"
    id: Mapped[uuid.UUID] = pk()
    kind_id: Mapped[TaskKind] = term(TaskKind, index=False)
    take_id: Mapped[uuid.UUID | None] = fk("take.id", "CASCADE", nullable=True, index=False)
    image_variant_id: Mapped[uuid.UUID | None] = fk("image_variant.id", "CASCADE", nullable=True, index=False)
    project_id: Mapped[uuid.UUID] = fk("project.id", "CASCADE")
    batch_id: Mapped[uuid.UUID | None] = fk("batch.id", "SET NULL", nullable=True, index=False)
    submitted_by_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)
    class_id: Mapped[PriorityClass] = term(PriorityClass, default=PriorityClass.NORMAL, index=False)
    priority: Mapped[int] = mapped_column(sa.SmallInteger, nullable=False)
    status_id: Mapped[TaskStatus] = term(TaskStatus, default=TaskStatus.QUEUED, index=False)
    after_task_id: Mapped[uuid.UUID | None] = fk("gpu_task.id", "SET NULL", nullable=True, index=False)
    is_ready: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=True, server_default=sa.true())
    is_off_peak: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False, server_default=sa.false())
    not_before: Mapped[datetime | None] = moment()
    seed: Mapped[int | None] = mapped_column(sa.Numeric(20, 0, asdecimal=False), nullable=True)
    attempt_number: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    failed_attempts: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    worker_id: Mapped[uuid.UUID | None] = fk("worker.id", "SET NULL", nullable=True, index=False)
    lease_until: Mapped[datetime | None] = moment()
    heartbeat_at: Mapped[datetime | None] = moment()
    progress: Mapped[float] = mapped_column(sa.Float, nullable=False, default=0.0)
    queued_at: Mapped[datetime] = now_column()
    turn_at: Mapped[datetime | None] = moment()
    started_at: Mapped[datetime | None] = moment()
    finished_at: Mapped[datetime | None] = moment()
    pause_requested_at: Mapped[datetime | None] = moment()
    error_code: Mapped[str | None] = text(nullable=True)
    error_message: Mapped[str | None] = text(nullable=True)
    version: Mapped[int] = version_column()
    __table_args__ = (
        sa.CheckConstraint("num_nonnulls(take_id, image_variant_id) = 1", name="makes_one_thing"),
        sa.CheckConstraint("priority BETWEEN 0 AND 100", name="priority_range"),
        sa.Index(
            "ix_gpu_task_waiting", sa.text("priority DESC"), "queued_at", "id",
            postgresql_where=sa.text(f"status_id IN {WAITING_NUMBERS}"),
        ),
        sa.Index(
            "ix_gpu_task_turns", "project_id", sa.text(f"coalesce(submitted_by_id, '{NOBODY}'::uuid)"), "priority",
            sa.text("coalesce(turn_at, queued_at)"), "id",
            postgresql_where=sa.text(f"status_id IN {WAITING_NUMBERS} AND is_ready"),
        ),
        sa.Index(
            "ix_gpu_task_open", "status_id", "lease_until", postgresql_where=sa.text(f"status_id IN {OPEN_NUMBERS}")
        ),
        *(sa.Index(None, name, postgresql_where=sa.text(f"{name} IS NOT NULL")) for name in OFTEN_EMPTY),
    )  # fmt: skip


class GpuTaskAttempt(Base):
    """One attempt at a task on one worker; recording is idempotent under (task, number)."""

    __tablename__ = "gpu_task_attempt"
    id: Mapped[uuid.UUID] = pk()
    task_id: Mapped[uuid.UUID] = fk("gpu_task.id", "CASCADE", index=False)
    number: Mapped[int]
    worker_id: Mapped[uuid.UUID | None] = fk("worker.id", "SET NULL", nullable=True)
    prompt_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, nullable=False)
    outcome_id: Mapped[AttemptOutcome | None] = term(AttemptOutcome, nullable=True, index=False)
    dispatched_at: Mapped[datetime] = now_column()
    started_at: Mapped[datetime | None] = moment()
    finished_at: Mapped[datetime | None] = moment()
    queue_s: Mapped[float | None]
    run_s: Mapped[float | None]
    download_s: Mapped[float | None]
    error_code: Mapped[str | None] = text(nullable=True)
    error_message: Mapped[str | None] = text(nullable=True)
    error_context: Mapped[dict[str, Any] | None] = mapped_column(JSONB, nullable=True)
    __table_args__ = (sa.UniqueConstraint("task_id", "number"), sa.Index(None, "finished_at"))


class AttemptTrace(Base):
    """What an attempt does or did on its server: where it stands, the raw messages, the newest picture."""

    __tablename__ = "attempt_trace"
    attempt_id: Mapped[uuid.UUID] = fk("gpu_task_attempt.id", "CASCADE", primary_key=True)
    node_id: Mapped[str | None] = text(nullable=True)
    step: Mapped[float] = mapped_column(sa.Float, nullable=False, default=0.0)
    n_steps: Mapped[float] = mapped_column(sa.Float, nullable=False, default=0.0)
    nodes: Mapped[dict[str, list[str]]] = mapped_column(JSONB, nullable=False, default=dict)
    request: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False, default=dict)
    events: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, nullable=False, default=list)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB, nullable=True)
    preview: Mapped[bytes | None] = mapped_column(sa.LargeBinary, nullable=True)
    preview_node_id: Mapped[str | None] = text(nullable=True)
    updated_at: Mapped[datetime] = now_column()


class AttemptNodeTime(Base):
    """How long one node of an attempt took on its server."""

    __tablename__ = "attempt_node_time"
    attempt_id: Mapped[uuid.UUID] = fk("gpu_task_attempt.id", "CASCADE", primary_key=True)
    node_id: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    node_class: Mapped[str] = text()
    seconds: Mapped[float] = mapped_column(sa.Float, nullable=False)
    is_cached: Mapped[bool] = mapped_column(sa.Boolean, nullable=False)


class TakeOverride(Base):
    """A slot's value that a person gave one take in place of its recipe's."""

    __tablename__ = "take_override"
    take_id: Mapped[uuid.UUID] = fk("take.id", "CASCADE", primary_key=True)
    slot: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB, nullable=False)
    set_by_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)
    set_at: Mapped[datetime] = now_column()


class Worker(Base):
    """A ComfyUI server (or local engine) that runs takes."""

    __tablename__ = "worker"
    id: Mapped[uuid.UUID] = pk()
    name: Mapped[str] = text()
    url: Mapped[str] = text(unique=True)
    kind_id: Mapped[WorkerKind] = term(WorkerKind)
    status_id: Mapped[WorkerStatus] = term(WorkerStatus, default=WorkerStatus.OFFLINE)
    slots: Mapped[int] = mapped_column(sa.SmallInteger, nullable=False, default=1)
    server_version: Mapped[str] = text(default="")
    device: Mapped[str] = text(default="")
    vram_bytes: Mapped[int | None] = mapped_column(sa.BigInteger, nullable=True)
    last_seen_at: Mapped[datetime | None] = moment()
    error_streak: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    set_aside_until: Mapped[datetime | None] = moment()
    capabilities_at: Mapped[datetime | None] = moment()
    capabilities_hash: Mapped[str | None] = mapped_column(sa.CHAR(64), nullable=True)
    added_at: Mapped[datetime] = now_column()
    version: Mapped[int] = version_column()


class WorkerTag(Base):
    """A capability tag of a worker."""

    __tablename__ = "worker_tag"
    worker_id: Mapped[uuid.UUID] = fk("worker.id", "CASCADE", primary_key=True)
    tag: Mapped[str] = mapped_column(sa.Text, primary_key=True)
