"""The order in which the queue is listed."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x121lib.scheduling.fairness import Shares
from x121lib.scheduling.serving import in_turn
from x121lib.terms.vocabulary import TaskStatus

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SHARES = Shares()


def row(n: int, waits_for: int | None = None, status: TaskStatus = TaskStatus.QUEUED, *, off_peak: bool = False) -> Any:
    """Return a waiting task that was queued ``n`` minutes after the first."""
    return {
        "task_id": uuid.UUID(int=n), "status": status, "priority": 50, "queued_at": NOW + timedelta(minutes=n),
        "turn_at": None, "not_before": None, "project_id": uuid.UUID(int=90), "person_id": uuid.UUID(int=91),
        "is_off_peak": off_peak, "waits_for": uuid.UUID(int=waits_for) if waits_for is not None else None,
    }  # fmt: skip


def order(*rows: Any) -> list[int]:
    return [found["task_id"].int for found in in_turn(rows, SHARES, {})]


@pytest.mark.capability("PRD-90/queue-depth")
def test_what_waits_for_a_retake_is_listed_behind_it() -> None:
    """Segments 2 and 3 were queued with the scene; segment 1 is retaken later, and another scene waits between."""
    assert order(row(1, waits_for=9), row(2, waits_for=1), row(5), row(9)) == [5, 9, 1, 2]
    assert order(row(1), row(2, waits_for=1), row(3, waits_for=77)) == [1, 2, 3], "what is done or runs holds nobody"


def test_it_is_so_behind_what_is_served_late_by_its_kind() -> None:
    assert order(row(1, waits_for=8), row(2), row(8, off_peak=True)) == [2, 8, 1]
    assert order(row(1, waits_for=8), row(2, waits_for=1), row(8, status=TaskStatus.PAUSED), row(3)) == [3, 8, 1, 2]


def test_a_circle_is_listed_as_it_is() -> None:
    assert sorted(order(row(1, waits_for=2), row(2, waits_for=1), row(3))) == [1, 2, 3]


@given(st.lists(st.one_of(st.none(), st.integers(0, 30)), max_size=31))
def test_nobody_is_lost_and_nobody_stands_before_what_they_wait_for(waits: list[int | None]) -> None:
    """A task waits for one with a higher number here, which its own turn would put behind it."""
    rows = [row(n, waits_for=w if w is not None and n < w < len(waits) else None) for n, w in enumerate(waits)]
    found = order(*rows)
    assert sorted(found) == list(range(len(waits)))
    place = {key: n for n, key in enumerate(found)}
    for one in rows:
        if one["waits_for"] is not None:
            assert place[one["waits_for"].int] < place[one["task_id"].int]
