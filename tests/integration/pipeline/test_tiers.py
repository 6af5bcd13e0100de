"""Tiers: scales of size and steps, the same scene at a higher tier, comparison, only deliverable ones delivered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.errors import ConflictError, InvalidInputError, NotFoundError, RefusedError
from x121lib.catalogue.tiers import TierTerms
from x121lib.delivery.service import IncompleteDeliveryError
from x121lib.pipeline.submission import Selection
from x121lib.studio import Studio
from x121lib.studio.scene import SceneHandle
from x121lib.testing.small_studio import drive, write_recipe


@pytest.fixture
def drafted(equipped: Studio, tmp_path: Path) -> SceneHandle:
    """Aiko's *nod* of two segments, made at Draft by a workflow whose size is in slots; in review."""
    recipe = write_recipe(tmp_path / "r", "nod", segments=2)
    path = recipe.with_name("nod_graph.json")
    graph = json.loads(path.read_text())
    size = {"image": ["8", 0], "upscale_method": "area", "width": 256, "height": 320, "crop": "disabled"}
    graph["11"] = {"class_type": "ImageScale", "inputs": size}
    graph["9"]["inputs"]["images"] = ["11", 0]
    path.write_text(json.dumps(graph))
    equipped.load_scene_type(recipe)
    for side in ("width", "height"):
        equipped.workflows.add_slot("nod_graph", "11", side, name=side)
    equipped.project("Aurora").submit(characters=["Aiko"], scene_types=["nod"], tier="Draft")
    drive(equipped)
    return equipped.project("Aurora").scene("Aiko", "nod", "clothed")


def receipts(studio: Studio, scene: SceneHandle) -> list[tuple[str, int, str, object, dict[str, object]]]:
    """Return (tier, seed, prompt, workflow version, parameters) of the chosen takes."""
    with studio.transaction() as session:
        rows = session.execute(
            sa.select(m.Tier.name, m.Receipt)
            .join(m.Tier, m.Tier.id == m.Receipt.tier_id)
            .join(m.Take, m.Take.receipt_id == m.Receipt.id)
            .join(m.Segment, m.Segment.chosen_take_id == m.Take.id)
            .where(m.Segment.scene_id == scene.scene_id)
            .order_by(m.Segment.sequence_index)
        ).all()
        found: list[tuple[str, int, str, object, dict[str, object]]] = []
        for tier, receipt in rows:
            own = sa.select(m.ReceiptParameter).where(m.ReceiptParameter.receipt_id == receipt.id)
            parameters = {row.slot: row.value for row in session.scalars(own)}
            found.append((tier, int(receipt.seed), receipt.text_prompt, receipt.workflow_version_id, parameters))
        return found


@pytest.mark.capability("PRD-59/upscale-trigger", "PRD-59/tier-selection-per-job")
def test_a_draft_is_made_again_at_production_with_the_same_seeds_and_parameters(
    equipped: Studio, drafted: SceneHandle
) -> None:
    draft = receipts(equipped, drafted)
    assert [(tier, p["width"], p["height"]) for tier, *_, p in draft] == [("Draft", 128, 160)] * 2
    with equipped.transaction() as session:  # what is read from the character now must not matter
        session.execute(sa.delete(m.CharacterMetadataValue))
    assert equipped.tiers.raise_scene(drafted.scene_id, "Production") == 2
    drive(equipped)
    final = receipts(equipped, drafted)
    assert [row[0] for row in final] == ["Production"] * 2
    assert [row[1:4] for row in final] == [row[1:4] for row in draft]
    same = [{k: v for k, v in p.items() if k not in ("width", "height")} for *_, p in draft]
    assert [{k: v for k, v in p.items() if k not in ("width", "height")} for *_, p in final] == same
    frame = equipped.tiers.compare(drafted.scene_id)
    assert list(zip(frame["segment"], frame["tier"], frame["width"], frame["height"], strict=True)) == [
        (1, "Draft", 128, 160), (1, "Production", 256, 320), (2, "Draft", 128, 160), (2, "Production", 256, 320),
    ]  # fmt: skip
    assert all(frame["run_s"] > 0)
    assert frame["seed"].nunique() == 2
    assert all("sharpness" in scores or scores for scores in frame["scores"])


@pytest.mark.capability("PRD-59/tier-tracking")
def test_only_a_deliverable_tier_is_delivered(equipped: Studio, drafted: SceneHandle, tmp_path: Path) -> None:
    aurora = equipped.project("Aurora")
    equipped.decide(drafted.scene_id, "approve")
    with pytest.raises(IncompleteDeliveryError, match="made at a tier that is not delivered"):
        aurora.deliver(tmp_path / "a.zip", characters=["Aiko"])
    equipped.tiers.raise_scene(drafted.scene_id, "Production")
    drive(equipped)
    assert drafted.head()["tier"] == "Production"
    assert drafted.head()["status"] == "In review"  # a new cut is decided anew


@pytest.mark.capability("PRD-59/resolution-tiers")
def test_own_tiers_are_made_changed_and_removed(equipped: Studio, drafted: SceneHandle) -> None:
    assert [tuple(row) for row in equipped.tiers.list().itertuples(index=False)] == [
        ("Draft", 1, 0.5, 0.5, False), ("Preview", 2, 0.75, 0.75, False), ("Production", 3, 1.0, 1.0, True),
    ]  # fmt: skip
    equipped.tiers.set("Festival", TierTerms(resolution=1.5, steps=1.2, deliverable=True))
    equipped.tiers.set("festival", TierTerms(steps=1.0))
    assert tuple(equipped.tiers.list().iloc[-1]) == ("Festival", 4, 1.5, 1.0, True)
    equipped.tiers.raise_scene(drafted.scene_id, "Festival")
    drive(equipped)
    assert {(p["width"], p["height"]) for *_, p in receipts(equipped, drafted)} == {(384, 480)}
    with pytest.raises(ConflictError, match="in use by 1 scenes, 2 receipts"):
        equipped.tiers.remove("Festival")
    equipped.tiers.set("Spare", TierTerms())
    equipped.tiers.remove("Spare")
    for wrong in (TierTerms(resolution=0.05), TierTerms(steps=5.0), TierTerms(rank=0)):
        with pytest.raises(InvalidInputError):
            equipped.tiers.set("Draft", wrong)
    with pytest.raises(InvalidInputError, match="1 to 40 letters"):
        equipped.tiers.set(" ", TierTerms())


def test_what_can_not_be_raised_is_refused(equipped: Studio, drafted: SceneHandle) -> None:
    with pytest.raises(NotFoundError, match="no tier 'Cinema'"):
        equipped.tiers.raise_scene(drafted.scene_id, "Cinema")
    with pytest.raises(RefusedError, match="'Draft' is not higher than 'Draft'"):
        equipped.tiers.raise_scene(drafted.scene_id, "Draft")
    with pytest.raises(RefusedError, match="Nothing of this can be made again at 'Draft'"):
        equipped.tiers.raise_scenes("Aurora", Selection(tier="Draft"))
    assert equipped.tiers.raise_scenes("Aurora", Selection(tier="Preview")) == (1, 2)
    with pytest.raises(RefusedError, match="no whole cut"):
        equipped.tiers.raise_scene(drafted.scene_id, "Production")
    assert equipped.queue().shape[0] == 2
