"""The budgets of the sample studio."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from x121lib.base.errors import ConflictError, InvalidInputError
from x121lib.scheduling.prediction import wilson
from x121lib.studio.door_budgets import hours_of, terms_of

from ..contracts import BudgetsView, SessionPerson

_TODAY = date(2026, 11, 20)
_DAYS = [0.0, 4.2, 6.1, 5.4, 7.9, 1.2, 0.6, 6.8, 8.4, 9.1, 7.7, 10.3, 2.0, 4.4]
_PERIODS = {"day": "per day", "week": "per week", "month": "per month", "total": "in all"}


_SPEEDS: Any = {
    "workers": ["gpu-01", "gpu-02", "gpu-03"], "more": 0,
    "rows": [
        {"workflow": "i2v-chain v14", "tier": "Draft", "size": "480×272",
         "cells": [{"mean_s": 31.0, "takes": 64}, {"mean_s": 33.5, "takes": 58}, None]},
        {"workflow": "i2v-chain v14", "tier": "Production", "size": "960×540",
         "cells": [{"mean_s": 171.0, "takes": 210}, {"mean_s": 184.0, "takes": 198}, {"mean_s": 402.0, "takes": 12}]},
    ],
}  # fmt: skip


def _calibration() -> Any:
    needed = [1.02, 0.93, 1.1, 0.98, 1.31, 1.0, 0.95, 1.07, 0.9, 1.01]
    rows = [
        {"project": "Aurora", "at": f"2026-11-{20 - n:02d}T18:00:00+00:00", "takes": 36, "past_takes": 120 + n,
         "low_s": 5200.0, "expected_s": 6100.0, "high_s": 7000.0, "actual_s": 6100.0 * part,
         "inside": 5200 <= 6100 * part <= 7000}
        for n, part in enumerate(needed)
    ]  # fmt: skip
    inside = sum(bool(row["inside"]) for row in rows)
    low, high = wilson(inside, len(rows))
    return {"n": len(rows), "inside": inside, "low": low, "high": high, "promised": 0.8, "rows": rows}


class SampleBudgets:
    """The budgets' part of ``StudioDoor`` over fixed figures; limits change in memory."""

    heard: list[tuple[str, Any]]
    events: int

    def __init__(self) -> None:
        super().__init__()
        self.budgets_: list[dict[str, Any]] = [
            _row("b1", "aurora", "Aurora", "project", "month", limit_h=240.0, used_h=168.4, reserved_h=22.5,
                 status="warning", word="Past 75 %", days_left=6.9, runs_out_on="2026-11-26", resets_on="2026-12-01",
                 exempt=["Draft"], rolls_over=True, carried_h=0.0),
            _row("b2", "kestrel", "Kestrel", "project", "total", limit_h=120.0, used_h=31.0, reserved_h=0.0,
                 days_left=None, scale=0.0),
            _row("b3", "p1", "Ines Kaya", "person", "day", limit_h=8.0, used_h=8.2, reserved_h=0.0, status="failed",
                 word="Used up", days_left=0.0, resets_on="2026-11-21", scale=0.4),
        ]  # fmt: skip

    def budgets(self, person: SessionPerson, project: str | None, params: Mapping[str, str]) -> BudgetsView:
        """Return the budgets."""
        del person, project
        rows: Any = [dict(row) for row in self.budgets_]
        wanted = params.get("budget")
        ids = [row["id"] for row in rows]
        periods: Any = [{"id": key, "name": words} for key, words in _PERIODS.items()]
        holders: Any = [{"id": row["holder_id"], "scope": row["scope"], "name": row["holder"]} for row in rows]
        return {
            "rows": rows, "chosen": wanted if wanted in ids else ids[0] if ids else None, "may_manage": True,
            "free": [{"id": "p2", "scope": "person", "name": "Ben Osei", "days_h": [h * 0.2 for h in _DAYS]}],
            "rate_days": 7, "dates": [(_TODAY - timedelta(days=13 - n)).isoformat() for n in range(14)],
            "offers": {"holders": [*holders, {"id": "p2", "scope": "person", "name": "Ben Osei"}], "periods": periods,
                       "exempt": ["Draft", "Production", "take", "variant"]},
            "calibration": _calibration(), "speeds": _SPEEDS,
        }  # fmt: skip

    def add_budget(
        self, person: SessionPerson, holder: str, hours: Any, period: str = "total",
        terms: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Set a budget."""
        del person
        limit, kept = _limit(hours), _kept(terms)
        if any(row["holder_id"] == holder and row["period"] == period for row in self.budgets_):
            raise ConflictError("There is such a budget already: nothing was changed.", hint="Change that one.")
        self.heard.append(("add_budget", (holder, limit, period, terms)))
        key = f"b{len(self.budgets_) + 1}"
        self.budgets_.append(_row(key, holder, "Ben Osei", "person", period, limit_h=limit, **kept))
        self.events += 1
        return {"text": "The budget is set", "budget_id": key, "row": f"{key}:{holder}",
                "undo": {"name": "remove_budget", "args": {"budget_id": key}}}  # fmt: skip

    def change_budget(
        self, person: SessionPerson, budget_id: str, hours: Any, version: int, terms: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Change a limit."""
        del person
        limit = _limit(hours)
        row = next(r for r in self.budgets_ if r["budget_id"] == budget_id)
        if row["version"] != version:
            raise ConflictError("The budget was changed by somebody else meanwhile: nothing was changed.",
                                hint="Look at it, and try again.")  # fmt: skip
        self.heard.append(("change_budget", (budget_id, limit, terms)))
        before = {"budget_id": budget_id, "version": version + 1, "hours": row["limit_h"],
                  "terms": {name: row[name] for name in ("warn_at", "hard", "rolls_over", "exempt")}}  # fmt: skip
        row.update(_kept(terms), limit_h=limit, allowed_h=limit, left_h=limit - row["used_h"], version=version + 1)
        row["percent"] = 100 * (row["used_h"] + row["reserved_h"]) / limit if limit else 100.0
        self.events += 1
        text = f"The limit is {limit:g} GPU h"
        return {"text": text, "version": version + 1, "undo": {"name": "change_budget", "args": before}}

    def grant_hours(
        self, person: SessionPerson, budget_id: str, hours: Any, reason: str, holder_id: str | None = None
    ) -> dict[str, Any]:
        """Grant hours."""
        del person
        given = hours_of(hours)
        if not reason.strip():
            raise InvalidInputError("Say why: a grant is audited with its reason.")
        self.heard.append(("grant_hours", (budget_id, given, reason)))
        row = next(r for r in self.budgets_ if r["budget_id"] == budget_id)
        row.update(granted_h=row["granted_h"] + given, allowed_h=row["allowed_h"] + given)
        self.events += 1
        args = {"budget_id": budget_id, "hours": -given, "reason": f"taken back: {reason}", "holder_id": holder_id}
        return {"text": f"{given:g} GPU h are granted for this period", "undo": {"name": "grant_hours", "args": args}}

    def remove_budget(self, person: SessionPerson, budget_id: str) -> dict[str, Any]:
        """Remove a budget."""
        del person
        self.heard.append(("remove_budget", budget_id))
        self.budgets_ = [row for row in self.budgets_ if row["budget_id"] != budget_id]
        self.events += 1
        return {"text": "The budget is removed"}


def _row(key: str, holder_id: str, holder: str, scope: str, period: str, **more: Any) -> dict[str, Any]:
    scale = more.pop("scale", 1.0)
    row = {
        "id": f"{key}:{holder_id}", "budget_id": key, "version": 1, "holder_id": holder_id, "holder": holder,
        "scope": scope, "period": period, "period_words": _PERIODS[period], "status": "approved", "word": "On track",
        "used_h": 0.0, "reserved_h": 0.0, "carried_h": 0.0, "granted_h": 0.0, "hard": True, "rolls_over": False,
        "warn_at": [75, 90], "exempt": [], "days_h": [h * scale for h in _DAYS], "days_left": None,
        "runs_out_on": None, "resets_on": None, **more,
    }  # fmt: skip
    used = row["used_h"] + row["reserved_h"]
    percent = 100 * used / row["limit_h"] if row["limit_h"] else 100.0
    return row | {"allowed_h": row["limit_h"], "left_h": row["limit_h"] - used, "percent": percent}


def _kept(terms: Mapping[str, Any] | None) -> dict[str, Any]:
    read = terms_of(terms)
    if read is None:
        return {}
    return {
        "warn_at": list(read.warn_at),
        "hard": read.hard,
        "rolls_over": read.rolls_over,
        "exempt": list(read.exempt),
    }


def _limit(hours: Any) -> float:
    limit = hours_of(hours)
    if not 0 <= limit <= 1_000_000:
        raise InvalidInputError("A budget is 0 to 1,000,000 GPU hours.")
    return limit
