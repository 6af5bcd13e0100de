"""Estimates from real takes: GPU time with an interval, wall clock, disk, tiers, parts, and their calibration."""

from __future__ import annotations

from pathlib import Path

import pytest

from x121lib.base.errors import NotFoundError
from x121lib.pipeline.submission import Selection
from x121lib.studio import Studio
from x121lib.testing.small_studio import drive, write_recipe


@pytest.mark.capability("PRD-61/historical-calibration", "PRD-61/per-scene-estimate", "PRD-61/batch-estimate",
                        "PRD-61/worker-aware-wall-clock", "PRD-61/estimation-breakdown",
                        "PRD-59/cost-display")  # fmt: skip
def test_an_estimate_stands_on_past_takes_of_the_same_workflow_tier_and_size(equipped: Studio, tmp_path: Path) -> None:
    equipped.load_scene_type(write_recipe(tmp_path / "r", "nod", segments=2))
    sway = Selection(scene_types=("sway",))
    before = equipped.estimates.of("Aurora", sway)
    assert (before.scenes, before.takes, before.gpu, before.wall_s, before.disk_bytes) == (2, 6, None, None, None)
    equipped.project("Aurora").submit(characters=["Aiko"], scene_types=["sway"])
    assert equipped.estimates.calibration().empty  # nothing was known, so nothing was promised
    drive(equipped)
    found = equipped.estimates.of("Aurora", sway)
    assert (found.scenes, found.takes, found.tier) == (1, 3, "Production")
    assert found.gpu is not None
    assert found.gpu.n_past == 3
    assert 0 <= found.gpu.low_s < found.gpu.middle_s < found.gpu.high_s
    assert found.disk_bytes is not None
    assert found.disk_bytes > 1000
    assert found.slots == 1
    assert found.wall_s == pytest.approx(found.gpu.middle_s)  # a chain of three on an idle worker
    assert [(p.name, p.gpu is not None, p.disk_bytes is not None) for p in found.tiers] == [
        ("Draft", False, False), ("Preview", False, False), ("Production", True, True),
    ]  # fmt: skip
    assert [(p.name, p.takes) for p in found.characters] == [("Lena", 3)]
    both = equipped.estimates.of("Aurora")
    assert both.gpu is None  # nothing of *nod* was made yet
    assert [(p.name, p.scenes, p.takes, p.gpu is None) for p in both.scene_types] == [
        ("nod", 2, 4, True), ("sway", 1, 3, False),
    ]  # fmt: skip
    with pytest.raises(NotFoundError):
        equipped.estimates.of("Aurora", Selection(tier="Cinema"))


@pytest.mark.capability("PRD-61/historical-calibration")
def test_each_estimate_is_kept_and_compared_with_what_was_needed(equipped: Studio) -> None:
    aurora = equipped.project("Aurora")
    aurora.submit(characters=["Aiko"], scene_types=["sway"])
    drive(equipped)
    promised = equipped.estimates.of("Aurora").gpu
    assert promised is not None
    aurora.submit(characters=["Lena"], scene_types=["sway"])
    assert equipped.estimates.calibration().empty  # it is not over yet
    waiting = equipped.estimates.of("Aurora", Selection(characters=("Lena",)))
    assert (waiting.scenes, waiting.wall_s) == (0, None)
    drive(equipped)
    (row,) = equipped.estimates.calibration().to_dict("records")
    assert (row["project"], row["takes"], row["past_takes"]) == ("Aurora", 3, 3)
    assert row["expected_s"] == pytest.approx(promised.middle_s)
    assert row["actual_s"] > 0
    assert row["inside"] == (row["low_s"] <= row["actual_s"] <= row["high_s"])
