"""Intake's use cases: import scanned characters, one transaction each."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import Any

import sqlalchemy as sa
from PIL import Image
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import ConflictError
from x121lib.base.ids import new_id
from x121lib.catalogue import queries as catalogue
from x121lib.events import outbox
from x121lib.identity import DetectedFace, Embedding
from x121lib.intake import queries
from x121lib.intake.metadata import FieldSpec
from x121lib.intake.rules import Check
from x121lib.intake.scan import ScannedCharacter, ScannedImage, read_unchanged
from x121lib.media import encode_png, read_image
from x121lib.store import audit
from x121lib.store.artifact_rows import FileFacts, ImageFacts, register
from x121lib.store.artifacts import ArtifactStore
from x121lib.terms.naming import character_folder
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import ArtifactKind, EventKind, FieldType, VariantStatus, VersionOrigin

_MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}


@dataclass(frozen=True)
class StoredImage:
    """A scanned image whose bytes lie in the artifact store."""

    image: ScannedImage
    """What the scan said."""
    original: FileFacts
    """The file as it was."""
    png: FileFacts
    """The same pixels as PNG, upright; equals `original` for a PNG file without rotation."""


@dataclass(frozen=True)
class StoredCharacter:
    """A character whose files are stored and whose rows are still to be written."""

    scanned: ScannedCharacter
    """What the scan said."""
    images: tuple[StoredImage, ...]
    """Its images."""
    document: FileFacts | None
    """Its metadata.json."""


@dataclass(frozen=True)
class Imported:
    """What an import made of a character."""

    character_id: uuid.UUID
    """Key of the character."""
    name: str
    """Its name."""
    is_new: bool
    """Whether it did not exist before."""
    new_versions: tuple[str, ...]
    """Variant kinds that got a new image version; empty when nothing changed."""


def store_files(character: ScannedCharacter, artifacts: ArtifactStore) -> StoredCharacter:
    """Put a character's files into the artifact store; files that no row refers to are harmless and swept.

    Raises:
        ConflictError: a file changed since the scan.
        DiskFullError: nothing more fits; nothing is half-written.
    """
    images = []
    for image in character.images:
        content = read_unchanged(image)
        original = _put(artifacts, content, _MEDIA_TYPES[image.format], ArtifactKind.IMAGE, image)
        png = original
        if image.format != "PNG" or _is_rotated(content):
            png = _put(artifacts, encode_png(read_image(content)), "image/png", ArtifactKind.IMAGE, image)
        images.append(StoredImage(image, original, png))
    document = None
    if character.metadata is not None:
        text = json.dumps(dict(character.metadata), ensure_ascii=False, sort_keys=True, indent=2)
        stored = artifacts.put_bytes(text.encode())
        document = FileFacts(stored.sha256, stored.n_bytes, "application/json", ArtifactKind.DOCUMENT)
    return StoredCharacter(character, tuple(images), document)


def _put(
    artifacts: ArtifactStore, content: bytes, media_type: str, kind: ArtifactKind, image: ScannedImage
) -> FileFacts:
    stored = artifacts.put_bytes(content)
    return FileFacts(stored.sha256, stored.n_bytes, media_type, kind, image=ImageFacts(image.width_px, image.height_px))


def _is_rotated(content: bytes) -> bool:
    with Image.open(BytesIO(content)) as picture:
        return int(picture.getexif().get(0x0112, 1)) != 1


def import_character(
    session: Session, actor: Actor, project: m.Project, stored: StoredCharacter, performer_id: uuid.UUID,
    fields: Sequence[FieldSpec],
) -> Imported:  # fmt: skip
    """Write a character with its variants, checks, faces and metadata; all of it or nothing.

    A known character gets a new version for each image that it does not have yet; its source images that passed
    their checks are approved, since the studio brings them as seeds.

    Raises:
        ConflictError: another character of the project has the same folder, or another performer stands behind
            the known character.
    """
    actor.require(Permission.IMPORT)
    name = stored.scanned.name
    folder = character_folder(name)
    row = queries.find_character(session, project.id, folder.casefold())
    is_new = row is None
    if row is None:
        row = m.Character(
            id=new_id(), project_id=project.id, performer_id=performer_id, name=name, folder_name=folder,
            folder_key=folder.casefold(), imported_from=str(stored.images[0].image.relative) if stored.images else None,
        )  # fmt: skip
        session.add(row)
        session.flush()
    elif row.name != name or row.performer_id != performer_id:
        why = f"the folder of '{row.name}'" if row.name != name else "another performer behind it"
        raise ConflictError(f"'{name}' can not be imported: the project has {why} already.")
    changed = [i.image.kind for i in stored.images if _add_image(session, actor, row, i)]
    told = stored.document is not None and _update_document(session, row, stored, fields)
    if is_new or changed or told:
        after = {"name": name, "kinds": changed, "metadata": told}
        audit.record(session, actor, "character.import", ("character", row.id), after=after)
        outbox.publish(session, EventKind.CHARACTER_IMPORTED, entity="character", entity_id=row.id,
                       project_id=project.id, payload=after)  # fmt: skip
    return Imported(row.id, name, is_new, tuple(changed))


def _update_document(session: Session, row: m.Character, stored: StoredCharacter, fields: Sequence[FieldSpec]) -> bool:
    """Write a character's metadata where its document is another than the known one; returns whether it is."""
    key = register(session, stored.document) if stored.document is not None else None
    if key == row.metadata_artifact_id:
        return False
    row.metadata_artifact_id = key
    row.version += 1
    write_metadata(session, row.id, stored.scanned.metadata or {}, fields)
    return True


