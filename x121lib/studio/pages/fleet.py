"""GPU workers, the disk, and planned starts: figures that Pulse and the queue share."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from x121lib import model as m
from x121lib.pipeline.hold import hold_reason
from x121lib.scheduling import budgets
from x121lib.scheduling.forecasting import expected_spans
from x121lib.scheduling.serving import in_turn
from x121lib.studio.pages import presence, queries, tasks
from x121lib.studio.pages.desk import Desk
from x121lib.studio.pages.estimates import History
from x121lib.studio.pages.words import many
from x121lib.terms.vocabulary import ArtifactKind, WorkerStatus

_WEEK = timedelta(days=7)
_LOAD_SAMPLES = 30
_PARTS = {
    ArtifactKind.VIDEO: "Takes and cuts", ArtifactKind.IMAGE: "Images", ArtifactKind.FRAME: "Hand-off frames",
    ArtifactKind.FILMSTRIP: "Filmstrips", ArtifactKind.DOCUMENT: "Documents", ArtifactKind.SERIES: "Series",
}  # fmt: skip


def worker_rows(desk: Desk) -> list[m.Worker]:
    """Return the workers that were not removed, by name."""
    return presence.worker_rows(desk.session)


def workers(desk: Desk, rows: list[m.Worker], running: Sequence[Any], past: Sequence[Any]) -> list[dict[str, Any]]:
    """Return each worker with what it does. GPU telemetry is not asked for, so those figures are empty."""
    busy: dict[uuid.UUID, list[Any]] = {}
    for task in running:
        busy.setdefault(task["worker_id"], []).append(task)
    return [_worker(desk, w, busy.get(w.id, []), [p for p in past if p["worker_id"] == w.id]) for w in rows]


def _worker(desk: Desk, row: m.Worker, doing: list[Any], past: list[Any]) -> dict[str, Any]:
    status, word = _state(row, bool(doing), desk.now)
    return {
        "id": str(row.id), "name": row.name, "kind": row.device or row.kind_id.label, "status": status, "word": word,
        "doing": "; ".join(f"{t['character']} · {tasks.label(t)}" for t in doing) or _idle(desk, row),
        "utilisation": min(1.0, len(doing) / max(1, row.slots)) if status != "none" else None, "memory_bytes": None,
        "memory_total_bytes": row.vram_bytes, "temperature_c": None, "load": _load(desk, row.slots, doing, past),
    }  # fmt: skip


def _state(row: m.Worker, busy: bool, now: datetime) -> tuple[str, str]:
    if presence.is_gone(row, now) and row.status_id not in (WorkerStatus.MAINTENANCE, WorkerStatus.ASLEEP):
        return "failed", "Offline"
    if row.status_id == WorkerStatus.ASLEEP:
        return "none", "Asleep"
    if row.status_id == WorkerStatus.MAINTENANCE:
        return ("generating", "Finishing") if busy else ("none", "Maintenance")
    if row.status_id == WorkerStatus.DRAINING:
        return ("generating", "Draining") if busy else ("none", "Drained")
    if row.status_id == WorkerStatus.DEGRADED:
        return "warning", "Degraded"
    if not busy and row.set_aside_until is not None and row.set_aside_until > now:
        return "blocked", "Set aside"
    return ("generating", "Busy") if busy else ("approved", "Idle")


def _idle(desk: Desk, row: m.Worker) -> str:
    if presence.is_gone(row, desk.now):
        seen = row.last_seen_at
        return "Never answered" if seen is None else f"Last seen {_ago(desk.now - seen)} ago"
    if row.set_aside_until is not None and row.set_aside_until > desk.now:
        return f"Set aside after {many(row.error_streak, 'failure')}, until {row.set_aside_until:%H:%M} UTC"
    held = row.status_id in (WorkerStatus.DRAINING, WorkerStatus.MAINTENANCE)
    return "Gets nothing more" if held else "Nothing waits for it"


def _ago(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    minutes = seconds // 60
    if minutes < 1:
        return f"{seconds} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def _load(desk: Desk, slots: int, doing: list[Any], past: list[Any]) -> list[float]:
    """Return the share of a worker's slots that were busy, minute by minute, for the last half hour."""
    spans = [(p["started_at"], p["finished_at"]) for p in past]
    spans += [(t["attempt_started_at"] or t["started_at"] or desk.now, desk.now) for t in doing]
    if not spans:
        return []
    samples = [desk.now - timedelta(minutes=_LOAD_SAMPLES - 1 - i) for i in range(_LOAD_SAMPLES)]
    return [min(1.0, sum(a <= at <= b for a, b in spans) / max(1, slots)) for at in samples]


def disk(desk: Desk) -> dict[str, Any]:
    """Return the disk that the studio lies on, the store's parts, and when it is full at last week's pace."""
    usage = shutil.disk_usage(desk.studio.settings.home)
    stored = queries.stored_bytes(desk.session, desk.now - _WEEK)
    added = sum(recent for _, _, recent in stored)
    per_day = added / _WEEK.days
    return {
        "used_bytes": usage.used, "total_bytes": usage.total,
        "parts": [{"name": _PARTS[kind], "bytes": n} for kind, n, _ in sorted(stored, key=lambda r: -r[1])],
        "full_in_days": usage.free / per_day if per_day > 0 and usage.free / per_day < 365 else None,
    }  # fmt: skip


Planned = dict[uuid.UUID, tuple[float, float, m.Worker]]
"""Waiting task → (start, end) in seconds from now, and the worker."""


def planned(
    desk: Desk, history: History, read: tasks.Fleet, running: Sequence[Any], waiting: Sequence[Any]
) -> tuple[list[Any], Planned]:
    """Return the waiting tasks in the order in which they are served, and when and where each is expected to run.

    The order is that of dispatch and each task takes its scene type's median; nothing is planned for a task without
    history, for one that a budget holds, or while the whole queue is held.
    """
    seconds = {t["id"]: s for t in waiting if (s := history.median_s(t["scene_type_id"])) is not None}
    ordered = in_turn(waiting, read.shares, seconds)
    if hold_reason(desk.studio.house):
        return ordered, {}
    over = budgets.held_words(desk.session, [t["id"] for t in ordered], desk.now)
    busy = {t["id"]: (t["worker_id"], tasks.left_s(desk, t, history) or 0.0) for t in running}
    may_run = [t for t in ordered if t["id"] not in over]
    found = expected_spans(may_run, busy, read.views, (read.needs, read.lacks), seconds, desk.now)
    workers_by_key = {row.id: row for row in worker_rows(desk)}
    return ordered, {key: (s.start_s, s.end_s, workers_by_key[s.worker_id]) for key, s in found.items()}
