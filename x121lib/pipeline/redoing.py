"""Cells that are under way or that went wrong: cancel them, or make only the failed and rejected ones again."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import RefusedError
from x121lib.pipeline import flow, queries, submission
from x121lib.pipeline.submission import Selection, Submission
from x121lib.review import queries as review_queries
from x121lib.review import rules as review_rules
from x121lib.scheduling import service as queue
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import SceneStatus

WRONG = frozenset({SceneStatus.FAILED, SceneStatus.REJECTED})
"""Statuses that are made again."""


@dataclass(frozen=True)
class Redone:
    """What was queued again."""

    failed: int
    """Scenes that had failed; they go on from their last good segment."""
    rejected: int
    """Scenes that had been rejected; they are retaken from where the rejection says."""
    takes: int
    """GPU tasks written."""
    blocked: tuple[submission.Cell, ...]
    """Failed scenes that lack something; they were left."""


def redo(session: Session, actor: Actor, project: m.Project, selection: Selection, now: datetime) -> Redone:
    """Queue the failed and rejected scenes of a selection again, and nothing else of it.

    Raises:
        RefusedError: nothing of the selection failed or was rejected, or what did is blocked.
    """
    actor.require(Permission.SUBMIT)
    cells = submission.cells(session, project, replace(selection, only=WRONG), now)
    if not cells:
        raise RefusedError("Nothing of this failed or was rejected.", hint="Choose cells that did.")
    done = Submission(None, (), (), (), 0)
    if any(cell.status == SceneStatus.FAILED for cell in cells):
        chosen = replace(selection, only=frozenset({SceneStatus.FAILED}), skip_blocked=True)
        done = submission.submit(session, actor, project, chosen, now)
    rejected = [cell.scene_id for cell in cells if cell.status == SceneStatus.REJECTED and cell.scene_id is not None]
    takes = sum(_retake(session, actor, key, now) for key in rejected)
    return Redone(len(done.planned), len(rejected), done.n_takes + takes, done.blocked)


def _retake(session: Session, actor: Actor, scene_id: uuid.UUID, now: datetime) -> int:
    """Retake a rejected scene at once, from where its rejection says; the time for Undo is given up."""
    scene = session.get_one(m.Scene, scene_id, with_for_update=True)
    version = review_queries.newest_version(session, scene_id)
    decision = review_queries.standing_decision(session, version.id) if version is not None else None
    if version is None or decision is None:
        return len(flow.retake(session, scene, 1, actor.person_id, now, asked_by=actor))
    decision.applied_at = now
    start = review_rules.retake_from(review_queries.reviewed_segments(session, version.id), decision.frame)
    return len(flow.retake(session, scene, start, actor.person_id, now, asked_by=actor))


def cancel(session: Session, actor: Actor, project: m.Project, selection: Selection, now: datetime) -> tuple[int, int]:
    """Cancel what is queued or running of a selection; finished segments stay. Returns (scenes, tasks).

    Raises:
        RefusedError: nothing of the selection is under way.
    """
    actor.require(Permission.CONTROL_QUEUE)
    making = replace(selection, only=frozenset({SceneStatus.GENERATING}))
    cells = submission.cells(session, project, making, now)
    keys = [cell.scene_id for cell in cells if cell.scene_id is not None]
    tasks = queries.active_tasks(session, keys)
    if not tasks:
        raise RefusedError("Nothing of this is queued or running.", hint="Choose cells that are.")
    cancelled = queue.cancel(session, actor, tasks, now)
    flow.tasks_cancelled(session, cancelled)
    return len(keys), len(cancelled)
