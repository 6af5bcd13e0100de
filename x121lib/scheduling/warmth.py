"""What dispatch knows of models and speed: recorded with each completed take, read for each assignment."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.scheduling import fitness
from x121lib.scheduling.recording import Completed


def follow(session: Session, done: Completed) -> None:
    """Store that the worker of a completed task has the models of its workflow loaded now."""
    if done.worker_id is None or done.version_id is None:
        return
    models = fitness.models(session, [done.version_id])[done.version_id]
    if models and models != done.loaded:
        forget(session, done.worker_id)
        rows = [{"worker_id": done.worker_id, "name": name} for name in sorted(models)]
        session.execute(insert(m.WorkerLoadedModel).values(rows).on_conflict_do_nothing())


def is_news(done: Completed) -> bool:
    """Return whether `follow` has something to store, as far as this process knows."""
    known = fitness.known_models(done.version_id)
    return known is None or bool(known and known != done.loaded)


def forget(session: Session, worker_id: uuid.UUID) -> None:
    """Store that a worker has no model loaded any more: it went away, or it loaded others."""
    session.execute(sa.delete(m.WorkerLoadedModel).where(m.WorkerLoadedModel.worker_id == worker_id))


def loaded(session: Session) -> dict[uuid.UUID, frozenset[str]]:
    """Return the models that each worker has loaded."""
    return _gathered(session, sa.select(m.WorkerLoadedModel.worker_id, m.WorkerLoadedModel.name))


def tags(session: Session) -> dict[uuid.UUID, frozenset[str]]:
    """Return each worker's tags."""
    return _gathered(session, sa.select(m.WorkerTag.worker_id, m.WorkerTag.tag))


def needed_tags(session: Session) -> dict[uuid.UUID, frozenset[str]]:
    """Return the tags that each workflow needs."""
    return _gathered(session, sa.select(m.WorkflowWorkerTag.workflow_id, m.WorkflowWorkerTag.tag))


def seconds(session: Session) -> dict[uuid.UUID, dict[uuid.UUID, float]]:
    """Return the mean seconds of a take by worker, for each workflow."""
    rows = session.execute(sa.select(m.WorkerSpeed.workflow_id, m.WorkerSpeed.worker_id, m.WorkerSpeed.mean_s))
    found: dict[uuid.UUID, dict[uuid.UUID, float]] = {}
    for workflow_id, worker_id, mean_s in rows:
        found.setdefault(workflow_id, {})[worker_id] = mean_s
    return found


def _gathered(session: Session, query: sa.Select[uuid.UUID, str]) -> dict[uuid.UUID, frozenset[str]]:
    found: dict[uuid.UUID, set[str]] = {}
    for key, word in session.execute(query):
        found.setdefault(key, set()).add(word)
    return {key: frozenset(words) for key, words in found.items()}
