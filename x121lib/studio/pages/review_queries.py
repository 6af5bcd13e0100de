"""Every SELECT of the review page."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.terms.vocabulary import AttemptOutcome

Rows = list[sa.RowMapping]


def scene(session: Session, scene_id: uuid.UUID) -> sa.RowMapping | None:
    """Return a scene with its newest cut and what that cut's file is; None for an unknown one."""
    newest = (
        sa.select(m.SceneVersion)
        .where(m.SceneVersion.scene_id == scene_id)
        .order_by(m.SceneVersion.number.desc())
        .limit(1)
        .subquery()
    )
    other = sa.orm.aliased(m.SceneTypeVersion)
    latest = (
        sa.select(sa.func.max(other.number))
        .where(other.scene_type_id == m.Scene.scene_type_id)
        .correlate(m.Scene)
        .scalar_subquery()
    )
    query = _scene_columns(newest, latest).where(m.Scene.id == scene_id)
    return session.execute(query).mappings().one_or_none()


def _scene_columns(newest: sa.Subquery, latest: sa.ScalarSelect[Any]) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            m.Scene.id, m.Scene.project_id, m.Scene.character_id, m.Scene.variant_kind_id, m.Scene.status_id,
            m.Character.name.label("character"), m.SceneType.name.label("scene_type"),
            m.VariantKind.name.label("variant"), m.Tier.name.label("tier"), newest.c.id.label("version_id"),
            newest.c.number.label("version"), newest.c.n_frames, newest.c.created_at,
            m.Artifact.sha256.label("video"), m.Artifact.media_type.label("mime"),
            m.ArtifactVideo.width, m.ArtifactVideo.height,
            sa.func.coalesce(m.ArtifactVideo.rate_numerator, m.SceneTypeVersion.rate_numerator).label("rate_n"),
            sa.func.coalesce(m.ArtifactVideo.rate_denominator, m.SceneTypeVersion.rate_denominator).label("rate_d"),
            m.SceneTypeVersion.width.label("planned_width"), m.SceneTypeVersion.height.label("planned_height"),
            m.QaProfile.name.label("profile"), m.QaProfileVersion.number.label("profile_version"),
            (m.SceneTypeVersion.number == latest).label("fresh"),
        )
        .join(m.Character, m.Character.id == m.Scene.character_id)
        .join(m.SceneType, m.SceneType.id == m.Scene.scene_type_id)
        .join(m.VariantKind, m.VariantKind.id == m.Scene.variant_kind_id)
        .join(m.Tier, m.Tier.id == m.Scene.tier_id)
        .join(m.SceneTypeVersion, m.SceneTypeVersion.id == m.Scene.scene_type_version_id)
        .join(m.QaProfileVersion, m.QaProfileVersion.id == m.SceneTypeVersion.qa_profile_version_id)
        .join(m.QaProfile, m.QaProfile.id == m.QaProfileVersion.profile_id)
        .outerjoin(newest, newest.c.scene_id == m.Scene.id)
        .outerjoin(m.Artifact, m.Artifact.id == newest.c.artifact_id)
        .outerjoin(m.ArtifactVideo, m.ArtifactVideo.artifact_id == newest.c.artifact_id)
    )  # fmt: skip


def hero(session: Session, character_id: uuid.UUID, kind_id: uuid.UUID) -> str | None:
    """Return the hash of the approved image of a character's variant."""
    return session.scalar(
        sa.select(m.Artifact.sha256)
        .join(m.ImageVersion, m.ImageVersion.artifact_id == m.Artifact.id)
        .join(m.ImageVariant, m.ImageVariant.approved_version_id == m.ImageVersion.id)
        .where(m.ImageVariant.character_id == character_id, m.ImageVariant.kind_id == kind_id)
    )


