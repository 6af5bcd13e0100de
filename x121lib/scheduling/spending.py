"""Periods of budgets, what is left in them, and what is said of it: pure functions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from x121lib.terms.vocabulary import BudgetPeriod

HOUR_S = 3600.0
BEGINNING = date(1970, 1, 1)
"""Start of the one period of a budget that is never reset."""


def period_start(period: BudgetPeriod, day: date) -> date:
    """Return the first day of the period that a day lies in; weeks begin on Monday (ISO 8601)."""
    if period is BudgetPeriod.DAY:
        return day
    if period is BudgetPeriod.WEEK:
        return day - timedelta(days=day.weekday())
    if period is BudgetPeriod.MONTH:
        return day.replace(day=1)
    return BEGINNING


def previous_start(period: BudgetPeriod, start: date) -> date | None:
    """Return the first day of the period before one that begins on ``start``; None where there is none."""
    return None if period is BudgetPeriod.TOTAL else period_start(period, start - timedelta(days=1))


def next_start(period: BudgetPeriod, start: date) -> date | None:
    """Return the first day of the period after one that begins on ``start``; None where there is none."""
    if period is BudgetPeriod.TOTAL:
        return None
    longest = {BudgetPeriod.DAY: 1, BudgetPeriod.WEEK: 7, BudgetPeriod.MONTH: 31}[period]
    return period_start(period, start + timedelta(days=longest))


def midnight(day: date) -> datetime:
    """Return the moment at which a day begins in the studio's (this machine's) time zone."""
    return datetime.combine(day, time.min).astimezone()


@dataclass(frozen=True)
class Account:
    """What stands on one holder's budget in one period, in GPU seconds."""

    limit_s: float
    """The budget."""
    settled_s: float
    """What finished tasks of this period needed."""
    reserved_s: float
    """Estimates of tasks that are not finished, whenever they were submitted."""
    carried_s: float = 0.0
    """What was left of the period before."""
    granted_s: float = 0.0
    """What an Admin gave on top, in this period only."""

    @property
    def allowed_s(self) -> float:
        """All that may be used in this period."""
        return max(0.0, self.limit_s + self.carried_s + self.granted_s)

    @property
    def left_s(self) -> float:
        """What new work may still reserve; never negative."""
        return max(0.0, self.allowed_s - self.settled_s - self.reserved_s)

    @property
    def percent(self) -> float:
        """Share that is used or reserved, in percent; 100 where nothing is allowed."""
        used = self.settled_s + self.reserved_s
        return 100.0 * used / self.allowed_s if self.allowed_s > 0 else 100.0

    @property
    def is_used_up(self) -> bool:
        """Whether finished tasks alone have used all of it: then no task starts any more."""
        return self.settled_s >= self.allowed_s

    def takes(self, seconds: float) -> bool:
        """Return whether new work of that many seconds fits."""
        return self.settled_s + self.reserved_s + seconds <= self.allowed_s + 1e-6


def carried(limit_s: float, granted_s: float, settled_s: float) -> float:
    """Return what an ended period leaves to the next: its own limit less what was used; nothing is carried twice."""
    return min(limit_s, max(0.0, limit_s + granted_s - settled_s))


def threshold_passed(percents: tuple[int, ...], warned: int, percent: float) -> int | None:
    """Return the highest warning threshold that is reached and was not told yet, else None."""
    return max((p for p in percents if warned < p <= percent), default=None)


def days_left(left_s: float, settled_s: float, days: float) -> float | None:
    """Return in how many days the rest is used at the present rate; None without a rate.

    Args:
        left_s: what is left, in GPU seconds.
        settled_s: what was used lately.
        days: over how many days that was.
    """
    return left_s / (settled_s / days) if settled_s > 0 and days > 0 else None


FURTHEST_DAYS = 3650
"""A day further away than that is not told: ten years of one rate are no forecast."""


def runs_out_on(day: date, left_days: float | None, resets_on: date | None) -> date | None:
    """Return the day on which a budget runs out, None without a rate, beyond ten years, or where it resets before."""
    if left_days is None or left_days > FURTHEST_DAYS:
        return None
    out = day + timedelta(days=math.floor(left_days))
    return out if resets_on is None or out < resets_on else None


def hours(seconds: float) -> str:
    """Return seconds as GPU hours in words: ``1.5 GPU h``."""
    return f"{seconds / HOUR_S:.1f} GPU h" if seconds >= 0.05 * HOUR_S or seconds == 0 else f"{seconds:.0f} GPU s"


PERIOD_WORDS = {
    BudgetPeriod.DAY: "today", BudgetPeriod.WEEK: "this week", BudgetPeriod.MONTH: "this month",
    BudgetPeriod.TOTAL: "in all",
}  # fmt: skip


def refusal(holder: str, period: BudgetPeriod, account: Account, seconds: float, guess: str = "") -> str:
    """Return why new work of that many seconds is refused; ``guess`` says what the seconds stand on, if on little."""
    reserved = f", {hours(account.reserved_s)} of it reserved" if account.reserved_s else ""
    return (
        f"The budget of {holder} has {hours(account.left_s)} of {hours(account.allowed_s)} left "
        f"{PERIOD_WORDS[period]}{reserved}; this needs about {hours(seconds)}{guess}."
    )


def notice(holder: str, period: BudgetPeriod, account: Account) -> str:
    """Return how far a budget is used: ``Spring has used or reserved 180.0 GPU h of 200.0 GPU h (90 %) in all``."""
    used = account.settled_s + account.reserved_s
    return (
        f"{holder} has used or reserved {hours(used)} of {hours(account.allowed_s)} "
        f"({account.percent:.0f} %) {PERIOD_WORDS[period]}."
    )
