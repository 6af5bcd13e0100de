"""Cron expressions: what they say, when they come, what a changed clock does to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from x121lib.base.errors import InvalidInputError
from x121lib.scheduling.cron import due_until, next_after, read

BERLIN, NEW_YORK, APIA = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Pacific/Apia")
UTC_ZONE = ZoneInfo("UTC")


def moments(text: str, zone: ZoneInfo, start: datetime, n: int) -> list[str]:
    """Return the next moments in the clock of the zone."""
    found, at = [], start
    for _ in range(n):
        at = next_after(read(text), zone, at)
        found.append(f"{at.astimezone(zone):%m-%d %H:%M %z}")
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30 22 * * *", ["03-02 22:30", "03-03 22:30"]), ("0 3 * * mon-fri", ["03-03 03:00", "03-04 03:00"]),
        ("*/20 9 * * sun", ["03-08 09:00", "03-08 09:20"]), ("0 0 1 * *", ["04-01 00:00", "05-01 00:00"]),
        ("15 6 1,15 jan,jul *", ["07-01 06:15", "07-15 06:15"]), ("0 12 13 * fri", ["03-06 12:00", "03-13 12:00"]),
        ("5-10/5 8 * * 7", ["03-08 08:05", "03-08 08:10"]), ("@weekly", ["03-08 00:00", "03-15 00:00"]),
        ("0 0 29 2 *", ["02-29 00:00"]), ("0 0 31 * *", ["03-31 00:00", "05-31 00:00"]),
        ("50/5 23 * * *", ["03-02 23:50", "03-02 23:55"]),
    ],
)  # fmt: skip
def test_when_expressions_come(text: str, expected: list[str]) -> None:
    start = datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert [m[:11] for m in moments(text, UTC_ZONE, start, len(expected))] == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 0 30 2 *", "never comes: February has no day 30"), ("0 0 31 4,6 *", "April or June has no day 31"),
        ("0 0 0 * * *", "has 6 fields; a schedule has five"), ("0 0 * *", "has 4 fields"), ("", "has 0 fields"),
        ("60 0 * * *", "minute: '60' is not 0 to 59"), ("0 24 * * *", "hour: '24' is not 0 to 23"),
        ("0 0 * * blue", "day of week: 'blue' is not 0 to 7 or one of sun"), ("0 0 * 13 *", "month: '13'"),
        ("*/0 * * * *", "step of '\\*/0' must be above 0"), ("0 5-3 * * *", "goes backwards"),
        ("0 0 L * *", "day of month: 'L'"), ("0 0 * * 1#2", "none of a number"), ("a b c d e", "minute: 'a'"),
        ("-1 0 * * *", "minute: '-1'"), ("1,,2 0 * * *", "minute: ''"), ("² 0 * * *", "minute: '²'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(text: str, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        read(text)


def test_a_time_that_does_not_exist_comes_when_the_gap_ends() -> None:
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert moments("30 2 * * *", BERLIN, before, 2) == ["03-29 03:00 +0200", "03-30 02:30 +0200"]
    assert moments("0,30 2 * * *", BERLIN, before, 3) == ["03-29 03:00 +0200", "03-30 02:00 +0200", "03-30 02:30 +0200"]
    assert moments("30 2,3 * * *", BERLIN, before, 2) == ["03-29 03:00 +0200", "03-29 03:30 +0200"]
    assert moments("30 2 * * *", NEW_YORK, datetime(2026, 3, 7, 12, tzinfo=NEW_YORK), 1) == ["03-08 03:00 -0400"]


def test_a_time_that_exists_twice_comes_the_first_time() -> None:
    before = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert moments("30 2 * * *", BERLIN, before, 2) == ["10-25 02:30 +0200", "10-26 02:30 +0100"]
    within = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 02:10 for the second time
    assert next_after(read("30 2 * * *"), BERLIN, within) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)
    again = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert next_after(read("30 2 * * *"), BERLIN, again) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_jobs_of_every_hour_follow_the_clock_through_both_changes() -> None:
    assert moments("30 * * * *", BERLIN, datetime(2026, 3, 29, 1, tzinfo=BERLIN), 2) == [
        "03-29 01:30 +0100",
        "03-29 03:30 +0200",
    ]
    assert moments("30 * * * *", BERLIN, datetime(2026, 10, 25, 1, 45, tzinfo=BERLIN), 3) == [
        "10-25 02:30 +0200", "10-25 02:30 +0100", "10-25 03:30 +0100",
    ]  # fmt: skip


def test_steps_of_minutes_in_a_fixed_hour_follow_the_clock_too() -> None:
    assert moments("*/20 2 * * *", BERLIN, datetime(2026, 3, 28, 12, tzinfo=UTC), 2) == [
        "03-30 02:00 +0200", "03-30 02:20 +0200",
    ]  # fmt: skip
    assert moments("*/20 2 * * *", BERLIN, datetime(2026, 10, 24, 12, tzinfo=UTC), 7) == [
        "10-25 02:00 +0200", "10-25 02:20 +0200", "10-25 02:40 +0200",
        "10-25 02:00 +0100", "10-25 02:20 +0100", "10-25 02:40 +0100", "10-26 02:00 +0100",
    ]  # fmt: skip


def test_a_day_that_a_zone_left_out_comes_at_its_end() -> None:
    assert moments("0 12 30 12 *", APIA, datetime(2011, 12, 29, 13, tzinfo=APIA), 1) == ["12-31 00:00 +1400"]


def test_missed_times_are_counted_and_the_last_is_known() -> None:
    cron, first = read("0 3 * * *"), datetime(2026, 3, 2, 3, tzinfo=UTC)
    assert due_until(cron, UTC_ZONE, first, first + timedelta(days=4, hours=5)) == (5, first + timedelta(days=4))
    assert due_until(cron, UTC_ZONE, first, first) == (1, first)
    n, last = due_until(read("* * * * *"), UTC_ZONE, first, first + timedelta(days=30), most=10)
    assert (n, last) == (10, first + timedelta(days=30))


ALL = range(100)
MINUTES = {"0": {0}, "*/7": range(0, 60, 7), "5,50": {5, 50}, "10-20/3": {10, 13, 16, 19}, "59": {59}}
HOURS = {"*": ALL, "2": {2}, "*/5": range(0, 24, 5), "1-3": {1, 2, 3}, "0,23": {0, 23}}
DAYS = {"*": ALL, "1": {1}, "13": {13}, "28-31": range(28, 32)}
MONTHS = {"*": ALL, "3": {3}, "2,10": {2, 10}, "jan-jun": range(1, 7)}
WEEKDAYS = {"*": ALL, "mon": {1}, "0-2": {0, 1, 2}, "5,7": {5, 0}}
fields = st.tuples(*(st.sampled_from(list(known)) for known in (MINUTES, HOURS, DAYS, MONTHS, WEEKDAYS)))


def matches(given: Sequence[str], wall: datetime) -> bool:
    """Return whether a clock that shows this time shows one of the expression's."""
    minute, hour, day, month, weekday = given
    of_month, of_week = wall.day in DAYS[day], wall.isoweekday() % 7 in WEEKDAYS[weekday]
    is_day = of_month and of_week if "*" in (day, weekday) else of_month or of_week
    return wall.minute in MINUTES[minute] and wall.hour in HOURS[hour] and wall.month in MONTHS[month] and is_day


@settings(max_examples=40, deadline=None)
@given(fields, st.sampled_from([BERLIN, NEW_YORK, UTC_ZONE]), st.integers(0, 365 * 24 * 60))
def test_nothing_comes_before_the_next_time(given: Sequence[str], zone: ZoneInfo, minutes: int) -> None:
    """Look at every minute of the next two days; in a gap, only what the gap's end stands for may come besides."""
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    found = next_after(read(" ".join(given)), zone, start)
    assert found > start
    again_and_again = given[0].startswith("*") or given[1].startswith("*")
    for i in range(1, 2 * 24 * 60):
        at = start + timedelta(minutes=i)
        if at >= found:
            break
        wall = at.astimezone(zone)
        assert not matches(given, wall) or (wall.fold and not again_and_again)
