"""What follows what: stages record facts, this module moves statuses and plans the next step.

Every function works in the caller's transaction and reads the transition tables of `terms.transitions`.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.access import rights
from x121lib.base.errors import ConflictError, InvalidInputError
from x121lib.events import outbox
from x121lib.generation import queries as generation_queries
from x121lib.generation import service as generation
from x121lib.pipeline import queries, retaking
from x121lib.review import queries as review_queries
from x121lib.review import rules as review_rules
from x121lib.review import service as review
from x121lib.scheduling import budgets
from x121lib.scheduling import queries as queue_queries
from x121lib.scheduling import service as queue
from x121lib.terms.quality import Outcome
from x121lib.terms.roles import SYSTEM, Actor
from x121lib.terms.transitions import check_scene_transition
from x121lib.terms.vocabulary import (
    DecisionOutcome,
    EventKind,
    PriorityClass,
    ReleasePurpose,
    SceneStatus,
    SegmentStatus,
    TakeStatus,
    TaskStatus,
)


def move_scene(session: Session, scene: m.Scene, to: SceneStatus, reason: str | None = None) -> None:
    """Move a scene along the transition table and say so in an event; staying is no change."""
    if scene.status_id == to:
        return
    check_scene_transition(scene.status_id, to)
    before, scene.status_id, scene.failure_reason = scene.status_id, to, reason
    scene.version += 1
    scene.updated_at = sa.func.now()
    outbox.publish(
        session, EventKind.SCENE_STATUS_CHANGED, entity="scene", entity_id=scene.id, project_id=scene.project_id,
        payload={"from": before.value, "to": to.value, "reason": reason},
    )  # fmt: skip


def take_judged(session: Session, task: m.GpuTask, outcome: Outcome, failures: str, now: datetime) -> bool:
    """Move a take, its segment and its scene after its gates; returns whether the scene can be assembled.

    A failed gate ends the chain, unless a retake policy tries again: what waits for this take is cancelled and the
    scene fails with the reason. A scene whose later takes were cancelled meanwhile has nothing left to run and is
    *Not started* again.
    """
    take = session.get_one(m.Take, task.take_id)
    scene = queries.scene_of_task(session, task)
    if scene is None:
        return False
    take.status_id = TakeStatus.FAILED_QA if outcome == Outcome.FAIL else TakeStatus.PASSED
    return _take_over(session, scene, task, failures, now)


def task_failed(session: Session, task: m.GpuTask, now: datetime) -> bool:
    """Follow a task that failed for good: its take fails, what waits for it is cancelled, the scene fails.

    Where it was one of several retakes, another of them may still be used; returns whether the scene can be assembled.
    """
    scene = queries.scene_of_task(session, task)
    if scene is None:
        return False
    session.get_one(m.Take, task.take_id).status_id = TakeStatus.FAILED
    return _take_over(session, scene, task, task.error_message or "", now)


def _take_over(session: Session, scene: m.Scene, task: m.GpuTask, reason: str, now: datetime) -> bool:
    """Follow a take that is over; returns whether the scene can be assembled."""
    take = session.get_one(m.Take, task.take_id)
    segment = session.get_one(m.Segment, take.segment_id)
    session.flush()
    found = retaking.settle(session, scene, take, task, now)
    if found.waits:
        return False
    if found.chosen is None:
        segment.status_id = SegmentStatus.QA_FAIL
        words = f"Segment {segment.sequence_index}, take {take.number}: {reason} {found.why}".strip()
        if found.was_tried:
            outbox.publish(session, EventKind.SEGMENT_ESCALATED, entity="scene", entity_id=scene.id,
                           project_id=scene.project_id,
                           payload={"segment": segment.sequence_index, "reason": words})  # fmt: skip
        _stop_chain(session, scene, found.tasks, words, now)
        return False
    segment.status_id = SegmentStatus.QA_PASS
    segment.chosen_take_id = found.chosen.id
    session.flush()
    session.execute(sa.update(m.GpuTask).where(m.GpuTask.after_task_id.in_(found.tasks)).values(is_ready=True))
    if all(t is not None for _, t in generation_queries.chosen_takes(session, scene.id)):
        return True
    _settle(session, scene)
    return False


def _stop_chain(session: Session, scene: m.Scene, task_ids: Sequence[uuid.UUID], reason: str, now: datetime) -> None:
    waiting = [t.id for task_id in task_ids for t in queue_queries.followers(session, task_id)]
    tasks_cancelled(session, queue.cancel(session, SYSTEM, waiting, now), settle=False)
    if scene.status_id == SceneStatus.GENERATING:
        move_scene(session, scene, SceneStatus.FAILED, reason)


def tasks_cancelled(session: Session, tasks: list[m.GpuTask], *, settle: bool = True) -> None:
    """Follow cancelled tasks: their takes are cancelled; a scene with nothing left to run is *Not started* again.

    Finished segments stay, so that a later submission goes on from the last good one.
    """
    scenes: dict[uuid.UUID, m.Scene] = {}
    for task in tasks:
        scene = queries.scene_of_task(session, task)
        if task.take_id is not None and scene is not None:
            take = session.get_one(m.Take, task.take_id)
            take.status_id = TakeStatus.CANCELLED
            session.get_one(m.Segment, take.segment_id).status_id = SegmentStatus.PENDING
            scenes[scene.id] = scene
    session.flush()
    for scene in scenes.values() if settle else ():
        _settle(session, scene)
    _settle_retakes(session, tasks)


def _settle_retakes(session: Session, tasks: Sequence[m.GpuTask]) -> None:
    """Go on where a retake was cancelled: with another one that passed, else the chain of a living scene ends."""
    by_take = {task.take_id: task for task in tasks if task.take_id is not None}
    for take in retaking.retaken_among(session, list(by_take)):
        task = by_take[take.id]
        scene = queries.scene_of_task(session, task)
        if scene is None:
            continue
        if scene.status_id == SceneStatus.GENERATING or retaking.has_passed(session, take):
            _take_over(session, scene, task, "Cancelled.", task.finished_at or task.queued_at)


def _settle(session: Session, scene: m.Scene) -> None:
    if scene.status_id == SceneStatus.GENERATING and not queries.active_tasks(session, [scene.id]):
        move_scene(session, scene, SceneStatus.PENDING)


def scene_assembled(session: Session, scene_id: uuid.UUID, version: m.SceneVersion) -> None:
    """Send an assembled scene to review; one that is no longer being generated stays where it is."""
    scene = session.get_one(m.Scene, scene_id, with_for_update=True)
    if scene.status_id != SceneStatus.GENERATING:
        return
    move_scene(session, scene, SceneStatus.REVIEW)
    outbox.publish(session, EventKind.SCENE_ASSEMBLED, entity="scene", entity_id=scene.id,
                   project_id=scene.project_id, payload={"version": version.number})  # fmt: skip


def scene_not_assembled(session: Session, scene_id: uuid.UUID, reason: str) -> None:
    """Fail a scene whose takes could not be joined."""
    scene = session.get_one(m.Scene, scene_id, with_for_update=True)
    if scene.status_id == SceneStatus.GENERATING:
        move_scene(session, scene, SceneStatus.FAILED, reason)


def decide(session: Session, actor: Actor, given: review.DecisionInput, now: datetime) -> m.Decision:
    """Record a review decision and move the scene at once; a rejection's retake waits until Undo is over."""
    decision = review.decide(session, actor, given, now)
    scene = session.get_one(m.Scene, given.scene_id)
    move_scene(session, scene, review_rules.status_after(given.outcome, scene.status_id))
    if given.outcome == DecisionOutcome.APPROVE:
        for segment in generation_queries.segments(session, scene.id):
            segment.status_id = SegmentStatus.APPROVED
    return decision


