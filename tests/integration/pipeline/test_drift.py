"""The drift meter on chains that a real engine made, one of which warms up a little with every hop."""

from __future__ import annotations

from pathlib import Path

import pytest

from x121lib.qa import service as qa
from x121lib.qa.profiles import Profile
from x121lib.studio import Studio
from x121lib.terms.quality import Gate
from x121lib.terms.roles import SYSTEM
from x121lib.testing.small_studio import LENIENT, drive, write_recipe


def make(studio: Studio, folder: Path, *, fail_above: float, segments: int = 6) -> None:
    """Make Aiko's *warming*, each of whose takes ends more orange than it began."""
    profile = Profile("warmth", "Colour only.", (*LENIENT.gates, Gate("colour_drift", fail_above=fail_above)))
    with studio.transaction() as session:
        qa.store_profile(session, SYSTEM, profile)
    recipe = write_recipe(folder, "warming", segments=segments, fault="warm", qa_profile='"warmth"')
    studio.load_scene_type(recipe)
    studio.project("Aurora").submit(characters=["Aiko"], scene_types=["warming"])
    drive(studio)


@pytest.mark.capability("PRD-49/likeness-drift-score", "PRD-26/colour-and-exposure-drift-correction")
def test_a_chain_that_warms_up_is_told_before_it_passes_the_limit(equipped: Studio, tmp_path: Path) -> None:
    make(equipped, tmp_path / "recipes", fail_above=14)
    scene = equipped.project("Aurora").scene("Aiko", "warming", "clothed")
    colour = scene.drift().set_index("metric").loc["colour_drift"]
    assert colour["sure"]
    assert colour["low"] > 0.5
    assert colour["outcome"] == "passed"
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
