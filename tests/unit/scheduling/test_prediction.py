"""The 80 % interval of work like past work."""

from __future__ import annotations

import random
import statistics

import pytest

from x121lib.scheduling.prediction import Past, quantile, total


def past_of(sample: list[float]) -> Past:
    return Past(len(sample), statistics.mean(sample), statistics.stdev(sample), 1000.0)


def test_one_take_of_a_known_sample_has_the_interval_of_the_formula() -> None:
    found = total([(1, Past(5, 10.0, 2.0, 0.0))])
    assert found is not None
    half = 1.533 * 2.0 * (1 + 1 / 5) ** 0.5
    assert (found.low_s, found.middle_s, found.high_s) == pytest.approx((10 - half, 10.0, 10 + half))
    assert found.n_past == 5


def test_kinds_add_up_and_too_few_past_takes_are_no_history() -> None:
    both = total([(2, Past(30, 10.0, 1.0, 0.0)), (3, Past(3, 20.0, 0.0, 0.0))])
    assert both is not None
    assert both.middle_s == pytest.approx(80.0)
    assert both.high_s - both.middle_s == pytest.approx(quantile(2) * (2 + 4 / 30) ** 0.5)
    assert total([(2, Past(30, 10.0, 1.0, 0.0)), (3, Past(1, 20.0, 0.0, 0.0))]) is None
    assert total([]) is None
    low = total([(1, Past(2, 1.0, 5.0, 0.0))])
    assert low is not None
    assert low.low_s == 0.0


@pytest.mark.parametrize(("n_past", "k"), [(3, 1), (5, 12), (20, 3), (60, 40)])
def test_eighty_percent_of_reality_lies_inside(n_past: int, k: int) -> None:
    chance = random.Random(121)
    inside = 0
    for _ in range(2000):
        found = total([(k, past_of([chance.gauss(30, 6) for _ in range(n_past)]))])
        assert found is not None
        inside += found.low_s <= sum(chance.gauss(30, 6) for _ in range(k)) <= found.high_s
    assert 0.77 <= inside / 2000 <= 0.83  # 0.8 ± 3 standard errors of 2,000 trials, and a bit
