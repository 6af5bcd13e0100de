"""Every SELECT of the library of models."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from x121lib import model as m
from x121lib.base.errors import InvalidInputError, NotFoundError
from x121lib.terms.vocabulary import ModelStatus


def newest_of() -> Any:
    """Return the condition that a `ModelVersion` is the newest of its model."""
    other = aliased(m.ModelVersion)
    highest = sa.select(sa.func.max(other.number)).where(other.model_id == m.ModelVersion.model_id)
    return m.ModelVersion.number == highest.correlate(m.ModelVersion).scalar_subquery()


def root(session: Session, path: str) -> m.ModelRoot | None:
    """Return the folder of that path."""
    return session.scalars(sa.select(m.ModelRoot).where(m.ModelRoot.path == path)).one_or_none()


def models_of(session: Session, root_id: uuid.UUID) -> list[m.LibraryModel]:
    """Return the models of a folder."""
    return list(session.scalars(sa.select(m.LibraryModel).where(m.LibraryModel.root_id == root_id)))


def listing(session: Session) -> Sequence[Any]:
    """Return (model, newest version, root's path), by kind and name."""
    return session.execute(
        sa.select(m.LibraryModel, m.ModelVersion, m.ModelRoot.path)
        .join(m.ModelVersion, m.ModelVersion.model_id == m.LibraryModel.id)
        .join(m.ModelRoot, m.ModelRoot.id == m.LibraryModel.root_id)
        .where(newest_of())
        .order_by(m.LibraryModel.kind_id, m.LibraryModel.name, m.LibraryModel.id)
    ).all()


def model(session: Session, name: str) -> m.LibraryModel:
    """Return a model by its path below the folder, its loader's name, or its key.

    Raises:
        NotFoundError: there is none.
        InvalidInputError: several have that name; the message lists their paths.
    """
    wanted = sa.or_(m.LibraryModel.path == name, m.LibraryModel.name == name)
    with contextlib.suppress(ValueError):  # a name, not a key
        wanted = sa.or_(wanted, m.LibraryModel.id == uuid.UUID(name))
    found = list(session.scalars(sa.select(m.LibraryModel).where(wanted).order_by(m.LibraryModel.path)))
    exact = [row for row in found if row.path == name]
    found = exact if len(exact) == 1 else found
    if not found:
        raise NotFoundError(f"There is no model '{name}'.", hint="'x121 model list' shows them; 'x121 model scan'.")
    if len(found) > 1:
        paths = ", ".join(f"{row.path} ({row.id})" for row in found[:5])
        raise InvalidInputError(f"Several models are called '{name}'.", hint=f"Give the path or the key: {paths}.")
    return found[0]


def versions(session: Session, model_id: uuid.UUID) -> list[m.ModelVersion]:
    """Return a model's versions, the newest first."""
    query = sa.select(m.ModelVersion).where(m.ModelVersion.model_id == model_id)
    return list(session.scalars(query.order_by(m.ModelVersion.number.desc())))


def newest_versions(session: Session, model_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, m.ModelVersion]:
    """Return the newest version of each model."""
    query = sa.select(m.ModelVersion).where(m.ModelVersion.model_id.in_(model_ids), newest_of())
    return {row.model_id: row for row in session.scalars(query)}


def trigger_words(session: Session, version_id: uuid.UUID) -> list[str]:
    """Return a version's trigger words."""
    query = sa.select(m.ModelTriggerWord.word).where(m.ModelTriggerWord.model_version_id == version_id)
    return list(session.scalars(query.order_by(m.ModelTriggerWord.word)))


def same_content(session: Session, sha256: str) -> list[m.LibraryModel]:
    """Return the models that lie there now with this content."""
    return list(
        session.scalars(
            sa.select(m.LibraryModel)
            .join(m.ModelVersion, m.ModelVersion.model_id == m.LibraryModel.id)
            .where(m.ModelVersion.sha256 == sha256, m.LibraryModel.status_id == ModelStatus.PRESENT, newest_of())
            .order_by(m.LibraryModel.path)
        )
    )


def notes(session: Session, model_id: uuid.UUID) -> Sequence[Any]:
    """Return (note, the other model's path or None, author's name or None) of a model, the newest first."""
    other = aliased(m.LibraryModel)
    partner = sa.case((m.ModelNote.model_id == model_id, m.ModelNote.other_model_id), else_=m.ModelNote.model_id)
    return session.execute(
        sa.select(m.ModelNote, other.path, m.Person.name)
        .outerjoin(other, other.id == partner)
        .outerjoin(m.Person, m.Person.id == m.ModelNote.created_by_id)
        .where(sa.or_(m.ModelNote.model_id == model_id, m.ModelNote.other_model_id == model_id))
        .order_by(m.ModelNote.id.desc())
    ).all()
