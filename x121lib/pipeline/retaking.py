"""Retakes that X121 makes by itself: after each take of a segment, what follows for the segment."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.catalogue.slots import slots_of
from x121lib.events import outbox
from x121lib.generation import queries as generation_queries
from x121lib.generation import retakes
from x121lib.generation import service as generation
from x121lib.pipeline.retake_policies import policy_of
from x121lib.scheduling import budgets
from x121lib.scheduling import service as queue
from x121lib.terms.quality import Gate
from x121lib.terms.roles import SYSTEM, Actor
from x121lib.terms.vocabulary import EventKind, SlotType, TakeStatus, VerdictOutcome

OPEN_TAKES = frozenset({TakeStatus.PLANNED, TakeStatus.GENERATED})
"""Takes of which it is not known yet whether they pass."""


@dataclass(frozen=True)
class Settled:
    """What follows for a segment after one of its takes is over."""

    waits: bool
    """Whether other takes of the segment are still to come; nothing else is to be done then."""
    chosen: m.Take | None = None
    """The take to use."""
    tasks: tuple[uuid.UUID, ...] = ()
    """Tasks of the segment's takes: what waits for one of them waits for the segment."""
    why: str = ""
    """Why no further take is tried, in words; empty where nothing needs to be said."""
    was_tried: bool = False
    """Whether a policy had a say, so that a person should look at what was tried."""


def settle(session: Session, scene: m.Scene, take: m.Take, task: m.GpuTask, now: datetime) -> Settled:
    """Decide what follows for a take's segment and queue the retakes that the policy asks for; locks nothing itself.

    The retakes are charged to the budgets of who asked for the scene. Where a budget has no room, none is queued.
    """
    first_id, group = _group(session, take)
    attempts = _attempts(session, group)
    policy = policy_of(session, scene)
    step = retakes.next_step(policy, attempts)
    tasks = _tasks(session, group)
    if step.what == retakes.Next.WAIT:
        return Settled(waits=True)
    if step.what == retakes.Next.USE:
        return Settled(False, next(t for t in group if t.number == step.take), tasks)
    if step.what == retakes.Next.STOP or policy is None:
        return Settled(False, None, tasks, step.why, was_tried=len(group) > 1)
    first = next(t for t in group if t.id == first_id)
    try:
        with session.begin_nested():
            made = _plan(session, scene, first, task, (policy, len(group) - 1, step.n_retakes))
            budgets.reserve(session, SYSTEM, [t.id for t in made], now)
    except budgets.BudgetError as refused:
        return Settled(False, None, tasks, f"Not retaken: {refused.message}", was_tried=True)
    _wait_for(session, tasks, made[-1])
    outbox.publish(
        session, EventKind.RETAKE_QUEUED, entity="scene", entity_id=scene.id, project_id=scene.project_id,
        payload={"from_segment": _index(session, take), "takes": len(made), "by": "policy", "after_take": take.number},
    )  # fmt: skip
    queue.wake(session)
    return Settled(waits=True)


def override_takes(session: Session, actor: Actor, take_ids: Sequence[uuid.UUID], values: Mapping[str, Any]) -> None:
    """Give several takes other slot values than their recipe's; a seed goes to the first one only."""
    for position, take_id in enumerate(take_ids):
        own = {name: value for name, value in values.items() if name != "seed" or position == 0}
        if own:
            generation.override_take(session, actor, take_id, own)


def retaken_among(session: Session, take_ids: Sequence[uuid.UUID]) -> list[m.Take]:
    """Return one take of each segment among these that X121 was retaking."""
    a = m.AutoRetake
    query = sa.select(m.Take).where(
        m.Take.id.in_(take_ids),
        sa.or_(sa.exists().where(a.take_id == m.Take.id), sa.exists().where(a.first_take_id == m.Take.id)),
    )
    return list({take.segment_id: take for take in session.scalars(query)}.values())


def has_passed(session: Session, take: m.Take) -> bool:
    """Return whether a take or one of the retakes beside it passed its gates."""
    return any(each.status_id == TakeStatus.PASSED for each in _group(session, take)[1])


def stories(
    session: Session, *, scene_id: uuid.UUID | None = None, project_id: uuid.UUID | None = None
) -> list[tuple[str, str, str, str]]:
    """Return (character, scene type, variant kind, what happened in a sentence) of each segment that X121 retook.

    The sentence says what failed, what was changed and which take is used.
    """
    query = (
        sa.select(m.Character.name, m.SceneType.name, m.VariantKind.name, m.Segment.sequence_index,
                  m.Segment.chosen_take_id, m.AutoRetake.first_take_id)
        .join(m.Scene, m.Scene.id == m.Segment.scene_id)
        .join(m.Character, m.Character.id == m.Scene.character_id)
        .join(m.SceneType, m.SceneType.id == m.Scene.scene_type_id)
        .join(m.VariantKind, m.VariantKind.id == m.Scene.variant_kind_id)
        .join(m.Take, m.Take.segment_id == m.Segment.id)
        .join(m.AutoRetake, m.AutoRetake.take_id == m.Take.id)
        .distinct()
        .order_by(m.Character.name, m.SceneType.name, m.VariantKind.name, m.Segment.sequence_index,
                  m.AutoRetake.first_take_id)
    )  # fmt: skip
    query = query.where(m.Scene.id == scene_id) if scene_id is not None else query
    query = query.where(m.Scene.project_id == project_id) if project_id is not None else query
    return [
        (character, scene_type, variant, f"Segment {index}: {_story(session, first_id, chosen_id)}.")
        for character, scene_type, variant, index, chosen_id, first_id in session.execute(query).all()
    ]


