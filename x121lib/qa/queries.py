"""Every SELECT of quality assurance."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.store.session import among
from x121lib.terms.quality import Gate
from x121lib.terms.vocabulary import DecisionOutcome, VerdictOutcome


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


def scored_takes(
    session: Session, profile: str, since: datetime, project_id: uuid.UUID | None = None
) -> list[tuple[uuid.UUID, int, str, float]]:
    """Return (take, number of its segment, metric, value) of the takes finished since then under a profile's name."""
    version = m.SceneTypeVersion
    query = (
        sa.select(m.Take.id, m.Segment.sequence_index, m.Metric.name, m.Score.value)
        .join(m.Segment, m.Segment.id == m.Take.segment_id)
        .join(m.Scene, m.Scene.id == m.Segment.scene_id)
        .join(version, version.id == m.Scene.scene_type_version_id)
        .join(m.QaProfileVersion, m.QaProfileVersion.id == version.qa_profile_version_id)
        .join(m.QaProfile, m.QaProfile.id == m.QaProfileVersion.profile_id)
        .join(m.Score, m.Score.take_id == m.Take.id)
        .join(m.Metric, m.Metric.id == m.Score.metric_id)
        .where(m.QaProfile.name == profile, m.Take.finished_at >= since)
        .order_by(m.Take.id)
    )
    if project_id is not None:
        query = query.where(m.Scene.project_id == project_id)
    return [(take, segment, name, value) for take, segment, name, value in session.execute(query)]


def newest_gates(session: Session, profile: str) -> dict[str, Gate] | None:
    """Return the gates of a profile's newest version by metric; None where there is no profile of that name."""
    key = session.scalar(
        sa.select(m.QaProfileVersion.id)
        .join(m.QaProfile, m.QaProfile.id == m.QaProfileVersion.profile_id)
        .where(m.QaProfile.name == profile)
        .order_by(m.QaProfileVersion.number.desc())
        .limit(1)
    )
    return None if key is None else {gate.metric: gate for gate in gates(session, key).values()}


def decided_verdicts(
    session: Session, since: datetime, project_id: uuid.UUID | None = None
) -> list[tuple[uuid.UUID, DecisionOutcome, str, VerdictOutcome]]:
    """Return (cut, what stands decided on it, metric, worst verdict over its takes) of the cuts decided since then."""
    newest = (
        sa.select(m.Decision.scene_version_id, m.Decision.outcome_id)
        .where(m.Decision.undone_at.is_(None), m.Decision.created_at >= since)
        .ext(distinct_on(m.Decision.scene_version_id))
        .order_by(m.Decision.scene_version_id, m.Decision.created_at.desc())
        .subquery()
    )
    worst = sa.func.max(sa.cast(m.Verdict.outcome_id, sa.SmallInteger))
    query = (
        sa.select(newest.c.scene_version_id, newest.c.outcome_id, m.Metric.name, worst)
        .join(m.SceneVersion, m.SceneVersion.id == newest.c.scene_version_id)
        .join(m.Scene, m.Scene.id == m.SceneVersion.scene_id)
        .join(m.SceneVersionCut, m.SceneVersionCut.scene_version_id == newest.c.scene_version_id)
        .join(m.Verdict, m.Verdict.take_id == m.SceneVersionCut.take_id)
        .join(m.QaGate, m.QaGate.id == m.Verdict.gate_id)
        .join(m.Metric, m.Metric.id == m.QaGate.metric_id)
        .group_by(newest.c.scene_version_id, newest.c.outcome_id, m.Metric.name)
    )
    if project_id is not None:
        query = query.where(m.Scene.project_id == project_id)
    return [(cut, what, name, VerdictOutcome.from_number(n)) for cut, what, name, n in session.execute(query)]


def metric_ids(session: Session) -> dict[str, uuid.UUID]:
    """Return the key of each metric by name."""
    return dict(session.execute(sa.select(m.Metric.name, m.Metric.id)).all())


def reference_face(session: Session, artifact_id: uuid.UUID, backend: str, pack: str) -> m.Face | None:
    """Return the face that a backend found in an image."""
    return session.scalars(
        sa.select(m.Face).where(m.Face.artifact_id == artifact_id, m.Face.backend == backend, m.Face.pack == pack)
    ).one_or_none()
