"""Thresholds tried on what was measured, and gates against reviewers: the arithmetic."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from x121lib.base.ids import new_id
from x121lib.qa.agreement import Decided, agreement
from x121lib.qa.trying import Measured, what_if
from x121lib.terms.quality import Gate, Outcome

LOOSE, STRICT = Gate("colour_drift", fail_above=10), Gate("colour_drift", warn_above=3, fail_above=6)
SEAM = Gate("seam_ssim", fail_below=0.6)


def take(begins_scene: bool = False, **scores: float) -> Measured:
    return Measured(new_id(), begins_scene, scores)


def test_a_stricter_gate_says_whom_it_would_fail() -> None:
    takes = [take(colour_drift=value, seam_ssim=0.9) for value in (1, 4, 8, 12)]
    found = what_if(takes, [LOOSE, SEAM], [STRICT, SEAM])
    drift, seam = found.effects
    assert (drift.metric, seam.metric) == ("colour_drift", "seam_ssim")
    assert drift.now == {Outcome.PASS: 3, Outcome.FAIL: 1}
    assert drift.then == {Outcome.PASS: 1, Outcome.WARN: 1, Outcome.FAIL: 2}
    assert (found.count(Outcome.FAIL, then=False), found.count(Outcome.FAIL, then=True)) == (1, 2)
    assert found.changes[Outcome.PASS, Outcome.FAIL] == [takes[2].take_id]
    assert seam.now == seam.then == {Outcome.PASS: 4}


def test_a_scenes_first_take_has_no_seam_and_an_old_take_no_new_metric() -> None:
    takes = [take(begins_scene=True, colour_drift=1), take(colour_drift=1, seam_ssim=0.9)]
    found = what_if(takes, [SEAM], [SEAM, Gate("grain_kept", fail_below=0.5)])
    grain, seam = found.effects
    assert (grain.unmeasured, sum(grain.then.values())) == (2, 0)
    assert (seam.unmeasured, sum(seam.now.values())) == (0, 1)
    assert found.count(Outcome.FAIL, then=True) == 0


@given(st.lists(st.floats(0, 20), max_size=30))
def test_each_take_is_counted_once_on_both_sides(values: list[float]) -> None:
    found = what_if([take(colour_drift=value) for value in values], [LOOSE], [STRICT])
    for side in (False, True):
        assert sum(found.count(outcome, then=side) for outcome in Outcome) == len(values)
    assert found.count(Outcome.FAIL, then=True) >= found.count(Outcome.FAIL, then=False)


def decided(rejected: bool, outcome: Outcome) -> Decided:
    return Decided(rejected, {"face_similarity": outcome})


def test_precision_and_recall_are_counted_against_what_people_decided() -> None:
    cuts = [
        *[decided(True, Outcome.WARN)] * 6, *[decided(False, Outcome.WARN)] * 2, *[decided(True, Outcome.PASS)] * 3,
        *[decided(False, Outcome.PASS)] * 9,
    ]  # fmt: skip
    (found,) = agreement(cuts)
    assert (found.metric, found.decided) == ("face_similarity", 20)
    assert (found.precision.value, found.recall.value) == (6 / 8, 6 / 9)
    assert found.false_alarms.value == 2 / 11
    low, high = found.precision.interval
    assert (round(low, 3), round(high, 3)) == (0.409, 0.929)  # Wilson, 6 of 8, 95 %


def test_without_a_case_there_is_no_share() -> None:
    (found,) = agreement([decided(False, Outcome.PASS)])
    assert (found.precision.value, found.recall.value) == (None, None)
    assert found.precision.interval == (0.0, 1.0)
    assert agreement([]) == ()
