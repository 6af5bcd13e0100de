"""Nodes at their places: subgraphs opened, instance by instance, each node with its own inputs and values. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from x121lib.comfyui.editor.document import BYPASS, NEVER, Document, EditorGraph, EditorNode, InputSlot
from x121lib.comfyui.editor.widgets import ClassSpec, InputSpec, read_class, widget_values
from x121lib.comfyui.errors import GraphError

LARGEST = 20_000
"""Most nodes that a workflow may have once its subgraphs are opened."""
_DEEPEST = 64
PASSES_ON = frozenset({"Reroute", "Reroute (rgthree)"})
"""Classes of the editor that hand their input on."""
_EDITOR_ONLY = frozenset(
    {
        "PrimitiveNode", "Note", "MarkdownNote", "SetNode", "GetNode", "Label (rgthree)", "Bookmark (rgthree)",
        "Fast Groups Muter (rgthree)", "Fast Groups Bypasser (rgthree)", "Fast Muter (rgthree)",
        "Fast Bypasser (rgthree)", "Fast Actions Button (rgthree)", "Node Collector (rgthree)",
        "Mute / Bypass Repeater (rgthree)", "Mute / Bypass Relay (rgthree)", "Random Unmuter (rgthree)",
    }
)  # fmt: skip


@dataclass
class Place:
    """One node of one instance of a graph."""

    key: str
    """Ids from the outermost subgraph to the node, with colons: ``6:2``."""
    node: EditorNode
    """What the file says of it."""
    graph: EditorGraph
    """The graph that it stands in."""
    parent: Place | None
    """The subgraph's instance around it."""
    inside: EditorGraph | None = None
    """The definition, where it is an instance of a subgraph."""
    spec: ClassSpec | None = None
    """What the worker says of its class."""
    inputs: list[InputSlot] = field(default_factory=list)
    """In the editor's order, not the file's."""
    values: dict[str, Any] = field(default_factory=dict)
    """Value of each widget."""

    @property
    def is_virtual(self) -> bool:
        """Whether only the editor knows it."""
        return self.node.class_type in _EDITOR_ONLY or self.node.class_type in PASSES_ON

    @property
    def runs(self) -> bool:
        """Whether it is sent to the server."""
        return self.inside is None and not self.is_virtual and self.node.mode not in (NEVER, BYPASS)

    def sibling_key(self, node_id: str) -> str:
        """Return the key of a node of the same graph."""
        return f"{self.parent.key}:{node_id}" if self.parent is not None else node_id

    def inner_key(self, node_id: str) -> str:
        """Return the key of a node inside this subgraph."""
        return f"{self.key}:{node_id}"


def open_document(document: Document, object_info: Mapping[str, Any], name: str) -> dict[str, Place]:
    """Return every node at its place, by key; the inside of a muted or bypassed subgraph is left out.

    Raises:
        GraphError: a subgraph lies in itself, or too many nodes come out.
    """
    places: dict[str, Place] = {}
    specs: dict[str, ClassSpec | None] = {}

    def describe(class_type: str) -> ClassSpec | None:
        if class_type not in specs:
            found = object_info.get(class_type)
            specs[class_type] = read_class(found, class_type) if isinstance(found, Mapping) and found else None
        return specs[class_type]

    def enter(graph: EditorGraph, parent: Place | None, around: tuple[str, ...]) -> None:
        for node in graph.nodes.values():
            key = f"{parent.key}:{node.id}" if parent is not None else node.id
            inside = document.subgraphs.get(node.class_type)
            place = Place(key, node, graph, parent, inside, None if inside else describe(node.class_type))
            places[key] = place
            if len(places) > LARGEST:
                raise GraphError(f"{name} has more than {LARGEST} nodes once its subgraphs are opened.")
            if inside is not None and node.mode not in (NEVER, BYPASS):
                if node.class_type in around or len(around) > _DEEPEST:
                    what = "contains itself" if node.class_type in around else f"lies {len(around)} subgraphs deep"
                    raise GraphError(f"{name}: subgraph {inside.name!r} {what} (node {key}).")
                enter(inside, place, (*around, node.class_type))
            _furnish(place, places)

    enter(document.root, None, ())
    for place in list(places.values()):
        for slot in place.inputs:
            _apply_primitive(place, slot, places)
    return places


