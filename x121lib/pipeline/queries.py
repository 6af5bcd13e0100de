"""SELECTs that cross stages: what a matrix cell stands on, what is active for a scene."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.terms.transitions import ENDED_STATUSES


def scene_of_task(session: Session, task: m.GpuTask) -> m.Scene | None:
    """Return the scene that a task works for, locked; None for a variant's task."""
    if task.take_id is None:
        return None
    return session.scalars(
        sa.select(m.Scene)
        .join(m.Segment, m.Segment.scene_id == m.Scene.id)
        .join(m.Take, m.Take.segment_id == m.Segment.id)
        .where(m.Take.id == task.take_id)
        .with_for_update(of=m.Scene)
    ).one()


def active_tasks(session: Session, scene_ids: list[uuid.UUID]) -> list[uuid.UUID]:
    """Return the tasks of these scenes that are not over, in order of their segments."""
    return list(
        session.scalars(
            sa.select(m.GpuTask.id)
            .join(m.Take, m.Take.id == m.GpuTask.take_id)
            .join(m.Segment, m.Segment.id == m.Take.segment_id)
            .where(m.Segment.scene_id.in_(scene_ids), m.GpuTask.status_id.not_in(ENDED_STATUSES))
            .order_by(m.Segment.scene_id, m.Segment.sequence_index)
        )
    )


def existing_scenes(session: Session, character_ids: list[uuid.UUID]) -> dict[tuple[uuid.UUID, ...], m.Scene]:
    """Return scenes of normal mode by (character, scene type, variant kind): the first of each, locked."""
    rows = session.scalars(
        sa.select(m.Scene)
        .join(m.TransitionMode, m.TransitionMode.id == m.Scene.transition_mode_id)
        .where(m.Scene.character_id.in_(character_ids), m.TransitionMode.filename_suffix == "")
        .where(m.Scene.index_number == 1)
        .with_for_update(of=m.Scene)
    )
    return {(s.character_id, s.scene_type_id, s.variant_kind_id): s for s in rows}


def approved_kinds(session: Session, character_ids: list[uuid.UUID]) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """Return (character, variant kind) pairs that have an approved image."""
    rows = session.execute(
        sa.select(m.ImageVariant.character_id, m.ImageVariant.kind_id).where(
            m.ImageVariant.character_id.in_(character_ids), m.ImageVariant.approved_version_id.is_not(None)
        )
    )
    return set(rows.all())


def tasks_of_performer(session: Session, performer_id: uuid.UUID) -> list[tuple[uuid.UUID, m.Character, uuid.UUID]]:
    """Return (task, character, variant kind) of every task for a performer's likeness that is not over."""
    kind = sa.func.coalesce(m.Scene.variant_kind_id, m.ImageVariant.kind_id)
    rows = session.execute(
        sa.select(m.GpuTask.id, m.Character, kind)
        .outerjoin(m.Take, m.Take.id == m.GpuTask.take_id)
        .outerjoin(m.Segment, m.Segment.id == m.Take.segment_id)
        .outerjoin(m.Scene, m.Scene.id == m.Segment.scene_id)
        .outerjoin(m.ImageVariant, m.ImageVariant.id == m.GpuTask.image_variant_id)
        .join(m.Character, m.Character.id == sa.func.coalesce(m.Scene.character_id, m.ImageVariant.character_id))
        .where(m.Character.performer_id == performer_id, m.GpuTask.status_id.not_in(ENDED_STATUSES))
    )
    return list(rows.all())


def workflows_of(session: Session, version_ids: set[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """Return the workflow of each version."""
    v = m.WorkflowVersion
    return {
        key: workflow for key, workflow in session.execute(sa.select(v.id, v.workflow_id).where(v.id.in_(version_ids)))
    }


def segments_lacking(session: Session, scene_ids: list[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Return how many takes a submission would plan for scenes that have segments: all from the first without one."""
    s = m.Segment
    rows = session.execute(
        sa.select(s.scene_id, s.chosen_take_id).where(s.scene_id.in_(scene_ids)).order_by(s.scene_id, s.sequence_index)
    )
    found: dict[uuid.UUID, int] = {}
    for scene_id, take_id in rows:
        if take_id is None or found.get(scene_id):
            found[scene_id] = found.get(scene_id, 0) + 1
        else:
            found.setdefault(scene_id, 0)
    return found
