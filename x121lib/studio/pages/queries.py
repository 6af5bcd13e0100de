"""Every SELECT of the pages. A constant number of statements per view, whatever the size of the project."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.scheduling.fairness import AGE_STEP_S
from x121lib.terms.transitions import ENDED_STATUSES, LEASED_STATUSES, WAITING_STATUSES
from x121lib.terms.vocabulary import AttemptOutcome, DecisionOutcome, SceneStatus, TaskKind, TaskStatus

Rows = list[sa.RowMapping]


def _rows(session: Session, query: sa.Select[*tuple[Any, ...]]) -> Rows:
    return list(session.execute(query).mappings())


def position(session: Session) -> int:
    """Return the number of the last event."""
    return int(session.scalar(sa.select(sa.func.max(m.Event.id))) or 0)


# Characters and scenes


def characters(session: Session, project_id: uuid.UUID) -> Rows:
    """Return a project's characters by name, each with its performer and the hash of its approved source image."""
    hero = (
        sa.select(m.ImageVariant.character_id, m.Artifact.sha256)
        .join(m.ImageVersion, m.ImageVersion.id == m.ImageVariant.approved_version_id)
        .join(m.Artifact, m.Artifact.id == m.ImageVersion.artifact_id)
        .join(m.VariantKind, m.VariantKind.id == m.ImageVariant.kind_id)
        .join(m.Character, m.Character.id == m.ImageVariant.character_id)
        .where(m.Character.project_id == project_id)
        .ext(distinct_on(m.ImageVariant.character_id))
        .order_by(m.ImageVariant.character_id, m.VariantKind.is_source.desc(), m.VariantKind.sort_order)
        .subquery()
    )
    return _rows(
        session,
        sa.select(
            m.Character.id, m.Character.name, m.Character.folder_name, m.Character.created_at,
            m.Performer.id.label("performer_id"), m.Performer.name.label("performer"),
            m.Performer.kind_id.label("kind"), hero.c.sha256,
        )
        .join(m.Performer, m.Performer.id == m.Character.performer_id)
        .outerjoin(hero, hero.c.character_id == m.Character.id)
        .where(m.Character.project_id == project_id)
        .order_by(m.Character.name, m.Character.id),
    )  # fmt: skip


def scenes(session: Session, project_id: uuid.UUID) -> Rows:
    """Return the scenes of the matrix: normal mode, index 1, each with the hash of its newest filmstrip."""
    strips = (
        sa.select(m.SceneVersion.scene_id, m.Artifact.sha256)
        .join(m.Scene, m.Scene.id == m.SceneVersion.scene_id)
        .join(m.Artifact, m.Artifact.id == m.SceneVersion.filmstrip_artifact_id)
        .where(m.Scene.project_id == project_id)
        .ext(distinct_on(m.SceneVersion.scene_id))
        .order_by(m.SceneVersion.scene_id, m.SceneVersion.number.desc())
        .subquery()
    )
    return _rows(
        session,
        sa.select(
            m.Scene.id, m.Scene.character_id, m.Scene.scene_type_id, m.Scene.variant_kind_id,
            m.Scene.status_id.label("status"), m.Scene.failure_reason, strips.c.sha256.label("strip"),
        )
        .join(m.TransitionMode, m.TransitionMode.id == m.Scene.transition_mode_id)
        .outerjoin(strips, strips.c.scene_id == m.Scene.id)
        .where(m.Scene.project_id == project_id, m.TransitionMode.filename_suffix == "", m.Scene.index_number == 1),
    )  # fmt: skip


def approved_kinds(session: Session, project_id: uuid.UUID) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """Return the (character, variant kind) pairs of a project that have an approved image."""
    query = (
        sa.select(m.ImageVariant.character_id, m.ImageVariant.kind_id)
        .join(m.Character, m.Character.id == m.ImageVariant.character_id)
        .where(m.Character.project_id == project_id, m.ImageVariant.approved_version_id.is_not(None))
    )
    return set(session.execute(query))


