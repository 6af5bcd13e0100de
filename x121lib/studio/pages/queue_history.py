"""The queue in the past: what ran where in a day, how busy each worker was, and when it was idle."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from x121lib import model as m
from x121lib.base.errors import InvalidInputError
from x121lib.studio.pages.desk import Desk

DAY = timedelta(hours=24)
SHORTEST_IDLE_S = 900.0
"""Seconds from which a pause between two takes is shown as idle."""
MOST_BARS = 4000
"""Attempts that one day of the history shows."""


def moment(desk: Desk, at: str | None) -> datetime | None:
    """Return the moment up to which the past is shown, as UTC; None for the present.

    Raises:
        InvalidInputError: the text is no moment with a time zone.
    """
    if not at:
        return None
    try:
        found = datetime.fromisoformat(at)
    except ValueError as error:
        raise InvalidInputError(f"'{at}' is no moment.", hint="Choose the day on the page.") from error
    if found.tzinfo is None:
        raise InvalidInputError(f"'{at}' has no time zone.", hint="Choose the day on the page.")
    return min(found.astimezone(UTC), desk.now)


def history(desk: Desk, rows: Sequence[m.Worker], past: Sequence[Any], until: datetime) -> dict[str, Any]:
    """Return what is said of the 24 hours before a moment: the span, and each worker's use and idle times."""
    return {
        "from": (until - DAY).isoformat(), "until": until.isoformat(),
        "workers": [_worker(desk, row, [p for p in past if p["worker_id"] == row.id], until) for row in rows],
        "complete": len(past) < MOST_BARS,
    }  # fmt: skip


def _worker(desk: Desk, row: m.Worker, past: Sequence[Any], until: datetime) -> dict[str, Any]:
    since = max(until - DAY, row.added_at)
    spans = [(max(p["started_at"], since), min(p["finished_at"], until)) for p in past]
    busy_s = sum((end - start).total_seconds() for start, end in spans if end > start)
    whole_s = (until - since).total_seconds()
    return {
        "id": str(row.id), "takes": len(past), "busy_s": busy_s,
        "utilisation": min(1.0, busy_s / (whole_s * max(1, row.slots))) if whole_s > 0 else 0.0,
        "idle": [[(at - desk.now).total_seconds() for at in gap] for gap in gaps(spans, since, until)],
    }  # fmt: skip


def gaps(
    spans: Sequence[tuple[datetime, datetime]], since: datetime, until: datetime
) -> list[tuple[datetime, datetime]]:
    """Return the times between two moments in which nothing ran, from `SHORTEST_IDLE_S` on."""
    found, free = [], since
    for start, end in [*sorted(spans), (until, until)]:
        if (start - free).total_seconds() >= SHORTEST_IDLE_S:
            found.append((free, start))
        free = max(free, end)
    return found
