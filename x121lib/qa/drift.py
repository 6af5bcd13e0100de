"""The drift meter: how a chain's takes move away from the scene's beginning, and when they will be too far. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from x121lib.qa.metrics import metric
from x121lib.terms.quality import Gate, Outcome

QUANTITIES = (
    "colour_drift", "lightness_drift", "contrast_kept", "grain_kept", "sharpness_ratio", "face_similarity_mean",
    "subject_shift", "subject_scale",
)  # fmt: skip
"""What is followed: metrics that compare a take's end with the scene's first frame, or with the character."""
HORIZON = 24
"""Segments ahead for which a breach is forecast; further than that a trend of a few takes says nothing."""
LEAST = 4
"""Takes that a trend needs: three values rise or fall by chance one time in three, four one time in twelve."""
CONFIDENCE = 0.90
"""Of the interval of the slope."""


@dataclass(frozen=True)
class Trend:
    """A straight line through a chain's values."""

    per_segment: float
    """Change a segment, in the metric's unit."""
    low: float
    """Lower end of its interval at `CONFIDENCE`."""
    high: float
    """Upper end."""
    start: float
    """Value of the line at segment 0."""

    @property
    def is_sure(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0

    def at(self, segment: float) -> float:
        """Return the line's value at a segment."""
        return self.start + self.per_segment * segment


@dataclass(frozen=True)
class Course:
    """How one quantity goes along a chain."""

    metric: str
    """Name of the metric."""
    values: tuple[tuple[int, float], ...]
    """Number of the segment and its take's value, in order; segments without a take or a score are left out."""
    trend: Trend | None
    """None for fewer than `LEAST` values."""
    outcome: Outcome
    """The worst that the profile's gate says of a value; pass where it has no gate."""
    breach: int | None
    """The first segment that fails the gate."""
    forecast: int | None
    """The segment that will fail it if the trend goes on; None without a sure trend, or beyond `HORIZON`."""
    limit: float | None
    """The bound that was passed, or that the trend goes towards."""

    @property
    def words(self) -> str:
        """Return the whole in a sentence."""
        known = metric(self.metric)
        unit = f" {known.unit}" if known.unit not in {"", "cosine"} else ""
        if not self.values:
            return f"{known.label} was not measured."
        text = f"{known.label} is {self.values[-1][1]:.3g}{unit} at segment {self.values[-1][0]}"
        if self.trend is None:
            text += ": too few takes for a trend"
        elif self.trend.is_sure:
            low, high = f"{self.trend.low:+.2g}", f"{self.trend.high:+.2g}"
            text += f", {self.trend.per_segment:+.2g} a segment ({low} to {high})"
        else:
            text += ", steady"
        if self.breach is not None:
            return f"{text}; the limit of {self.limit:.3g}{unit} was passed at segment {self.breach}."
        if self.forecast is not None:
            return f"{text}; it will pass the limit of {self.limit:.3g}{unit} at segment {self.forecast}."
        return f"{text}."


def courses(values: Mapping[str, Sequence[tuple[int, float]]], gates: Mapping[str, Gate]) -> tuple[Course, ...]:
    """Return the course of each of `QUANTITIES` along a chain.

    Args:
        values: (number of the segment, value) of each metric.
        gates: the gates of the scene's QA profile, by metric.
    """
    return tuple(course(name, sorted(values.get(name, ())), gates.get(name)) for name in QUANTITIES)


def course(name: str, values: Sequence[tuple[int, float]], gate: Gate | None) -> Course:
    """Return one quantity's course; ``values`` are in order."""
    trend = trend_of(values)
    judged = [(segment, *gate.outcome_of(value)) for segment, value in values] if gate is not None else []
    failed = next(((segment, bound) for segment, outcome, bound in judged if outcome is Outcome.FAIL), None)
    worst = max((outcome for _, outcome, _ in judged), key=list(Outcome).index, default=Outcome.PASS)
    ahead, limit = (None, None)
    if failed is None and gate is not None and trend is not None:
        ahead, limit = _forecast(trend, gate, values[-1][0])
    return Course(
        name, tuple(values), trend, worst, failed[0] if failed else None, ahead, failed[1] if failed else limit
    )


def trend_of(values: Sequence[tuple[int, float]]) -> Trend | None:
    """Return the line through values by Theil and Sen; None for fewer than `LEAST`.

    P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63, 1968: the median of the slopes
    of all pairs, which one odd take does not bend.
    """
    if len(values) < LEAST:
        return None
    from scipy.stats import theilslopes  # noqa: PLC0415  (takes half a second to load)

    segments, heights = zip(*values, strict=True)
    slope, start, low, high = (float(n) for n in theilslopes(heights, segments, alpha=CONFIDENCE))
    return Trend(slope, low, high, start)


def _forecast(trend: Trend, gate: Gate, last: int) -> tuple[int | None, float | None]:
    """Return the segment after ``last`` that the trend takes past the gate, and the bound; None where there is none."""
    bound = gate.fail_above if trend.per_segment > 0 else gate.fail_below
    if bound is None or not trend.is_sure:
        return None, None
    segment = max(last + 1, math.floor((bound - trend.start) / trend.per_segment) + 1)
    return (segment, bound) if segment <= last + HORIZON else (None, None)
