"""Slots of a workflow's next version: names follow their nodes, and what is lost is named."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from x121lib.comfyui.carrying import KnownSlot, carry, renamed, same_nodes
from x121lib.comfyui.graph import Graph
from x121lib.comfyui.slots import Slot, discover_slots

INFO = {"KSampler": {"input": {"required": {"steps": ["INT", {"min": 1, "max": 50, "default": 20}]}}}}


def sampler(title: str = "", **inputs: Any) -> dict[str, Any]:
    """Return a sampler."""
    values = {"seed": 1, "steps": 20, "cfg": 7.0, **inputs}
    return {"class_type": "KSampler", "inputs": values, "_meta": {"title": title}}


def known(graph: Graph, **changes: dict[str, Any]) -> list[KnownSlot]:
    """Return the graph's slots as discovered, with changes by name."""
    return [KnownSlot(replace(s, **changes.get(s.name, {})), s.name) for s in discover_slots(graph, INFO)]


def names(slots: list[KnownSlot]) -> dict[tuple[str, str], str]:
    """Return each slot's name by its place."""
    return {(k.slot.node_id, k.slot.input_name): k.slot.name for k in slots}


def test_what_people_made_of_a_slot_goes_over_to_the_same_node() -> None:
    before = {"4": sampler()}
    after = {"4": sampler(steps=30), "9": sampler()}
    old = known(before, steps={"name": "quality", "label": "Quality"}, cfg={"is_hidden": True},
                seed={"default": 5, "has_own_default": True})  # fmt: skip
    found, lost = carry(before, old, after, discover_slots(after, INFO))
    assert lost == []
    assert names(found)["4", "steps"] == "quality"
    assert names(found)["4", "seed"] == "seed", "its name was there before another sampler came"
    assert names(found)["9", "seed"] == "seed_9"
    by = {k.slot.name: k.slot for k in found}
    assert (by["quality"].label, by["quality"].default, by["quality"].maximum) == ("Quality", 30, 50)
    assert (by["cfg"].is_hidden, by["cfg_9"].is_hidden) == (True, False)
    assert (by["seed"].default, by["seed"].has_own_default) == (5, True)


def test_a_graph_that_was_numbered_anew_keeps_its_slots_where_class_and_title_are_unique() -> None:
    before = {"4": sampler("high"), "5": sampler("low")}
    after = {"14": sampler("low"), "15": sampler("high")}
    assert same_nodes(before, after) == {"4": "15", "5": "14"}
    old = known(before, steps_high={"name": "first"})
    found, lost = carry(before, old, after, discover_slots(after))
    assert (names(found)["15", "steps"], lost) == ("first", [])
    two = {"14": sampler(), "15": sampler()}
    assert same_nodes({"4": sampler()}, two) == {}, "two are alike: neither is chosen"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"class_type": "Other"}, "node 4 (KSampler) is gone"),
        ({"inputs": {"seed": 1, "cfg": 7.0}}, "node 4 (KSampler) has no steps any more"),
        ({"inputs": {"seed": 1, "cfg": 7.0, "steps": ["8", 0]}}, "steps of node 4 (KSampler) comes by a link now"),
    ],
)
def test_what_is_lost_is_named_with_its_reason(change: dict[str, Any], reason: str) -> None:
    before = {"4": sampler(), "8": {"class_type": "Number", "inputs": {}}}
    after = copy.deepcopy(before)
    after["4"] |= change
    _, lost = carry(before, known(before), after, discover_slots(after))
    assert reason in [slot.reason for slot in lost if slot.name == "steps"]


def test_an_added_slot_and_a_range_of_before_go_over() -> None:
    before = {"4": sampler(extra=3)}
    added = KnownSlot(Slot("extra", "4", "extra", discover_slots(before)[0].type, 3, 1, 9), "", has_own_range=True)
    found, _ = carry(before, [*known(before), added], copy.deepcopy(before), discover_slots(before))
    by = {k.slot.name: k for k in found}
    assert (by["extra"].found_name, by["extra"].slot.maximum, by["extra"].has_own_range) == ("", 9, True)
    assert by["steps"].slot.maximum == 50, "no server was asked this time"


def test_a_new_title_names_the_slot_unless_a_person_did() -> None:
    def loader(title: str) -> Graph:
        return {"1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}, "_meta": {"title": title}}}

    before, after = loader("seed_image"), loader("source_image")
    found, _ = carry(before, known(before), after, discover_slots(after))
    assert names(found) == {("1", "image"): "source_image"}
    found, _ = carry(before, known(before, seed_image={"name": "face"}), after, discover_slots(after))
    assert names(found) == {("1", "image"): "face"}
    assert renamed(before, discover_slots(before), after, discover_slots(after)) == {"seed_image": "source_image"}
