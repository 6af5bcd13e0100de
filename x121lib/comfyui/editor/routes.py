"""Where an input's value really comes from, past reroutes, bypassed nodes and the walls of subgraphs. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from x121lib.comfyui.editor.document import BYPASS, INPUT_ID, NEVER
from x121lib.comfyui.editor.places import PASSES_ON, Place


@dataclass(frozen=True)
class Output:
    """A node that is sent to the server gives the value."""

    key: str
    """The node."""
    slot: int
    """Number of its output."""


@dataclass(frozen=True)
class Value:
    """A subgraph's own widget gives the value."""

    value: Any
    """What the widget holds."""


Source: TypeAlias = Output | Value | None


class BrokenLinkError(Exception):
    """A link that leads nowhere or back to itself; the text says which."""


@dataclass(frozen=True)
class _AtInput:
    place: Place
    index: int
    type: str


@dataclass(frozen=True)
class _AtOutput:
    place: Place
    slot: int
    type: str


class Routes:
    """Follows links."""

    def __init__(self, places: Mapping[str, Place]) -> None:
        self._places = places
        self._set_nodes = {
            (place.parent.key if place.parent is not None else "", str(place.node.values[0])): place
            for place in places.values()
            if place.node.class_type == "SetNode" and isinstance(place.node.values, list) and place.node.values
        }

    def source(self, place: Place, index: int) -> Source:
        """Return what feeds an input, None where nothing does.

        Raises:
            BrokenLinkError: a link has no end, or runs in a circle of reroutes or bypassed nodes.
        """
        step: _AtInput | _AtOutput | Source = _AtInput(place, index, "")
        seen: set[tuple[type, str, int]] = set()
        while isinstance(step, _AtInput | _AtOutput):
            number = step.index if isinstance(step, _AtInput) else step.slot
            mark = (type(step), step.place.key, number)
            if mark in seen:
                raise BrokenLinkError(f"its link runs in a circle through node {step.place.key}")
            seen.add(mark)
            step = self._past_input(step) if isinstance(step, _AtInput) else self._past_output(step)
        return step

    def _past_input(self, step: _AtInput) -> _AtInput | _AtOutput | Source:
        place, slot = step.place, step.place.inputs[step.index]
        if slot.link is None:
            return None
        link = place.graph.links.get(slot.link)
        if link is None:
            raise BrokenLinkError(f"input {slot.name} has link {slot.link}, which does not exist")
        if link.origin_id == INPUT_ID and place.parent is not None:
            return self._outwards(place.parent, link.origin_slot)
        origin = self._places.get(place.sibling_key(link.origin_id))
        if origin is None:
            raise BrokenLinkError(f"input {slot.name} is linked to node {link.origin_id}, which does not exist")
        return _AtOutput(origin, link.origin_slot, step.type or slot.type)

    def _outwards(self, parent: Place, slot: int) -> _AtInput | Source:
        if not 0 <= slot < len(parent.inputs):
            raise BrokenLinkError(f"its link comes from input {slot} of subgraph node {parent.key}, which has fewer")
        outer = parent.inputs[slot]
        link = parent.graph.links.get(outer.link) if outer.link is not None else None
        origin = self._places.get(parent.sibling_key(link.origin_id)) if link is not None else None
        # A primitive gives no output: it has written its value over the subgraph's widget.
        if outer.link is not None and (origin is None or origin.node.class_type != "PrimitiveNode"):
            return _AtInput(parent, slot, "")
        return Value(parent.values[outer.name]) if outer.name in parent.values else None

    def _past_output(self, step: _AtOutput) -> _AtInput | _AtOutput | Source:
        place = step.place
        if place.node.mode == BYPASS:
            index = _bypass_input(place, step.slot, step.type)
            return _AtInput(place, index, "") if index >= 0 else None
        if place.inside is not None:
            return self._inwards(step)
        if place.node.class_type == "GetNode":
            return self._stored(step)
        if place.is_virtual:
            passes = place.node.class_type in PASSES_ON or place.node.class_type == "SetNode"
            return _AtInput(place, 0, step.type) if passes and place.inputs else None
        return Output(place.key, step.slot)

    def _inwards(self, step: _AtOutput) -> _AtInput | _AtOutput | Source:
        place, inside = step.place, step.place.inside
        if inside is None or place.node.mode == NEVER or not 0 <= step.slot < len(inside.output_links):
            return None
        link_id = next(iter(inside.output_links[step.slot]), None)
        link = inside.links.get(link_id) if link_id is not None else None
        if link is None:
            return None
        if link.origin_id == INPUT_ID:
            return self._outwards(place, link.origin_slot)
        inner = self._places.get(place.inner_key(link.origin_id))
        if inner is None:
            raise BrokenLinkError(f"subgraph node {place.key} gives the output of node {link.origin_id}, not in it")
        return _AtOutput(inner, link.origin_slot, step.type)

    def _stored(self, step: _AtOutput) -> _AtInput | None:
        # KJNodes' pair: a value set under a name is got anywhere in the same graph.
        place, values = step.place, step.place.node.values
        name = str(values[0]) if isinstance(values, list) and values else ""
        found = self._set_nodes.get((place.parent.key if place.parent is not None else "", name))
        if found is None or not found.inputs:
            raise BrokenLinkError(f"it gets {name!r}, which no SetNode sets")
        return _AtInput(found, 0, step.type)


def _bypass_input(place: Place, slot: int, wanted: str) -> int:
    """Number of the input that a bypassed node hands on to an output, -1 for none.

    The rule is ComfyUI's: the input of the output's own number where its type fits, else the first of exactly
    the wanted type, else the first that fits both.
    """
    inputs = place.inputs
    types = place.spec.output_types if place.spec is not None else place.node.output_types
    given = types[slot] if 0 <= slot < len(types) else "*"
    if wanted in ("*", ""):
        return (slot if slot < len(inputs) else 0) if inputs else -1

    def fits(candidate: str) -> bool:
        return _compatible(candidate, given) and _compatible(candidate, wanted)

    if slot < len(inputs) and fits(inputs[slot].type):
        return slot
    exact = next((i for i, entry in enumerate(inputs) if entry.type == wanted), -1)
    return exact if exact >= 0 else next((i for i, entry in enumerate(inputs) if fits(entry.type)), -1)


def _compatible(left: str, right: str) -> bool:
    if left in ("*", "") or right in ("*", "") or left == right:
        return True
    kinds = [{part.strip() for part in side.lower().split(",")} for side in (left, right)]
    return "*" in kinds[0] | kinds[1] or bool(kinds[0] & kinds[1])
