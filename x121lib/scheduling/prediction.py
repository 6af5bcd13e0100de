"""How long work like past work will take, with an interval. Pure.

The sum of k future takes of one kind, of which n past ones had the mean m and the standard deviation s, lies with 80 %
probability within k m ± t s sqrt(k + k² / n), with t the 0.9 quantile of Student's distribution with n - 1 degrees of
freedom: the prediction interval for the mean of k further observations (Hahn and Meeker, *Statistical Intervals*, 1991,
section 4.6), times k. Variances of several kinds add up; the smallest n counts for t. It takes the times of takes as
independent and about normal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

FEWEST = 2
"""Past takes without which there is no spread, and so no estimate."""
SHARE = 0.8
"""Probability of the interval."""
_QUANTILES = (
    3.078, 1.886, 1.638, 1.533, 1.476, 1.440, 1.415, 1.397, 1.383, 1.372, 1.363, 1.356, 1.350, 1.345, 1.341, 1.337,
    1.333, 1.330, 1.328, 1.325,
)  # fmt: skip
"""0.9 quantiles of Student's distribution with 1 to 20 degrees of freedom."""
_NORMAL = 1.282
"""The 0.9 quantile of the normal distribution, for more degrees than that."""


@dataclass(frozen=True)
class Past:
    """Past takes of one kind."""

    n: int
    """How many."""
    mean_s: float
    """Mean GPU seconds."""
    deviation_s: float
    """Standard deviation of the sample, in seconds."""
    mean_bytes: float
    """Mean size of the file."""


@dataclass(frozen=True)
class Interval:
    """GPU seconds of some takes together."""

    low_s: float
    """Lower end of the 80 % interval; never negative."""
    middle_s: float
    """What is expected."""
    high_s: float
    """Upper end."""
    n_past: int
    """Past takes that it stands on."""


def quantile(degrees: int) -> float:
    """Return the 0.9 quantile of Student's distribution."""
    return _QUANTILES[degrees - 1] if 1 <= degrees <= len(_QUANTILES) else _NORMAL


def total(parts: Sequence[tuple[int, Past]]) -> Interval | None:
    """Return what (number of takes, past takes of that kind) need together; None for none, or too few past takes."""
    if not parts or any(past.n < FEWEST for _, past in parts):
        return None
    middle = sum(k * past.mean_s for k, past in parts)
    variance = sum(past.deviation_s**2 * (k + k * k / past.n) for k, past in parts)
    half = quantile(min(past.n for _, past in parts) - 1) * math.sqrt(variance)
    return Interval(max(0.0, middle - half), middle, middle + half, sum(past.n for _, past in parts))