def _furnish(place: Place, places: Mapping[str, Place]) -> None:
    saved = {slot.name: slot for slot in place.node.inputs}
    if place.inside is not None:
        place.inputs = [saved.get(name, InputSlot(name, "*")) for name in place.inside.input_names]
        place.values = _promoted_values(place, places)
    elif place.spec is not None:
        known = place.spec.sockets()
        place.inputs = [replace(slot, link=saved[slot.name].link) if slot.name in saved else slot for slot in known]
        names = {slot.name for slot in known}
        place.inputs += [slot for slot in place.node.inputs if slot.name not in names]
        place.values = widget_values(place.spec, place.node.values)
    else:
        place.inputs = list(place.node.inputs)


def _promoted_values(place: Place, places: Mapping[str, Place]) -> dict[str, Any]:
    """Values of a subgraph's own widgets, which stand for widgets of nodes inside."""
    values = dict(_promoted_defaults(place, places))
    names, saved = list(values), place.node.values
    if isinstance(saved, dict):
        return {name: saved.get(name, value) for name, value in values.items()}
    listed = place.node.properties.get("proxyWidgets")
    proxies = [p for p in listed if isinstance(p, list) and len(p) > 1] if isinstance(listed, list) else []
    own = [(i, str(p[1])) for i, p in enumerate(proxies) if str(p[0]) == "-1"]
    # With such a list a value stands where its entry does; other entries show a widget inside, which keeps its value.
    for index, name in own or list(enumerate(names)):
        if index < len(saved) and name in values and (saved[index] is not None or not own):
            values[name] = saved[index]
    return values


def _promoted_defaults(place: Place, places: Mapping[str, Place]) -> Iterator[tuple[str, Any]]:
    inside = place.inside
    if inside is None:
        return
    for name, link_ids in zip(inside.input_names, inside.input_links, strict=True):
        for link_id in link_ids:
            target = _target(inside, link_id, place, places)
            if target is not None and target[1] in target[0].values:
                yield name, target[0].values[target[1]]
                break


def _target(graph: EditorGraph, link_id: int, around: Place, places: Mapping[str, Place]) -> tuple[Place, str] | None:
    link = graph.links.get(link_id)
    inner = places.get(around.inner_key(link.target_id)) if link is not None else None
    name = _widget_at(inner, link_id) if inner is not None else ""
    return (inner, name) if inner is not None and name else None


def _widget_at(place: Place, link_id: int) -> str:
    """Name of the widget that a link replaces: the link is found at the input, as its slot number may be old."""
    slot = next((slot for slot in place.inputs if slot.link == link_id), None)
    if slot is None:
        return ""
    return slot.name if place.inside is not None and slot.name in place.values else slot.widget


def _apply_primitive(target: Place, slot: InputSlot, places: Mapping[str, Place]) -> None:
    # A primitive writes its value over the widgets that it is linked to.
    link = target.graph.links.get(slot.link) if slot.link is not None else None
    origin = places.get(target.sibling_key(link.origin_id)) if link is not None else None
    if origin is None or slot.link is None or origin.node.class_type != "PrimitiveNode":
        return
    values, name = origin.node.values, _widget_at(target, slot.link)
    if isinstance(values, list) and values and name:
        spec = next((spec for spec in target.spec.inputs if spec.name == name), None) if target.spec else None
        target.values[name] = _rounded(spec, values[0]) if spec is not None else values[0]


def _rounded(spec: InputSpec, value: Any) -> Any:
    """A number as the editor's number widget keeps it: on the step of an INT, on the digits of a FLOAT."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return value
    if spec.type == "INT":
        step = spec.options.get("step") or 1
        offset = 0 if step == 1 else math.fmod(spec.options.get("min") or 0, step)
        return int(value) if step == 1 and value == int(value) else round((value - offset) / step) * step + offset
    if spec.type != "FLOAT":
        return value
    step = spec.options.get("step") or 0.5
    digits = max(0, -math.floor(math.log10(step)))
    unit = spec.options.get("round") or (10**-digits if digits else 0)
    if not unit:
        return value
    rounded = round(math.floor(value / unit + 0.5) * unit, digits)
    return min(max(rounded, spec.options.get("min", 0)), spec.options.get("max", 2048))
