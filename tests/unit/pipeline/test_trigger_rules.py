"""What a rule may say, and which sets of rules could loop."""

from __future__ import annotations

from typing import Any

import pytest

from x121lib.base.errors import InvalidInputError
from x121lib.pipeline.trigger_loops import EFFECTS, endless, leads_to
from x121lib.pipeline.trigger_rules import EVENTS, Condition, Rule, parse
from x121lib.terms.automation import ActionKind
from x121lib.terms.vocabulary import EventKind

NOTIFY = {"action": "notify"}


def rule(name: str = "r", on: str = "scene.status_changed", **more: Any) -> Rule:
    return parse({"name": name, "on": on, "do": [NOTIFY], **more})


def holds(condition: dict[str, Any], value: Any) -> bool:
    return Condition.model_validate(condition).holds(value)


@pytest.mark.parametrize(
    ("condition", "yes", "no"),
    [
        ({"field": "variant", "is": "clothed"}, ["clothed", "Clothed"], ["evening", None, 1]),
        ({"field": "variant", "is": ["clothed", "evening"]}, ["clothed", "evening"], ["bio", None]),
        ({"field": "variant", "is_not": "clothed"}, ["evening", None], ["clothed", "CLOTHED"]),
        ({"field": "score.sharpness", "below": 0.5}, [0.4, 0], [0.5, 0.6, None, "0.4", True]),
        ({"field": "score.sharpness", "at_least": 0.5}, [0.5, 1], [0.49, None]),
        ({"field": "faces", "above": 1}, [2, 2.0], [1, 0, None]),
        ({"field": "open_scenes", "at_most": 0}, [0, 0.0], [1, None]),
        ({"field": "open_scenes", "is": 0}, [0, 0.0], [1, None, "0"]),
        ({"field": "metadata.hair_color", "is": "red"}, ["red"], ["blond", None]),
    ],
)
def test_a_condition_holds_or_not(condition: dict[str, Any], yes: list[Any], no: list[Any]) -> None:
    assert [v for v in yes if not holds(condition, v)] == []
    assert [v for v in no if holds(condition, v)] == []


@pytest.mark.capability("PRD-97/condition-builder")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"on": "scene.exploded"}, "on: no trigger can listen to 'scene.exploded'; known: character.imported"),
        ({"on": "task.progressed"}, "no trigger can listen to 'task.progressed'"),
        ({"name": ""}, "name: "),
        ({"do": []}, "it does nothing"),
        ({"do": [{"action": "explode"}]}, "do.1: action must be one of submit, rerun_qa"),
        ({"do": [{"action": "submit", "scene_typos": ["x"]}]}, "do.1.scene_typos: there is no such key"),
        ({"do": [{"action": "retake", "from_segment": 0}]}, "do.1.from_segment: "),
        ({"do": [{"action": "notify", "to": ["nobody"]}]}, "'nobody' is nobody"),
        ({"do": [{"action": "notify", "text": "{__class__}"}]}, "is no field"),
        ({"when": [{"field": "mood", "is": "good"}]}, "when.1.field: there is no field 'mood'"),
        ({"when": [{"field": "outcome", "is": "fail"}]}, "has no field 'outcome'; it has: "),
        ({"when": [{"field": "status", "is": "Done"}]}, "'status' is never 'Done'; it is one of: Approved"),
        ({"when": [{"field": "status", "above": 2}]}, "'status' holds a word"),
        ({"when": [{"field": "faces"}]}, "exactly one of is"),
        ({"when": [{"field": "faces", "above": 1, "below": 3}]}, "exactly one of is"),
        ({"otherwise": [NOTIFY]}, "otherwise needs conditions under if"),
        ({"character": "Aiko"}, "a character needs its project"),
        ({"on": "worker.changed", "project": "Aurora"}, "'worker.changed' is about no project"),
        ({"on": "delivery.written", "do": [{"action": "retake"}]}, "'retake' needs a scene"),
        ({"on": "worker.changed", "do": [{"action": "submit"}]}, "'submit' needs a project"),
        ({"on": "batch.submitted", "do": [{"action": "submit"}]}, "is about no character"),
        ({"on": "variant.approved", "do": [{"action": "submit", "scene_types": "same"}]}, "is about no scene"),
        ({"at_most": 0}, "at_most: "),
        ({"evil": "__import__('os')"}, "evil: there is no such key"),
    ],
)  # fmt: skip
def test_what_a_rule_can_not_say_is_told_with_its_place(change: dict[str, Any], said: str) -> None:
    document = {"name": "r", "on": "scene.status_changed", "do": [NOTIFY], **change}
    with pytest.raises(InvalidInputError) as caught:
        parse(document, "rules/r.toml")
    assert said in caught.value.message
    assert caught.value.message.startswith("rules/r.toml: ")