def undo_decision(session: Session, actor: Actor, decision_id: uuid.UUID, now: datetime, undo_s: float) -> m.Scene:
    """Take a decision back: the scene is in review again; a flag taken back leaves it where it stands.

    Raises:
        ConflictError: too late, undone already, or what followed from it has begun.
    """
    decision = review.undo(session, actor, decision_id, now, undo_s)
    version = session.get_one(m.SceneVersion, decision.scene_version_id)
    scene = session.get_one(m.Scene, version.scene_id, with_for_update=True)
    if decision.outcome_id == DecisionOutcome.FLAG:
        return scene
    if scene.status_id != review_rules.status_after(decision.outcome_id, scene.status_id):
        raise ConflictError(
            f"This decision can no longer be undone: the scene is {scene.status_id.label.lower()} by now.",
            hint="Nothing was changed.",
        )
    move_scene(session, scene, SceneStatus.REVIEW)
    for segment in generation_queries.segments(session, scene.id):
        segment.status_id = SegmentStatus.QA_PASS
    return scene


def apply_rejections(session: Session, now: datetime, undo_s: float) -> int:
    """Queue the retakes of rejections whose time for Undo is over; returns how many."""
    waiting = review_queries.waiting_rejections(session, now - timedelta(seconds=undo_s))
    for decision in waiting:
        decision.applied_at = now
        version = session.get_one(m.SceneVersion, decision.scene_version_id)
        scene = session.get_one(m.Scene, version.scene_id, with_for_update=True)
        if scene.status_id != SceneStatus.REJECTED:
            continue
        reviewed = review_queries.reviewed_segments(session, version.id)
        retake(session, scene, review_rules.retake_from(reviewed, decision.frame), decision.person_id, now)
    return len(waiting)


