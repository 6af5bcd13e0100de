"""The inventory of models: scanning, verifying, repairing, rating, noting, removing."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import InvalidInputError
from x121lib.base.ids import new_id
from x121lib.events import outbox
from x121lib.models import queries
from x121lib.models.scan import Hashed, Known, Scan, kind_and_name
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import EventKind, ModelStatus

LONGEST_NOTE = 2000


@dataclass(frozen=True)
class ScanReport:
    """What a scan changed."""

    n_files: int
    """Model files that lie there."""
    n_hashed: int
    """Files that were read; the others were remembered."""
    added: tuple[str, ...]
    """Paths of new models."""
    updated: tuple[str, ...]
    """Paths whose content is a new version."""
    missing: tuple[str, ...]
    """Paths that are gone since the last scan."""
    unreadable: tuple[tuple[str, str], ...]
    """(path, reason)."""


def known_files(session: Session, actor: Actor, root: Path) -> dict[str, tuple[int, int]]:
    """Return what was hashed before below ``root``: path → (bytes, time in ns)."""
    actor.require(Permission.MANAGE_RECIPES)
    row = queries.root(session, str(root))
    return {} if row is None else {x.path: (x.n_bytes, x.modified_ns) for x in queries.models_of(session, row.id)}


def record_scan(session: Session, actor: Actor, root: Path, scan: Scan, now: datetime) -> ScanReport:
    """Write what a scan found: new models, new versions, what is missing, what is back.

    Publishes `models.scanned`, and `model.updated` or `model.went_missing` for each such model. Idempotent.
    """
    actor.require(Permission.MANAGE_RECIPES)
    folder = queries.root(session, str(root))
    if folder is None:
        folder = m.ModelRoot(path=str(root))
        session.add(folder)
        session.flush()
    session.refresh(folder, with_for_update=True)
    folder.scanned_at = now
    models = {row.path: row for row in queries.models_of(session, folder.id)}
    added, updated = _take_in(session, folder.id, models, scan.hashed)
    missing = _mark(session, models, {seen.path: (seen.n_bytes, seen.modified_ns) for seen in scan.seen})
    report = ScanReport(len(scan.seen), len(scan.hashed), added, updated, missing, scan.unreadable)
    facts = {"folder": str(root), "files": report.n_files, "added": len(added), "updated": len(updated),
             "missing": len(missing)}  # fmt: skip
    if added or updated or missing:
        audit.record(session, actor, "model.scan", ("model_root", folder.id), after=facts)
        outbox.publish(session, EventKind.MODELS_SCANNED, entity="model_root", entity_id=folder.id, payload=facts)
    return report


def record_file(session: Session, root: Path, item: Hashed) -> uuid.UUID:
    """Write one file that has come to lie below a root, as a scan would; returns the model's key. Idempotent."""
    folder = queries.root(session, str(root))
    if folder is None:
        folder = m.ModelRoot(path=str(root))
        session.add(folder)
        session.flush()
    session.refresh(folder, with_for_update=True)
    models = {row.path: row for row in queries.models_of(session, folder.id) if row.path == item.seen.path}
    _take_in(session, folder.id, models, [item])
    return next(row.id for row in queries.models_of(session, folder.id) if row.path == item.seen.path)


