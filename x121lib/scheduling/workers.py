"""GPU workers: add, list, change, drain, maintenance, remove, and what their health checks found."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import InvalidInputError, NotFoundError, RefusedError
from x121lib.scheduling import warmth
from x121lib.scheduling.service import wake
from x121lib.scheduling.standing import move_worker, record_change
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import WorkerKind, WorkerStatus

OFFLINE_AFTER_S = 15.0
"""Seconds of silence after which a worker counts as offline; before that it is degraded."""
CAPABILITIES_AGAIN_S = 600.0
"""Seconds after which a worker is asked again for its node classes and models."""
CAPABILITIES_MISSED_S = 60.0
"""The same while something waits that no worker can run."""
HELD_BY_PERSON = frozenset({WorkerStatus.DRAINING, WorkerStatus.MAINTENANCE, WorkerStatus.REMOVED})
"""Statuses that a person gave."""
HELD = HELD_BY_PERSON | {WorkerStatus.ASLEEP}
"""Statuses that no health check changes."""
MOST_SLOTS = 16
"""Most slots of one worker."""


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


@dataclass(frozen=True)
class Change:
    """What to change of a worker; None leaves a value as it is."""

    name: str | None = None
    """Name that people see."""
    slots: int | None = None
    """Takes that it runs at once, 1 to `MOST_SLOTS`."""
    tags: tuple[str, ...] | None = None
    """All of its capability tags."""


def add(session: Session, actor: Actor, spec: WorkerSpec) -> uuid.UUID:
    """Add a worker, or bring a known one (same URL, or same engine name) back; returns its key."""
    actor.require(Permission.MANAGE_WORKERS)
    _check(spec.name, spec.slots, spec.tags)
    same = m.Worker.url == spec.url
    if spec.kind == WorkerKind.LOCAL_ENGINE:
        same = sa.or_(same, sa.and_(m.Worker.name == spec.name, m.Worker.kind_id == spec.kind))
    worker = session.scalars(sa.select(m.Worker).where(same).with_for_update()).first()
    _require_free_name(session, spec.name, worker)
    before = worker.status_id if worker is not None else None
    if worker is None:
        worker = m.Worker(kind_id=spec.kind)
        session.add(worker)
    worker.name, worker.url, worker.slots = spec.name, spec.url, spec.slots
    worker.status_id, worker.error_streak, worker.set_aside_until = WorkerStatus.OFFLINE, 0, None
    worker.capabilities_at = worker.capabilities_hash = None
    session.flush()
    _set_tags(session, worker, spec.tags)
    audit.record(session, actor, "worker.add", ("worker", worker.id), after={"name": spec.name, "url": spec.url})
    record_change(session, worker, before, "Added.", actor.person_id)
    wake(session)
    return worker.id


def list_workers(session: Session) -> list[m.Worker]:
    """Return the workers that were not removed, by name."""
    query = sa.select(m.Worker).where(m.Worker.status_id != WorkerStatus.REMOVED).order_by(m.Worker.name)
    return list(session.scalars(query))


def find(session: Session, name: str) -> m.Worker:
    """Return the worker with that name, address or key, locked; raises `NotFoundError` with the known names."""
    rows = list_workers(session)
    found = next((w for w in rows if name in (w.name, w.url, str(w.id))), None)
    if found is None:
        known = ", ".join(w.name for w in rows) or "none"
        raise NotFoundError(f"There is no worker '{name}'.", hint=f"Workers: {known}.")
    return session.get_one(m.Worker, found.id, with_for_update=True, populate_existing=True)


def change(session: Session, actor: Actor, name: str, wanted: Change) -> None:
    """Change a worker's name, slots or tags; takes that run go on."""
    actor.require(Permission.MANAGE_WORKERS)
    worker = find(session, name)
    _check(wanted.name or worker.name, wanted.slots or worker.slots, wanted.tags or ())
    before = {"name": worker.name, "slots": worker.slots}
    if wanted.name is not None:
        _require_free_name(session, wanted.name, worker)
        worker.name = wanted.name
    if wanted.slots is not None:
        worker.slots = wanted.slots
    if wanted.tags is not None:
        _set_tags(session, worker, wanted.tags)
    worker.version += 1
    after = {"name": worker.name, "slots": worker.slots, "tags": list(wanted.tags) if wanted.tags is not None else None}
    audit.record(session, actor, "worker.change", ("worker", worker.id), before=before, after=after)
    wake(session)


def set_status(session: Session, actor: Actor, worker_id: uuid.UUID, status: WorkerStatus, reason: str = "") -> None:
    """Drain, remove or reopen a worker, or take it into maintenance; running takes finish first."""
    actor.require(Permission.MANAGE_WORKERS)
    worker = session.get(m.Worker, worker_id, with_for_update=True)
    if worker is None:
        raise NotFoundError(f"There is no worker {worker_id}.", hint="'x121 worker list' shows them.")
    before = worker.status_id
    if status == WorkerStatus.OFFLINE:
        worker.error_streak, worker.set_aside_until = 0, None
    worker.version += 1
    audit.record(
        session, actor, "worker.set_status", ("worker", worker.id),
        before={"status": before.value}, after={"status": status.value},
    )  # fmt: skip
    move_worker(session, worker, status, reason or f"{actor.name} asked for it.", actor.person_id)
    wake(session)


