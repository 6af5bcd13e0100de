"""The GPU memory that recipes state, against what workers have."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.scheduling.policy import WorkerView
from x121lib.store.session import among

GIB = 2**30
TOLERANCE = 0.95
"""Part of the stated memory that a worker must report: a driver keeps some of a card's for itself, so that a card that
is sold as 24 GiB reports a little less. Chosen, not measured."""


def lacks(
    session: Session, task_ids: Collection[uuid.UUID], workers: Sequence[WorkerView]
) -> dict[uuid.UUID, dict[uuid.UUID, str]]:
    """Return task → worker → the memory that it lacks, in words; a worker that reports none is held to have enough."""
    stated = _stated(session, task_ids) if any(w.vram_bytes is not None for w in workers) else {}
    return {task_id: small for task_id, needed in stated.items() if (small := too_small(needed, workers))}


def too_small(needed: int | None, workers: Sequence[WorkerView]) -> dict[uuid.UUID, str]:
    """Return the workers that have less than ``needed`` bytes, with what they lack in words; none for None."""
    small = [w.worker_id for w in workers if needed and w.vram_bytes is not None and w.vram_bytes < needed * TOLERANCE]
    return dict.fromkeys(small, f"{needed / GIB:g} GiB of GPU memory") if needed and small else {}


def _stated(session: Session, task_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Return the bytes that tasks need, where their scene type or else their workflow states it."""
    states = sa.or_(
        sa.exists().where(m.SceneTypeVersion.vram_bytes.is_not(None)),
        sa.exists().where(m.WorkflowVersion.vram_bytes.is_not(None)),
    )
    if not task_ids or not session.scalar(sa.select(states)):
        return {}
    version_id = sa.func.coalesce(m.SceneTypeVersion.workflow_version_id, m.VariantKind.workflow_version_id)
    needed = sa.func.coalesce(m.SceneTypeVersion.vram_bytes, m.WorkflowVersion.vram_bytes)
    rows = session.execute(
        sa.select(m.GpuTask.id, needed)
        .select_from(m.GpuTask)
        .outerjoin(m.Take, m.Take.id == m.GpuTask.take_id)
        .outerjoin(m.Segment, m.Segment.id == m.Take.segment_id)
        .outerjoin(m.Scene, m.Scene.id == m.Segment.scene_id)
        .outerjoin(m.SceneTypeVersion, m.SceneTypeVersion.id == m.Scene.scene_type_version_id)
        .outerjoin(m.ImageVariant, m.ImageVariant.id == m.GpuTask.image_variant_id)
        .outerjoin(m.VariantKind, m.VariantKind.id == m.ImageVariant.kind_id)
        .join(m.WorkflowVersion, m.WorkflowVersion.id == version_id)
        .where(among(m.GpuTask.id, list(task_ids)), needed.is_not(None))
    )
    return {task_id: int(n_bytes) for task_id, n_bytes in rows}
