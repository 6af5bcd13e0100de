"""The drift meter on chains that a real engine made, one of which warms up a little with every hop."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from x121lib.qa import service as qa
from x121lib.qa.profiles import Profile
from x121lib.studio import Studio
from x121lib.terms.quality import Gate
from x121lib.terms.roles import SYSTEM
from x121lib.testing.small_studio import LENIENT, drive, write_recipe

WARN = 3.0


def make(studio: Studio, folder: Path, *, fail_above: float, segments: int = 6, **recipe: str) -> None:
    """Make Aiko's *warming*, each of whose takes ends more orange than it began."""
    profile = Profile(
        "warmth", "Colour only.", (*LENIENT.gates, Gate("colour_drift", warn_above=WARN, fail_above=fail_above))
    )
    with studio.transaction() as session:
        qa.store_profile(session, SYSTEM, profile)
    path = write_recipe(folder, "warming", segments=segments, fault="warm", qa_profile='"warmth"', **recipe)
    studio.load_scene_type(path)
    studio.project("Aurora").submit(characters=["Aiko"], scene_types=["warming"])
    drive(studio)


def test_a_chain_that_warms_up_is_told_before_it_passes_the_limit(equipped: Studio, tmp_path: Path) -> None:
    make(equipped, tmp_path / "recipes", fail_above=14)
    scene = equipped.project("Aurora").scene("Aiko", "warming", "clothed")
    colour = scene.drift().set_index("metric").loc["colour_drift"]
    assert colour["sure"]
    assert colour["low"] > 0.5
    assert colour["outcome"] == "borderline"
    assert 6 < colour["forecast"] <= 30, colour["words"]
    points = scene.drift_points()
    values = list(points[points["metric"] == "colour_drift"]["value"])
    assert len(values) == 6
    assert values == sorted(values)
    (row,) = equipped.project("Aurora").drift().to_dict("records")
    assert (row["character"], row["metric"], row["state"]) == ("Aiko", "colour_drift", "will fail")


def test_the_meter_names_the_segment_that_passed_the_limit(equipped: Studio, tmp_path: Path) -> None:
    make(equipped, tmp_path / "recipes", fail_above=6)
    colour = (
        equipped.project("Aurora").scene("Aiko", "warming", "clothed").drift().set_index("metric").loc["colour_drift"]
    )
    assert colour["outcome"] == "failed"
    assert colour["breach"] == colour["segments"], "the chain ends there"
    assert f"passed at segment {colour['breach']}" in colour["words"]


@pytest.mark.capability("PRD-26/colour-and-exposure-drift-correction")
def test_twelve_segments_hold_together_once_they_are_re_anchored(equipped: Studio, tmp_path: Path) -> None:
    make(equipped, tmp_path / "recipes", fail_above=8, segments=12, re_anchor="true")
    scene = equipped.project("Aurora").scene("Aiko", "warming", "clothed")
    colour = scene.drift().set_index("metric").loc["colour_drift"]
    assert (colour["segments"], colour["breach"] is pd.NA, colour["forecast"] is pd.NA) == (12, True, True)
    points = scene.drift_points()
    assert points[points["metric"] == "colour_drift"]["value"].max() < 8
    corrected = [s["hand_off_correction"] for s in scene.receipt()["segments"] if "hand_off_correction" in s]
    assert len(corrected) >= 3
    assert all(c["drift_before"] > WARN > c["drift_after"] for c in corrected)
    seams = scene.scores()
    assert seams[seams["metric"] == "seam_ssim"]["value"].min() > 0.9, "the next take begins with what it was given"
