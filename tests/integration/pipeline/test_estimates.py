"""Estimates from real takes: GPU time with an interval, wall clock, disk, tiers, parts, and their calibration."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.errors import NotFoundError
from x121lib.pipeline.submission import Selection
from x121lib.scheduling import workers
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


@pytest.mark.capability("PRD-61/worker-aware-wall-clock", "PRD-61/historical-calibration")
def test_an_estimate_is_for_the_workers_that_are_there(equipped: Studio, tmp_path: Path) -> None:
    equipped.load_scene_type(write_recipe(tmp_path / "r", "nod", segments=4))
    equipped.project("Aurora").submit(characters=["Aiko"], scene_types=["nod"])
    drive(equipped)
    nod = Selection(scene_types=("nod",))
    (fast,) = list(equipped.workers.list()["name"])
    slow = equipped.workers.add("http://127.0.0.1:9/slow", name="slow")
    with equipped.transaction() as session:
        workers.record_health(session, workers.HealthReport(slow, ok=True), equipped.house.now())
        attempts = session.scalars(sa.select(m.GpuTaskAttempt).order_by(m.GpuTaskAttempt.id)).all()
        for attempt, seconds in zip(attempts, (1.0, 1.2, 100.0, 110.0), strict=True):
            attempt.run_s, attempt.worker_id = seconds, slow if seconds > 50 else attempt.worker_id
    both = equipped.estimates.of("Aurora", nod)
    assert both.gpu is not None
    assert (both.slots, both.gpu.n_past) == (2, 4)
    assert both.gpu.middle_s == pytest.approx(4 * 2 / (1 / 1.1 + 1 / 105))  # the fast one takes nearly all of it
    alone = {one.name: one.gpu.middle_s for one in both.workers if one.available and one.gpu is not None}
    assert alone == pytest.approx({fast: 4.4, "slow": 420.0})
    equipped.workers.drain(fast)
    left = equipped.estimates.of("Aurora", nod)
    assert left.gpu is not None
    assert [left.gpu.n_past, left.gpu.middle_s, left.slots] == pytest.approx([2, 420.0, 1])
    rows = equipped.estimates.speeds()
    assert list(zip(rows["worker"], rows["takes"], rows["tier"], strict=True)) == [
        (fast, 2, "Production"), ("slow", 2, "Production")
    ]  # fmt: skip
    equipped.workers.drain("slow")
    fresh = equipped.workers.add("http://127.0.0.1:9/fresh", name="fresh")
    with equipped.transaction() as session:
        workers.record_health(session, workers.HealthReport(fresh, ok=True), equipped.house.now())
    unknown = equipped.estimates.of("Aurora", nod)
    assert unknown.gpu is not None
    assert unknown.gpu.n_past == 4, "nothing was made on the only one that is left: the takes of all count"
    assert {one.name: one.gpu for one in unknown.workers}["fresh"] is None
