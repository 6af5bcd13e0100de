"""What past takes needed, per workflow version, tier, resolution and worker, and how estimates stood the test."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.catalogue.slots import slots_of
from x121lib.generation.values import SIZE_SLOTS, scaled
from x121lib.scheduling import prediction
from x121lib.scheduling import queries as queue
from x121lib.scheduling.policy import WorkerView
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


ByWorker = dict[Kind, dict[uuid.UUID, Past]]
"""Past takes of each kind by worker."""


def by_worker(session: Session) -> ByWorker:
    """Return the finished takes of each kind by the worker that made them. One statement."""
    a, video = m.GpuTaskAttempt, m.ArtifactVideo
    kind = (m.Receipt.workflow_version_id, m.Receipt.tier_id, video.width, video.height)
    query = (
        sa.select(
            *kind, a.worker_id, sa.func.count(), sa.func.avg(a.run_s),
            sa.func.coalesce(sa.func.stddev_samp(a.run_s), 0.0), sa.func.avg(m.Artifact.n_bytes),
        )
        .select_from(a)
        .join(m.GpuTask, m.GpuTask.id == a.task_id)
        .join(m.Take, m.Take.id == m.GpuTask.take_id)
        .join(m.Receipt, m.Receipt.id == m.Take.receipt_id)
        .join(m.Artifact, m.Artifact.id == m.Take.output_artifact_id)
        .join(video, video.artifact_id == m.Artifact.id)
        .where(a.outcome_id == AttemptOutcome.COMPLETE, a.run_s > 0, m.Receipt.tier_id.is_not(None))
        .group_by(*kind, a.worker_id)
    )  # fmt: skip
    found: ByWorker = {}
    for version, tier, width, height, worker, n, mean, spread, size in session.execute(query):
        past = Past(int(n), float(mean), float(spread), float(size))
        found.setdefault(Kind(version, tier, width, height), {})[worker] = past
    return found


def on_fleet(known: ByWorker, workers: Iterable[WorkerView]) -> dict[Kind, Past]:
    """Return what takes of each kind need on the workers that are available.

    Where those have made fewer than `prediction.FEWEST` of a kind, the takes of all workers count, those that are gone
    too.
    """
    slots = {w.worker_id: w.slots for w in workers if w.available}
    found = {}
    for kind, by in known.items():
        here = [(slots[worker], past) for worker, past in by.items() if worker in slots]
        fit = sum(past.n for _, past in here) >= prediction.FEWEST
        found[kind] = prediction.on_fleet(here) if fit else prediction.pooled(list(by.values()))
    return found


def of_worker(known: ByWorker, worker_id: uuid.UUID) -> dict[Kind, Past]:
    """Return what takes of each kind needed on one worker."""
    return {kind: by[worker_id] for kind, by in known.items() if worker_id in by}


def interval(known: dict[Kind, Past], takes: Iterable[tuple[Kind, int]]) -> Interval | None:
    """Return what takes need together; None where one of their kinds has too few past takes."""
    counted: Counter[Kind] = Counter()
    for kind, n in takes:
        counted[kind] += n
    parts = [(n, known[kind]) for kind, n in counted.items() if n and kind in known]
    return prediction.total(parts) if len(parts) == sum(1 for n in counted.values() if n) else None


def expected(
    session: Session, takes: Iterable[tuple[m.SceneTypeVersion, int]], tier: m.Tier, now: datetime
) -> Interval | None:
    """Return what takes of these recipes at a tier are expected to need on the workers that are available now.

    None without enough past takes of each.
    """
    kinds: dict[uuid.UUID, Kind] = {}
    found = []
    for version, n in takes:
        if version.id not in kinds:
            kinds[version.id] = kind_of(session, version, tier)
        found.append((kinds[version.id], n))
    return interval(on_fleet(by_worker(session), queue.worker_views(session, now)), found)


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


def calibration(session: Session, *, limit: int | None = None) -> list[dict[str, object]]:
    """Return each estimated batch that ended whole, beside what it needed, newest first; at most ``limit``."""
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
        .limit(limit)
    ).all()
    return [
        {"project": name, "at": at, "takes": n, "past_takes": past, "low_s": low, "expected_s": middle, "high_s": high,
         "actual_s": float(actual), "inside": low <= actual <= high}
        for name, at, n, past, low, middle, high, actual in rows
    ]  # fmt: skip


def speeds(session: Session) -> list[dict[str, object]]:
    """Return the past takes of each kind and worker with names, by workflow, tier and size; a removed worker too."""
    version = m.WorkflowVersion
    workflows = {
        key: (name, number)
        for key, name, number in session.execute(
            sa.select(version.id, m.Workflow.name, version.number).join(
                m.Workflow, m.Workflow.id == version.workflow_id
            )
        )
    }
    tiers = {t.id: (t.sort_order, t.name) for t in session.scalars(sa.select(m.Tier))}
    workers = {key: name for key, name in session.execute(sa.select(m.Worker.id, m.Worker.name))}
    rows = [
        (
            workflows[kind.workflow_version_id],
            tiers[kind.tier_id],
            kind,
            workers.get(worker, "a worker that is gone"),
            past,
        )
        for kind, by in by_worker(session).items()
        for worker, past in by.items()
    ]
    rows.sort(key=lambda row: (row[0][0], -row[0][1], row[1], row[2].width, row[3]))
    return [
        {"workflow": name, "version": number, "tier": tier, "width": kind.width, "height": kind.height,
         "worker": worker, "takes": past.n, "mean_s": past.mean_s, "deviation_s": past.deviation_s}
        for (name, number), (_, tier), kind, worker, past in rows
    ]  # fmt: skip
