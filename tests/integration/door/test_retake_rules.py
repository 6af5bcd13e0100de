"""Retake policies through the door: seen, set, changed, taken back, refused with the field that is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from dashboards import contracts as c
from tests.integration.door.conftest import Stage
from tests.integration.door.shapes import problems
from x121lib.base.errors import ForbiddenError, InvalidInputError, NotFoundError
from x121lib.studio.pages import SessionPerson

RULE: dict[str, Any] = {
    "most": "3",
    "best_of": "2",
    "gates": "face_similarity, ",
    "vary": "frame_rate=2",
    "phrases": "a\n\nb",
}


def shown(stage: Stage, person: SessionPerson) -> dict[str, Any]:
    """Return the panel as a person sees it."""
    view = stage.door.triggers(person, None, {})
    assert problems(view, c.TriggersView) == []
    return view["retakes"]


@pytest.mark.capability("PRD-71/auto-retry-policy")
def test_a_policy_is_set_shown_changed_and_taken_back(stage: Stage) -> None:
    door, creator = stage.door, stage.creator
    assert shown(stage, creator)["rows"] == []
    done = door.set_retakes(creator, "scene type", "idle", RULE)
    assert done["text"] == "Takes of idle that fail a gate are retaken up to 3 times"
    row = {"scope": "scene type", "name": "idle", "most": 3, "best_of": 2, "gates": ["face_similarity"],
           "vary": ["frame_rate=2"], "phrases": ["a", "b"]}  # fmt: skip
    assert shown(stage, creator)["rows"] == [row]
    assert list(stage.studio.retakes.list()["name"]) == ["idle"]
    changed = door.set_retakes(creator, "scene type", "idle", RULE | {"most": 5})
    assert shown(stage, creator)["rows"] == [row | {"most": 5}]
    back = changed["undo"]
    getattr(door, back["name"])(creator, **back["args"])
    assert shown(stage, creator)["rows"] == [row]
    gone = door.remove_retakes(creator, "scene type", "idle")
    assert shown(stage, creator)["rows"] == []
    getattr(door, gone["undo"]["name"])(creator, **gone["undo"]["args"])
    assert shown(stage, creator)["rows"] == [row]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"most": "many"}, "Retakes at most: 'many' is no whole number"),
        ({"most": "21"}, "retaken 1 to 20 times, not 21"),
        ({"best_of": "4"}, "best of 1 to 3"), ({"vary": "cfg"}, "Vary: 'cfg' is not SLOT=RANGE"),
        ({"vary": "seed=2"}, "Slot seed can not be varied"), ({"gates": "beauty"}, "no metric 'beauty'"),
        ({"vary": "cfg=0.5"}, "no slot 'cfg' that takes a number"),
    ],
)  # fmt: skip
def test_what_no_policy_can_be_is_refused_and_nothing_is_changed(
    stage: Stage, wrong: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInputError, match=said):
        stage.door.set_retakes(stage.creator, "scene type", "idle", RULE | wrong)
    assert shown(stage, stage.creator)["rows"] == []


def test_who_may_not_and_what_is_not_there_is_refused(stage: Stage) -> None:
    assert shown(stage, stage.reviewer)["may"] == {"project": False, "scene type": False}
    with pytest.raises(ForbiddenError):
        stage.door.set_retakes(stage.reviewer, "scene type", "idle", RULE)
    with pytest.raises(NotFoundError, match="no scene type 'jump'"):
        stage.door.set_retakes(stage.creator, "scene type", "jump", RULE)
    with pytest.raises(NotFoundError):
        stage.door.remove_retakes(stage.creator, "scene type", "idle")
    with pytest.raises(InvalidInputError, match="no scope 'person'"):
        stage.door.remove_retakes(stage.creator, "person", "Ines")
