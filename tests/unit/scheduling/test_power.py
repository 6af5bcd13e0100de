"""Who sleeps and who is woken."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x121lib.base.errors import InvalidInputError
from x121lib.scheduling.power import PowerView, Window, decide, in_windows, parse_windows

UP = PowerView(uuid.UUID(int=1), 1, 0, awake=True, asleep=False, waking=False, idle_s=0, can_sleep=True, can_wake=True)
DOWN = replace(UP, worker_id=uuid.UUID(int=2), awake=False, asleep=True)


@pytest.mark.parametrize(
    ("worker", "waiting", "minimum", "wakes"),
    [
        (replace(UP, idle_s=900, idle_after_s=900), 0, 0, False),
        (replace(UP, idle_s=899, idle_after_s=900), 0, 0, None),
        (replace(UP, idle_s=900, idle_after_s=900, busy=1), 0, 0, None), (replace(UP, idle_s=9e9), 0, 0, None),
        (replace(UP, idle_s=900, idle_after_s=900), 1, 0, None),
        (replace(UP, idle_s=900, idle_after_s=900), 0, 1, None),
        (replace(UP, in_window=False), 3, 0, False), (replace(UP, in_window=False, busy=1), 0, 0, None),
        (replace(UP, in_window=False), 0, 1, None), (replace(UP, in_window=False, can_sleep=False), 0, 0, None),
        (DOWN, 1, 0, True), (DOWN, 0, 0, None), (DOWN, 0, 1, True), (replace(DOWN, can_wake=False), 1, 1, None),
        (replace(DOWN, in_window=True), 0, 0, True), (replace(DOWN, in_window=True, idle_after_s=60), 0, 0, None),
        (replace(DOWN, in_window=False), 5, 0, None), (replace(DOWN, in_window=False), 0, 1, True),
        (replace(DOWN, asleep=False, waking=True), 1, 0, None),
    ],
)  # fmt: skip
def test_one_worker(worker: PowerView, waiting: int, minimum: int, wakes: bool | None) -> None:
    assert [s.wake for s in decide([worker], waiting=waiting, minimum=minimum)] == ([] if wakes is None else [wakes])


def test_only_as_many_are_woken_as_tasks_need() -> None:
    fleet = [replace(DOWN, worker_id=uuid.UUID(int=n), slots=2) for n in range(3, 8)]
    waking = replace(DOWN, asleep=False, waking=True, slots=2)
    assert len(decide([UP, waking, *fleet], waiting=6, minimum=0)) == 2


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 2), st.integers(0, 2000), st.sampled_from([None, True, False]))),
    st.integers(0, 5), st.integers(0, 4),
)  # fmt: skip
def test_no_worker_in_mid_take_sleeps_and_the_minimum_stays(
    fleet: list[tuple[bool, int, int, bool | None]], waiting: int, minimum: int
) -> None:
    views = [
        replace(UP if up else DOWN, worker_id=uuid.UUID(int=n), slots=2, busy=busy if up else 0, idle_s=idle,
                idle_after_s=600, in_window=window)
        for n, (up, busy, idle, window) in enumerate(fleet)
    ]  # fmt: skip
    by_id = {v.worker_id: v for v in views}
    steps = decide(views, waiting=waiting, minimum=minimum)
    assert all(by_id[s.worker_id].busy == 0 for s in steps if not s.wake)
    after = sum(v.awake for v in views) + sum(1 if s.wake else -1 for s in steps)
    assert after >= min(minimum, len(views))


def test_weekly_windows() -> None:
    assert parse_windows("fri-mon 08:30-24:00") == [Window(d, 510, 1440) for d in (4, 5, 6, 0)]
    monday = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
    assert in_windows(parse_windows("mon 08:30-09:00"), monday) is True
    assert in_windows(parse_windows("mon 08:00-08:30"), monday) is False
    assert in_windows(parse_windows("tue 08:00-22:00"), monday) is False
    assert in_windows([], monday) is None
    for wrong in (
        "",
        "mon",
        "mon 8:00-9:00",
        "xyz 08:00-09:00",
        "mon 22:00-08:00",
        "mon 08:61-09:00",
        "mon 08:00-25:00",
    ):
        with pytest.raises(InvalidInputError):
            parse_windows(wrong)
