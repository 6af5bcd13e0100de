"""Examine finished takes again under their scene type's QA profile."""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.errors import RefusedError
from x121lib.generation import service as generation
from x121lib.pipeline.execution import reference
from x121lib.pipeline.house import House
from x121lib.qa import service as qa
from x121lib.qa.analysis import analyse
from x121lib.terms.quality import Outcome
from x121lib.terms.roles import Actor, Permission


def examine_again(house: House, actor: Actor, take_id: uuid.UUID) -> Outcome:
    """Measure a take's video anew and write its scores and verdicts; statuses and decisions stay as they are.

    Raises:
        ForbiddenError: the actor may not review.
        RefusedError: the take has no video, or its scene lacks what it is compared with.
    """
    actor.require(Permission.REVIEW)
    with house.database.transaction() as session:
        task = session.scalars(
            sa.select(m.GpuTask).where(m.GpuTask.take_id == take_id).order_by(m.GpuTask.id.desc()).limit(1)
        ).first()
        take = session.get(m.Take, take_id)
        video = session.get(m.Artifact, take.output_artifact_id) if take and take.output_artifact_id else None
        if task is None or video is None:
            raise RefusedError("This take has no video to examine.")
        order = generation.build_order(session, task)
        sha256 = video.sha256
    analysis = analyse(house.artifacts.path(sha256), reference(house, order))
    with house.database.transaction() as session:
        return qa.record(session, take_id, analysis, order.qa_profile_version_id)[0]


def chosen_takes(house: House, scene_id: uuid.UUID) -> list[uuid.UUID]:
    """Return the takes that a scene's cut is made of, in order."""
    with house.database.transaction() as session:
        rows = session.scalars(
            sa.select(m.Segment.chosen_take_id).where(m.Segment.scene_id == scene_id).order_by(m.Segment.sequence_index)
        )
        return [key for key in rows if key is not None]
