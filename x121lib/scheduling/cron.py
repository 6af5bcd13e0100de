"""Cron expressions and when they come: five fields of local time in a time zone. Pure.

Faults are named here, field by field; the times are those of the library cronsim.

Fields, as of crontab(5): minute, hour, day of month, month, day of week (0 and 7 are Sunday); ``*``, numbers, names of
months and days, ranges ``a-b``, steps ``*/n`` and ``a-b/n``, lists; `SHORTCUTS`. Where both days are given (none begins
with ``*``), either suffices.

Where a clock is put forward or back, jobs of a fixed time and jobs that come again and again differ, as in the cron of
Debian: a time that does not exist comes when the gap ends, once; a time that exists twice comes the first time. Where
the minute or the hour field begins with ``*``, every minute that the clock shows counts: none in a gap, and those that
exist twice, twice.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from x121lib.base.errors import InvalidInputError

SHORTCUTS = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}  # fmt: skip
_MONTHS = {name.lower(): i for i, name in enumerate(calendar.month_abbr) if name}
_DAYS = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}), ("hour", 0, 23, {}), ("day of month", 1, 31, {}), ("month", 1, 12, _MONTHS),
    ("day of week", 0, 7, _DAYS),
)  # fmt: skip
_PART = re.compile(r"(?P<low>\*|\w+)(-(?P<high>\w+))?(/(?P<step>\d+))?", re.ASCII)


@dataclass(frozen=True)
class Cron:
    """A cron expression that was read and can come."""

    text: str
    """As it was written."""
    fields: str
    """Its five fields, where it was a shortcut too."""


def read(text: str) -> Cron:
    """Return the expression that a text says.

    Raises:
        InvalidInputError: not five fields, a field that says nothing sensible (named), or a date that never comes.
    """
    fields = SHORTCUTS.get(text.strip().lower(), text).split()
    if len(fields) != len(_FIELDS):
        names = ", ".join(name for name, *_ in _FIELDS)
        more = " Seconds and years are not supported." if len(fields) > len(_FIELDS) else ""
        raise InvalidInputError(
            f"'{text}' has {len(fields)} fields; a schedule has five: {names}.{more}", hint="As '30 22 * * mon-fri'."
        )
    _, _, days, months, _ = (_values(field, *shape) for field, shape in zip(fields, _FIELDS, strict=True))
    either_day = not fields[2].startswith("*") and not fields[4].startswith("*")
    if not either_day and not any(min(days) <= calendar.monthrange(2024, month)[1] for month in months):
        raise InvalidInputError(
            f"'{text}' never comes: {_named(months)} has no day {min(days)}.", hint="Give a day that exists."
        )
    return Cron(text.strip(), " ".join(fields))


def _named(months: frozenset[int]) -> str:
    return " or ".join(calendar.month_name[month] for month in sorted(months))


def _values(field: str, name: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise InvalidInputError(f"{name}: '{part}' is none of a number, a range, a step, a list and '*'.")
        step = int(match["step"] or 1)
        if match["low"] == "*" and match["high"] is None:
            first, last = low, high
        else:
            first = _number(match["low"], name, low, high, names)
            last = _number(match["high"], name, low, high, names) if match["high"] else first
            last = high if match["step"] and not match["high"] else last
        if step < 1:
            raise InvalidInputError(f"{name}: the step of '{part}' must be above 0.")
        if last < first:
            raise InvalidInputError(f"{name}: '{part}' goes backwards.", hint="Give two ranges, parted by a comma.")
        found |= set(range(first, last + 1, step))
    return frozenset(found)


def _number(text: str, name: str, low: int, high: int, names: dict[str, int]) -> int:
    number = names.get(text.lower(), int(text) if text.isdigit() else -1)
    if not low <= number <= high:
        known = f" or one of {', '.join(names)}" if names else ""
        raise InvalidInputError(f"{name}: '{text}' is not {low} to {high}{known}.")
    return number


def next_after(cron: Cron, zone: ZoneInfo, after: datetime) -> datetime:
    """Return the first moment (UTC) after another one at which the expression comes in a time zone."""
    times = CronSim(cron.fields, after.astimezone(zone))
    while (found := next(times).astimezone(UTC)) <= after:  # in a repeated hour it names the first one's times again
        pass
    return found


def due_until(cron: Cron, zone: ZoneInfo, first: datetime, now: datetime, most: int = 1000) -> tuple[int, datetime]:
    """Return how many times it came from ``first``, which is one, up to ``now`` (counted to ``most``), and the last."""
    n, last = 1, first
    while n < most and (following := next_after(cron, zone, last)) <= now:
        n, last = n + 1, following
    if n == most:  # rather the last of a very long time than all of it
        while (following := next_after(cron, zone, max(last, now - timedelta(days=1)))) <= now:
            last = following
    return n, last
