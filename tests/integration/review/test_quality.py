"""Thresholds tried on real takes, and gates held against real decisions: library, command and API."""

from __future__ import annotations

from pathlib import Path

import pytest

from x121lib.base.errors import InvalidInputError, NotFoundError
from x121lib.studio import Studio
from x121lib.studio.quality import effects, in_words
from x121lib.terms.quality import Outcome
from x121lib.testing.small_studio import Clock

STRICT = """
name = "lenient"
description = "Tried."
[[gate]]
metric = "readable"
fail_below = 1
[[gate]]
metric = "motion_energy"
fail_below = 200
"""


@pytest.fixture
def strict(tmp_path: Path) -> Path:
    path = tmp_path / "strict.toml"
    path.write_text(STRICT)
    return path


@pytest.mark.capability("PRD-91/a-b-threshold-testing")
def test_thresholds_are_tried_on_the_takes_of_the_last_days_and_change_nothing(
    reviewed: Studio, clock: Clock, strict: Path
) -> None:
    before = reviewed.project("Aurora").scenes()
    found = reviewed.quality.what_if(strict, project="Aurora")
    assert found.takes == 6, "two scenes of three takes under this profile"
    assert found.count(Outcome.FAIL, then=True) == 6
    rows = effects(found).set_index("metric")
    assert rows.loc["readable", "passed_now"] == rows.loc["readable", "passed_then"] == 6
    assert (rows.loc["motion_energy", "failed_then"], rows.loc["motion_energy", "failed_now"]) == (6, 0)
    assert "6 that pass now would fail" in in_words(found, 7)
    assert reviewed.project("Aurora").scenes().equals(before)
    clock.advance(8 * 86_400)
    assert reviewed.quality.what_if(strict).takes == 0
    assert reviewed.quality.what_if(strict, days=30).takes == 6


def test_what_can_not_be_tried_is_refused(reviewed: Studio, strict: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="QA profile named other"):
        reviewed.quality.what_if(strict, of="other")
    with pytest.raises(NotFoundError):
        reviewed.quality.what_if(strict, project="Nowhere")
    for days in (0, -1, 1e6):
        with pytest.raises(InvalidInputError, match="looked back"):
            reviewed.quality.what_if(strict, days=days)
    bad = tmp_path / "bad.toml"
    bad.write_text(STRICT.replace("motion_energy", "beauty"))
    with pytest.raises(InvalidInputError, match="beauty"):
        reviewed.quality.what_if(bad)


def test_gates_are_held_against_what_reviewers_decided(reviewed: Studio, clock: Clock) -> None:
    assert reviewed.quality.agreement().empty
    aurora = reviewed.project("Aurora")
    reviewed.decide(aurora.scene("Aiko", "sway", "clothed").scene_id, "reject", reason="Blinks")
    reviewed.decide(aurora.scene("Lena", "sway", "clothed").scene_id, "approve")
    found = reviewed.quality.agreement().set_index("metric")
    readable = found.loc["readable"]
    assert (readable["decided"], readable["recall"], readable["false_alarms"]) == (2, 0.0, 0.0)
    assert readable["recall_high"] > 0.5, "one case says little"
    assert found["precision"].isna().loc["readable"], "it marked nothing"
    clock.advance(100 * 86_400)
    assert reviewed.quality.agreement().empty
