"""Delivery's use cases: check what is there, write the ZIP, record it."""

from __future__ import annotations

import functools
import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import RefusedError
from x121lib.base.ids import new_id
from x121lib.catalogue import queries as catalogue
from x121lib.delivery import manifest, queries
from x121lib.delivery.package import Package, PackageFile
from x121lib.events import outbox
from x121lib.store import audit
from x121lib.store.artifact_rows import sha256_of
from x121lib.store.artifacts import ArtifactStore
from x121lib.terms.naming import character_folder, colliding_folders
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import DeliveryStatus, EventKind


class IncompleteDeliveryError(RefusedError):
    """A piece of the delivery is missing; nothing was written."""

    code = "delivery.incomplete"

    def __init__(self, missing: tuple[str, ...]) -> None:
        shown = " ".join(missing[:8]) + (f" … and {len(missing) - 8} more." if len(missing) > 8 else "")
        super().__init__(
            f"The delivery is not complete, nothing was written: {shown}",
            hint="Approve what is missing, or deliver what there is with --partial.",
        )
        self.missing = missing


@dataclass(frozen=True)
class DeliveryOrder:
    """A delivery that was checked and may be written."""

    delivery_id: uuid.UUID
    """Key of its row."""
    project_id: uuid.UUID
    """Its project."""
    to: Path
    """Where the ZIP goes."""
    manifest: manifest.Manifest
    """What goes into it."""
    documents: tuple[tuple[str, bytes], ...]
    """Files made on the spot: metadata and receipts, by path."""


@dataclass(frozen=True)
class DeliveryRequest:
    """What somebody asks to be delivered."""

    to: Path
    """The ZIP file to write."""
    partial: bool = False
    """Deliver what is approved and leave out the rest, instead of refusing."""
    characters: tuple[str, ...] = ()
    """Names of the characters; empty: all."""


def prepare(
    session: Session, actor: Actor, project: m.Project, request: DeliveryRequest, artifacts: ArtifactStore
) -> DeliveryOrder:
    """Check a delivery and open its row; nothing is written to disk.

    Raises:
        IncompleteDeliveryError: something is missing and ``partial`` was not asked for.
        RefusedError: there is nothing to deliver at all, or two folders would collide.
    """
    actor.require(Permission.DELIVER)
    people = catalogue.characters(session, project.id, list(request.characters))
    if clash := colliding_folders([c.name for c in people]):
        raise RefusedError(f"'{clash[0][0]}' and '{clash[0][1]}' would share a folder.", hint="Rename one of them.")
    ids = [c.id for c in people]
    scenes = queries.scene_facts(session, project.id, ids)
    kinds = [k.name for k in catalogue.variant_kinds(session) if k.name in {s.variant_kind for s in scenes}]
    built = manifest.build(scenes, queries.image_facts(session, ids, kinds), catalogue.naming_rules(session))
    if built.missing and not request.partial:
        raise IncompleteDeliveryError(built.missing)
    if not any(item.scene_version_id for item in built.items):
        raise RefusedError(f"Project '{project.name}' has no approved scene to deliver.")
    delivery = m.Delivery(
        id=new_id(), project_id=project.id, status_id=DeliveryStatus.WRITING, is_partial=request.partial,
        path=str(request.to), created_by_id=actor.person_id,
    )  # fmt: skip
    session.add(delivery)
    session.flush()
    return DeliveryOrder(delivery.id, project.id, request.to, built, _documents(session, people, built, artifacts))


def _documents(
    session: Session, people: list[m.Character], built: manifest.Manifest, artifacts: ArtifactStore
) -> tuple[tuple[str, bytes], ...]:
    folders = {item.path.split("/")[0] for item in built.items}
    documents: list[tuple[str, bytes]] = []
    for character in people:
        folder = character_folder(character.name)
        if folder in folders:
            documents.append((f"{folder}/metadata.json", _json(_metadata(session, character, artifacts))))
    for item in built.items:
        if item.scene_version_id is not None:
            receipt = queries.receipts(session, item.scene_version_id)
            documents.append((manifest.receipt_path(item.path), _json(receipt)))
    return tuple(documents)


def _metadata(session: Session, character: m.Character, artifacts: ArtifactStore) -> dict[str, Any]:
    """Return the typed fields, with what the imported document said beyond the schema."""
    found = character_metadata(session, character)
    if character.metadata_artifact_id is not None:
        with artifacts.open_verified(sha256_of(session, character.metadata_artifact_id)) as file:
            document = json.load(file)
        found.update({k: v for k, v in document.items() if k not in found})
    return found


def character_metadata(session: Session, character: m.Character) -> dict[str, Any]:
    """Return a character's metadata as it is delivered: its name, then its typed fields in the schema's order."""
    value = m.CharacterMetadataValue
    rows = session.execute(
        sa.select(m.MetadataField.name, value)
        .join(value, value.field_id == m.MetadataField.id)
        .where(value.character_id == character.id)
        .order_by(m.MetadataField.sort_order, m.MetadataField.name)
    )
    found: dict[str, Any] = {"name": character.name}
    for name, row in rows:
        given = (row.text_value, row.integer_value, row.number_value, row.boolean_value, row.date_value)
        found[name] = next(v for v in given if v is not None)
    return found


def _json(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=2, default=str) + "\n").encode()


def files_of(order: DeliveryOrder, artifacts: ArtifactStore) -> list[PackageFile]:
    """Return the files to pack, by path; stored ones are verified when they are opened."""
    stored = [
        PackageFile(item.path, open=functools.partial(artifacts.open_verified, item.sha256))
        for item in order.manifest.items
    ]
    made = [PackageFile(path, content=content) for path, content in order.documents]
    return sorted([*stored, *made], key=lambda f: f.path)


def record(session: Session, actor: Actor, order: DeliveryOrder, package: Package, now: datetime) -> None:
    """Write what was delivered: the ZIP's hash, its manifest and each item."""
    row = session.get_one(m.Delivery, order.delivery_id)
    row.status_id, row.sha256, row.n_bytes = DeliveryStatus.COMPLETE, package.sha256, package.n_bytes
    row.manifest = {
        "written_at": now.isoformat(), "missing": list(order.manifest.missing),
        "files": [{"path": i.path, "sha256": i.sha256} for i in order.manifest.items],
    }  # fmt: skip
    ids = dict(
        session.execute(
            sa.select(m.Artifact.sha256, m.Artifact.id).where(
                m.Artifact.sha256.in_([i.sha256 for i in order.manifest.items])
            )
        ).all()
    )
    session.add_all(
        m.DeliveryItem(delivery_id=row.id, path=i.path, artifact_id=ids[i.sha256], scene_version_id=i.scene_version_id)
        for i in order.manifest.items
    )
    audit.record(session, actor, "delivery.write", ("delivery", row.id),
                 after={"path": str(package.path), "sha256": package.sha256, "files": package.n_files})  # fmt: skip
    outbox.publish(session, EventKind.DELIVERY_WRITTEN, entity="delivery", entity_id=row.id,
                   project_id=order.project_id,
                   payload={"path": str(package.path), "files": package.n_files})  # fmt: skip


def record_failure(session: Session, order: DeliveryOrder) -> None:
    """Mark a delivery whose ZIP could not be written."""
    session.get_one(m.Delivery, order.delivery_id).status_id = DeliveryStatus.FAILED
