"""Models on the hosts of workers: asked for, claimed, told of progress, ended. The state of each worker is a row."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import NotFoundError, RefusedError
from x121lib.events import outbox
from x121lib.models import queries
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.transitions import check_download_transition
from x121lib.terms.vocabulary import DownloadStatus, EventKind, ModelStatus

LEASE_S = 60.0
"""Seconds without a word after which another process takes a running transfer over."""


@dataclass(frozen=True)
class Sending:
    """A transfer that this process holds."""

    worker_id: uuid.UUID
    """Where it goes."""
    model_id: uuid.UUID
    """What is sent."""
    owner: uuid.UUID
    """The run that holds it."""
    file: Path
    """The studio's file."""
    path: str
    """Path below each folder of models."""
    sha256: str
    """Hash of the whole file."""
    n_bytes: int
    """Its length."""
    older: frozenset[str] = frozenset()
    """Hashes of the model's older versions, which it may replace on the host."""


@dataclass(frozen=True)
class Steered:
    """A transfer that was paused, resumed or cancelled."""

    path: str
    """Path below each folder of models."""
    sha256: str
    """Hash of the whole file."""
    was_running: bool
    """Whether a process was sending it."""


def add(session: Session, actor: Actor, name: str, workers: Sequence[tuple[uuid.UUID, str]]) -> list[str]:
    """Queue a model for workers; returns the names of those that it now goes to. Writes the audit entry.

    A worker that has this version already, is getting it, or for which it is paused is left as it is.

    Raises:
        RefusedError: the studio's own file is missing or altered.
    """
    actor.require(Permission.MANAGE_WORKERS)
    row = queries.model(session, name)
    if row.status_id is not ModelStatus.PRESENT:
        raise RefusedError(
            f"'{row.path}' is {row.status_id.label.lower()} in the studio's own folder.", hint="'x121 model verify'."
        )
    newest = queries.versions(session, row.id)[0]
    queued = []
    for worker_id, worker in workers:
        key = {"worker_id": worker_id, "model_id": row.id}
        known = session.get(m.ModelPlacement, key, with_for_update=True)
        busy = known is not None and known.status_id not in (DownloadStatus.FAILED, DownloadStatus.CANCELLED)
        if known is not None and busy and known.sha256 == newest.sha256:
            continue
        if known is not None:
            session.delete(known)
            session.flush()
        session.add(m.ModelPlacement(**key, sha256=newest.sha256, n_bytes=newest.n_bytes))
        queued.append(worker)
    session.flush()
    if queued:
        audit.record(session, actor, "model.distribute", ("model", row.id), after={"path": row.path, "to": queued})
    return queued


def listing(session: Session, model_id: uuid.UUID | None = None) -> Sequence[Any]:
    """Return (placement, model's path, worker's name, hash of the newest version), by path and worker."""
    place = m.ModelPlacement
    query = (
        sa.select(place, m.LibraryModel.path, m.Worker.name, m.ModelVersion.sha256)
        .join(m.LibraryModel, m.LibraryModel.id == place.model_id)
        .join(m.ModelVersion, m.ModelVersion.model_id == place.model_id)
        .join(m.Worker, m.Worker.id == place.worker_id)
        .where(queries.newest_of())
        .order_by(m.LibraryModel.path, m.Worker.name)
    )
    return session.execute(query.where(place.model_id == model_id) if model_id is not None else query).all()


def claim(session: Session, owner: uuid.UUID, now: datetime) -> Sending | None:
    """Take the transfer that waits longest, or whose process has fallen silent; None where there is none."""
    place = m.ModelPlacement
    left = sa.and_(place.status_id == DownloadStatus.RUNNING, place.lease_until < now)
    query = sa.select(place).where(sa.or_(place.status_id == DownloadStatus.QUEUED, left))
    query = query.order_by(place.requested_at, place.worker_id).limit(1).with_for_update(skip_locked=True)
    row = session.scalars(query).one_or_none()
    if row is None:
        return None
    check_download_transition(row.status_id, DownloadStatus.RUNNING)
    row.status_id, row.owner, row.lease_until = DownloadStatus.RUNNING, owner, now + timedelta(seconds=LEASE_S)
    session.flush()
    model = session.get_one(m.LibraryModel, row.model_id)
    root = session.get_one(m.ModelRoot, model.root_id)
    older = frozenset(version.sha256 for version in queries.versions(session, model.id)) - {row.sha256}
    return Sending(
        row.worker_id, row.model_id, owner, Path(root.path) / model.path, model.path, row.sha256, row.n_bytes, older
    )