def _take_in(
    session: Session, root_id: uuid.UUID, models: Mapping[str, m.LibraryModel], hashed: Sequence[Hashed]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    newest = queries.newest_versions(session, [row.id for row in models.values()])
    new = [_row(root_id, item) for item in hashed if item.seen.path not in models]
    session.add_all(new)
    session.flush()
    keys = {row.path: row.id for row in new}
    versions = [_version(keys[item.seen.path], 1, item) for item in hashed if item.seen.path in keys]
    updated = []
    for item in hashed:
        row = models.get(item.seen.path)
        if row is None:
            continue
        row.n_bytes, row.modified_ns = item.seen.n_bytes, item.seen.modified_ns
        row.status_id = ModelStatus.PRESENT
        if newest[row.id].sha256 != item.sha256:
            versions.append(_version(row.id, newest[row.id].number + 1, item))
            outbox.publish(session, EventKind.MODEL_UPDATED, entity="model", entity_id=row.id,
                           payload={"path": row.path, "version": newest[row.id].number + 1})  # fmt: skip
            updated.append(row.path)
    session.add_all(version for version, _ in versions)
    session.flush()
    session.add_all(word for _, words in versions for word in words)
    session.flush()
    return tuple(keys), tuple(updated)


def _row(root_id: uuid.UUID, item: Hashed) -> m.LibraryModel:
    kind, name = kind_and_name(item.seen.path)
    return m.LibraryModel(
        id=new_id(), root_id=root_id, kind_id=kind, name=name, path=item.seen.path,
        n_bytes=item.seen.n_bytes, modified_ns=item.seen.modified_ns,
    )  # fmt: skip


def _version(model_id: uuid.UUID, number: int, item: Hashed) -> tuple[m.ModelVersion, list[m.ModelTriggerWord]]:
    version = m.ModelVersion(
        id=new_id(), model_id=model_id, number=number, sha256=item.sha256, n_bytes=item.seen.n_bytes,
        base_model=item.header.base_model,
    )  # fmt: skip
    words = [m.ModelTriggerWord(model_version_id=version.id, word=word) for word in item.header.trigger_words]
    return version, words


def _mark(session: Session, models: Mapping[str, m.LibraryModel], seen: Known) -> tuple[str, ...]:
    """Mark what is gone as missing and what is back unchanged as present; returns what went missing."""
    gone = []
    for path, row in models.items():
        if path not in seen and row.status_id is not ModelStatus.MISSING:
            row.status_id = ModelStatus.MISSING
            gone.append(path)
            outbox.publish(session, EventKind.MODEL_WENT_MISSING, entity="model", entity_id=row.id,
                           payload={"path": path})  # fmt: skip
        elif seen.get(path) == (row.n_bytes, row.modified_ns) and row.status_id is ModelStatus.MISSING:
            row.status_id = ModelStatus.PRESENT
    session.flush()
    return tuple(gone)


def to_verify(session: Session, actor: Actor, names: Sequence[str]) -> list[tuple[uuid.UUID, Path, str]]:
    """Return (model, file, hash it should have) of the named models, or of all."""
    actor.require(Permission.MANAGE_RECIPES)
    chosen = {queries.model(session, name).id for name in names}
    return [
        (row.id, Path(root) / row.path, version.sha256)
        for row, version, root in queries.listing(session)
        if not names or row.id in chosen
    ]


def record_verified(
    session: Session, actor: Actor, found: Mapping[uuid.UUID, ModelStatus], now: datetime
) -> list[tuple[str, ModelStatus]]:
    """Write what verifying found; returns (path, status) of each model. Publishes what went missing or was altered."""
    actor.require(Permission.MANAGE_RECIPES)
    kinds = {ModelStatus.MISSING: EventKind.MODEL_WENT_MISSING, ModelStatus.ALTERED: EventKind.MODEL_ALTERED}
    rows = list(session.scalars(sa.select(m.LibraryModel).where(m.LibraryModel.id.in_(found)).with_for_update()))
    for row in rows:
        status = found[row.id]
        if status is not row.status_id and status in kinds:
            outbox.publish(session, kinds[status], entity="model", entity_id=row.id, payload={"path": row.path})
        row.status_id, row.verified_at = status, now
    session.flush()
    return sorted((row.path, row.status_id) for row in rows)


def rate(session: Session, actor: Actor, name: str, rating: int | None) -> None:
    """Rate a model from 1 to 5 stars; None takes the rating away.

    Raises:
        InvalidInputError: another number.
    """
    actor.require(Permission.MANAGE_RECIPES)
    if rating is not None and not 1 <= rating <= 5:
        raise InvalidInputError(f"A rating is 1 to 5 stars, not {rating}.")
    row = queries.model(session, name)
    before, row.rating = row.rating, rating
    session.flush()
    audit.record(session, actor, "model.rate", ("model", row.id), before={"rating": before}, after={"rating": rating})


def add_note(
    session: Session, actor: Actor, name: str, text: str, *, other: str | None = None, is_warning: bool = False
) -> uuid.UUID:
    """Write a note on a model, or on a model together with another; a warning is said before work is queued.

    Raises:
        InvalidInputError: no text, too long, or a model together with itself.
    """
    actor.require(Permission.MANAGE_RECIPES)
    text = text.strip()
    if not 0 < len(text) <= LONGEST_NOTE:
        raise InvalidInputError(f"A note has 1 to {LONGEST_NOTE} characters.")
    row = queries.model(session, name)
    partner = queries.model(session, other) if other is not None else None
    if partner is not None and partner.id == row.id:
        raise InvalidInputError(f"'{row.path}' can not be paired with itself.")
    note = m.ModelNote(
        id=new_id(), model_id=row.id, other_model_id=partner.id if partner else None, text=text,
        is_warning=is_warning, created_by_id=actor.person_id,
    )  # fmt: skip
    session.add(note)
    session.flush()
    audit.record(session, actor, "model.note", ("model", row.id), after={"text": text, "warning": is_warning})
    return note.id
