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


def pooled(parts: Sequence[Past]) -> Past:
    """Return several groups of past takes as one: their mean, and the deviation of all of them around it."""
    n = sum(past.n for past in parts)
    mean = sum(past.n * past.mean_s for past in parts) / n
    squares = sum((past.n - 1) * past.deviation_s**2 + past.n * (past.mean_s - mean) ** 2 for past in parts)
    size = sum(past.n * past.mean_bytes for past in parts) / n
    return Past(n, mean, math.sqrt(squares / (n - 1)) if n > 1 else 0.0, size)


def on_fleet(parts: Sequence[tuple[int, Past]]) -> Past:
    """Return what takes need that are spread over workers as they become free.

    Args:
        parts: (slots, past takes) of each worker.

    A worker with s slots and a mean of m seconds takes a share w of the work that goes with s / m; a take is then a
    draw from the mixture of the workers by those shares: its mean is the sum of w m, its variance the sum of
    w (d² + m²) less the square of that mean.
    """
    rates = [slots / past.mean_s for slots, past in parts]
    shares = [rate / sum(rates) for rate in rates]
    mean = sum(w * past.mean_s for w, (_, past) in zip(shares, parts, strict=True))
    second = sum(w * (past.deviation_s**2 + past.mean_s**2) for w, (_, past) in zip(shares, parts, strict=True))
    size = sum(w * past.mean_bytes for w, (_, past) in zip(shares, parts, strict=True))
    return Past(sum(past.n for _, past in parts), mean, math.sqrt(max(0.0, second - mean * mean)), size)


def wilson(k: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of which k of n cases were seen (Wilson, 1927); (0, 1) for none."""
    if not n:
        return 0.0, 1.0
    z, share = 1.96, k / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)
