"""What past takes needed, per workflow version, tier and resolution, and how estimates stood the test."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.catalogue.slots import slots_of
from x121lib.generation.values import SIZE_SLOTS, scaled
from x121lib.scheduling import prediction
from x121lib.scheduling.prediction import Interval, Past
from x121lib.terms.transitions import ENDED_STATUSES
from x121lib.terms.vocabulary import AttemptOutcome, TaskStatus


@dataclass(frozen=True)
class Kind:
    """Takes that need about the same: one workflow version, tier and resolution."""

    workflow_version_id: uuid.UUID
    """The workflow version."""
    tier_id: uuid.UUID
    """The tier."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""


def kind_of(session: Session, version: m.SceneTypeVersion, tier: m.Tier) -> Kind:
    """Return the kind of a scene type version's takes at a tier."""
    value = m.SceneTypeSlotValue
    rows = session.scalars(sa.select(value).where(value.scene_type_version_id == version.id))
    given = {row.slot: row.value for row in rows}
    scales = (tier.resolution_scale, tier.steps_scale)
    size = scaled(given, slots_of(session, version.workflow_version_id), (version.width, version.height), scales)
    width, height = (int(size.get(name, side)) for name, side in zip(SIZE_SLOTS, (version.width, version.height),
                                                                     strict=True))  # fmt: skip
    return Kind(version.workflow_version_id, tier.id, width, height)


def history(session: Session) -> dict[Kind, Past]:
    """Return the finished takes of each kind, over all workers. One statement."""
    a, video = m.GpuTaskAttempt, m.ArtifactVideo
    query = (
        sa.select(
            m.Receipt.workflow_version_id, m.Receipt.tier_id, video.width, video.height, sa.func.count(),
            sa.func.avg(a.run_s), sa.func.coalesce(sa.func.stddev_samp(a.run_s), 0.0), sa.func.avg(m.Artifact.n_bytes),
        )
        .select_from(a)
        .join(m.GpuTask, m.GpuTask.id == a.task_id)
        .join(m.Take, m.Take.id == m.GpuTask.take_id)
        .join(m.Receipt, m.Receipt.id == m.Take.receipt_id)
        .join(m.Artifact, m.Artifact.id == m.Take.output_artifact_id)
        .join(video, video.artifact_id == m.Artifact.id)
        .where(a.outcome_id == AttemptOutcome.COMPLETE, a.run_s > 0, m.Receipt.tier_id.is_not(None))
        .group_by(m.Receipt.workflow_version_id, m.Receipt.tier_id, video.width, video.height)
    )  # fmt: skip
    return {
        Kind(version, tier, width, height): Past(int(n), float(mean), float(spread), float(size))
        for version, tier, width, height, n, mean, spread, size in session.execute(query)
    }


def interval(known: dict[Kind, Past], takes: Iterable[tuple[Kind, int]]) -> Interval | None:
    """Return what takes need together; None where one of their kinds has too few past takes."""
    counted: Counter[Kind] = Counter()
    for kind, n in takes:
        counted[kind] += n
    parts = [(n, known[kind]) for kind, n in counted.items() if n and kind in known]
    return prediction.total(parts) if len(parts) == sum(1 for n in counted.values() if n) else None


def expected(session: Session, takes: Iterable[tuple[m.SceneTypeVersion, int]], tier: m.Tier) -> Interval | None:
    """Return what takes of these recipes at a tier are expected to need; None without enough past takes of each."""
    kinds: dict[uuid.UUID, Kind] = {}
    found = []
    for version, n in takes:
        if version.id not in kinds:
            kinds[version.id] = kind_of(session, version, tier)
        found.append((kinds[version.id], n))
    return interval(history(session), found)


def record(session: Session, batch_id: uuid.UUID, found: Interval | None, n_takes: int) -> None:
    """Keep what a batch is expected to need, to be compared with what it needed; nothing without history."""
    if found is None:
        return
    session.add(
        m.BatchEstimate(
            batch_id=batch_id, n_takes=n_takes, n_history=found.n_past, gpu_s=found.middle_s, gpu_low_s=found.low_s,
            gpu_high_s=found.high_s,
        )
    )  # fmt: skip
    session.flush()


def calibration(session: Session) -> list[dict[str, object]]:
    """Return each estimated batch that ended whole, beside what it needed, newest first."""
    t, a, e = m.GpuTask, m.GpuTaskAttempt, m.BatchEstimate
    ran = (
        sa.select(sa.func.coalesce(sa.func.sum(a.run_s), 0.0))
        .join(t, t.id == a.task_id)
        .where(t.batch_id == e.batch_id, a.outcome_id == AttemptOutcome.COMPLETE)
        .scalar_subquery()
    )
    open_ = sa.exists().where(t.batch_id == e.batch_id, t.status_id.not_in(ENDED_STATUSES))
    spoilt = sa.exists().where(t.batch_id == e.batch_id, t.status_id.in_(ENDED_STATUSES - {TaskStatus.COMPLETE}))
    done = sa.select(sa.func.count(t.id)).where(t.batch_id == e.batch_id).scalar_subquery()
    rows = session.execute(
        sa.select(m.Project.name, e.created_at, e.n_takes, e.n_history, e.gpu_low_s, e.gpu_s, e.gpu_high_s, ran)
        .join(m.Batch, m.Batch.id == e.batch_id)
        .join(m.Project, m.Project.id == m.Batch.project_id)
        .where(~open_, ~spoilt, done == e.n_takes)
        .order_by(e.created_at.desc())
    ).all()
    return [
        {"project": name, "at": at, "takes": n, "past_takes": past, "low_s": low, "expected_s": middle, "high_s": high,
         "actual_s": float(actual), "inside": low <= actual <= high}
        for name, at, n, past, low, middle, high, actual in rows
    ]  # fmt: skip