def progress(
    session: Session, project_id: uuid.UUID, scene_ids: list[uuid.UUID] | None = None
) -> dict[uuid.UUID, sa.RowMapping]:
    """Return, for each scene that is being made (or those of ``scene_ids``): segments, those done, leased parts."""
    leased = m.GpuTask.status_id.in_(LEASED_STATUSES)
    working = (
        sa.select(m.Segment.scene_id, sa.func.count().label("leased"), sa.func.sum(m.GpuTask.progress).label("part"))
        .join(m.Take, m.Take.id == m.GpuTask.take_id)
        .join(m.Segment, m.Segment.id == m.Take.segment_id)
        .where(leased, m.GpuTask.project_id == project_id)
        .group_by(m.Segment.scene_id)
        .subquery()
    )
    query = (
        sa.select(
            m.Segment.scene_id, sa.func.count().label("segments"),
            sa.func.count(m.Segment.chosen_take_id).label("done"),
            sa.func.coalesce(sa.func.max(working.c.leased), 0).label("leased"),
            sa.func.coalesce(sa.func.max(working.c.part), 0.0).label("part"),
        )
        .join(m.Scene, m.Scene.id == m.Segment.scene_id)
        .outerjoin(working, working.c.scene_id == m.Segment.scene_id)
        .where(m.Scene.project_id == project_id, m.Scene.status_id == SceneStatus.GENERATING)
        .group_by(m.Segment.scene_id)
    )  # fmt: skip
    if scene_ids is not None:
        query = query.where(m.Scene.id.in_(scene_ids))
    return {row["scene_id"]: row for row in _rows(session, query)}


