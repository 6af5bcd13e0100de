"""Periods and accounts of budgets."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x121lib.scheduling import spending
from x121lib.scheduling.spending import Account
from x121lib.terms.vocabulary import BudgetPeriod as P

seconds = st.floats(0, 1e7)


@pytest.mark.parametrize(
    ("period", "day", "start", "following"),
    [
        (P.DAY, date(2026, 3, 29), date(2026, 3, 29), date(2026, 3, 30)),
        (P.WEEK, date(2026, 11, 29), date(2026, 11, 23), date(2026, 11, 30)),
        (P.WEEK, date(2027, 1, 1), date(2026, 12, 28), date(2027, 1, 4)),
        (P.MONTH, date(2028, 2, 29), date(2028, 2, 1), date(2028, 3, 1)),
        (P.MONTH, date(2026, 12, 31), date(2026, 12, 1), date(2027, 1, 1)),
        (P.TOTAL, date(2026, 1, 1), spending.BEGINNING, None),
    ],
)
def test_periods_begin_and_end(period: P, day: date, start: date, following: date | None) -> None:
    assert spending.period_start(period, day) == start
    assert spending.next_start(period, start) == following
    if following is not None:
        assert spending.previous_start(period, following) == start
    else:
        assert spending.previous_start(period, start) is None


@given(st.sampled_from([P.DAY, P.WEEK, P.MONTH]), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_every_day_lies_in_one_period(period: P, day: date) -> None:
    start = spending.period_start(period, day)
    end = spending.next_start(period, start)
    assert end is not None
    assert start <= day < end
    assert spending.period_start(period, end - timedelta(days=1)) == start
    assert spending.period_start(period, end) == end


@given(seconds, seconds, seconds, seconds, st.floats(-1e7, 1e7))
def test_what_fits_is_what_is_left(limit: float, settled: float, reserved: float, carried: float, grant: float) -> None:
    account = Account(limit, settled, reserved, carried, grant)
    assert account.left_s >= 0
    if account.left_s > 0:
        assert account.takes(account.left_s)
        assert not account.takes(account.left_s + 1)
    assert account.is_used_up == (settled >= account.allowed_s)


def test_what_is_carried_is_carried_once_and_never_more_than_the_limit() -> None:
    assert spending.carried(100.0, 0.0, 30.0) == 70.0
    assert spending.carried(100.0, 50.0, 0.0) == 100.0
    assert spending.carried(100.0, 0.0, 130.0) == 0.0


def test_the_highest_new_threshold_is_told_once() -> None:
    assert spending.threshold_passed((75, 90, 100), 0, 74.9) is None
    assert spending.threshold_passed((75, 90, 100), 0, 95.0) == 90
    assert spending.threshold_passed((75, 90, 100), 90, 99.0) is None
    assert spending.threshold_passed((75, 90, 100), 90, 140.0) == 100


def test_words() -> None:
    account = Account(200 * 3600.0, 170 * 3600.0, 10 * 3600.0)
    assert spending.notice("Spring", P.TOTAL, account) == (
        "Spring has used or reserved 180.0 GPU h of 200.0 GPU h (90 %) in all."
    )
    assert spending.refusal("Spring", P.MONTH, account, 48 * 3600.0) == (
        "The budget of Spring has 20.0 GPU h of 200.0 GPU h left this month, 10.0 GPU h of it reserved; "
        "this needs about 48.0 GPU h."
    )
    assert spending.hours(12.0) == "12 GPU s"
    assert spending.days_left(20.0, 14.0, 7.0) == 10.0
    assert spending.days_left(20.0, 0.0, 7.0) is None