def retake(
    session: Session, scene: m.Scene, from_segment: int, person_id: uuid.UUID | None, now: datetime,
    asked_by: Actor | None = None,
) -> list[m.GpuTask]:  # fmt: skip
    """Plan new takes from a segment to the scene's end and queue them as Urgent; earlier segments stay.

    Budgets refuse it to a person who asks for it. What follows from a rejection is reserved all the same: where a
    budget is used up, it waits.

    Raises:
        InvalidInputError: the scene has no such segment, or an earlier one has no good take to go on from.
    """
    existing = generation_queries.chosen_takes(session, scene.id)
    open_segments = [s.sequence_index for s, take in existing if take is None]
    last = min(open_segments, default=len(existing))
    if not 1 <= from_segment <= last:
        raise InvalidInputError(f"A retake can begin at segment 1 to {last} of this scene, not at {from_segment}.")
    segments = [s for s, _ in existing if s.sequence_index >= from_segment]
    for segment in segments:
        if segment.chosen_take_id is not None:
            session.get_one(m.Take, segment.chosen_take_id).status_id = TakeStatus.REJECTED
    options = generation.PlanOptions(batch_id=None, submitted_by_id=person_id, priority_class=PriorityClass.URGENT)
    tasks = generation.plan_takes(session, scene, segments, options)
    budgets.reserve(session, asked_by or SYSTEM, [t.id for t in tasks], now, enforce=asked_by is not None)
    move_scene(session, scene, SceneStatus.GENERATING)
    outbox.publish(session, EventKind.RETAKE_QUEUED, entity="scene", entity_id=scene.id, project_id=scene.project_id,
                   payload={"from_segment": from_segment, "takes": len(tasks)})  # fmt: skip
    queue.wake(session)
    return tasks


def resume_scene(session: Session, scene: m.Scene, options: generation.PlanOptions) -> list[m.GpuTask]:
    """Queue what a scene still lacks: everything for a new one, else from its first segment without a good take."""
    existing = generation_queries.chosen_takes(session, scene.id)
    if not existing:
        tasks = generation.plan_scene(session, scene, options)
    else:
        first = next((i for i, (_, take) in enumerate(existing) if take is None), len(existing))
        tasks = generation.plan_takes(session, scene, [s for s, _ in existing[first:]], options)
    move_scene(session, scene, SceneStatus.GENERATING)
    return tasks


def revoke_release(session: Session, actor: Actor, release_id: uuid.UUID, reason: str, now: datetime) -> int:
    """Revoke a likeness release and cancel every task that nothing covers any more; returns how many."""
    rights.revoke_release(session, actor, release_id, reason)
    session.flush()
    performer_id = session.get_one(m.LikenessRelease, release_id).performer_id
    doomed = []
    for task_id, character, kind_id in queries.tasks_of_performer(session, performer_id):
        use = rights.Use(character.id, kind_id, character.project_id, ReleasePurpose.GENERATE)
        if rights.uncovered(session, [use], now):
            doomed.append(task_id)
    cancelled = queue.cancel(session, SYSTEM, doomed, now)
    tasks_cancelled(session, cancelled)
    return len(cancelled)


def sweep(session: Session, now: datetime, resend_after_s: float) -> list[queue.Dispatched]:
    """Requeue what a crash lost and follow what failed for good; returns dispatched tasks to send again."""
    failed, again = queue.sweep(session, now, resend_after_s)
    for task in failed:
        task_failed(session, task, now)
    return again


def fail_attempt(
    session: Session, task_id: uuid.UUID, attempt_number: int, now: datetime, failure: queue.Failure
) -> None:
    """Record a failed attempt and, when the task is over, follow it."""
    task = queue.fail(session, task_id, attempt_number, now, failure)
    if task.status_id == TaskStatus.FAILED:
        task_failed(session, task, now)