def _story(session: Session, first_id: uuid.UUID, chosen_id: uuid.UUID | None) -> str:
    _, group = _group(session, session.get_one(m.Take, first_id))
    parts = [f"take {take.number}{_changed(session, take)} {_fate(session, take)}" for take in group]
    used = next((f"take {take.number} is used" for take in group if take.id == chosen_id), "")
    if not used:
        used = "more to come" if any(t.status_id in OPEN_TAKES for t in group) else "none is used"
    return "; ".join([*parts, used])


def _group(session: Session, take: m.Take) -> tuple[uuid.UUID, list[m.Take]]:
    """Return the key of the take that a person asked for, and it with its retakes, in order."""
    auto = session.get(m.AutoRetake, take.id)
    first_id = auto.first_take_id if auto is not None else take.id
    retaken = sa.select(m.AutoRetake.take_id).where(m.AutoRetake.first_take_id == first_id)
    query = sa.select(m.Take).where(sa.or_(m.Take.id == first_id, m.Take.id.in_(retaken))).order_by(m.Take.number)
    return first_id, list(session.scalars(query.execution_options(populate_existing=True)))


def _attempts(session: Session, group: Sequence[m.Take]) -> list[retakes.Attempt]:
    rows = session.execute(
        sa.select(m.Verdict.take_id, m.Verdict.outcome_id, m.Verdict.value, m.QaGate, m.Metric.name)
        .join(m.QaGate, m.QaGate.id == m.Verdict.gate_id)
        .join(m.Metric, m.Metric.id == m.QaGate.metric_id)
        .where(m.Verdict.take_id.in_([t.id for t in group]))
    ).all()
    failed: dict[uuid.UUID, set[str]] = {}
    margins: dict[uuid.UUID, dict[str, float]] = {}
    warnings: dict[uuid.UUID, int] = {}
    for take_id, outcome, value, row, name in rows:
        if outcome == VerdictOutcome.FAIL:
            failed.setdefault(take_id, set()).add(name)
        warnings[take_id] = warnings.get(take_id, 0) + (outcome == VerdictOutcome.WARN)
        if value is not None:
            gate = Gate(name, row.warn_below, row.fail_below, row.warn_above, row.fail_above)
            margins.setdefault(take_id, {})[name] = retakes.margin(gate, value)
    return [
        retakes.Attempt(
            t.number, is_open=t.status_id in OPEN_TAKES, passed=t.status_id == TakeStatus.PASSED,
            failed_metrics=frozenset(failed.get(t.id, ())), margins=margins.get(t.id, {}),
            n_warnings=warnings.get(t.id, 0),
        )
        for t in group
    ]  # fmt: skip


def _plan(
    session: Session, scene: m.Scene, first: m.Take, task: m.GpuTask, round_of: tuple[retakes.Policy, int, int]
) -> list[m.GpuTask]:
    policy, done, n_retakes = round_of
    segment = session.get_one(m.Segment, first.segment_id)
    options = generation.PlanOptions(
        batch_id=task.batch_id, submitted_by_id=task.submitted_by_id, priority_class=task.class_id,
        is_off_peak=task.is_off_peak, queued_at=task.queued_at,
    )  # fmt: skip
    workflow_id = generation_queries.recipe(session, scene.id).workflow.id
    slots = [s for s in slots_of(session, workflow_id) if not s.is_hidden and s.name not in generation.FIXED_SLOTS]
    ranges = {s.name: (s.minimum, s.maximum, s.type is SlotType.INT) for s in slots}
    values = generation.slot_defaults(session, first) | generation.take_values(session, first)
    own = {k: v for k, v in generation_queries.overrides(session, first.id).items() if k != "seed"}
    tasks: list[m.GpuTask] = []
    for number in range(done + 1, done + n_retakes + 1):
        [made] = generation.plan_takes(session, scene, [segment], options)
        made.priority = task.priority
        changes = own | retakes.varied(policy, int(first.seed), number, values, ranges)
        session.add(m.AutoRetake(take_id=made.take_id, first_take_id=first.id, number=number))
        session.add_all(m.TakeOverride(take_id=made.take_id, slot=k, value=v) for k, v in changes.items())
        tasks.append(made)
    session.flush()
    return tasks


def _tasks(session: Session, group: Sequence[m.Take]) -> tuple[uuid.UUID, ...]:
    query = sa.select(m.GpuTask.id).where(m.GpuTask.take_id.in_([t.id for t in group])).order_by(m.GpuTask.id)
    return tuple(session.scalars(query))


def _wait_for(session: Session, tasks: Sequence[uuid.UUID], newest: m.GpuTask) -> None:
    session.execute(
        sa.update(m.GpuTask)
        .where(m.GpuTask.after_task_id.in_(tasks))
        .values(after_task_id=newest.id, is_ready=False)
    )  # fmt: skip


def _index(session: Session, take: m.Take) -> int:
    return session.get_one(m.Segment, take.segment_id).sequence_index


def _fate(session: Session, take: m.Take) -> str:
    if take.status_id == TakeStatus.FAILED_QA:
        reasons = session.scalars(
            sa.select(m.Verdict.reason)
            .where(m.Verdict.take_id == take.id, m.Verdict.outcome_id == VerdictOutcome.FAIL)
            .order_by(m.Verdict.reason)
        )
        return f"failed ({' '.join(reasons).rstrip('.')})"
    return take.status_id.label.lower()


def _changed(session: Session, take: m.Take) -> str:
    if session.get(m.AutoRetake, take.id) is None:
        return ""
    own = generation_queries.overrides(session, take.id)
    words = ["a new seed", *(f"{slot} {value}" for slot, value in sorted(own.items()))]
    return f" with {', '.join(words)}"
