"""The page of the budgets: accounts, use per day, forecasts, and who has no limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from x121lib import model as m
from x121lib.scheduling import balances
from x121lib.scheduling.accounts import local_day
from x121lib.scheduling.balances import TREND_DAYS, Line, Unlimited
from x121lib.studio.pages import costs
from x121lib.studio.pages.desk import Desk, View
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import BudgetPeriod, TaskKind

PERIOD_WORDS = {BudgetPeriod.DAY: "per day", BudgetPeriod.WEEK: "per week", BudgetPeriod.MONTH: "per month",
                BudgetPeriod.TOTAL: "in all"}  # fmt: skip


def budgets(desk: Desk, params: Mapping[str, str]) -> View:
    """Return every budget with each holder's account, the one that is chosen, and who has none."""
    rows = [_row(line) for line in balances.listing(desk.session, desk.now)]
    free = [_free(one) for one in balances.unlimited(desk.session, desk.now)]
    chosen = next((row["id"] for row in rows if row["id"] == params.get("budget")), rows[0]["id"] if rows else None)
    first = local_day(desk.now) - timedelta(days=TREND_DAYS - 1)
    may = desk.may(Permission.MANAGE_BUDGETS)
    return {
        "rows": rows, "chosen": chosen, "free": free, "may_manage": may, "rate_days": balances.RATE_DAYS,
        "dates": [(first + timedelta(days=n)).isoformat() for n in range(TREND_DAYS)],
        "offers": _offers(desk, free, rows) if may else None,
        "calibration": costs.calibration(desk), "speeds": costs.speeds(desk),
    }  # fmt: skip


def state_of(line: Line) -> tuple[str, str]:
    """Return the silhouette and the words of how a budget stands."""
    account = line.account
    if account.is_used_up:
        return ("failed", "Used up") if line.is_hard else ("warning", "Over")
    if account.left_s <= 0:
        return ("blocked", "All reserved") if line.is_hard else ("warning", "Over")
    passed = max((p for p in line.warn_percents if p <= account.percent), default=None)
    if passed is not None:
        return "warning", f"Past {passed} %"
    return ("warning", "Runs out") if line.runs_out_on is not None and line.resets_on is not None else (
        "approved", "On track"
    )  # fmt: skip


def _row(line: Line) -> dict[str, Any]:
    account = line.account
    status, word = state_of(line)
    return {
        "id": f"{line.budget_id}:{line.holder_id or ''}", "budget_id": str(line.budget_id), "version": line.version,
        "holder_id": str(line.holder_id) if line.holder_id else None, "holder": line.holder, "scope": line.scope,
        "period": line.period.value, "period_words": PERIOD_WORDS[line.period], "status": status, "word": word,
        "limit_h": account.limit_s / 3600, "allowed_h": account.allowed_s / 3600, "used_h": account.settled_s / 3600,
        "reserved_h": account.reserved_s / 3600, "left_h": account.left_s / 3600,
        "carried_h": account.carried_s / 3600, "granted_h": account.granted_s / 3600, "percent": account.percent,
        "hard": line.is_hard, "rolls_over": line.rolls_over, "warn_at": list(line.warn_percents),
        "exempt": list(line.exempt), "days_h": [s / 3600 for s in line.days], "days_left": line.days_left,
        "runs_out_on": _iso(line.runs_out_on), "resets_on": _iso(line.resets_on),
    }  # fmt: skip


def _free(one: Unlimited) -> dict[str, Any]:
    return {"id": str(one.holder_id), "scope": one.scope, "name": one.holder, "days_h": [s / 3600 for s in one.days]}


def _offers(desk: Desk, free: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the forms offer: holders, periods, and what may be exempt."""
    held = {row["holder_id"]: {"id": row["holder_id"], "scope": row["scope"], "name": row["holder"]}
            for row in rows if row["scope"] != "each person"}  # fmt: skip
    known = [*held.values(), *({"id": one["id"], "scope": one["scope"], "name": one["name"]} for one in free)]
    tiers = desk.session.scalars(sa.select(m.Tier.name).order_by(m.Tier.name))
    return {
        "holders": sorted(known, key=lambda one: (one["scope"] != "project", one["name"].lower())),
        "periods": [{"id": period.value, "name": PERIOD_WORDS[period]} for period in BudgetPeriod],
        "exempt": [*tiers, *(kind.value for kind in TaskKind)],
    }  # fmt: skip


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None