def steer(session: Session, actor: Actor, name: str, worker_id: uuid.UUID, to: DownloadStatus) -> Steered:
    """Pause, resume or cancel a transfer; a process that sends it notices within a second. Writes the audit entry.

    Args:
        session: an open session.
        actor: who asks.
        name: the model's path, name or key.
        worker_id: where it goes.
        to: Paused, Queued (resume) or Cancelled.

    Raises:
        NotFoundError: that model was not sent there.
        TransitionError: it can not go there from its present status.
    """
    actor.require(Permission.MANAGE_WORKERS)
    model = queries.model(session, name)
    row = session.get(m.ModelPlacement, {"worker_id": worker_id, "model_id": model.id}, with_for_update=True)
    if row is None:
        raise NotFoundError(f"'{model.path}' was not sent there.", hint="'x121 model placements'.")
    before = row.status_id
    check_download_transition(before, to)
    row.status_id, row.owner, row.lease_until, row.trouble = to, None, None, ""
    facts = {"path": model.path, "worker": str(worker_id), "status": to.value}
    audit.record(session, actor, "model.distribution", ("model", model.id), after=facts)
    return Steered(model.path, row.sha256, before is DownloadStatus.RUNNING)


def is_cancelled(session: Session, sending: Sending) -> bool:
    """Return whether the transfer that a process just stopped is to come no more."""
    row = session.get(m.ModelPlacement, {"worker_id": sending.worker_id, "model_id": sending.model_id})
    return row is None or row.status_id is DownloadStatus.CANCELLED


def report(session: Session, sending: Sending, sent_bytes: int, now: datetime) -> bool:
    """Write how far it is and keep the lease; False where it was taken over or asked for anew."""
    return _held(session, sending, sent_bytes=sent_bytes, lease_until=now + timedelta(seconds=LEASE_S))


def complete(session: Session, sending: Sending, now: datetime) -> None:
    """Write that the file lies on the worker's host. Publishes the event."""
    values = {"sent_bytes": sending.n_bytes, "finished_at": now, "trouble": "", "owner": None, "lease_until": None}
    if _held(session, sending, status_id=DownloadStatus.COMPLETE, **values):
        again = sa.update(m.Worker).where(m.Worker.id == sending.worker_id)
        session.execute(again.values(capabilities_at=None))  # the next health check asks what it has now
        facts = {"path": sending.path, "sha256": sending.sha256, "worker": str(sending.worker_id)}
        outbox.publish(session, EventKind.MODEL_DISTRIBUTED, entity="model", entity_id=sending.model_id, payload=facts)


def fail(session: Session, sending: Sending, trouble: str) -> None:
    """Write why it ended; 'distribute' asks for it anew."""
    _held(session, sending, status_id=DownloadStatus.FAILED, trouble=trouble, owner=None, lease_until=None)


def give_back(session: Session, sending: Sending) -> None:
    """Let another run go on with it, because this process ends."""
    _held(session, sending, status_id=DownloadStatus.QUEUED, owner=None, lease_until=None)


def _held(session: Session, sending: Sending, /, **values: object) -> bool:
    place = m.ModelPlacement
    mine = sa.and_(
        place.worker_id == sending.worker_id, place.model_id == sending.model_id, place.owner == sending.owner,
        place.status_id == DownloadStatus.RUNNING,
    )  # fmt: skip
    query = sa.update(place).where(mine).values(**values).returning(place.worker_id)
    return session.scalars(query).one_or_none() is not None
