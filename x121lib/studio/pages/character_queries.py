"""Every SELECT of the page of one character."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m

Rows = list[sa.RowMapping]


def versions(session: Session, character_id: uuid.UUID) -> Rows:
    """Return every version of every variant of a character: kind, version, picture, by kind and number."""
    query = (
        sa.select(
            m.ImageVariant.id.label("variant_id"), m.ImageVariant.status_id, m.ImageVariant.approved_version_id,
            m.VariantKind.id.label("kind_id"), m.VariantKind.name.label("kind"), m.VariantKind.filename_prefix,
            m.VariantKind.is_source, m.ImageVersion.id.label("version_id"), m.ImageVersion.number,
            m.Artifact.sha256, m.Artifact.id.label("artifact_id"), m.ArtifactImage.width, m.ArtifactImage.height,
        )
        .join(m.VariantKind, m.VariantKind.id == m.ImageVariant.kind_id)
        .outerjoin(m.ImageVersion, m.ImageVersion.variant_id == m.ImageVariant.id)
        .outerjoin(m.Artifact, m.Artifact.id == m.ImageVersion.artifact_id)
        .outerjoin(m.ArtifactImage, m.ArtifactImage.artifact_id == m.Artifact.id)
        .where(m.ImageVariant.character_id == character_id)
        .order_by(m.VariantKind.sort_order, m.VariantKind.name, m.ImageVersion.number)
    )  # fmt: skip
    return list(session.execute(query).mappings())


def variant_statuses(session: Session, project_id: uuid.UUID) -> Rows:
    """Return the variants of all characters of a project with their status."""
    query = (
        sa.select(m.ImageVariant.character_id, m.VariantKind.name, m.ImageVariant.status_id)
        .join(m.Character, m.Character.id == m.ImageVariant.character_id)
        .join(m.VariantKind, m.VariantKind.id == m.ImageVariant.kind_id)
        .where(m.Character.project_id == project_id)
        .order_by(m.VariantKind.sort_order, m.VariantKind.name)
    )
    return list(session.execute(query).mappings())


def checks(session: Session, version_ids: list[uuid.UUID]) -> Rows:
    """Return the checks of some image versions."""
    query = (
        sa.select(m.ImageCheck.image_version_id, m.ImageCheck.name, m.ImageCheck.outcome_id, m.ImageCheck.value,
                  m.ImageCheck.threshold, m.ImageCheck.reason)
        .where(m.ImageCheck.image_version_id.in_(version_ids))
        .order_by(m.ImageCheck.name)
    )  # fmt: skip
    return list(session.execute(query).mappings())


def face(session: Session, artifact_id: uuid.UUID) -> m.Face | None:
    """Return the face of a picture, the newest backend's."""
    query = sa.select(m.Face).where(m.Face.artifact_id == artifact_id).order_by(m.Face.id.desc()).limit(1)
    return session.scalars(query).one_or_none()


def identity_by_type(session: Session, character_id: uuid.UUID) -> Rows:
    """Return the likeness of the takes in the cut, per scene type: mean, lowest, the highest fail limit."""
    query = (
        sa.select(m.SceneType.name, sa.func.avg(m.Score.value).label("mean"), sa.func.min(m.Score.value).label("low"),
                  sa.func.max(m.QaGate.fail_below).label("limit"))
        .join(m.Scene, m.Scene.scene_type_id == m.SceneType.id)
        .join(m.Segment, m.Segment.scene_id == m.Scene.id)
        .join(m.Score, m.Score.take_id == m.Segment.chosen_take_id)
        .join(m.Metric, m.Metric.id == m.Score.metric_id)
        .join(m.SceneTypeVersion, m.SceneTypeVersion.id == m.Scene.scene_type_version_id)
        .outerjoin(m.QaGate, sa.and_(m.QaGate.metric_id == m.Metric.id,
                                     m.QaGate.profile_version_id == m.SceneTypeVersion.qa_profile_version_id))
        .where(m.Scene.character_id == character_id, m.Metric.name == "face_similarity")
        .group_by(m.SceneType.name)
        .order_by(m.SceneType.name)
    )  # fmt: skip
    return list(session.execute(query).mappings())


def metadata(session: Session, character_id: uuid.UUID) -> dict[str, Any]:
    """Return a character's metadata values by field."""
    value = m.CharacterMetadataValue
    rows = session.execute(
        sa.select(m.MetadataField.name, value)
        .join(value, value.field_id == m.MetadataField.id)
        .where(value.character_id == character_id)
    )
    found: dict[str, Any] = {}
    for name, row in rows:
        given = (row.text_value, row.integer_value, row.number_value, row.boolean_value, row.date_value)
        found[name] = next((v for v in given if v is not None), None)
    return found


def added_by(session: Session, character_id: uuid.UUID) -> str | None:
    """Return who imported a character."""
    entry = m.AuditEntry
    query = sa.select(entry.actor_name).where(entry.entity_id == character_id, entry.action == "character.import")
    return session.scalars(query.order_by(entry.id).limit(1)).one_or_none()
