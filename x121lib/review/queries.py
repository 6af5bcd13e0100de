"""Every SELECT of review."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.review.rules import ReviewedSegment
from x121lib.terms.quality import Outcome
from x121lib.terms.ranges import FrameRange
from x121lib.terms.vocabulary import DecisionOutcome


def newest_version(session: Session, scene_id: uuid.UUID) -> m.SceneVersion | None:
    """Return the scene's newest cut."""
    return session.scalars(
        sa.select(m.SceneVersion)
        .where(m.SceneVersion.scene_id == scene_id)
        .order_by(m.SceneVersion.number.desc())
        .limit(1)
    ).one_or_none()


def reviewed_segments(session: Session, scene_version_id: uuid.UUID) -> list[ReviewedSegment]:
    """Return the segments of a cut with their outcome and their frames in the cut."""
    worst = (
        sa.select(m.Verdict.take_id, sa.func.max(m.Verdict.outcome_id).label("worst"))
        .group_by(m.Verdict.take_id)
        .subquery()
    )
    rows = session.execute(
        sa.select(m.Segment.id, m.Segment.sequence_index, m.SceneVersionCut, worst.c.worst)
        .join(m.Take, m.Take.segment_id == m.Segment.id)
        .join(m.SceneVersionCut, m.SceneVersionCut.take_id == m.Take.id)
        .outerjoin(worst, worst.c.take_id == m.Take.id)
        .where(m.SceneVersionCut.scene_version_id == scene_version_id)
        .order_by(m.SceneVersionCut.position)
    ).all()
    found, start = [], 0
    for segment_id, index, cut, outcome in rows:
        stop = start + cut.stop_frame - cut.start_frame
        found.append(ReviewedSegment(segment_id, index, outcome or Outcome.PASS, FrameRange(start, stop)))
        start = stop
    return found


def waiting_rejections(session: Session, before: object) -> list[m.Decision]:
    """Return rejections made before a moment that were neither undone nor acted upon, locked."""
    return list(
        session.scalars(
            sa.select(m.Decision)
            .where(m.Decision.outcome_id == DecisionOutcome.REJECT)
            .where(m.Decision.applied_at.is_(None), m.Decision.undone_at.is_(None), m.Decision.created_at <= before)
            .order_by(m.Decision.created_at)
            .with_for_update(skip_locked=True)
        )
    )


def standing_decision(session: Session, scene_version_id: uuid.UUID) -> m.Decision | None:
    """Return the newest decision on a cut that was not undone; flags do not stand."""
    return session.scalars(
        sa.select(m.Decision)
        .where(m.Decision.scene_version_id == scene_version_id, m.Decision.undone_at.is_(None))
        .where(m.Decision.outcome_id != DecisionOutcome.FLAG)
        .order_by(m.Decision.created_at.desc())
        .limit(1)
    ).one_or_none()


def failure_tags(session: Session) -> list[str]:
    """Return the reasons that a reviewer can pick."""
    return list(session.scalars(sa.select(m.FailureTag.name).order_by(m.FailureTag.sort_order)))
