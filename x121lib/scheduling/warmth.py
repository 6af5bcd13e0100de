"""What dispatch knows of models and speed: recorded with each completed take, read for each assignment."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.scheduling.standing import versions_of

_MODEL_FILE = re.compile(r".+\.(safetensors|sft|ckpt|gguf|pt|pth|bin|onnx)", re.IGNORECASE)
_MEAN_OVER = 20
"""Takes over which a worker's mean follows its newest ones."""


def models_of(graph: Mapping[str, Any]) -> frozenset[str]:
    """Return the model files that a graph in API form names, whatever loads them."""
    found: set[str] = set()
    for node in graph.values():
        inputs = node.get("inputs", {}) if isinstance(node, Mapping) else {}
        found.update(v for v in inputs.values() if isinstance(v, str) and _MODEL_FILE.fullmatch(v))
    return frozenset(found)


def record(session: Session, task: m.GpuTask, run_s: float) -> None:
    """Store that the task's worker has its workflow's models loaded now, and how long the take ran in seconds."""
    version = versions_of(session, [task.id]).get(task.id)
    if task.worker_id is None or version is None:
        return
    workflow_id, version_id = version
    models = models_of(session.get_one(m.WorkflowVersion, version_id).graph)
    if models:
        forget(session, task.worker_id)
        session.add_all(m.WorkerLoadedModel(worker_id=task.worker_id, name=name) for name in sorted(models))
        session.flush()
    if run_s > 0:
        speed = m.WorkerSpeed
        new = insert(speed).values(worker_id=task.worker_id, workflow_id=workflow_id, mean_s=run_s, n_takes=1)
        count = sa.func.least(speed.n_takes + 1, _MEAN_OVER)
        mean = speed.mean_s + (new.excluded.mean_s - speed.mean_s) / count
        update = {"mean_s": mean, "n_takes": speed.n_takes + 1}
        session.execute(new.on_conflict_do_update(index_elements=["worker_id", "workflow_id"], set_=update))


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


def seconds(session: Session) -> dict[tuple[uuid.UUID, uuid.UUID], float]:
    """Return the mean seconds of a take by (workflow, worker)."""
    rows = session.execute(sa.select(m.WorkerSpeed.workflow_id, m.WorkerSpeed.worker_id, m.WorkerSpeed.mean_s))
    return {(workflow_id, worker_id): mean_s for workflow_id, worker_id, mean_s in rows}


def _gathered(session: Session, query: sa.Select[uuid.UUID, str]) -> dict[uuid.UUID, frozenset[str]]:
    found: dict[uuid.UUID, set[str]] = {}
    for key, word in session.execute(query):
        found.setdefault(key, set()).add(word)
    return {key: frozenset(words) for key, words in found.items()}
