"""Every SELECT of intake."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import NotFoundError


def find_character(session: Session, project_id: uuid.UUID, folder_key: str) -> m.Character | None:
    """Return the character of that folder in the project, locked."""
    return session.scalars(
        sa.select(m.Character)
        .where(m.Character.project_id == project_id, m.Character.folder_key == folder_key)
        .with_for_update()
    ).one_or_none()


def find_variant(session: Session, character_id: uuid.UUID, kind_id: uuid.UUID) -> m.ImageVariant | None:
    """Return a character's variant of a kind, locked."""
    return session.scalars(
        sa.select(m.ImageVariant)
        .where(m.ImageVariant.character_id == character_id, m.ImageVariant.kind_id == kind_id)
        .with_for_update()
    ).one_or_none()


def versions(session: Session, variant_id: uuid.UUID) -> list[m.ImageVersion]:
    """Return a variant's versions, oldest first."""
    return list(
        session.scalars(
            sa.select(m.ImageVersion).where(m.ImageVersion.variant_id == variant_id).order_by(m.ImageVersion.number)
        )
    )


def source_artifact(session: Session, character_id: uuid.UUID) -> m.Artifact:
    """Return the approved image of the character's source kind; raises `NotFoundError`."""
    found = session.scalars(
        sa.select(m.Artifact)
        .join(m.ImageVersion, m.ImageVersion.artifact_id == m.Artifact.id)
        .join(m.ImageVariant, m.ImageVariant.approved_version_id == m.ImageVersion.id)
        .join(m.VariantKind, m.VariantKind.id == m.ImageVariant.kind_id)
        .where(m.ImageVariant.character_id == character_id)
        .order_by(m.VariantKind.is_source.desc(), m.VariantKind.sort_order)
        .limit(1)
    ).one_or_none()
    if found is None:
        name = session.scalar(sa.select(m.Character.name).where(m.Character.id == character_id))
        raise NotFoundError(f"{name} has no approved source image.", hint="Approve one with 'x121 variant approve'.")
    return found


def variant_rows(session: Session, project_id: uuid.UUID) -> list[dict[str, object]]:
    """Return one row per variant of a project: character, kind, status, versions, approved version."""
    count = sa.select(sa.func.count()).where(m.ImageVersion.variant_id == m.ImageVariant.id).scalar_subquery()
    approved = sa.orm.aliased(m.ImageVersion)
    rows = session.execute(
        sa.select(
            m.Character.name, m.VariantKind.name, m.ImageVariant.status_id, count, approved.number, m.Artifact.sha256
        )
        .join(m.Character, m.Character.id == m.ImageVariant.character_id)
        .join(m.VariantKind, m.VariantKind.id == m.ImageVariant.kind_id)
        .outerjoin(approved, approved.id == m.ImageVariant.approved_version_id)
        .outerjoin(m.Artifact, m.Artifact.id == approved.artifact_id)
        .where(m.Character.project_id == project_id)
        .order_by(m.Character.name, m.VariantKind.sort_order)
    )
    return [
        {"character": c, "kind": k, "status": s.value, "versions": n, "approved_version": a, "sha256": h}
        for c, k, s, n, a, h in rows
    ]