def require_tags(session: Session, actor: Actor, workflow: str, tags: tuple[str, ...]) -> None:
    """Let a workflow run only on workers that have all of these tags; none lifts the restriction."""
    actor.require(Permission.MANAGE_WORKERS)
    _check_tags(tags)
    row = session.scalars(sa.select(m.Workflow).where(m.Workflow.name == workflow)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no workflow '{workflow}'.", hint="'x121 workflow list' shows them.")
    session.execute(sa.delete(m.WorkflowWorkerTag).where(m.WorkflowWorkerTag.workflow_id == row.id))
    session.add_all(m.WorkflowWorkerTag(workflow_id=row.id, tag=tag) for tag in set(tags))
    audit.record(session, actor, "workflow.require_tags", ("workflow", row.id), after={"tags": sorted(set(tags))})
    wake(session)


def record_health(session: Session, report: HealthReport, now: datetime) -> None:
    """Store what a health check found; workers that drain, are in maintenance or removed keep their status."""
    worker = session.get(m.Worker, report.worker_id, with_for_update=True)
    if worker is None or worker.status_id == WorkerStatus.REMOVED:
        return
    silent = worker.last_seen_at is None or now - worker.last_seen_at > timedelta(seconds=OFFLINE_AFTER_S)
    if report.ok:
        worker.last_seen_at = now
        worker.server_version, worker.device = report.server_version, report.device
        worker.vram_bytes = report.vram_bytes
        to, reason = WorkerStatus.ONLINE, "It answers."
    elif silent:
        to, reason = WorkerStatus.OFFLINE, "It does not answer."
        warmth.forget(session, worker.id)
    else:
        to, reason = WorkerStatus.DEGRADED, "It missed a health check."
    if worker.status_id not in HELD and worker.status_id != to:
        move_worker(session, worker, to, reason)
        wake(session)


def record_capabilities(
    session: Session, worker_id: uuid.UUID, specs: Mapping[str, Mapping[str, Any] | None],
    models: frozenset[tuple[str, str]], now: datetime,
) -> None:  # fmt: skip
    """Store what a worker's server offers, instead of earlier; nothing is written anew where it says the same.

    Args:
        session: an open session.
        worker_id: the worker.
        specs: its node classes with the part of their description that is kept; None where it is not known.
        models: (folder, file) of the models that it lists.
        now: the present time.
    """
    worker = session.get(m.Worker, worker_id, with_for_update=True)
    if worker is None:
        return
    said = json.dumps([specs, sorted(models)], sort_keys=True)
    digest = hashlib.sha256(said.encode()).hexdigest()
    known = worker.capabilities_hash == digest
    worker.capabilities_at, worker.capabilities_hash = now, digest
    if known:
        return
    for table in (m.WorkerNodeClass, m.WorkerModel):
        session.execute(sa.delete(table).where(table.worker_id == worker_id))
    if specs:
        classes = [{"worker_id": worker_id, "name": name, "spec": spec} for name, spec in sorted(specs.items())]
        session.execute(sa.insert(m.WorkerNodeClass), classes)
    if models:
        rows = [{"worker_id": worker_id, "folder": folder, "name": name} for folder, name in sorted(models)]
        session.execute(sa.insert(m.WorkerModel), rows)
    wake(session)


def ask_again(session: Session, worker_id: uuid.UUID) -> None:
    """Let a worker be asked again for its capabilities at the next health check: something was put there."""
    session.execute(sa.update(m.Worker).where(m.Worker.id == worker_id).values(capabilities_at=None))


def capabilities_due(
    session: Session, now: datetime, again_s: float = CAPABILITIES_AGAIN_S
) -> list[tuple[uuid.UUID, str]]:
    """Return (key, address) of the workers that answer and were not asked for their capabilities in ``again_s``."""
    old = now - timedelta(seconds=again_s)
    rows = session.execute(
        sa.select(m.Worker.id, m.Worker.url).where(
            m.Worker.status_id != WorkerStatus.REMOVED,
            m.Worker.last_seen_at > now - timedelta(seconds=OFFLINE_AFTER_S),
            sa.or_(m.Worker.capabilities_at.is_(None), m.Worker.capabilities_at < old),
        )
    ).all()  # fmt: skip
    return [(row.id, row.url) for row in rows]


def _check(name: str, slots: int, tags: tuple[str, ...]) -> None:
    if not name.strip() or not name.isprintable() or len(name) > 200:
        raise InvalidInputError("A worker's name has 1 to 200 printable characters.")
    if not 1 <= slots <= MOST_SLOTS:
        raise InvalidInputError(f"A worker has 1 to {MOST_SLOTS} slots, not {slots}.")
    _check_tags(tags)


def _check_tags(tags: tuple[str, ...]) -> None:
    for tag in tags:
        if not tag.strip() or not tag.isprintable() or len(tag) > 100 or "," in tag:
            raise InvalidInputError(f"The tag {tag!r} is not 1 to 100 printable characters without a comma.")


def _require_free_name(session: Session, name: str, worker: m.Worker | None) -> None:
    query = sa.select(m.Worker.id).where(m.Worker.name == name, m.Worker.status_id != WorkerStatus.REMOVED)
    taken = session.scalars(query.where(m.Worker.id != worker.id) if worker is not None else query).first()
    if taken is not None:
        raise RefusedError(f"There is a worker '{name}' already.", hint="Give this one another name.")


def _set_tags(session: Session, worker: m.Worker, tags: tuple[str, ...]) -> None:
    session.execute(sa.delete(m.WorkerTag).where(m.WorkerTag.worker_id == worker.id))
    session.add_all(m.WorkerTag(worker_id=worker.id, tag=tag) for tag in sorted(set(tags)))