def newest_video(session: Session, scene_id: uuid.UUID) -> str | None:
    """Return the hash of a scene's newest cut."""
    return session.scalar(
        sa.select(m.Artifact.sha256)
        .join(m.SceneVersion, m.SceneVersion.artifact_id == m.Artifact.id)
        .where(m.SceneVersion.scene_id == scene_id)
        .order_by(m.SceneVersion.number.desc())
        .limit(1)
    )


def cuts(session: Session, version_id: uuid.UUID) -> Rows:
    """Return the takes of a cut in order, each with its frames in its own file."""
    query = (
        sa.select(m.SceneVersionCut.take_id, m.SceneVersionCut.start_frame, m.SceneVersionCut.stop_frame,
                  m.Segment.id.label("segment_id"), m.Segment.sequence_index)
        .join(m.Take, m.Take.id == m.SceneVersionCut.take_id)
        .join(m.Segment, m.Segment.id == m.Take.segment_id)
        .where(m.SceneVersionCut.scene_version_id == version_id)
        .order_by(m.SceneVersionCut.position)
    )  # fmt: skip
    return list(session.execute(query).mappings())


def versions(session: Session, scene_id: uuid.UUID) -> Rows:
    """Return every cut of a scene, newest first, with its file and the tiers that its takes were made at."""
    v, video = m.SceneVersion, m.ArtifactVideo
    tier = (
        sa.select(sa.func.string_agg(m.Tier.name.distinct(), ", "))
        .select_from(m.SceneVersionCut)
        .join(m.Take, m.Take.id == m.SceneVersionCut.take_id)
        .join(m.Receipt, m.Receipt.id == m.Take.receipt_id)
        .join(m.Tier, m.Tier.id == m.Receipt.tier_id)
        .where(m.SceneVersionCut.scene_version_id == v.id)
        .correlate(v)
        .scalar_subquery()
    )
    query = (
        sa.select(v.id, v.number, v.n_frames, m.Artifact.sha256, tier.label("tier"),
                  sa.func.coalesce(video.width, m.SceneTypeVersion.width).label("width"),
                  sa.func.coalesce(video.height, m.SceneTypeVersion.height).label("height"),
                  sa.func.coalesce(video.rate_numerator, m.SceneTypeVersion.rate_numerator).label("rate_n"),
                  sa.func.coalesce(video.rate_denominator, m.SceneTypeVersion.rate_denominator).label("rate_d"))
        .join(m.Scene, m.Scene.id == v.scene_id)
        .join(m.SceneTypeVersion, m.SceneTypeVersion.id == m.Scene.scene_type_version_id)
        .join(m.Artifact, m.Artifact.id == v.artifact_id)
        .outerjoin(video, video.artifact_id == v.artifact_id)
        .where(v.scene_id == scene_id)
        .order_by(v.number.desc())
    )  # fmt: skip
    return list(session.execute(query).mappings())


def takes(session: Session, scene_id: uuid.UUID) -> Rows:
    """Return every take of a scene with its video's hash, by segment and number."""
    query = (
        sa.select(m.Take.id, m.Take.segment_id, m.Take.number, m.Take.status_id, m.Artifact.sha256)
        .join(m.Segment, m.Segment.id == m.Take.segment_id)
        .outerjoin(m.Artifact, m.Artifact.id == m.Take.output_artifact_id)
        .where(m.Segment.scene_id == scene_id)
        .order_by(m.Segment.sequence_index, m.Take.number)
    )
    return list(session.execute(query).mappings())


