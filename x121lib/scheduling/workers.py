"""GPU workers: add, list, drain, remove, and what their health checks found."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import NotFoundError
from x121lib.events import outbox
from x121lib.scheduling.service import wake
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import EventKind, WorkerKind, WorkerStatus

OFFLINE_AFTER_S = 15.0
"""Seconds of silence after which a worker counts as offline; before that it is degraded."""


@dataclass(frozen=True)
class WorkerSpec:
    """A worker as somebody adds it."""

    name: str
    """Name that people see."""
    url: str
    """Address of its ComfyUI API."""
    kind: WorkerKind = WorkerKind.COMFYUI
    """What answers there."""
    slots: int = 1
    """Takes that it runs at once."""
    tags: tuple[str, ...] = ()
    """Capability tags."""


@dataclass(frozen=True)
class HealthReport:
    """What a health check found."""

    worker_id: uuid.UUID
    """The worker."""
    ok: bool
    """Whether it answered."""
    server_version: str = ""
    """ComfyUI's version."""
    device: str = ""
    """Name of its first device."""
    vram_bytes: int | None = None
    """Total video memory of that device."""


def add(session: Session, actor: Actor, spec: WorkerSpec) -> uuid.UUID:
    """Add a worker, or bring a known one (same URL, or same engine name) back; returns its key."""
    actor.require(Permission.MANAGE_WORKERS)
    same = m.Worker.url == spec.url
    if spec.kind == WorkerKind.LOCAL_ENGINE:
        same = sa.or_(same, sa.and_(m.Worker.name == spec.name, m.Worker.kind_id == spec.kind))
    worker = session.scalars(sa.select(m.Worker).where(same).with_for_update()).first()
    if worker is None:
        worker = m.Worker(kind_id=spec.kind)
        session.add(worker)
    worker.name, worker.url, worker.slots = spec.name, spec.url, spec.slots
    worker.status_id, worker.error_streak, worker.set_aside_until = WorkerStatus.OFFLINE, 0, None
    session.flush()
    session.execute(sa.delete(m.WorkerTag).where(m.WorkerTag.worker_id == worker.id))
    session.add_all(m.WorkerTag(worker_id=worker.id, tag=tag) for tag in set(spec.tags))
    audit.record(session, actor, "worker.add", ("worker", worker.id), after={"name": spec.name, "url": spec.url})
    _announce(session, worker)
    return worker.id


def list_workers(session: Session) -> list[m.Worker]:
    """Return the workers that were not removed, by name."""
    query = sa.select(m.Worker).where(m.Worker.status_id != WorkerStatus.REMOVED).order_by(m.Worker.name)
    return list(session.scalars(query))


def set_status(session: Session, actor: Actor, worker_id: uuid.UUID, status: WorkerStatus) -> None:
    """Drain, remove or reopen a worker; running takes finish first."""
    actor.require(Permission.MANAGE_WORKERS)
    worker = session.get(m.Worker, worker_id, with_for_update=True)
    if worker is None:
        raise NotFoundError(f"There is no worker {worker_id}.", hint="'x121 worker list' shows them.")
    before = worker.status_id
    worker.status_id = status
    worker.version += 1
    audit.record(
        session, actor, "worker.set_status", ("worker", worker.id),
        before={"status": before.value}, after={"status": status.value},
    )  # fmt: skip
    _announce(session, worker)


def record_health(session: Session, report: HealthReport, now: datetime) -> None:
    """Store what a health check found; drained and removed workers keep their status."""
    worker = session.get(m.Worker, report.worker_id, with_for_update=True)
    if worker is None or worker.status_id == WorkerStatus.REMOVED:
        return
    before = worker.status_id
    if report.ok:
        worker.last_seen_at = now
        worker.server_version, worker.device = report.server_version, report.device
        worker.vram_bytes = report.vram_bytes
        if before != WorkerStatus.DRAINING:
            worker.status_id = WorkerStatus.ONLINE
    elif before != WorkerStatus.DRAINING:
        silent = worker.last_seen_at is None or now - worker.last_seen_at > timedelta(seconds=OFFLINE_AFTER_S)
        worker.status_id = WorkerStatus.OFFLINE if silent else WorkerStatus.DEGRADED
    if worker.status_id != before:
        _announce(session, worker)


def _announce(session: Session, worker: m.Worker) -> None:
    outbox.publish(
        session, EventKind.WORKER_CHANGED, entity="worker", entity_id=worker.id,
        payload={"name": worker.name, "status": worker.status_id.value},
    )  # fmt: skip
    wake(session)
