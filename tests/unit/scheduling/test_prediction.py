"""The 80 % interval of work like past work."""

from __future__ import annotations

import random
import statistics

import pytest

from x121lib.scheduling.prediction import Past, on_fleet, pooled, quantile, total, wilson


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


def test_groups_together_are_the_whole_sample() -> None:
    samples = [[9.0, 10.5, 11.0], [20.0, 24.0], [5.0]]
    whole = pooled([past_of(s) if len(s) > 1 else Past(1, s[0], 0.0, 1000.0) for s in samples])
    sample = [x for s in samples for x in s]
    assert whole.n == 6
    assert [whole.mean_s, whole.deviation_s] == pytest.approx([statistics.mean(sample), statistics.stdev(sample)])


def test_a_fleet_takes_work_as_its_workers_become_free() -> None:
    fast, slow = Past(50, 10.0, 1.0, 0.0), Past(50, 40.0, 4.0, 0.0)
    both = on_fleet([(1, fast), (1, slow)])
    dice = random.Random(121)
    free, taken = [0.0, 0.0], []
    for _ in range(20_000):  # each take goes to the worker that is free first
        at = 0 if free[0] <= free[1] else 1
        seconds = dice.gauss((10.0, 40.0)[at], (1.0, 4.0)[at])
        free[at] += seconds
        taken.append(seconds)
    assert both.mean_s == pytest.approx(statistics.mean(taken), rel=0.01)
    assert both.deviation_s == pytest.approx(statistics.stdev(taken), rel=0.02)
    assert on_fleet([(2, fast)]).deviation_s == pytest.approx(1.0)
    assert on_fleet([(4, fast), (1, slow)]).mean_s < both.mean_s


def test_the_interval_of_a_share() -> None:
    assert wilson(8, 10) == pytest.approx((0.490, 0.943), abs=0.001)  # Wilson's formula, worked by hand
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(5, 5)[1] == 1.0
