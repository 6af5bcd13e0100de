"""One GPU task in full, for the panel that a click on its bar or row opens."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import NotFoundError
from x121lib.studio.core import Studio
from x121lib.studio.pages import queries
from x121lib.studio.pages.desk import key_of
from x121lib.studio.pages.tasks import label
from x121lib.terms.roles import Permission


def details(studio: Studio, task_id: str) -> dict[str, Any]:
    """Return a task's facts as (label, value) pairs, its parameters, and its attempts, newest first."""
    studio.actor.require(Permission.VIEW)
    key = key_of(task_id, "task")
    with studio.transaction() as session:
        row = queries.one_task(session, key)
        if row is None:
            raise NotFoundError("There is no such task.", hint="It was deleted with its scene.")
        task = session.get_one(m.GpuTask, key)
        return {
            "id": str(key), "title": f"{row['character']} · {label(row)}", "project": row["project"],
            "scene_id": str(row["scene_id"]) if row["scene_id"] else None,
            "facts": [[name, value] for name, value in _facts(session, task, row) if value],
            "parameters": _parameters(session, task),
            "attempts": [_attempt(a, worker) for a, worker in _attempts(session, key)],
        }  # fmt: skip


def _facts(session: Session, task: m.GpuTask, row: Any) -> list[tuple[str, str]]:
    take = session.get(m.Take, task.take_id) if task.take_id is not None else None
    scene = session.get(m.Scene, row["scene_id"]) if row["scene_id"] else None
    version = session.get(m.SceneTypeVersion, scene.scene_type_version_id) if scene is not None else None
    person = session.get(m.Person, task.submitted_by_id) if task.submitted_by_id is not None else None
    tier = session.get(m.Tier, scene.tier_id) if scene is not None else None
    part = f"{row['segment']} of {row['segments']}, take {row['take']}" if take is not None else ""
    seed = session.scalar(sa.select(sa.cast(m.GpuTask.seed, sa.Text)).where(m.GpuTask.id == task.id))
    picture = ""
    if version is not None:
        picture = f"{version.width} × {version.height}, {version.rate_numerator / version.rate_denominator:g} frames/s"
    start = f"no earlier than {task.not_before:%d %b %H:%M} UTC" if task.not_before is not None else ""
    return [
        ("State", task.status_id.label), ("Segment", part), ("Workflow", _workflow(session, version)),
        ("Picture", picture), ("Tier", tier.name if tier is not None else ""),
        ("Priority", f"{task.priority}, {task.class_id.value}{', off-peak only' if task.is_off_peak else ''}"),
        ("Submitted by", person.name if person is not None else "X121"),
        ("Queued", f"{task.queued_at:%d %b %H:%M} UTC"),
        ("Starts", start), ("Worker", row["worker"] or ""), ("Seed", seed or ""),
        ("Failed attempts", str(task.failed_attempts) if task.failed_attempts else ""),
        ("Trouble", task.error_message or ""),
    ]  # fmt: skip


def _workflow(session: Session, version: m.SceneTypeVersion | None) -> str:
    if version is None:
        return ""
    row = session.get_one(m.WorkflowVersion, version.workflow_version_id)
    return f"{session.get_one(m.Workflow, row.workflow_id).name} v{row.number}"


def _parameters(session: Session, task: m.GpuTask) -> list[list[str]]:
    """Return the slot values of a task's scene type, and those that a person gave the take in their place."""
    query = (
        sa.select(m.SceneTypeSlotValue.slot, m.SceneTypeSlotValue.value)
        .join(m.Scene, m.Scene.scene_type_version_id == m.SceneTypeSlotValue.scene_type_version_id)
        .join(m.Segment, m.Segment.scene_id == m.Scene.id)
        .join(m.Take, m.Take.segment_id == m.Segment.id)
        .where(m.Take.id == task.take_id)
        .order_by(m.SceneTypeSlotValue.slot)
    )
    found = {slot: str(value) for slot, value in session.execute(query)}
    own = sa.select(m.TakeOverride.slot, m.TakeOverride.value).where(m.TakeOverride.take_id == task.take_id)
    found |= {slot: f"{value} (changed for this take)" for slot, value in session.execute(own)}
    return [[slot, value] for slot, value in sorted(found.items())]


def _attempts(session: Session, key: uuid.UUID) -> list[tuple[m.GpuTaskAttempt, str | None]]:
    a = m.GpuTaskAttempt
    query = sa.select(a, m.Worker.name).outerjoin(m.Worker, m.Worker.id == a.worker_id).where(a.task_id == key)
    return [(row, worker) for row, worker in session.execute(query.order_by(a.number.desc()).limit(20))]


def _attempt(row: m.GpuTaskAttempt, worker: str | None) -> dict[str, Any]:
    outcome = row.outcome_id.label if row.outcome_id is not None else "under way"
    return {
        "number": row.number, "worker": worker or "–", "outcome": outcome, "run_s": row.run_s,
        "started_at": row.started_at.isoformat() if row.started_at is not None else None,
        "error": row.error_message or "",
    }  # fmt: skip
