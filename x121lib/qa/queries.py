"""Every SELECT of quality assurance."""

from __future__ import annotations

import uuid
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.store.session import among
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


def chain_scores(
    session: Session, scene_ids: Collection[uuid.UUID], names: Collection[str]
) -> list[tuple[uuid.UUID, str, int, float]]:
    """Return (scene, metric, number of the segment, value) of each segment's take: the chosen one, else the newest."""
    newest = (
        sa.select(m.Take.segment_id, m.Take.id)
        .join(m.Score, m.Score.take_id == m.Take.id)
        .ext(distinct_on(m.Take.segment_id))
        .order_by(m.Take.segment_id, m.Take.number.desc())
        .subquery()
    )
    rows = session.execute(
        sa.select(m.Segment.scene_id, m.Metric.name, m.Segment.sequence_index, m.Score.value)
        .outerjoin(newest, newest.c.segment_id == m.Segment.id)
        .join(m.Score, m.Score.take_id == sa.func.coalesce(m.Segment.chosen_take_id, newest.c.id))
        .join(m.Metric, m.Metric.id == m.Score.metric_id)
        .where(among(m.Segment.scene_id, scene_ids), m.Metric.name.in_(names))
        .order_by(m.Segment.scene_id, m.Segment.sequence_index)
    )
    return [(scene, name, segment, value) for scene, name, segment, value in rows]


def gates_of_scenes(session: Session, scene_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, dict[str, Gate]]:
    """Return the gates of each scene's QA profile, by metric."""
    version, scene = m.SceneTypeVersion, m.Scene
    rows = session.execute(
        sa.select(scene.id, version.qa_profile_version_id)
        .join(version, version.id == scene.scene_type_version_id)
        .where(among(scene.id, scene_ids))
    ).all()
    known = {key: {gate.metric: gate for gate in gates(session, key).values()} for key in {key for _, key in rows}}
    return {scene_id: known[key] for scene_id, key in rows}


def metric_ids(session: Session) -> dict[str, uuid.UUID]:
    """Return the key of each metric by name."""
    return dict(session.execute(sa.select(m.Metric.name, m.Metric.id)).all())


def reference_face(session: Session, artifact_id: uuid.UUID, backend: str, pack: str) -> m.Face | None:
    """Return the face that a backend found in an image."""
    return session.scalars(
        sa.select(m.Face).where(m.Face.artifact_id == artifact_id, m.Face.backend == backend, m.Face.pack == pack)
    ).one_or_none()
