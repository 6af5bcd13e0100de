"""The drift meter's arithmetic: trend, verdict, breach and forecast along a chain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x121lib.qa.drift import HORIZON, LEAST, QUANTITIES, course, courses
from x121lib.qa.metrics import metric
from x121lib.terms.quality import Gate, Outcome

GATE = Gate("colour_drift", warn_above=6, fail_above=10)


def line(n: int, step: float, start: float = 0.0) -> list[tuple[int, float]]:
    return [(segment, start + step * segment) for segment in range(1, n + 1)]


def test_every_quantity_is_a_metric_with_a_label() -> None:
    assert all(metric(name).label for name in QUANTITIES)
    assert [each.metric for each in courses({}, {})] == list(QUANTITIES)


def test_a_chain_that_runs_away_is_forecast_before_it_is_too_far() -> None:
    found = course("colour_drift", line(5, 1.5), GATE)
    assert found.trend is not None
    assert found.trend.is_sure
    assert found.trend.per_segment == pytest.approx(1.5)
    assert (found.outcome, found.breach, found.forecast, found.limit) == (Outcome.WARN, None, 7, 10)
    assert found.words == (
        "Colour drift is 7.5 ΔE2000 at segment 5, +1.5 a segment (+1.5 to +1.5); it will pass the limit of 10 ΔE2000 "
        "at segment 7."
    )


def test_the_first_segment_past_the_limit_is_named() -> None:
    found = course("colour_drift", line(9, 1.5), GATE)
    assert (found.outcome, found.breach, found.forecast, found.limit) == (Outcome.FAIL, 7, None, 10)
    assert "was passed at segment 7" in found.words


def test_what_falls_goes_towards_the_lower_bound() -> None:
    gate = Gate("face_similarity_mean", fail_below=0.45)
    found = course("face_similarity_mean", line(6, -0.05, start=1.0), gate)
    assert (found.forecast, found.limit) == (12, 0.45)
    away = course("face_similarity_mean", line(6, 0.05, start=0.5), gate)
    assert away.forecast is None, "it gets better"


def test_few_takes_have_no_trend_and_noise_has_no_sure_one() -> None:
    few = course("colour_drift", line(LEAST - 1, 3), GATE)
    assert few.trend is None
    assert "too few takes" in few.words
    values = [(n, value) for n, value in enumerate((2.0, 2.4, 1.8, 2.2, 1.9, 2.3, 2.0, 2.1), start=1)]
    noisy = course("colour_drift", values, GATE)
    assert noisy.trend is not None
    assert not noisy.trend.is_sure
    assert noisy.forecast is None
    assert "steady" in noisy.words


def test_one_odd_take_does_not_bend_the_trend() -> None:
    values = line(9, 0.5)
    values[4] = (5, 9.0)
    found = course("colour_drift", values, GATE)
    assert found.trend is not None
    assert found.trend.per_segment == pytest.approx(0.5, abs=0.1)


def test_without_a_gate_nothing_is_passed() -> None:
    found = course("grain_kept", line(6, 0.5), None)
    assert (found.outcome, found.breach, found.forecast, found.limit) == (Outcome.PASS, None, None, None)
    assert course("grain_kept", [], None).words == "Grain kept was not measured."


@given(
    step=st.floats(0.05, 3), n=st.integers(LEAST, 12), start=st.floats(-1, 1),
)  # fmt: skip
def test_a_forecast_lies_ahead_and_is_the_first_segment_past_the_limit(step: float, n: int, start: float) -> None:
    found = course("colour_drift", line(n, step, start), GATE)
    if found.breach is not None:
        assert start + step * found.breach > 10 >= start + step * (found.breach - 1)
    elif found.forecast is not None:
        assert n < found.forecast <= n + HORIZON
        assert found.trend is not None
        assert found.trend.at(found.forecast) > 10 - 1e-6
        assert start + step * (found.forecast - 1) <= 10 + 1e-6
    else:
        assert start + step * (n + HORIZON) <= 10 + 1e-6
