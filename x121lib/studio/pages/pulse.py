"""Pulse: what runs, what waits, how far everything is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from x121lib.scheduling import balances
from x121lib.studio.pages import estimates, fleet, queries, tasks
from x121lib.studio.pages import grid as grids
from x121lib.studio.pages.desk import Desk, View
from x121lib.studio.pages.feed import feed
from x121lib.studio.pages.grid import Grid
from x121lib.studio.pages.words import small
from x121lib.terms.vocabulary import BudgetPeriod, VerdictOutcome

CARDS = 8
"""Review cards shown."""
NEXT = 8
"""Takes shown that start next."""


def pulse(desk: Desk) -> View:
    """Return Pulse of the desk's project; what runs is of the whole studio."""
    grid = grids.build(desk)
    history = estimates.read_history(desk.session, desk)
    running = queries.running_tasks(desk.session)
    waiting = queries.waiting_tasks(desk.session, 40)
    past = queries.past_attempts(desk.session, desk.now - timedelta(minutes=30))
    rows = fleet.worker_rows(desk)
    read = tasks.read_fleet(desk, [row["id"] for row in waiting])
    done = queries.completed_since(desk.session, desk.now - timedelta(hours=1))
    return {
        "facts": {
            "characters": len(grid.characters), "scene_types": len(grid.types), "variants": len(grid.kinds),
            "scenes": sum(len(cell) for cell in grid.cells.values()),
        },
        "active": [tasks.active(desk, row, history) for row in running],
        "next": _next(*fleet.planned(desk, history, read, running, waiting)),
        "takes_per_hour": float(done) if done else None,
        "review": review_row(desk),
        "counts": grids.count(grid.scenes()),
        "types": _types(grid),
        "due": None,
        "workers": fleet.workers(desk, rows, running, past),
        "disk": fleet.disk(desk),
        "budget": _budget(desk),
        "feed": feed(desk),
    }  # fmt: skip


_PERIOD_WORDS = {BudgetPeriod.DAY: "today", BudgetPeriod.WEEK: "this week", BudgetPeriod.TOTAL: "in all"}


def _budget(desk: Desk) -> dict[str, Any] | None:
    """Return how the project's budget is used, None where none is set."""
    found = balances.course(desk.session, desk.project_id, desk.now) if desk.project_id is not None else None
    if found is None:
        return None
    days = [s / 3600 for s in found.used]
    return {
        "used_h": found.account.settled_s / 3600, "limit_h": round(found.account.allowed_s / 3600, 1),
        "today_h": days[-1] - days[-2] if len(days) > 1 else days[-1], "forecast_h": found.forecast_s / 3600,
        "days": days, "of": max(2, found.n_days),
        "month": _PERIOD_WORDS.get(found.budget.period_id, f"{desk.now.astimezone():%B}"),
    }  # fmt: skip


def _next(waiting: Sequence[Any], plan: dict[Any, Any]) -> list[dict[str, Any]]:
    first = sorted((t for t in waiting if t["id"] in plan), key=lambda t: float(plan[t["id"]][0]))
    rest = [t for t in waiting if t["id"] not in plan and t["status"].value != "Paused"]
    return [
        {
            "id": str(t["id"]), "character": t["character"], "detail": _detail(t),
            "worker": plan[t["id"]][2].name if t["id"] in plan else "",
            "start_s": plan[t["id"]][0] if t["id"] in plan else None,
        }
        for t in [*first, *rest][:NEXT]
    ]  # fmt: skip


def _detail(task: Any) -> str:
    part = f", segment {task['segment']}" if task["segment"] is not None else ""
    return tasks.label(task) + part


def _types(grid: Grid) -> list[dict[str, Any]]:
    found = []
    for scene_type, _ in grid.types:
        scenes = [s for (_, t), cell in grid.cells.items() if t == scene_type.id for s in cell]
        counts = grids.count(scenes)
        found.append(
            {"name": scene_type.name, "counts": counts, "approved": counts.get("approved", 0), "total": len(scenes)}
        )
    return found


def review_row(desk: Desk) -> dict[str, Any]:
    """Return what waits for review, with cards of the oldest scenes."""
    rows = queries.waiting(desk.session, desk.project_id) if desk.project_id else []
    words = [_word(row) for row in rows]
    statuses = [status for status, _ in words]
    return {
        "total": len(rows), "passed": statuses.count("approved"), "borderline": statuses.count("warning"),
        "flagged": statuses.count("rejected"),
        "oldest_s": (desk.now - rows[0]["created_at"]).total_seconds() if rows else None,
        "cards": [_card(row, *word) for row, word in list(zip(rows, words, strict=True))[:CARDS]],
    }  # fmt: skip


def _word(row: Any) -> tuple[str, str]:
    if row["flagged"]:
        return "rejected", "Flagged"
    outcome = VerdictOutcome.from_number(int(row["worst"])) if row["worst"] is not None else None
    if outcome == VerdictOutcome.FAIL:
        return "rejected", "A gate failed"
    if outcome == VerdictOutcome.WARN:
        return "warning", "Borderline"
    return "approved", "All passed" if outcome else "No gates"


def _card(row: Any, status: str, word: str) -> dict[str, Any]:
    rate = row["rate_numerator"] / row["rate_denominator"] if row["rate_numerator"] else 24.0
    return {
        "scene_id": str(row["id"]), "character": row["character"], "detail": f"{row['scene_type']} · {row['variant']}",
        "thumb": small(row["video"]), "duration_s": row["n_frames"] / rate, "status": status, "word": word,
    }  # fmt: skip