def segments_left(session: Session, scene_ids: list[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Return how many segments of each scene lack a take; scenes without segments are absent."""
    query = (
        sa.select(m.Segment.scene_id, sa.func.count() - sa.func.count(m.Segment.chosen_take_id))
        .where(m.Segment.scene_id.in_(scene_ids))
        .group_by(m.Segment.scene_id)
    )
    return {key: int(n) for key, n in session.execute(query)}


def scene_names(session: Session, scene_ids: list[uuid.UUID]) -> dict[uuid.UUID, sa.RowMapping]:
    """Return character, scene type and variant of some scenes."""
    query = (
        sa.select(m.Scene.id, m.Scene.project_id, m.Character.name.label("character"),
                  m.SceneType.name.label("scene_type"), m.VariantKind.name.label("variant"))
        .join(m.Character, m.Character.id == m.Scene.character_id)
        .join(m.SceneType, m.SceneType.id == m.Scene.scene_type_id)
        .join(m.VariantKind, m.VariantKind.id == m.Scene.variant_kind_id)
        .where(m.Scene.id.in_(scene_ids))
    )  # fmt: skip
    return {row["id"]: row for row in _rows(session, query)}


# Review


def waiting(session: Session, project_id: uuid.UUID) -> Rows:
    """Return the scenes that wait for review, oldest first, with their newest cut's worst gate and its flag."""
    newest = (
        sa.select(m.SceneVersion)
        .join(m.Scene, m.Scene.id == m.SceneVersion.scene_id)
        .where(m.Scene.project_id == project_id, m.Scene.status_id == SceneStatus.REVIEW)
        .ext(distinct_on(m.SceneVersion.scene_id))
        .order_by(m.SceneVersion.scene_id, m.SceneVersion.number.desc())
        .subquery()
    )
    worst = (
        sa.select(m.Segment.scene_id, sa.func.max(sa.cast(m.Verdict.outcome_id, sa.SmallInteger)).label("worst"))
        .join(m.Take, m.Take.id == m.Segment.chosen_take_id)
        .join(m.Verdict, m.Verdict.take_id == m.Take.id)
        .join(newest, newest.c.scene_id == m.Segment.scene_id)
        .group_by(m.Segment.scene_id)
        .subquery()
    )
    flagged = sa.exists().where(
        m.Decision.scene_version_id == newest.c.id, m.Decision.outcome_id == DecisionOutcome.FLAG,
        m.Decision.undone_at.is_(None),
    )  # fmt: skip
    return _rows(
        session,
        sa.select(
            m.Scene.id, m.Scene.character_id, m.Scene.scene_type_id, m.Character.name.label("character"),
            m.SceneType.name.label("scene_type"), m.VariantKind.name.label("variant"), newest.c.created_at,
            newest.c.n_frames,
            m.Artifact.sha256.label("video"), m.ArtifactVideo.rate_numerator, m.ArtifactVideo.rate_denominator,
            worst.c.worst, flagged.label("flagged"),
        )
        .join(newest, newest.c.scene_id == m.Scene.id)
        .join(m.Character, m.Character.id == m.Scene.character_id)
        .join(m.SceneType, m.SceneType.id == m.Scene.scene_type_id)
        .join(m.VariantKind, m.VariantKind.id == m.Scene.variant_kind_id)
        .join(m.Artifact, m.Artifact.id == newest.c.artifact_id)
        .outerjoin(m.ArtifactVideo, m.ArtifactVideo.artifact_id == newest.c.artifact_id)
        .outerjoin(worst, worst.c.scene_id == m.Scene.id)
        .order_by(newest.c.created_at, m.Scene.id),
    )  # fmt: skip


# The queue


def counts(session: Session) -> dict[TaskStatus, tuple[int, float]]:
    """Return how many GPU tasks stand in each status that is not over, and the sum of their progress."""
    query = (
        sa.select(m.GpuTask.status_id, sa.func.count(), sa.func.sum(m.GpuTask.progress))
        .where(m.GpuTask.status_id.not_in(ENDED_STATUSES))
        .group_by(m.GpuTask.status_id)
    )
    return {status: (int(n), float(part or 0)) for status, n, part in session.execute(query)}


def _hero_of_scene() -> sa.ScalarSelect[str]:
    """Return the approved image that a scene's first segment starts from, until its own first frame is stored."""
    image, version = sa.orm.aliased(m.ImageVariant), sa.orm.aliased(m.ImageVersion)
    picture = sa.orm.aliased(m.Artifact)
    return (
        sa.select(picture.sha256)
        .join(version, version.artifact_id == picture.id)
        .join(image, image.approved_version_id == version.id)
        .where(image.character_id == m.Scene.character_id, image.kind_id == m.Scene.variant_kind_id)
        .correlate(m.Scene)
        .scalar_subquery()
    )


def _task_rows() -> sa.Select[*tuple[Any, ...]]:
    before = sa.orm.aliased(m.GpuTask)
    kind = sa.func.coalesce(m.Scene.variant_kind_id, m.ImageVariant.kind_id)
    part = sa.orm.aliased(m.Segment)
    total = sa.select(sa.func.count(part.id)).where(part.scene_id == m.Scene.id).correlate(m.Scene).scalar_subquery()
    hero = _hero_of_scene()
    blocked = sa.case((before.status_id != TaskStatus.COMPLETE, before.id), else_=None)
    return (
        sa.select(
            m.GpuTask.id, m.GpuTask.id.label("task_id"), m.GpuTask.submitted_by_id.label("person_id"),
            m.GpuTask.is_off_peak, m.GpuTask.status_id.label("status"), m.GpuTask.priority, m.GpuTask.progress,
            m.GpuTask.batch_id,
            m.GpuTask.queued_at, m.GpuTask.turn_at, m.GpuTask.started_at, m.GpuTask.finished_at, m.GpuTask.not_before,
            m.GpuTask.error_message, m.GpuTask.failed_attempts, m.GpuTask.worker_id, m.GpuTask.project_id,
            m.Project.name.label("project"), m.Person.name.label("person"), m.Character.name.label("character"),
            m.SceneType.name.label("scene_type"), m.VariantKind.name.label("variant"), m.Scene.id.label("scene_id"),
            m.Scene.scene_type_id, m.Segment.sequence_index.label("segment"), m.Take.number.label("take"),
            total.label("segments"), m.Worker.name.label("worker"), blocked.label("waits_for"),
            sa.func.coalesce(m.Artifact.sha256, hero).label("thumb"),
            m.GpuTaskAttempt.started_at.label("attempt_started_at"),
        )
        .join(m.Project, m.Project.id == m.GpuTask.project_id)
        .outerjoin(m.Person, m.Person.id == m.GpuTask.submitted_by_id)
        .outerjoin(m.Take, m.Take.id == m.GpuTask.take_id)
        .outerjoin(m.Segment, m.Segment.id == m.Take.segment_id)
        .outerjoin(m.Scene, m.Scene.id == m.Segment.scene_id)
        .outerjoin(m.SceneType, m.SceneType.id == m.Scene.scene_type_id)
        .outerjoin(m.ImageVariant, m.ImageVariant.id == m.GpuTask.image_variant_id)
        .join(m.Character, m.Character.id == sa.func.coalesce(m.Scene.character_id, m.ImageVariant.character_id))
        .join(m.VariantKind, m.VariantKind.id == kind)
        .outerjoin(m.Worker, m.Worker.id == m.GpuTask.worker_id)
        .outerjoin(m.Artifact, m.Artifact.id == m.Take.seed_frame_artifact_id)
        .outerjoin(m.GpuTaskAttempt, sa.and_(m.GpuTaskAttempt.task_id == m.GpuTask.id,
                                             m.GpuTaskAttempt.number == m.GpuTask.attempt_number))
        .outerjoin(before, before.id == m.GpuTask.after_task_id)
    )  # fmt: skip


def one_task(session: Session, task_id: uuid.UUID) -> Any:
    """Return one GPU task; None where there is none."""
    found = _rows(session, _task_rows().where(m.GpuTask.id == task_id))
    return found[0] if found else None


def running_tasks(session: Session) -> Rows:
    """Return the GPU tasks that hold a worker's slot, oldest first."""
    query = _task_rows().where(m.GpuTask.status_id.in_(LEASED_STATUSES))
    return _rows(session, query.order_by(m.GpuTask.started_at, m.GpuTask.id))


def waiting_tasks(session: Session, limit: int) -> Rows:
    """Return the GPU tasks that wait and whose turn comes first, by age and priority alone; paused ones last."""
    paused = sa.case((m.GpuTask.status_id == TaskStatus.PAUSED, 1), else_=0)
    query = _task_rows().where(m.GpuTask.status_id.in_(WAITING_STATUSES))
    counts_from = sa.func.coalesce(m.GpuTask.turn_at, m.GpuTask.queued_at)
    turn = sa.extract("epoch", counts_from) - m.GpuTask.priority * AGE_STEP_S
    return _rows(session, query.order_by(paused, turn, m.GpuTask.id).limit(limit))


def failed_tasks(session: Session, since: datetime, limit: int) -> Rows:
    """Return the GPU tasks that failed for good since a moment and whose scene or image still lacks what they make."""
    still = sa.or_(m.Scene.status_id == SceneStatus.FAILED, m.ImageVariant.approved_version_id.is_(None))
    query = _task_rows().where(m.GpuTask.status_id == TaskStatus.FAILED, m.GpuTask.finished_at >= since)
    query = query.where(sa.case((m.GpuTask.kind_id == TaskKind.TAKE, m.Scene.status_id == SceneStatus.FAILED),
                                else_=still))  # fmt: skip
    return _rows(session, query.order_by(m.GpuTask.finished_at.desc()).limit(limit))


def past_attempts(session: Session, since: datetime, until: datetime | None = None, limit: int = 400) -> Rows:
    """Return the attempts that ended since a moment and began before another, with whose they were, newest first."""
    began = sa.func.coalesce(m.GpuTaskAttempt.started_at, m.GpuTaskAttempt.dispatched_at)
    kind = sa.func.coalesce(m.Scene.variant_kind_id, m.ImageVariant.kind_id)
    return _rows(
        session,
        sa.select(
            m.GpuTaskAttempt.id, m.GpuTaskAttempt.task_id, m.GpuTaskAttempt.worker_id,
            m.GpuTaskAttempt.outcome_id.label("outcome"), began.label("started_at"), m.GpuTaskAttempt.finished_at,
            m.Project.name.label("project"), m.Character.name.label("character"), m.SceneType.name.label("scene_type"),
            m.VariantKind.name.label("variant"),
        )
        .join(m.GpuTask, m.GpuTask.id == m.GpuTaskAttempt.task_id)
        .join(m.Project, m.Project.id == m.GpuTask.project_id)
        .outerjoin(m.Take, m.Take.id == m.GpuTask.take_id)
        .outerjoin(m.Segment, m.Segment.id == m.Take.segment_id)
        .outerjoin(m.Scene, m.Scene.id == m.Segment.scene_id)
        .outerjoin(m.SceneType, m.SceneType.id == m.Scene.scene_type_id)
        .outerjoin(m.ImageVariant, m.ImageVariant.id == m.GpuTask.image_variant_id)
        .join(m.Character, m.Character.id == sa.func.coalesce(m.Scene.character_id, m.ImageVariant.character_id))
        .join(m.VariantKind, m.VariantKind.id == kind)
        .where(
            m.GpuTaskAttempt.finished_at >= since, m.GpuTaskAttempt.worker_id.is_not(None),
            began <= until if until is not None else sa.true(),
        )
        .order_by(m.GpuTaskAttempt.finished_at.desc())
        .limit(limit),
    )  # fmt: skip


def completed_since(session: Session, since: datetime) -> int:
    """Return how many GPU tasks were completed since a moment."""
    query = sa.select(sa.func.count()).select_from(m.GpuTaskAttempt)
    done = m.GpuTaskAttempt.outcome_id == AttemptOutcome.COMPLETE
    return int(session.scalar(query.where(done, m.GpuTaskAttempt.finished_at >= since)) or 0)


def history(session: Session) -> dict[uuid.UUID | None, tuple[int, float, float, float]]:
    """Return past takes per scene type: (number, lower quartile, median, upper quartile) of seconds on the GPU.

    The key None is all takes together; it is absent where there is no history.
    """
    seconds = m.GpuTaskAttempt.run_s

    def quantile(share: float) -> Any:
        return sa.func.percentile_cont(share).within_group(seconds)

    query = (
        sa.select(m.Scene.scene_type_id, sa.func.count(), quantile(0.25), quantile(0.5), quantile(0.75))
        .select_from(m.GpuTaskAttempt)
        .join(m.GpuTask, m.GpuTask.id == m.GpuTaskAttempt.task_id)
        .join(m.Take, m.Take.id == m.GpuTask.take_id)
        .join(m.Segment, m.Segment.id == m.Take.segment_id)
        .join(m.Scene, m.Scene.id == m.Segment.scene_id)
        .where(m.GpuTaskAttempt.outcome_id == AttemptOutcome.COMPLETE, seconds > 0)
        .group_by(sa.func.grouping_sets(sa.tuple_(m.Scene.scene_type_id), sa.tuple_()))
    )
    rows = session.execute(query).all()
    return {key: (int(n), float(low), float(mid), float(high)) for key, n, low, mid, high in rows if n}


def shares(session: Session, since: datetime) -> Rows:
    """Return, per project with open or recent work: GPU seconds since a moment, tasks running and queued."""
    used = (
        sa.select(m.GpuTask.project_id, sa.func.sum(m.GpuTaskAttempt.run_s).label("run_s"))
        .join(m.GpuTask, m.GpuTask.id == m.GpuTaskAttempt.task_id)
        .where(m.GpuTaskAttempt.finished_at >= since)
        .group_by(m.GpuTask.project_id)
        .subquery()
    )
    is_open = (
        sa.select(
            m.GpuTask.project_id,
            sa.func.count().filter(m.GpuTask.status_id.in_(LEASED_STATUSES)).label("running"),
            sa.func.count().filter(m.GpuTask.status_id.in_(WAITING_STATUSES)).label("queued"),
        )
        .where(m.GpuTask.status_id.not_in(ENDED_STATUSES))
        .group_by(m.GpuTask.project_id)
        .subquery()
    )
    query = (
        sa.select(m.Project.name, sa.func.coalesce(used.c.run_s, 0.0).label("run_s"),
                  sa.func.coalesce(is_open.c.running, 0).label("running"),
                  sa.func.coalesce(is_open.c.queued, 0).label("queued"))
        .outerjoin(used, used.c.project_id == m.Project.id)
        .outerjoin(is_open, is_open.c.project_id == m.Project.id)
        .where(sa.or_(used.c.run_s > 0, is_open.c.project_id.is_not(None)))
        .order_by(m.Project.name)
    )  # fmt: skip
    return _rows(session, query)


def stored_bytes(session: Session, since: datetime) -> list[tuple[Any, int, int]]:
    """Return (kind of file, bytes, bytes added since a moment) of the artifact store."""
    recent = sa.func.coalesce(sa.func.sum(m.Artifact.n_bytes).filter(m.Artifact.created_at >= since), 0)
    query = sa.select(m.Artifact.kind_id, sa.func.sum(m.Artifact.n_bytes), recent).group_by(m.Artifact.kind_id)
    return [(kind, int(n), int(r)) for kind, n, r in session.execute(query)]


def day_ago(now: datetime) -> datetime:
    """Return the moment 24 h before."""
    return now - timedelta(days=1)
