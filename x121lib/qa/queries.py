"""Every SELECT of quality assurance."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.terms.quality import Gate


def gates(session: Session, profile_version_id: uuid.UUID) -> dict[uuid.UUID, Gate]:
    """Return the gates of a profile version by key."""
    rows = session.execute(
        sa.select(m.QaGate, m.Metric.name)
        .join(m.Metric, m.Metric.id == m.QaGate.metric_id)
        .where(m.QaGate.profile_version_id == profile_version_id)
        .order_by(m.Metric.name)
    )
    return {
        g.id: Gate(
            metric=name, warn_below=g.warn_below, fail_below=g.fail_below, warn_above=g.warn_above,
            fail_above=g.fail_above,
        )
        for g, name in rows
    }  # fmt: skip


def metric_ids(session: Session) -> dict[str, uuid.UUID]:
    """Return the key of each metric by name."""
    return dict(session.execute(sa.select(m.Metric.name, m.Metric.id)).all())


def reference_face(session: Session, artifact_id: uuid.UUID, backend: str, pack: str) -> m.Face | None:
    """Return the face that a backend found in an image."""
    return session.scalars(
        sa.select(m.Face).where(m.Face.artifact_id == artifact_id, m.Face.backend == backend, m.Face.pack == pack)
    ).one_or_none()
