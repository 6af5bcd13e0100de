"""Rows of the artifact table: one per stored file, whoever stores it first."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.ids import new_id
from x121lib.terms.vocabulary import ArtifactKind


@dataclass(frozen=True)
class ImageFacts:
    """Probed facts of an image."""

    width: int
    """Pixels."""
    height: int
    """Pixels."""


@dataclass(frozen=True)
class VideoFacts:
    """Probed facts of a video."""

    width: int
    """Pixels."""
    height: int
    """Pixels."""
    n_frames: int
    """Exact count."""
    frame_rate: Fraction
    """Frames per second."""
    codec: str
    """FFmpeg's name."""
    pixel_format: str
    """FFmpeg's name."""


@dataclass(frozen=True)
class FileFacts:
    """What is known of a stored file."""

    sha256: str
    """Lowercase hex of its content."""
    n_bytes: int
    """Size."""
    media_type: str
    """MIME type."""
    kind: ArtifactKind
    """What it is."""
    image: ImageFacts | None = None
    """Set for images and frames."""
    video: VideoFacts | None = None
    """Set for videos."""


def register(session: Session, facts: FileFacts) -> uuid.UUID:
    """Return the key of the file's row, inserting it (and its probed facts) where it is new. Idempotent."""
    statement = (
        insert(m.Artifact)
        .values(
            id=new_id(), sha256=facts.sha256, n_bytes=facts.n_bytes, media_type=facts.media_type, kind_id=facts.kind
        )
        .on_conflict_do_nothing(index_elements=["sha256"])
        .returning(m.Artifact.id)
    )
    key = session.scalar(statement)
    if key is None:
        return session.scalars(sa.select(m.Artifact.id).where(m.Artifact.sha256 == facts.sha256)).one()
    if facts.image is not None:
        session.add(m.ArtifactImage(artifact_id=key, width=facts.image.width, height=facts.image.height))
    if facts.video is not None:
        video = facts.video
        session.add(
            m.ArtifactVideo(
                artifact_id=key, width=video.width, height=video.height, n_frames=video.n_frames,
                rate_numerator=video.frame_rate.numerator, rate_denominator=video.frame_rate.denominator,
                codec=video.codec, pixel_format=video.pixel_format,
            )
        )  # fmt: skip
    session.flush()
    return key


def sha256_of(session: Session, artifact_id: uuid.UUID) -> str:
    """Return the hash of an artifact's content."""
    return session.scalars(sa.select(m.Artifact.sha256).where(m.Artifact.id == artifact_id)).one()
