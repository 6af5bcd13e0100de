"""Performers and their likeness releases."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from x121lib.model.base import Base, fk, moment, now_column, pk, term, text, version_column
from x121lib.terms.vocabulary import PerformerKind, ReleasePurpose


class Performer(Base):
    """The holder of a likeness; one performer may stand behind many characters."""

    __tablename__ = "performer"
    id: Mapped[uuid.UUID] = pk()
    kind_id: Mapped[PerformerKind] = term(PerformerKind)
    name: Mapped[str] = text(unique=True)
    legal_name_encrypted: Mapped[bytes | None] = mapped_column(sa.LargeBinary, nullable=True)
    adult_verified_at: Mapped[datetime | None] = moment()
    adult_verified_by_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)
    created_at: Mapped[datetime] = now_column()
    version: Mapped[int] = version_column()


class LikenessRelease(Base):
    """A performer's signed permission; empty scope tables mean *all* only where the row says so."""

    __tablename__ = "likeness_release"
    id: Mapped[uuid.UUID] = pk()
    performer_id: Mapped[uuid.UUID] = fk("performer.id", "RESTRICT")
    document_artifact_id: Mapped[uuid.UUID] = fk("artifact.id", "RESTRICT")
    valid_from: Mapped[datetime] = moment(nullable=False)
    valid_until: Mapped[datetime | None] = moment()
    covers_all_variant_kinds: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    covers_all_projects: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    revoked_at: Mapped[datetime | None] = moment()
    revoked_by_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)
    revocation_reason: Mapped[str | None] = text(nullable=True)
    created_at: Mapped[datetime] = now_column()
    created_by_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)


class ReleaseVariantKind(Base):
    """A variant kind that a release covers."""

    __tablename__ = "release_variant_kind"
    release_id: Mapped[uuid.UUID] = fk("likeness_release.id", "CASCADE", primary_key=True)
    variant_kind_id: Mapped[uuid.UUID] = fk("variant_kind.id", "RESTRICT", primary_key=True)
    __table_args__ = (sa.Index("ix_release_variant_kind_variant_kind_id", "variant_kind_id"),)


class ReleaseTransitionMode(Base):
    """A transition mode that a release covers; *normal* is always covered."""

    __tablename__ = "release_transition_mode"
    release_id: Mapped[uuid.UUID] = fk("likeness_release.id", "CASCADE", primary_key=True)
    transition_mode_id: Mapped[uuid.UUID] = fk("transition_mode.id", "RESTRICT", primary_key=True)
    __table_args__ = (sa.Index("ix_release_transition_mode_transition_mode_id", "transition_mode_id"),)


class ReleaseProject(Base):
    """A project that a release covers."""

    __tablename__ = "release_project"
    release_id: Mapped[uuid.UUID] = fk("likeness_release.id", "CASCADE", primary_key=True)
    project_id: Mapped[uuid.UUID] = fk("project.id", "CASCADE", primary_key=True)
    __table_args__ = (sa.Index("ix_release_project_project_id", "project_id"),)


class ReleasePurposeGrant(Base):
    """A purpose that a release permits."""

    __tablename__ = "release_purpose_grant"
    release_id: Mapped[uuid.UUID] = fk("likeness_release.id", "CASCADE", primary_key=True)
    purpose_id: Mapped[ReleasePurpose] = term(ReleasePurpose, primary_key=True)
    __table_args__ = (sa.Index("ix_release_purpose_grant_purpose_id", "purpose_id"),)
