"""Precision and recall of every gate on labelled takes of portraits that no threshold was tuned on."""

from __future__ import annotations

from pathlib import Path

import pytest

from x121lib.qa.gates import overall
from x121lib.qa.profiles import load_profile
from x121lib.terms.quality import Outcome
from x121lib.testing.labelled import HELD_OUT, Judged, judged_set, rates

PROFILE = load_profile(Path(__file__).resolve().parents[2] / "data" / "qa_profiles" / "portrait.toml")
INJECTED = (
    "black_frames", "frozen_run", "duplicate_ratio", "motion_jitter", "motion_spike", "brightness_flicker",
    "seam_phash", "seam_delta_e", "colour_drift", "sharpness_ratio", "blockiness", "face_found", "face_similarity",
)  # fmt: skip


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> list[Judged]:
    """Return the held-out half of the set, judged once."""
    return list(judged_set(HELD_OUT, tmp_path_factory.mktemp("labelled"), PROFILE.gates))


@pytest.mark.parametrize("gate", [gate.metric for gate in PROFILE.gates])
def test_no_gate_fails_what_it_should_not(judged: list[Judged], gate: str) -> None:
    found = rates(judged, gate)
    wrong = [f"{j.portrait}, {j.label.name}: {j.verdicts[gate].reason}" for j in judged
             if j.verdicts[gate].outcome is Outcome.FAIL and gate not in j.label.fails | j.label.may_fail]  # fmt: skip
    assert found.precision == 1, wrong


@pytest.mark.parametrize("gate", INJECTED)
def test_every_injected_fault_fails_its_gate(judged: list[Judged], gate: str) -> None:
    found = rates(judged, gate)
    missed = [f"{j.portrait}, {j.label.name}: {j.verdicts[gate].reason}" for j in judged
              if j.verdicts[gate].outcome is not Outcome.FAIL and gate in j.label.fails]  # fmt: skip
    assert found.positives >= 2
    assert found.recall == 1, missed


def test_weaker_faults_warn(judged: list[Judged]) -> None:
    quiet = [
        f"{j.portrait}, {j.label.name}: {j.verdicts[gate].reason}"
        for j in judged
        for gate in j.label.warns
        if j.verdicts[gate].outcome is Outcome.PASS
    ]
    assert not quiet


def test_clean_takes_pass_without_a_warning(judged: list[Judged]) -> None:
    clean = [j for j in judged if j.label.fault is None]
    raised = [v.reason for j in clean for v in j.verdicts.values() if v.outcome is not Outcome.PASS]
    assert len(clean) == 6
    assert not raised
    assert {overall(j.verdicts.values()) for j in clean} == {Outcome.PASS}