def _add_image(session: Session, actor: Actor, character: m.Character, stored: StoredImage) -> bool:
    kind = catalogue.variant_kind(session, stored.image.kind)
    variant = ensure_variant(session, character.id, kind.id)
    artifact_id = register(session, stored.png)
    original_id = register(session, stored.original)
    versions = queries.versions(session, variant.id)
    if any(v.artifact_id == artifact_id for v in versions):
        return False
    version = m.ImageVersion(
        id=new_id(), variant_id=variant.id, number=len(versions) + 1, artifact_id=artifact_id,
        original_artifact_id=original_id, origin_id=VersionOrigin.UPLOADED, created_by_id=actor.person_id,
        imported_from=str(stored.image.relative),
    )  # fmt: skip
    session.add(version)
    session.flush()
    write_checks(session, version.id, stored.image.checks)
    if stored.image.face is not None and stored.image.embedding is not None:
        write_face(session, artifact_id, stored.image.face, stored.image.embedding)
    variant.approved_version_id, variant.status_id = version.id, VariantStatus.APPROVED
    variant.version += 1
    return True


def ensure_variant(session: Session, character_id: uuid.UUID, kind_id: uuid.UUID) -> m.ImageVariant:
    """Return a character's variant of a kind, making an empty one where there is none."""
    variant = queries.find_variant(session, character_id, kind_id)
    if variant is None:
        variant = m.ImageVariant(id=new_id(), character_id=character_id, kind_id=kind_id,
                                 status_id=VariantStatus.PENDING)  # fmt: skip
        session.add(variant)
        session.flush()
    return variant


def write_checks(session: Session, version_id: uuid.UUID, checks: Sequence[Check]) -> None:
    """Write the checks of source-image QA of an image version."""
    session.add_all(
        m.ImageCheck(image_version_id=version_id, name=c.name, outcome_id=c.outcome, value=c.value,
                     threshold=c.threshold, reason=c.reason)
        for c in checks
    )  # fmt: skip
    session.flush()


def write_face(session: Session, artifact_id: uuid.UUID, face: DetectedFace, embedding: Embedding) -> None:
    """Write the primary face of an image with its embedding, unless that backend's is known. Idempotent."""
    known = session.scalar(
        sa.select(m.Face.id).where(
            m.Face.artifact_id == artifact_id, m.Face.backend == embedding.backend, m.Face.pack == embedding.pack
        )
    )
    if known is None:
        x, y, width, height = face.box
        session.add(
            m.Face(
                artifact_id=artifact_id, backend=embedding.backend, pack=embedding.pack, box_x=x, box_y=y,
                box_width=width, box_height=height, confidence=face.confidence, embedding=embedding.vector,
            )
        )  # fmt: skip
        session.flush()


def ensure_fields(session: Session, fields: Sequence[FieldSpec]) -> None:
    """Write the rows of the metadata schema that are missing. Idempotent."""
    known = set(session.scalars(sa.select(m.MetadataField.name)))
    session.add_all(
        m.MetadataField(name=f.name, field_type_id=f.type, is_required=f.required, sort_order=i)
        for i, f in enumerate(fields, start=1)
        if f.name not in known
    )
    session.flush()


def write_metadata(
    session: Session, character_id: uuid.UUID, document: Mapping[str, Any], fields: Sequence[FieldSpec]
) -> None:
    """Write a character's typed metadata values; fields that the document lacks lose their value."""
    ids = dict(session.execute(sa.select(m.MetadataField.name, m.MetadataField.id)).all())
    value = m.CharacterMetadataValue
    session.execute(sa.delete(value).where(value.character_id == character_id))
    for field in fields:
        given = document.get(field.name)
        if given is not None and field.name in ids:
            column, typed = typed_column(field.type, given)
            session.add(value(character_id=character_id, field_id=ids[field.name], **{column: typed}))
    session.flush()


def typed_column(kind: FieldType, value: Any) -> tuple[str, Any]:
    """Return the column that holds a value of this type, and the value as that column wants it."""
    if kind == FieldType.INTEGER:
        return "integer_value", int(value)
    if kind == FieldType.NUMBER:
        return "number_value", float(value)
    if kind == FieldType.BOOLEAN:
        return "boolean_value", bool(value)
    if kind == FieldType.DATE:
        return "date_value", date.fromisoformat(str(value))
    return "text_value", str(value)
