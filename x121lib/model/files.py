"""Stored files: an artifact is immutable, everything else points to it."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from x121lib.model.base import Base, fk, now_column, pk, term, text
from x121lib.terms.vocabulary import ArtifactKind


class Artifact(Base):
    """A content-addressed file of the artifact store."""

    __tablename__ = "artifact"
    id: Mapped[uuid.UUID] = pk()
    sha256: Mapped[str] = mapped_column(sa.CHAR(64), nullable=False, unique=True)
    n_bytes: Mapped[int] = mapped_column(sa.BigInteger, nullable=False)
    media_type: Mapped[str] = text()
    kind_id: Mapped[ArtifactKind] = term(ArtifactKind)
    created_at: Mapped[datetime] = now_column()


class ArtifactImage(Base):
    """Probed facts of an image."""

    __tablename__ = "artifact_image"
    artifact_id: Mapped[uuid.UUID] = fk("artifact.id", "CASCADE", primary_key=True)
    width: Mapped[int]
    height: Mapped[int]


class ArtifactVideo(Base):
    """Probed facts of a video; the frame rate is an exact fraction."""

    __tablename__ = "artifact_video"
    artifact_id: Mapped[uuid.UUID] = fk("artifact.id", "CASCADE", primary_key=True)
    width: Mapped[int]
    height: Mapped[int]
    n_frames: Mapped[int]
    rate_numerator: Mapped[int]
    rate_denominator: Mapped[int]
    codec: Mapped[str]
    pixel_format: Mapped[str]