def test_a_rule_is_stored_as_it_was_given() -> None:
    given = {
        "name": "r", "on": "variant.approved", "project": "Aurora",
        "when": [{"field": "variant", "is": "clothed"}], "if": [{"field": "faces", "above": 1}],
        "do": [{"action": "submit", "scene_types": ["dance"]}], "otherwise": [{"action": "submit"}], "at_most": 2,
    }  # fmt: skip
    stored = parse(given).document()
    assert parse(stored) == parse(given)
    assert parse(given).is_costly
    assert not rule().is_costly


def test_every_action_and_every_event_is_known_to_the_check_of_loops() -> None:
    assert set(EFFECTS) == set(ActionKind)
    for effects in EFFECTS.values():
        assert {effect.kind for effect in effects} <= set(EVENTS)


RETAKE = rule("retake", "take.scored", do=[{"action": "retake"}], when=[{"field": "outcome", "is": "fail"}])
CHAIN = {
    "a": rule("a", "variant.approved", do=[{"action": "submit"}]),
    "b": rule("b", "scene.assembled", do=[{"action": "deliver"}]),
    "c": rule("c", "delivery.written", do=[{"action": "submit", "characters": "all", "variants": "all"}]),
}


@pytest.mark.capability("PRD-97/safety-controls")
def test_a_loop_is_named_and_a_bounded_one_is_let_through() -> None:
    assert endless(RETAKE, []) == ("retake", "retake")
    assert endless(RETAKE.model_copy(update={"at_most": 2}), []) == ()
    assert endless(CHAIN["a"], [CHAIN["b"]]) == ()
    assert endless(CHAIN["c"], [CHAIN["a"], CHAIN["b"]]) == ("c", "b", "c")
    assert endless(CHAIN["b"], [CHAIN["a"], CHAIN["c"]]) == ("b", "c", "b")
    bounded = CHAIN["b"].model_copy(update={"at_most": 1})
    assert endless(CHAIN["c"], [CHAIN["a"], bounded]) == ()


def test_what_a_person_must_do_breaks_a_loop_and_what_is_ruled_out_too() -> None:
    approved = [{"field": "status", "is": "Approved"}]
    on_approval = rule("x", do=[{"action": "submit"}], when=approved)
    assert not leads_to(on_approval, on_approval), "no machine approves a scene"
    assert leads_to(on_approval, rule("y", when=[{"field": "status", "is": "Failed"}]))
    spring = rule("s", "scene.assembled", project="Spring", do=[{"action": "deliver"}])
    autumn = rule("t", "delivery.written", project="Autumn")
    assert not leads_to(spring, autumn)
    assert leads_to(spring, rule("u", "delivery.written", project="spring"))
    walk = rule("w", "scene.assembled", do=[{"action": "submit", "scene_types": ["walk"]}],
                when=[{"field": "scene_type", "is": "idle"}])  # fmt: skip
    assert not leads_to(walk, walk), "walk is not idle"
    branch = rule("b", "scene.assembled", do=[{"action": "submit", "scene_types": ["walk"]}], otherwise=[NOTIFY],
                  **{"if": [{"field": "scene_type", "is": "idle"}]})  # fmt: skip
    assert leads_to(branch, branch), "with otherwise it fires either way"
    assert EventKind.NOTIFICATION_MADE not in EVENTS
    assert EventKind.TRIGGER_FIRED not in EVENTS
