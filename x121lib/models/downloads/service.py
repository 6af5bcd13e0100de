"""The queue of downloads: asked for, claimed, told of progress, ended. Every statement of it is here."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import InvalidInputError, NotFoundError, RefusedError
from x121lib.base.ids import new_id
from x121lib.events import outbox
from x121lib.models import queries
from x121lib.models.downloads.addresses import Address, secret_name
from x121lib.models.downloads.sources import Source
from x121lib.models.scan import Hashed
from x121lib.models.service import record_file
from x121lib.store import audit
from x121lib.terms import transitions
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import DownloadStatus, EventKind, ModelKind, ModelStatus

LEASE_S = 30.0
"""Seconds without a word after which another process takes a running download over."""
_OPEN = (DownloadStatus.QUEUED, DownloadStatus.RUNNING, DownloadStatus.PAUSED, DownloadStatus.FAILED)


@dataclass(frozen=True)
class Place:
    """Where a download is to lie."""

    kind: ModelKind
    """Kind of the model."""
    root: Path
    """Folder of models."""
    path: str
    """Path below it."""

    @property
    def target(self) -> Path:
        """The file."""
        return self.root / self.path


def part_of(row: m.ModelDownload) -> Path:
    """Return the file that a download grows in: hidden, beside its later place, no model by its ending."""
    target = Path(row.root) / row.path
    return target.with_name(f".{target.name}.{row.id.hex[-12:]}.part")


def duplicates(session: Session, source: Source) -> list[str]:
    """Return paths of present models with this hash; without a hash, with this name and length."""
    if source.sha256 is not None:
        return [row.path for row in queries.same_content(session, source.sha256)]
    if source.n_bytes is None:
        return []
    query = sa.select(m.LibraryModel.path).where(
        m.LibraryModel.n_bytes == source.n_bytes, m.LibraryModel.status_id == ModelStatus.PRESENT
    )
    name = source.name.lower()
    return [path for path in session.scalars(query) if path.rsplit("/", 1)[-1].lower() == name]


def add(
    session: Session, actor: Actor, address: Address, source: Source, place: Place, *, even_if_known: bool = False
) -> uuid.UUID:
    """Queue a download; returns its key. Writes the audit entry.

    Raises:
        RefusedError: the file is there already, or another download brings the same.
    """
    actor.require(Permission.MANAGE_RECIPES)
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext("model_download"))))
    known = duplicates(session, source)
    if known and not even_if_known:
        raise RefusedError(
            f"This file is registered already as '{known[0]}'; nothing is downloaded.",
            hint="Use that one, or download it anyway with --anyway.",
        )
    d = m.ModelDownload
    same = sa.or_(sa.and_(d.root == str(place.root), d.path == place.path), d.sha256 == source.sha256)
    other = session.scalars(sa.select(d).where(d.status_id.in_(_OPEN), same).limit(1)).one_or_none()
    if other is not None and (not even_if_known or other.path == place.path):
        raise RefusedError(
            f"'{other.path}' is {other.status_id.label.lower()} as download {other.id} already.",
            hint="'x121 model downloads' shows it; resume or cancel that one.",
        )
    row = m.ModelDownload(
        id=new_id(), address=address.given, url=source.url, secret_name=secret_name(address), kind_id=place.kind,
        root=str(place.root), path=place.path, sha256=source.sha256, n_bytes=source.n_bytes,
        base_model=source.base_model, trigger_words="\n".join(source.trigger_words), requested_by_id=actor.person_id,
    )  # fmt: skip
    session.add(row)
    session.flush()
    facts = {"address": row.address, "path": row.path, "sha256": row.sha256}
    audit.record(session, actor, "model.download", ("model_download", row.id), after=facts)
    return row.id


def listing(session: Session) -> Sequence[m.ModelDownload]:
    """Return all downloads, the newest first."""
    return list(session.scalars(sa.select(m.ModelDownload).order_by(m.ModelDownload.id.desc())))


def find(session: Session, key: str) -> m.ModelDownload:
    """Return a download by its key or by its path or file name among those that are not over; locked.

    Raises:
        NotFoundError: there is none.
        InvalidInputError: several.
    """
    d = m.ModelDownload
    try:
        found = list(session.scalars(sa.select(d).where(d.id == uuid.UUID(key)).with_for_update()))
    except ValueError:
        named = sa.or_(d.path == key, d.path.endswith("/" + key, autoescape=True))
        query = sa.select(d).where(named, d.status_id.in_(_OPEN)).with_for_update()
        found = list(session.scalars(query))
    if not found:
        raise NotFoundError(f"There is no download '{key}'.", hint="'x121 model downloads' shows them.")
    if len(found) > 1:
        raise InvalidInputError(f"Several downloads bring '{key}'.", hint="Give the key of one.")
    return found[0]


def steer(session: Session, actor: Actor, key: str, to: DownloadStatus) -> m.ModelDownload:
    """Pause, resume (to `QUEUED`) or cancel a download; who runs it notices within a second.

    Raises:
        TransitionError: it is over, or not paused.
    """
    actor.require(Permission.MANAGE_RECIPES)
    row = find(session, key)
    if row.status_id is not to:
        before = row.status_id
        if to is DownloadStatus.QUEUED and before is DownloadStatus.RUNNING:
            raise RefusedError(f"'{row.path}' is being downloaded already.")
        transitions.check_download_transition(before, to)
        row.status_id, row.owner, row.lease_until, row.bytes_per_s = to, None, None, 0.0
        row.trouble = "" if to is DownloadStatus.QUEUED else row.trouble
        session.flush()
        audit.record(
            session, actor, f"model.download_{to.value}", ("model_download", row.id),
            before={"at": before.value}, after={"at": to.value},
        )  # fmt: skip
    return row


def claim(session: Session, owner: uuid.UUID, now: datetime) -> m.ModelDownload | None:
    """Take the oldest download that waits, or whose process has fallen silent; None where there is none."""
    d = m.ModelDownload
    left = sa.and_(d.status_id == DownloadStatus.RUNNING, d.lease_until < now)
    query = sa.select(d).where(sa.or_(d.status_id == DownloadStatus.QUEUED, left)).order_by(d.id).limit(1)
    row = session.scalars(query.with_for_update(skip_locked=True)).one_or_none()
    if row is not None:
        transitions.check_download_transition(row.status_id, DownloadStatus.RUNNING)
        row.status_id, row.owner, row.lease_until = DownloadStatus.RUNNING, owner, now + timedelta(seconds=LEASE_S)
        session.flush()
    return row


@dataclass(frozen=True)
class Heard:
    """How far a running download is."""

    received_bytes: int
    """Bytes in the part file."""
    n_bytes: int | None
    """Bytes in all, where known."""
    bytes_per_s: float
    """Rate over the last seconds."""
    etag: str
    """ETag of what is being received."""


def report(session: Session, key: uuid.UUID, owner: uuid.UUID, heard: Heard, now: datetime) -> bool:
    """Write how far it is and keep the lease; False where it was paused, cancelled or taken over."""
    return _held(
        session, key, owner, received_bytes=heard.received_bytes, n_bytes=heard.n_bytes, etag=heard.etag,
        bytes_per_s=heard.bytes_per_s, lease_until=now + timedelta(seconds=LEASE_S),
    )  # fmt: skip


def record_hash(session: Session, key: uuid.UUID, owner: uuid.UUID, sha256: str, n_bytes: int) -> bool:
    """Remember what was verified before it gets its name, so that a crash in between is recognised."""
    return _held(session, key, owner, sha256=sha256, n_bytes=n_bytes, received_bytes=n_bytes)


def _held(session: Session, key: uuid.UUID, owner: uuid.UUID, /, **values: object) -> bool:
    d = m.ModelDownload
    mine = sa.and_(d.id == key, d.owner == owner, d.status_id == DownloadStatus.RUNNING)
    return session.scalars(sa.update(d).where(mine).values(**values).returning(d.id)).one_or_none() is not None


def complete(session: Session, actor: Actor, key: uuid.UUID, item: Hashed, now: datetime) -> uuid.UUID:
    """Write that the file lies in its place, and register it; returns the model's key. Publishes the event."""
    row = session.get_one(m.ModelDownload, key, with_for_update=True)
    row.model_id = record_file(session, Path(row.root), item)
    row.status_id, row.finished_at, row.owner, row.lease_until = DownloadStatus.COMPLETE, now, None, None
    row.received_bytes, row.n_bytes, row.bytes_per_s, row.trouble = item.seen.n_bytes, item.seen.n_bytes, 0.0, ""
    session.flush()
    facts = {"path": row.path, "sha256": item.sha256, "address": row.address}
    audit.record(session, actor, "model.downloaded", ("model", row.model_id), after=facts)
    outbox.publish(session, EventKind.MODEL_DOWNLOADED, entity="model", entity_id=row.model_id, payload=facts)
    return row.model_id


def fail(session: Session, key: uuid.UUID, owner: uuid.UUID, trouble: str, *, begin_anew: bool) -> None:
    """Write why a download ended; does nothing where somebody else holds it. Publishes the event."""
    values: dict[str, object] = {"received_bytes": 0, "etag": ""} if begin_anew else {}
    if _held(session, key, owner, trouble=trouble, bytes_per_s=0.0, **values):
        row = session.get_one(m.ModelDownload, key, populate_existing=True)
        row.status_id, row.owner, row.lease_until = DownloadStatus.FAILED, None, None
        session.flush()
        facts = {"path": row.path, "trouble": trouble}
        outbox.publish(session, EventKind.MODEL_DOWNLOAD_FAILED, entity="model_download", entity_id=key, payload=facts)


def give_back(session: Session, key: uuid.UUID, owner: uuid.UUID) -> None:
    """Let another run go on with a download, because this process ends."""
    _held(session, key, owner, status_id=DownloadStatus.QUEUED, owner=None, lease_until=None, bytes_per_s=0.0)
