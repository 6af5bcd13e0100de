"""The queue: every worker's lane, the tasks with one reason each, shares of GPU time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from x121lib import model as m
from x121lib.scheduling import budgets, holding, on_hold, shares
from x121lib.studio.pages import estimates, fleet, presence, queries, queue_history, tasks
from x121lib.studio.pages.desk import Desk, View
from x121lib.studio.pages.words import duration, iso, iso_in
from x121lib.terms.roles import Permission
from x121lib.terms.transitions import LEASED_STATUSES, WAITING_STATUSES
from x121lib.terms.vocabulary import AttemptOutcome, TaskStatus, WorkerStatus

TASKS_SHOWN = 400
"""Waiting tasks that the page lists; the counts are of all."""
PAUSES_SHOWN = 20
"""Pauses that the page lists, the widest first; the others are counted."""
_BACK = timedelta(minutes=30)
_AHEAD_S = 3600.0
_KINDS = {
    AttemptOutcome.COMPLETE: ("past", "approved"), AttemptOutcome.FAILED: ("fail", "failed"),
    AttemptOutcome.LOST: ("fail", "failed"), AttemptOutcome.CANCELLED: ("past", "none"),
    AttemptOutcome.SUPERSEDED: ("past", "none"), None: ("past", "none"),
}  # fmt: skip


def queue(desk: Desk, at: str | None = None) -> View:
    """Return the queue over all projects; with a moment, the lanes show the 24 hours before it."""
    until = queue_history.moment(desk, at)
    history = estimates.read_history(desk.session, desk)
    counts = queries.counts(desk.session)
    running = queries.running_tasks(desk.session)
    waiting = queries.waiting_tasks(desk.session, TASKS_SHOWN)
    failed = queries.failed_tasks(desk.session, queries.day_ago(desk.now), 50)
    past = _past(desk, until)
    rows = fleet.worker_rows(desk)
    read = tasks.read_fleet(desk, [row["id"] for row in waiting])
    waiting = [holding.shown(row, read.paused) for row in waiting]
    waiting, plan = fleet.planned(desk, history, read, running, waiting)
    held = on_hold.count(desk.session, desk.now)
    left = estimates.to_run(counts, held)
    queued = sum(counts.get(s, (0, 0))[0] for s in WAITING_STATUSES)
    empty_s = history.queue_s(left) if left else None
    return {
        "now": iso(desk.now),
        "paused": read.paused.studio is not None,
        "running": sum(counts.get(s, (0, 0))[0] for s in LEASED_STATUSES),
        "queued": queued,
        "held": held.n,
        "empty_at": iso_in(desk.now, empty_s),
        "lanes": _lanes(desk, rows, running, past, [(t, plan[t["id"]]) for t in waiting if t["id"] in plan]),
        "tasks": _tasks(desk, history, read, [*running, *failed], waiting, plan),
        "done_today": queries.completed_since(desk.session, desk.now.replace(hour=0, minute=0, second=0)),
        "shares": _shares(desk),
        "plan": _plan(history, queued, held.n, (empty_s, desk)),
        "may_manage": desk.may(Permission.CONTROL_QUEUE),
        "may_schedule": desk.may(Permission.SUBMIT),
        "may_order": desk.may(Permission.ORDER_QUEUE),
        "history": queue_history.history(desk, rows, past, until) if until is not None else None,
        **_pauses(read.paused),
        "schedules": _schedules(desk),
    }


def _past(desk: Desk, until: datetime | None) -> Sequence[Any]:
    if until is None:
        return queries.past_attempts(desk.session, desk.now - _BACK)
    limit = queue_history.MOST_BARS
    return queries.past_attempts(desk.session, until - queue_history.DAY, until, limit)


def _pauses(holds: holding.Holds) -> View:
    wide = [hold for hold in holds.every if hold.task_id is None]
    return {"pauses": [_pause(hold) for hold in wide[:PAUSES_SHOWN]], "more_pauses": len(wide[PAUSES_SHOWN:])}


def _pause(hold: holding.Hold) -> dict[str, Any]:
    kind = "project" if hold.project_id else "scene" if hold.scene_id else "batch" if hold.batch_id else "studio"
    key = hold.target if kind == "project" else str(hold.scene_id or hold.batch_id or "")
    return {"kind": kind, "key": key, "text": hold.words, "target": hold.target}


def _schedules(desk: Desk) -> list[dict[str, Any]]:
    rows = desk.studio.schedules.list().to_dict("records")
    may = desk.may(Permission.SUBMIT)
    return [
        {
            "id": str(row["schedule_id"]), "name": row["schedule"],
            "cron": f"{row['cron']} · {row['zone']}", "project": row["project"],
            "person": row["person"], "enabled": bool(row["enabled"]),
            "next_at": iso(row["next_due_at"]) if row["enabled"] else None, "last": row["last_outcome"] or "",
            "may": may and (desk.may(Permission.ORDER_QUEUE) or row["person"] == desk.person.name),
        }
        for row in rows
    ]  # fmt: skip


def _tasks(
    desk: Desk, history: estimates.History, read: tasks.Fleet, begun: Sequence[Any], waiting: Sequence[Any],
    plan: fleet.Planned,
) -> list[dict[str, Any]]:  # fmt: skip
    found = [tasks.queue_task(desk, r, tasks.why(desk, r, 0, read), None, history) for r in begun]
    position, over = 0, budgets.held_words(desk.session, [row["id"] for row in waiting], desk.now)
    for row in waiting:
        sentence = over.get(row["id"]) or tasks.why(desk, row, position, read)
        start = plan[row["id"]][0] if row["id"] in plan else None
        hold = read.paused.of(row)
        held = hold is not None and hold.task_id is None
        found.append(tasks.queue_task(desk, row, sentence, start, history, held=held))
        position += row["status"] != TaskStatus.PAUSED
    return found


def _lanes(
    desk: Desk, rows: list[m.Worker], running: Sequence[Any], past: Sequence[Any],
    planned: list[tuple[Any, tuple[float, float, m.Worker]]],
) -> list[dict[str, Any]]:  # fmt: skip
    shown = fleet.workers(desk, rows, running, past)
    history = estimates.read_history(desk.session, desk)
    lanes = []
    for row, worker in zip(rows, shown, strict=True):
        bars = [_past_bar(desk, p) for p in reversed(past) if p["worker_id"] == row.id]
        bars += [_running_bar(desk, t, history) for t in running if t["worker_id"] == row.id]
        bars += [_plan_bar(t, span) for t, span in planned if span[2].id == row.id and span[0] < _AHEAD_S]
        if presence.is_gone(row, desk.now) or row.status_id == WorkerStatus.DRAINING:
            bars.append(_down_bar(desk, row, worker["word"]))
        lanes.append({"worker": worker, "bars": bars})
    return lanes


def _bar(kind: str, status: str, row: Any, start_s: float, end_s: float) -> dict[str, Any]:
    return {
        "id": str(row["id"]), "kind": kind, "status": status, "label": f"{row['character']} · {tasks.label(row)}",
        "start_s": round(start_s, 1), "end_s": round(max(end_s, start_s + 1), 1), "progress": 0.0, "segments": 1,
        "project": row["project"], "task_id": str(row["task_id"]),
    }  # fmt: skip


def _past_bar(desk: Desk, row: Any) -> dict[str, Any]:
    kind, status = _KINDS[row["outcome"]]
    start, end = ((row[c] - desk.now).total_seconds() for c in ("started_at", "finished_at"))
    return _bar(kind, status, row, start, end)


def _running_bar(desk: Desk, row: Any, history: estimates.History) -> dict[str, Any]:
    began = row["attempt_started_at"] or row["started_at"] or desk.now
    start = min(0.0, (began - desk.now).total_seconds())
    bar = _bar("run", "generating", row, start, tasks.left_s(desk, row, history) or 60.0)
    return bar | {"progress": float(row["progress"]), "segments": row["segments"] or 1}


def _plan_bar(row: Any, span: tuple[float, float, m.Worker]) -> dict[str, Any]:
    return _bar("plan", "pending", row, span[0], span[1]) | {"segments": row["segments"] or 1}


def _down_bar(desk: Desk, row: m.Worker, word: str) -> dict[str, Any]:
    seen = row.last_seen_at or desk.now - _BACK
    start = max(-_BACK.total_seconds(), (seen - desk.now).total_seconds())
    return {
        "id": f"down-{row.id}", "kind": "down", "status": "none", "label": word, "start_s": start, "end_s": _AHEAD_S,
        "progress": 0.0, "segments": 1, "project": "", "task_id": None,
    }  # fmt: skip


def _shares(desk: Desk) -> list[dict[str, Any]]:
    """Return each project's part of the GPU time of a day, and what is fair."""
    rows = {r["name"]: r for r in queries.shares(desk.session, queries.day_ago(desk.now))}
    listed = shares.listing(desk.session, desk.now)
    return [
        {
            "name": name, "used": standing.used, "target": standing.fair, "running": rows[name]["running"],
            "queued": rows[name]["queued"],
            "note": duration(float(rows[name]["run_s"])) + (f" · weight {weight:g}" if weight != 1 else ""),
        }
        for scope, name, weight, standing in listed
        if scope == "project" and name in rows
    ]  # fmt: skip


def _plan(
    history: estimates.History, queued: int, held: int, empty: tuple[float | None, Desk]
) -> list[list[str]]:  # fmt: skip
    empty_s, desk = empty
    median = history.median_s(None)
    end = f"{desk.now + timedelta(seconds=empty_s):%H:%M} UTC" if empty_s is not None else "–"
    return [
        ["Queue empty at", end],
        ["Takes waiting", f"{queued}, {held} of them on hold" if held else str(queued)],
        ["Slots online", str(history.slots)],
        ["Median take", f"{median:.1f} s" if median is not None else "no history"],
    ]
