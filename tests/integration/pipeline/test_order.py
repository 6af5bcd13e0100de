"""The order of dependencies: image → its approval → scene → gates → review → delivery; each step waits for the last."""

from __future__ import annotations

from pathlib import Path

import pytest

from x121lib.base.errors import NotFoundError, RefusedError
from x121lib.delivery.service import IncompleteDeliveryError
from x121lib.studio import Studio
from x121lib.testing.small_studio import drive, write_recipe


@pytest.mark.capability("PRD-57/dependency-awareness")
def test_each_step_is_refused_until_the_one_before_is_done(equipped: Studio, tmp_path: Path) -> None:
    equipped.load_scene_type(write_recipe(tmp_path / "r", "nod", segments=1, variants='["evening"]'))
    aurora = equipped.project("Aurora")
    with pytest.raises(RefusedError, match="no approved 'evening' image"):
        aurora.submit(characters=["Aiko"], scene_types=["nod"])
    with pytest.raises(NotFoundError, match="Aiko has no image of kind 'evening'"):
        aurora.approve_variants("evening", characters=["Aiko"])
    aurora.make_variants("evening", characters=["Aiko"])
    with pytest.raises(RefusedError, match="no approved 'evening' image"):  # it is queued
        aurora.submit(characters=["Aiko"], scene_types=["nod"])
    drive(equipped)
    with pytest.raises(RefusedError, match="no approved 'evening' image"):  # it is made, and nobody looked at it
        aurora.submit(characters=["Aiko"], scene_types=["nod"])
    with pytest.raises(NotFoundError, match="was never submitted"):
        aurora.scene("Aiko", "nod", "evening")
    aurora.approve_variants("evening", characters=["Aiko"])
    aurora.submit(characters=["Aiko"], scene_types=["nod"])
    scene = aurora.scene("Aiko", "nod", "evening")
    with pytest.raises(NotFoundError, match="nothing to review yet"):
        equipped.decide(scene.scene_id, "approve")
    with pytest.raises(IncompleteDeliveryError):
        aurora.deliver(tmp_path / "a.zip", characters=["Aiko"])
    drive(equipped)
    assert scene.head()["status"] == "In review"
    with pytest.raises(IncompleteDeliveryError, match="not approved"):
        aurora.deliver(tmp_path / "a.zip", characters=["Aiko"])
    assert not (tmp_path / "a.zip").exists()
    equipped.decide(scene.scene_id, "approve")
    assert scene.head()["status"] == "Approved"
