"""Gates exhaustively: every bound, every side, missing scores, reasons."""

from __future__ import annotations

import itertools
import math

import pytest

from x121lib.base.errors import InvalidInputError, NotFoundError
from x121lib.qa.gates import judge, overall
from x121lib.qa.metrics import METRICS, metric
from x121lib.terms.quality import Gate, Outcome, Score, Verdict
from x121lib.terms.ranges import FrameRange

PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
FULL = Gate("motion_energy", fail_below=1, warn_below=2, warn_above=3, fail_above=4)


@pytest.mark.parametrize(
    ("value", "outcome", "bound"),
    [
        (0.99, FAIL, 1), (1, WARN, 2), (1.99, WARN, 2), (2, PASS, None), (2.5, PASS, None), (3, PASS, None),
        (3.01, WARN, 3), (4, WARN, 3), (4.01, FAIL, 4), (-1e9, FAIL, 1), (1e9, FAIL, 4),
    ],
)  # fmt: skip
def test_every_side_of_every_bound(value: float, outcome: Outcome, bound: float | None) -> None:
    assert FULL.outcome_of(value) == (outcome, bound)


@pytest.mark.parametrize("given", [c for n in range(1, 5) for c in itertools.combinations(range(4), n)])
def test_every_combination_of_bounds(given: tuple[int, ...]) -> None:
    names, levels = ("fail_below", "warn_below", "warn_above", "fail_above"), (1.0, 2.0, 3.0, 4.0)
    gate = Gate("motion_energy", **{names[i]: levels[i] for i in given})
    for value in (0.5, 1.5, 2.5, 3.5, 4.5):
        expected = PASS
        if (1 in given and value < 2) or (2 in given and value > 3):
            expected = WARN
        if (0 in given and value < 1) or (3 in given and value > 4):
            expected = FAIL
        assert gate.outcome_of(value)[0] is expected


@pytest.mark.parametrize(
    "bounds",
    [
        {},
        {"warn_below": 1, "fail_below": 2},
        {"warn_above": 2, "fail_above": 1},
        {"warn_below": 3, "warn_above": 2},
        {"fail_below": math.nan},
        {"fail_above": math.inf},
    ],
)
def test_senseless_gates_are_refused(bounds: dict[str, float]) -> None:
    with pytest.raises(InvalidInputError):
        Gate("seam_ssim", **bounds)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_score_is_finite(value: float) -> None:
    with pytest.raises(InvalidInputError):
        Score("seam_ssim", value)


def test_the_reason_says_what_value_threshold_and_where() -> None:
    gate = Gate("seam_ssim", warn_below=0.75, fail_below=0.60)
    (verdict,) = judge([Score("seam_ssim", 0.512, FrameRange(0, 1))], [gate])
    assert verdict == Verdict(
        "seam_ssim", FAIL, 0.512, 0.60, "Seam SSIM is 0.512, below the limit of 0.6, at frame 0.", FrameRange(0, 1)
    )
    (verdict,) = judge([Score("seam_ssim", 0.7)], [gate])
    assert verdict.reason == "Seam SSIM is 0.7, below the warning level of 0.75."
    (verdict,) = judge([Score("seam_ssim", 0.97, FrameRange(0, 1))], [gate])
    assert verdict.reason == "Seam SSIM is 0.97, within its bounds."
    frozen = Score("frozen_run", 0.75, FrameRange(3, 21), "a note")
    (verdict,) = judge([frozen], [Gate("frozen_run", fail_above=0.49)])
    assert verdict.reason == "Longest freeze is 0.75 s, above the limit of 0.49 s, in frames 3 to 20 (a note)."


def test_a_missing_score_fails_and_says_why() -> None:
    gates = [Gate("face_found", fail_below=0.8), Gate("seam_ssim", fail_below=0.6)]
    face, seam = judge([], gates, unmeasured={"face_found": "no face backend was given"})
    assert (face.outcome, seam.outcome) == (FAIL, FAIL)
    assert face.reason == "Face found was not measured: no face backend was given."
    assert seam.reason == "Seam SSIM was not measured."
    assert (seam.value, seam.threshold) == (None, None)


def test_what_does_not_apply_gives_no_verdict() -> None:
    gates = [Gate("black_frames", fail_above=0), Gate("seam_ssim", fail_below=0.6)]
    verdicts = judge([Score("black_frames", 0)], gates, not_applicable={"seam_ssim"})
    assert [(v.metric, v.outcome) for v in verdicts] == [("black_frames", PASS)]


def test_the_worst_of_several_scores_decides() -> None:
    scores = [Score("black_frames", n) for n in (0, 3, 1)]
    (verdict,) = judge(scores, [Gate("black_frames", warn_above=0, fail_above=2)])
    assert (verdict.outcome, verdict.value) == (FAIL, 3)


def test_an_unknown_metric_is_named() -> None:
    with pytest.raises(NotFoundError, match="beauty"):
        judge([], [Gate("beauty", fail_below=1)])


@pytest.mark.parametrize("outcomes", list(itertools.product([PASS, WARN, FAIL], repeat=3)))
def test_overall_is_the_most_severe(outcomes: tuple[Outcome, ...]) -> None:
    verdicts = [Verdict("black_frames", outcome, 0, None, "") for outcome in outcomes]
    expected = FAIL if FAIL in outcomes else WARN if WARN in outcomes else PASS
    assert overall(verdicts) is expected
    assert overall([]) is PASS


def test_the_registry_is_complete() -> None:
    names = [entry.name for entry in METRICS]
    assert len(names) == len(set(names))
    assert all(entry.label and entry.source and entry.description for entry in METRICS)
    assert metric("seam_ssim").label == "Seam SSIM"
