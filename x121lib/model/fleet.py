"""What is known of each GPU worker beside its own row: past, abilities, loaded models, speed."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from x121lib.model.base import Base, fk, moment, now_column, pk, term, text
from x121lib.terms.vocabulary import WakeKind, WorkerStatus


class WorkerStatusChange(Base):
    """One change of a worker's status, with the reason in words; `person_id` where a person did it."""

    __tablename__ = "worker_status_change"
    id: Mapped[uuid.UUID] = pk()
    worker_id: Mapped[uuid.UUID] = fk("worker.id", "CASCADE")
    from_status_id: Mapped[WorkerStatus | None] = term(WorkerStatus, nullable=True)
    to_status_id: Mapped[WorkerStatus] = term(WorkerStatus)
    reason: Mapped[str] = text()
    person_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)
    created_at: Mapped[datetime] = now_column()


class WorkerNodeClass(Base):
    """A node class that the worker's server offers, and what it says of the class's inputs and outputs."""

    __tablename__ = "worker_node_class"
    worker_id: Mapped[uuid.UUID] = fk("worker.id", "CASCADE", primary_key=True)
    name: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    spec: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), nullable=True)


class WorkerModel(Base):
    """A model file that the worker's server lists, by its folder (``checkpoints``, ``loras``, …)."""

    __tablename__ = "worker_model"
    worker_id: Mapped[uuid.UUID] = fk("worker.id", "CASCADE", primary_key=True)
    folder: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    name: Mapped[str] = mapped_column(sa.Text, primary_key=True)


class WorkerLoadedModel(Base):
    """A model file that the worker's last take used, so that it is probably still in its memory."""

    __tablename__ = "worker_loaded_model"
    worker_id: Mapped[uuid.UUID] = fk("worker.id", "CASCADE", primary_key=True)
    name: Mapped[str] = mapped_column(sa.Text, primary_key=True)


class WorkerSpeed(Base):
    """Mean seconds of a workflow's takes on a worker, over about the last twenty."""

    __tablename__ = "worker_speed"
    worker_id: Mapped[uuid.UUID] = fk("worker.id", "CASCADE", primary_key=True)
    workflow_id: Mapped[uuid.UUID] = mapped_column(
        sa.ForeignKey("workflow.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    mean_s: Mapped[float] = mapped_column(sa.Float, nullable=False)
    n_takes: Mapped[int] = mapped_column(sa.Integer, nullable=False)


class WorkflowWorkerTag(Base):
    """A tag that a worker must have to run the workflow."""

    __tablename__ = "workflow_worker_tag"
    workflow_id: Mapped[uuid.UUID] = fk("workflow.id", "CASCADE", primary_key=True)
    tag: Mapped[str] = mapped_column(sa.Text, primary_key=True)


class WorkerAgent(Base):
    """The agent on a worker's host; its key is sealed with the studio's data key."""

    __tablename__ = "worker_agent"
    worker_id: Mapped[uuid.UUID] = fk("worker.id", "CASCADE", primary_key=True)
    url: Mapped[str] = text()
    key_encrypted: Mapped[bytes] = mapped_column(sa.LargeBinary, nullable=False)
    answered_at: Mapped[datetime | None] = moment()
    trouble: Mapped[str] = text(default="")
    no_gpu_reason: Mapped[str] = text(default="")


class GpuVital(Base):
    """The newest vitals of one GPU of a worker's host; null where the driver does not say."""

    __tablename__ = "gpu_vital"
    worker_id: Mapped[uuid.UUID] = fk("worker.id", "CASCADE", primary_key=True)
    device_index: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True)
    name: Mapped[str] = text()
    utilisation: Mapped[float | None]
    vram_used_bytes: Mapped[int | None] = mapped_column(sa.BigInteger, nullable=True)
    vram_total_bytes: Mapped[int | None] = mapped_column(sa.BigInteger, nullable=True)
    temperature_c: Mapped[float | None]
    power_w: Mapped[float | None]
    throttled: Mapped[str] = text(default="")
    measured_at: Mapped[datetime] = moment(nullable=False)


class WorkerAlert(Base):
    """A threshold that a worker's host passes at the moment; the row goes when it is over."""

    __tablename__ = "worker_alert"
    worker_id: Mapped[uuid.UUID] = fk("worker.id", "CASCADE", primary_key=True)
    name: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    message: Mapped[str] = text()
    raised_at: Mapped[datetime] = moment(nullable=False)


class WorkerEnergy(Base):
    """Energy that a worker's GPUs used on one day (UTC), from measured power, and for how long it was measured."""

    __tablename__ = "worker_energy"
    worker_id: Mapped[uuid.UUID] = fk("worker.id", "CASCADE", primary_key=True)
    day: Mapped[date] = mapped_column(sa.Date, primary_key=True)
    joules: Mapped[float] = mapped_column(sa.Float, nullable=False)
    measured_s: Mapped[float] = mapped_column(sa.Float, nullable=False)


class WorkerPower(Base):
    """How a worker's power is switched: its idle time, how it is woken, and what was sent to it last."""

    __tablename__ = "worker_power"
    worker_id: Mapped[uuid.UUID] = fk("worker.id", "CASCADE", primary_key=True)
    idle_after_s: Mapped[int | None]
    wake_kind_id: Mapped[WakeKind | None] = term(WakeKind, nullable=True)
    wake_target: Mapped[str] = text(default="")
    configured_at: Mapped[datetime] = moment(nullable=False)
    wake_sent_at: Mapped[datetime | None] = moment()
    sleep_sent_at: Mapped[datetime | None] = moment()


class PowerWindow(Base):
    """A part of a weekday (0 is Monday), in local minutes of the day, in which a worker may be awake."""

    __tablename__ = "power_window"
    worker_id: Mapped[uuid.UUID] = fk("worker.id", "CASCADE", primary_key=True)
    weekday: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True)
    start_minute: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True)
    stop_minute: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True)
