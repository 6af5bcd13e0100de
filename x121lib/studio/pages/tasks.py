"""GPU tasks as the tray, Pulse and the queue show them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from x121lib.pipeline.hold import hold_reason
from x121lib.scheduling import forecasting, holding, policy, queries, shares
from x121lib.scheduling.fairness import Ledger, Shares, Used
from x121lib.scheduling.holding import Holds
from x121lib.studio.pages import presence
from x121lib.studio.pages.desk import Desk
from x121lib.studio.pages.estimates import History
from x121lib.studio.pages.words import iso_in, small
from x121lib.terms.roles import Permission
from x121lib.terms.transitions import LEASED_STATUSES
from x121lib.terms.vocabulary import TaskStatus

_WORDS = {
    TaskStatus.SCHEDULED: ("pending", "Scheduled"),
    TaskStatus.WAITING: ("pending", "Queued"),
    TaskStatus.QUEUED: ("pending", "Queued"),
    TaskStatus.DISPATCHED: ("generating", "Starting"),
    TaskStatus.RUNNING: ("generating", "Running"),
    TaskStatus.PAUSED: ("blocked", "Paused"),
    TaskStatus.FAILED: ("failed", "Failed"),
    TaskStatus.COMPLETE: ("approved", "Complete"),
    TaskStatus.CANCELLED: ("none", "Cancelled"),
}


def label(row: Any) -> str:
    """Return ``dance · clothed``, or ``image · evening`` for an image variant's task."""
    return f"{row['scene_type'] or 'image'} · {row['variant']}"


def left_s(desk: Desk, row: Any, history: History) -> float | None:
    """Return the seconds that a running take still needs: from its own pace, else from past takes."""
    began, usual = row["attempt_started_at"] or row["started_at"], history.median_s(row["scene_type_id"])
    return forecasting.left_s(float(row["progress"]), began, usual, desk.now)


def job(desk: Desk, row: Any, history: History) -> dict[str, Any]:
    """Return a task as the tray shows it."""
    running = row["status"] in LEASED_STATUSES
    part = f" · segment {row['segment']} of {row['segments']}" if row["segment"] is not None else ""
    return {
        "id": str(row["id"]), "title": row["character"], "detail": label(row) + part,
        "status": _WORDS[row["status"]][0],
        "progress": float(row["progress"]), "left_s": left_s(desk, row, history) if running else None,
        "can_cancel": desk.may(Permission.CONTROL_QUEUE),
    }  # fmt: skip


def active(desk: Desk, row: Any, history: History) -> dict[str, Any]:
    """Return a running take as Pulse shows it."""
    return {
        "id": str(row["id"]), "character": row["character"], "detail": label(row),
        "segment": f"{row['segment']} of {row['segments']}" if row["segment"] is not None else "1 of 1", "step": "",
        "progress": float(row["progress"]), "left_s": left_s(desk, row, history), "worker": row["worker"] or "",
        "thumb": small(row["thumb"]), "can_cancel": desk.may(Permission.CONTROL_QUEUE),
    }  # fmt: skip


@dataclass(frozen=True)
class Fleet:
    """The workers, and what keeps tasks from them."""

    views: list[policy.WorkerView]
    """Every worker that was not removed."""
    shares: Shares
    """How people and projects stand."""
    ledger: Ledger
    """The same, to be asked."""
    used: list[Used]
    """What was used lately."""
    needs: Mapping[uuid.UUID, frozenset[str]]
    """Task → tags that its worker must have."""
    lacks: Mapping[uuid.UUID, Mapping[uuid.UUID, tuple[str, ...]]]
    """Task → worker → what it lacks of the task's workflow."""
    paused: Holds
    """What is paused."""


def read_fleet(desk: Desk, task_ids: Collection[uuid.UUID]) -> Fleet:
    """Return the workers as some tasks see them."""
    views = presence.worker_views(desk.session, desk.now)
    ids = list(task_ids)
    used = shares.read(desk.session, desk.now)
    return Fleet(
        views, used, Ledger(used), shares.history(desk.session, desk.now), queries.needs(desk.session, ids),
        queries.lacks(desk.session, ids, views), holding.read(desk.session),
    )  # fmt: skip


def why(desk: Desk, row: Any, position: int, fleet: Fleet) -> str:
    """Return one sentence with the strongest cause why a task stands where it does."""
    status = row["status"]
    if status in LEASED_STATUSES:
        return f"Runs on {row['worker'] or 'a worker'}."
    if status == TaskStatus.FAILED:
        return row["error_message"] or "It failed."
    if status == TaskStatus.PAUSED:
        hold = fleet.paused.of(row)
        return hold.words if hold is not None else "Paused."
    if row["not_before"] is not None and row["not_before"] > desk.now:
        return f"Starts no earlier than {row['not_before']:%d %b %H:%M} UTC."
    if row["waits_for"] is not None:
        return f"Needs the last frame of segment {row['segment'] - 1}."
    if row["failed_attempts"]:
        return f"Tried {row['failed_attempts']}×: {row['error_message'] or 'the worker was lost'}"
    needs, lacks = fleet.needs.get(row["id"], frozenset()), fleet.lacks.get(row["id"], {})
    if held := hold_reason(desk.studio.house):
        return held
    sentence = policy.why_waiting(position, fleet.views, needs, lacks)
    if not position:
        return sentence
    above = shares.words(desk.session, fleet.ledger, row["person_id"], row["project_id"], fleet.used)
    return f"{sentence} {above}".strip()


def queue_task(
    desk: Desk, row: Any, sentence: str, start_s: float | None, history: History, *, held: bool = False
) -> dict[str, Any]:
    """Return a task as the queue shows it; ``held`` where a pause of more than itself holds it."""
    status, word = _WORDS[row["status"]]
    retried = row["failed_attempts"] and row["status"] in (TaskStatus.QUEUED, TaskStatus.WAITING)
    take = f"S{row['segment']} take {row['take']}" if row["take"] is not None else "image"
    return {
        "id": str(row["id"]), "status": "warning" if retried else status, "word": "Retrying" if retried else word,
        "character": row["character"], "detail": label(row), "take": take, "project": row["project"],
        "person": row["person"] or "X121", "priority": row["priority"], "why": sentence,
        "start_at": iso_in(desk.now, start_s),
        "estimate_s": history.median_s(row["scene_type_id"]), "progress": float(row["progress"]),
        "problem": bool(retried) or status == "failed",
        "scene_id": str(row["scene_id"]) if row["scene_id"] else None, "can": _can(desk, row, held=held),
    }  # fmt: skip


def _can(desk: Desk, row: Any, *, held: bool) -> list[str]:
    """Return what the person may do to a task; one that a wider pause holds goes on with that alone."""
    status = row["status"]
    if status == TaskStatus.FAILED:
        return ["retry"] if desk.may(Permission.SUBMIT) else []
    if not desk.may(Permission.CONTROL_QUEUE) or status in (TaskStatus.COMPLETE, TaskStatus.CANCELLED):
        return []
    if status in LEASED_STATUSES:
        return ["cancel"]
    own = desk.may(Permission.ORDER_QUEUE) or row["person_id"] == desk.actor.person_id
    edit = ["edit"] if own else []
    if status == TaskStatus.PAUSED:
        return ["cancel", *edit] if held else ["cancel", "resume", *edit]
    return ["cancel", "pause", *edit, *(["front"] if own and status != TaskStatus.SCHEDULED else [])]
