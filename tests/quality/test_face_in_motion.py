"""The face gates of the `high_motion` profile: another face fails, the same one passes, on drawn portraits."""

from __future__ import annotations

from pathlib import Path

import pytest

from x121lib.qa.analysis import analyse
from x121lib.qa.gates import judge, overall
from x121lib.qa.profiles import load_profile
from x121lib.terms.quality import Outcome
from x121lib.testing import takes

GATES = tuple(
    gate
    for gate in load_profile(Path(__file__).resolve().parents[2] / "data" / "qa_profiles" / "high_motion.toml").gates
    if gate.metric.startswith("face_")
)


def outcome_of(path: Path, reference_name: str) -> Outcome:
    analysis = analyse(path, takes.reference(takes.moved(reference_name)[0]))
    return overall(judge(analysis.scores, GATES, unmeasured=analysis.unmeasured))


@pytest.mark.parametrize("name", ["Aiko", "Jonas", "Lena", "Mara"])
def test_the_same_face_passes_and_another_fails(tmp_path: Path, name: str) -> None:
    path = takes.write(tmp_path / "take.mp4", takes.moved(name))
    other = {"Aiko": "Mara", "Jonas": "Lena", "Lena": "Jonas", "Mara": "Aiko"}[name]
    assert outcome_of(path, name) is not Outcome.FAIL
    assert outcome_of(path, other) is Outcome.FAIL


def test_a_face_swapped_for_most_of_the_take_fails(tmp_path: Path) -> None:
    frames = takes.swapped("Lena", 10)(takes.moved("Jonas"))
    path = takes.write(tmp_path / "take.mp4", frames)
    assert outcome_of(path, "Jonas") is Outcome.FAIL
