"""From scores and thresholds to verdicts; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from x121lib.qa.metrics import metric
from x121lib.terms.quality import Gate, Outcome, Score, Verdict
from x121lib.terms.ranges import FrameRange

_SEVERITY = (Outcome.PASS, Outcome.WARN, Outcome.FAIL)


def judge(
    scores: Sequence[Score],
    gates: Sequence[Gate],
    *,
    not_applicable: Collection[str] = (),
    unmeasured: Mapping[str, str] | None = None,
) -> tuple[Verdict, ...]:
    """Return one verdict per gate, in the gates' order.

    Where a metric has several scores, the worst decides. A gate without a score fails, because what was not looked
    at has not passed; ``unmeasured`` says why, by metric. Gates whose metric is in ``not_applicable`` (the seam of a
    scene's first segment) give no verdict.

    Raises:
        NotFoundError: a gate names an unknown metric.
    """
    by_metric: dict[str, list[Score]] = {}
    for score in scores:
        by_metric.setdefault(score.metric, []).append(score)
    reasons = unmeasured or {}
    return tuple(
        _worst(gate, by_metric.get(gate.metric, ()), reasons.get(gate.metric, ""))
        for gate in gates
        if gate.metric not in not_applicable
    )


def overall(verdicts: Iterable[Verdict]) -> Outcome:
    """Return the most severe outcome; pass where there is no verdict."""
    return max(
        (verdict.outcome for verdict in verdicts),
        key=_SEVERITY.index,
        default=Outcome.PASS,
    )


def _worst(gate: Gate, scores: Sequence[Score], why: str) -> Verdict:
    if not scores:
        label = metric(gate.metric).label
        reason = f"{label} was not measured{f': {why}' if why else ''}."
        return Verdict(gate.metric, Outcome.FAIL, None, None, reason)
    return max(
        (_verdict(gate, score) for score in scores),
        key=lambda verdict: _SEVERITY.index(verdict.outcome),
    )


def _verdict(gate: Gate, score: Score) -> Verdict:
    outcome, bound = gate.outcome_of(score.value)
    return Verdict(
        gate.metric,
        outcome,
        score.value,
        bound,
        _reason(score, outcome, bound),
        score.frames,
    )


def _reason(score: Score, outcome: Outcome, bound: float | None) -> str:
    """Return what, value, threshold and where in one sentence."""
    known = metric(score.metric)
    text = f"{known.label} is {_number(score.value, known.unit)}"
    if bound is None:
        text += ", within its bounds"
    else:
        side = "below" if score.value < bound else "above"
        limit = "limit" if outcome is Outcome.FAIL else "warning level"
        text += f", {side} the {limit} of {_number(bound, known.unit)}"
    text += _where(score.frames) if bound is not None else ""
    return text + (f" ({score.note})." if score.note else ".")


def _number(value: float, unit: str) -> str:
    digits = f"{value:,.0f}" if value == round(value) or abs(value) >= 100 else f"{value:.3g}"
    return f"{digits} {unit}" if unit not in {"", "0 or 1", "cosine"} else digits


def _where(frames: FrameRange | None) -> str:
    if frames is None or not len(frames):
        return ""
    if len(frames) == 1:
        return f", at frame {frames.start}"
    return f", in frames {frames.start} to {frames.stop - 1}"