def verdicts(session: Session, take_ids: list[uuid.UUID]) -> Rows:
    """Return what the gates said of some takes, with each metric's unit and thresholds."""
    query = (
        sa.select(m.Verdict.take_id, m.Verdict.outcome_id, m.Verdict.value, m.Verdict.reason, m.Metric.name,
                  m.Metric.unit, m.QaGate.warn_below, m.QaGate.fail_below, m.QaGate.warn_above, m.QaGate.fail_above,
                  m.Score.start_frame, m.Score.stop_frame)
        .join(m.QaGate, m.QaGate.id == m.Verdict.gate_id)
        .join(m.Metric, m.Metric.id == m.QaGate.metric_id)
        .outerjoin(m.Score, sa.and_(m.Score.take_id == m.Verdict.take_id, m.Score.metric_id == m.QaGate.metric_id))
        .where(m.Verdict.take_id.in_(take_ids))
        .order_by(m.Metric.name)
    )  # fmt: skip
    return list(session.execute(query).mappings())


def notes(session: Session, scene_id: uuid.UUID) -> Rows:
    """Return the notes on a scene's cuts, newest first, with the number of the cut."""
    query = (
        sa.select(m.Note.id, m.Note.frame, m.Note.text, m.Note.created_at, m.Note.resolved_at, m.Person.name,
                  m.SceneVersion.number)
        .join(m.SceneVersion, m.SceneVersion.id == m.Note.scene_version_id)
        .outerjoin(m.Person, m.Person.id == m.Note.person_id)
        .where(m.SceneVersion.scene_id == scene_id)
        .order_by(m.Note.created_at.desc(), m.Note.id.desc())
    )  # fmt: skip
    return list(session.execute(query).mappings())


def decision(session: Session, version_id: uuid.UUID) -> sa.RowMapping | None:
    """Return the newest decision on a cut that was not undone, with its reasons and who made it."""
    tags = (
        sa.select(sa.func.string_agg(m.FailureTag.name, ", "))
        .join(m.DecisionTag, m.DecisionTag.failure_tag_id == m.FailureTag.id)
        .where(m.DecisionTag.decision_id == m.Decision.id)
        .scalar_subquery()
    )
    query = (
        sa.select(m.Decision.id, m.Decision.outcome_id, m.Decision.reason, m.Decision.created_at, m.Decision.person_id,
                  m.Person.name, tags.label("tags"))
        .outerjoin(m.Person, m.Person.id == m.Decision.person_id)
        .where(m.Decision.scene_version_id == version_id, m.Decision.undone_at.is_(None))
        .order_by(m.Decision.created_at.desc())
        .limit(1)
    )  # fmt: skip
    return session.execute(query).mappings().one_or_none()


def receipt(session: Session, take_ids: list[uuid.UUID]) -> dict[str, Any]:
    """Return workflow, workers, seeds and GPU time of some takes, gathered into one row."""
    seconds = (
        sa.select(sa.func.sum(m.GpuTaskAttempt.run_s))
        .join(m.GpuTask, m.GpuTask.id == m.GpuTaskAttempt.task_id)
        .where(m.GpuTask.take_id.in_(take_ids), m.GpuTaskAttempt.outcome_id == AttemptOutcome.COMPLETE)
        .scalar_subquery()
    )

    def listed(column: Any) -> Any:
        return sa.func.string_agg(sa.cast(column, sa.Text).distinct(), ", ")

    version = sa.func.concat(m.Workflow.name, " v", m.WorkflowVersion.number)
    server = sa.func.concat(m.Worker.name, " · ComfyUI ", m.Receipt.server_version)
    query = (
        sa.select(listed(version).label("workflow"), listed(server).label("worker"),
                  listed(m.Receipt.seed).label("seeds"),
                  listed(m.Receipt.text_prompt).label("prompt"), seconds.label("run_s"))
        .select_from(m.Take)
        .join(m.Receipt, m.Receipt.id == m.Take.receipt_id)
        .join(m.WorkflowVersion, m.WorkflowVersion.id == m.Receipt.workflow_version_id)
        .join(m.Workflow, m.Workflow.id == m.WorkflowVersion.workflow_id)
        .outerjoin(m.Worker, m.Worker.id == m.Receipt.worker_id)
        .where(m.Take.id.in_(take_ids))
    )  # fmt: skip
    return dict(session.execute(query).mappings().one())
