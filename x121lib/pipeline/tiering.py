"""The same scene at a higher tier: same workflow version, seeds, prompts and parameters, and both takes compared."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.access import rights
from x121lib.base.errors import RefusedError
from x121lib.catalogue import queries as catalogue
from x121lib.events import outbox
from x121lib.generation import queries as generation_queries
from x121lib.generation import service as generation
from x121lib.generation.values import SCALED_SLOTS
from x121lib.pipeline import flow, submission
from x121lib.pipeline.submission import Selection
from x121lib.scheduling import budgets
from x121lib.scheduling.service import wake
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import EventKind, PriorityClass, ReleasePurpose, SceneStatus

MADE = frozenset({SceneStatus.REVIEW, SceneStatus.APPROVED, SceneStatus.REJECTED})
"""Statuses of scenes that have a whole cut, which can be made again at a higher tier."""


def raise_scene(session: Session, actor: Actor, scene_id: uuid.UUID, tier_name: str, now: datetime) -> int:
    """Queue every segment of a finished scene again at a higher tier; returns how many takes.

    Each new take has the seed, the prompts and the parameters of the receipt of the take in the cut, and the workflow
    version that the scene was planned with; only size and steps are those of the new tier. The takes that exist stay.

    Raises:
        NotFoundError: no such tier.
        RefusedError: the scene has no whole cut, or the tier is not higher than the scene's.
        ReleaseMissingError: no release covers it now.
        BudgetError: a budget refuses it.
    """
    actor.require(Permission.SUBMIT)
    scene = session.get_one(m.Scene, scene_id, with_for_update=True)
    tier, now_at = catalogue.tier(session, tier_name), session.get_one(m.Tier, scene.tier_id)
    chosen = generation_queries.chosen_takes(session, scene.id)
    if scene.status_id not in MADE or not chosen or any(take is None or not take.receipt_id for _, take in chosen):
        raise RefusedError("This scene has no whole cut to make again.", hint="It can be raised once it is in review.")
    if tier.sort_order <= now_at.sort_order:
        raise RefusedError(
            f"'{tier.name}' is not higher than '{now_at.name}', which this scene was made at.",
            hint="'x121 tier list' shows their order.",
        )
    use = rights.Use(scene.character_id, scene.variant_kind_id, scene.project_id, ReleasePurpose.GENERATE)
    rights.require_cover_of(session, [use], now)
    return _queue(session, actor, scene, tier, [(s, t) for s, t in chosen if t is not None], now)


def _queue(
    session: Session, actor: Actor, scene: m.Scene, tier: m.Tier, chosen: list[tuple[m.Segment, m.Take]], now: datetime
) -> int:
    before = scene.tier_id
    scene.tier_id = tier.id
    options = generation.PlanOptions(
        batch_id=None, submitted_by_id=actor.person_id, priority_class=PriorityClass.NORMAL
    )
    tasks = generation.plan_takes(session, scene, [segment for segment, _ in chosen], options)
    for task, (_, old) in zip(tasks, chosen, strict=True):
        take = session.get_one(m.Take, task.take_id)
        take.seed = task.seed = int(old.seed)
        session.add_all(_overrides(session, actor, take.id, old))
    session.flush()
    budgets.reserve(session, actor, [task.id for task in tasks], now)
    flow.move_scene(session, scene, SceneStatus.GENERATING)
    audit.record(session, actor, "scene.raise_tier", ("scene", scene.id), before={"tier": str(before)},
                 after={"tier": str(tier.id)})  # fmt: skip
    outbox.publish(session, EventKind.RETAKE_QUEUED, entity="scene", entity_id=scene.id, project_id=scene.project_id,
                   payload={"from_segment": 1, "takes": len(tasks), "tier": tier.name})  # fmt: skip
    wake(session)
    return len(tasks)


def _overrides(session: Session, actor: Actor, take_id: uuid.UUID, old: m.Take) -> list[m.TakeOverride]:
    """Return what the old take's receipt says, as values of the new take; size and steps are the tier's."""
    receipt = session.get_one(m.Receipt, old.receipt_id)
    rows = session.scalars(sa.select(m.ReceiptParameter).where(m.ReceiptParameter.receipt_id == receipt.id))
    given = {row.slot: row.value for row in rows if row.slot not in SCALED_SLOTS | {"seed"}}
    given |= {"text_prompt": receipt.text_prompt, "negative_prompt": receipt.negative_prompt}
    return [m.TakeOverride(take_id=take_id, slot=s, value=v, set_by_id=actor.person_id) for s, v in given.items()]


def raise_cells(
    session: Session, actor: Actor, project: m.Project, selection: Selection, now: datetime
) -> tuple[int, int]:
    """Raise every finished scene of a selection that stands lower than ``selection.tier``; returns (scenes, takes).

    Raises:
        RefusedError: no tier is named, or nothing of the selection can be raised to it.
    """
    actor.require(Permission.SUBMIT)
    if selection.tier is None:
        raise RefusedError("No tier was named.", hint="'x121 tier list' shows them.")
    tier = catalogue.tier(session, selection.tier)
    cells = submission.cells(session, project, replace(selection, only=MADE), now)
    keys = [cell.scene_id for cell in cells if cell.scene_id is not None]
    lower = session.scalars(
        sa.select(m.Scene.id)
        .join(m.Tier, m.Tier.id == m.Scene.tier_id)
        .where(m.Scene.id.in_(keys), m.Tier.sort_order < tier.sort_order)
        .order_by(m.Scene.id)
    ).all()
    if not lower:
        raise RefusedError(
            f"Nothing of this can be made again at '{tier.name}'.",
            hint="Choose scenes that are made, at a lower tier.",
        )
    return len(lower), sum(raise_scene(session, actor, key, tier.name, now) for key in lower)


def comparison(session: Session, scene_id: uuid.UUID) -> list[dict[str, Any]]:
    """Return one row per segment and tier: its newest finished take with seed, size, time and scores."""
    size, ran = m.ArtifactVideo, m.GpuTaskAttempt
    seconds = (
        sa.select(sa.func.sum(ran.run_s)).join(m.GpuTask, m.GpuTask.id == ran.task_id)
        .where(m.GpuTask.take_id == m.Take.id).correlate(m.Take).scalar_subquery()
    )  # fmt: skip
    rows = session.execute(
        sa.select(m.Segment.sequence_index, m.Tier.name, m.Tier.sort_order, m.Take.id, m.Take.number, m.Take.seed,
                  m.Take.status_id, m.Artifact.sha256, size.width, size.height, m.Receipt.workflow_version_id, seconds)
        .join(m.Take, m.Take.segment_id == m.Segment.id)
        .join(m.Receipt, m.Receipt.id == m.Take.receipt_id)
        .join(m.Tier, m.Tier.id == m.Receipt.tier_id)
        .join(m.Artifact, m.Artifact.id == m.Take.output_artifact_id)
        .outerjoin(size, size.artifact_id == m.Artifact.id)
        .where(m.Segment.scene_id == scene_id)
        .order_by(m.Segment.sequence_index, m.Tier.sort_order, m.Take.number)
    ).all()  # fmt: skip
    newest = {(row[0], row[1]): row for row in rows}
    score = m.Score
    scores: dict[uuid.UUID, dict[str, float]] = {}
    for take_id, name, value in session.execute(
        sa.select(score.take_id, m.Metric.name, score.value).join(m.Metric, m.Metric.id == score.metric_id)
        .where(score.take_id.in_([row[3] for row in newest.values()]))
    ):  # fmt: skip
        scores.setdefault(take_id, {})[name] = float(value)
    return [
        {"segment": r[0], "tier": r[1], "take": r[4], "seed": int(r[5]), "status": r[6].value, "sha256": r[7],
         "width": r[8], "height": r[9], "workflow_version_id": r[10], "run_s": r[11], "scores": scores.get(r[3], {})}
        for r in newest.values()
    ]  # fmt: skip
