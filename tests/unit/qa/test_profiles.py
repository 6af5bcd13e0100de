"""The shipped profiles load, and a broken one is refused by file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from x121lib.base.errors import InvalidInputError
from x121lib.qa.profiles import load_profile

SHIPPED = Path(__file__).resolve().parents[3] / "data" / "qa_profiles"
GOOD = 'name = "n"\ndescription = "d"\n[[gate]]\nmetric = "seam_ssim"\nfail_below = 0.6\n'


@pytest.mark.parametrize("name", ["default", "portrait", "high_motion", "transition"])
def test_shipped_profiles(name: str) -> None:
    profile = load_profile(SHIPPED / f"{name}.toml")
    assert profile.name == name
    gates = {gate.metric: gate for gate in profile.gates}
    assert {"black_frames", "frozen_run", "size_error", "rate_error", "missing_frames", "seam_ssim"} <= set(gates)
    assert {"face_found", "face_confidence", "face_similarity", "motion_jitter"} <= set(gates)


def test_profiles_differ_as_their_descriptions_say() -> None:
    gates = {
        name: {gate.metric: gate for gate in load_profile(SHIPPED / f"{name}.toml").gates}
        for name in ("portrait", "high_motion", "transition")
    }
    portrait, motion, transition = gates["portrait"], gates["high_motion"], gates["transition"]
    assert bound(motion["face_similarity"].warn_below) < bound(portrait["face_similarity"].warn_below)
    assert motion["face_similarity"].fail_below is None
    assert bound(motion["frozen_run"].fail_above) < bound(portrait["frozen_run"].fail_above)
    assert bound(transition["seam_ssim"].fail_below) > bound(portrait["seam_ssim"].fail_below)


def bound(value: float | None) -> float:
    assert value is not None
    return value


def test_a_good_file(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(GOOD)
    assert load_profile(path).gates[0].fail_below == 0.6


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", "cannot be read"),
        ('name = "n"\ndescription = "d"\n', "no gate"),
        (GOOD.replace('name = "n"\n', ""), "name must be a text"),
        (GOOD.replace('"d"', "3"), "description must be a text"),
        (GOOD.replace("seam_ssim", "beauty"), "no metric named beauty"),
        (GOOD.replace("0.6", '"0.6"'), r"gate 1 \(seam_ssim\): fail_below must be a number"),
        (GOOD.replace("0.6", "true"), "fail_below must be a number"),
        (GOOD.replace("fail_below", "fails_below"), "gate 1: fails_below is not a known key"),
        (GOOD.replace("fail_below = 0.6\n", ""), "has no bound"),
        (GOOD + "warn_below = 0.5\n", "contradict"),
        (GOOD + "[[gate]]\nmetric = 'seam_ssim'\nwarn_below = 1\n", "seam_ssim more than once"),
        ("colour = 1\n" + GOOD, "colour is not a known key"),
        (GOOD.replace('"seam_ssim"', "7"), "metric must be"),
    ],
)
def test_broken_files_are_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "broken.toml"
    path.write_text(text)
    with pytest.raises(InvalidInputError, match=said) as caught:
        load_profile(path)
    assert "broken.toml" in caught.value.message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"absent\.toml"):
        load_profile(tmp_path / "absent.toml")
