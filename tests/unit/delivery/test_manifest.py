"""Names and gaps of a delivery."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from x121lib.delivery.manifest import ImageFacts, SceneFacts, build, receipt_path
from x121lib.terms.naming import NamingRules
from x121lib.terms.vocabulary import SceneStatus

RULES = NamingRules((("clothed", ""), ("evening", "evening_")), (("coat_off", "_coat_off"),))
DANCE = SceneFacts(
    "Mara", "dance", "clothed", None, 1, SceneStatus.APPROVED, tier_deliverable=True, scene_version_id=uuid.UUID(int=1),
    sha256="a" * 64,
)  # fmt: skip


def names(*scenes: SceneFacts) -> list[str]:
    return [item.path for item in build(scenes, (), RULES).items]


def test_videos_carry_prefix_and_transition_and_an_index_only_among_siblings() -> None:
    evening = replace(DANCE, variant_kind="evening")
    moved = replace(DANCE, transition="coat_off")
    twins = (replace(DANCE, scene_type="walk"), replace(DANCE, scene_type="walk", index=2))
    assert names(DANCE, evening, moved, *twins) == [
        "Mara/dance.mp4", "Mara/dance_coat_off.mp4", "Mara/evening_dance.mp4", "Mara/walk_1.mp4", "Mara/walk_2.mp4"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": SceneStatus.PENDING}, "dance.mp4 was never generated"),
        ({"status": SceneStatus.REVIEW}, "dance.mp4 is not approved (in review)"),
        ({"status": SceneStatus.FAILED}, "dance.mp4 is not approved (failed)"),
        ({"tier_deliverable": False}, "dance.mp4 was made at a tier that is not delivered"),
        ({"sha256": None}, "dance.mp4 has no assembled video"),
    ],
)
def test_what_is_missing_is_said_by_file_and_left_out(change: dict[str, object], words: str) -> None:
    made = build([replace(DANCE, **change)], (), RULES)  # type: ignore[arg-type]
    assert made.items == ()
    assert made.missing == (f"Mara: {words}.",)


def test_images_lie_beside_the_videos_and_an_unapproved_one_is_missing() -> None:
    made = build([DANCE], [ImageFacts("Mara", "clothed", "b" * 64), ImageFacts("Mara", "evening", None)], RULES)
    assert [(i.path, i.sha256[0]) for i in made.items] == [("Mara/clothed.png", "b"), ("Mara/dance.mp4", "a")]
    assert made.missing == ("Mara: no approved 'evening' image.",)


def test_a_folder_is_safe_on_every_file_system() -> None:
    assert names(replace(DANCE, character="A/B: C")) == ["A_B_ C/dance.mp4"]


def test_the_receipt_lies_beside_its_video() -> None:
    assert receipt_path("Mara/evening_dance.mp4") == "Mara/evening_dance.receipt.json"
