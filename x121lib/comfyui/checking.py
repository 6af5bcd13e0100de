"""What a graph would lack on one server: node classes, models, sound links, fitting values. Pure.

The rules are those of ComfyUI's own check of a prompt (`validate_prompt` and `validate_inputs` in its `execution.py`):
every node's class must exist; links and values are looked at only where an output needs them. Where ComfyUI stops at
the first missing class, all findings are gathered here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from x121lib.comfyui.graph import Graph, Node, is_link, links_of, output_nodes
from x121lib.comfyui.model_files import SUFFIXES, Named, named_models

Spec = Mapping[str, Any]
"""A class as `/object_info` describes it: ``input``, ``output``, ``output_node``, ``python_module``."""

_CONVERTERS: Mapping[str, Callable[[Any], Any]] = {"INT": int, "FLOAT": float}
_SHOWN_OPTIONS = 5
_DYNAMIC = "COMFY_"
"""Types whose inputs or outputs depend on the node's other inputs; they begin like this and are not looked at."""


class FindingKind(StrEnum):
    """What is wrong."""

    NODE_CLASS = "node_class"
    """The server has no such class."""
    MODEL = "model"
    """The server has no such model file."""
    LINK = "link"
    """A link leads nowhere, or joins types that do not fit."""
    INPUT = "input"
    """A required input is missing."""
    TYPE = "type"
    """A value is of another type."""
    RANGE = "range"
    """A number is out of the input's bounds."""
    CHOICE = "choice"
    """A value is none of the input's choices."""
    OUTPUT = "output"
    """No node of the graph gives a result."""


class Finding(NamedTuple):
    """One thing that keeps the graph from running on a server."""

    kind: FindingKind
    """What is wrong."""
    node_id: str
    """The node; the first of several with a missing class; empty for the whole graph."""
    class_type: str
    """The node's class."""
    input_name: str
    """The input; empty where the node itself is meant."""
    name: str
    """The class or the model file that is missing; empty otherwise."""
    detail: str
    """What was found and what was expected, in words."""


@dataclass(frozen=True)
class Offer:
    """What is known of a server."""

    specs: Mapping[str, Spec | None]
    """Its classes; None where it has the class and its description was not kept."""
    models: frozenset[tuple[str, str]]
    """(folder, file) of each model file that it lists, as it spells them."""

    def has_file(self, named: Named) -> bool:
        """Tell whether the server lists the file at all: in the folder of its kind, or in any where that is unknown."""
        return any(
            name.replace("\\", "/") == named.name and (named.kind is None or _is_folder_of(folder, named))
            for folder, name in self.models
        )


def effective(graph: Graph, overrides: Mapping[tuple[str, str], Any]) -> Graph:
    """Return the graph with the values of (node, input) that are sent instead of its own."""
    if not overrides:
        return graph
    changed = dict(graph)
    for (node_id, input_name), value in overrides.items():
        if node_id in changed:
            node = changed[node_id]
            changed[node_id] = {**node, "inputs": {**node["inputs"], input_name: value}}
    return changed


def check_graph(graph: Graph, offer: Offer) -> list[Finding]:
    """Return everything that keeps the graph from running on the server, by kind and node; empty where nothing does.

    Inputs that take an uploaded file are not looked at: X121 fills them for each take.
    """
    found = list(_missing_classes(graph, offer.specs))
    described = {name: spec for name, spec in offer.specs.items() if spec is not None}
    outputs = output_nodes(graph, described)
    if not outputs and not found:
        found.append(Finding(FindingKind.OUTPUT, "", "", "", "", "No node of it is an output node there."))
    needed = _reached(graph, outputs) if outputs else set(graph)
    models = {(named.node_id, named.input_name): named for named in named_models(graph)}
    for node_id, node in graph.items():
        if node_id not in needed or node["class_type"] not in offer.specs:
            continue
        spec = offer.specs[node["class_type"]]
        found.extend(_node_findings(graph, node_id, offer))
        own = [named for (key, _), named in models.items() if key == node_id]
        found.extend(_missing_model(named, node, spec, offer) for named in own if _lacks(named, node, spec, offer))
    order = list(FindingKind)
    return sorted(found, key=lambda f: (order.index(f.kind), f.name, f.node_id, f.input_name))


def needed_models(graph: Graph) -> list[Named]:
    """Return the model files of nodes that the outputs need; of all nodes where no output is known as one."""
    outputs = output_nodes(graph)
    needed = _reached(graph, outputs) if outputs else set(graph)
    return [named for named in named_models(graph) if named.node_id in needed]


def lacks_file(named: Named, class_type: str, offer: Offer) -> bool:
    """Tell whether a server surely lacks a model file: neither the node's own list nor any folder has it.

    An input that is no list may name what the server fetches by itself, and is believed; one that the class does not
    declare is ignored by the server.
    """
    spec = offer.specs.get(class_type)
    if spec is None:
        return named.kind is not None and not offer.has_file(named)
    options = _options_of(_inputs_of(spec).get(named.input_name))
    return options is not None and named.name not in _spelled(options) and not offer.has_file(named)


def _spelled(options: Collection[Any]) -> set[str]:
    return {one.replace("\\", "/") for one in options if isinstance(one, str)}


def _lacks(named: Named, node: Node, spec: Spec | None, offer: Offer) -> bool:
    if spec is None:
        return named.kind is not None and not offer.has_file(named)
    options = _options_of(_inputs_of(spec).get(named.input_name))
    return options is not None and node["inputs"][named.input_name] not in options


def _missing_model(named: Named, node: Node, spec: Spec | None, offer: Offer) -> Finding:
    value = node["inputs"][named.input_name]
    options = _options_of(_inputs_of(spec or {}).get(named.input_name, [])) or []
    spelled = next((o for o in options if isinstance(o, str) and o.replace("\\", "/") == named.name), None)
    if spelled is not None:
        detail = f"{value!r} is spelled {spelled!r} there"
    elif offer.has_file(named):
        detail = f"{value!r} lies there, but this node does not list it"
    else:
        detail = f"{value!r} is not there"
    return Finding(FindingKind.MODEL, named.node_id, node["class_type"], named.input_name, named.name, detail)


def _missing_classes(graph: Graph, specs: Mapping[str, Spec | None]) -> Iterator[Finding]:
    nodes: dict[str, list[str]] = {}
    for node_id, node in graph.items():
        if node["class_type"] not in specs:
            nodes.setdefault(node["class_type"], []).append(node_id)
    for name, ids in nodes.items():
        where = f"node {ids[0]}" if len(ids) == 1 else f"{len(ids)} nodes: {', '.join(ids[:_SHOWN_OPTIONS])}"
        yield Finding(FindingKind.NODE_CLASS, ids[0], name, "", name, f"used by {where}")


def _reached(graph: Graph, outputs: Collection[str]) -> set[str]:
    waiting, reached = list(outputs), set[str]()
    while waiting:
        node_id = waiting.pop()
        if node_id not in reached and node_id in graph:
            reached.add(node_id)
            waiting.extend(source for _input, source, _slot in links_of(graph[node_id]))
    return reached


def _node_findings(graph: Graph, node_id: str, offer: Offer) -> Iterator[Finding]:
    node = graph[node_id]
    spec = offer.specs[node["class_type"]]
    if spec is None:
        return
    required = _group(spec, "required")
    for name, declared in _inputs_of(spec).items():
        if name not in node["inputs"]:
            if name in required:
                detail = "this required input has no value"
                yield Finding(FindingKind.INPUT, node_id, node["class_type"], name, "", detail)
            continue
        value = node["inputs"][name]
        found = _wrong_link(graph, value, declared, offer) if is_link(value) else _wrong_value(value, declared)
        if found is not None:
            yield Finding(found[0], node_id, node["class_type"], name, "", found[1])


def _wrong_link(graph: Graph, link: Any, declared: Any, offer: Offer) -> tuple[FindingKind, str] | None:
    source_id, slot = link
    if source_id not in graph:
        return FindingKind.LINK, f"linked to node {source_id}, which does not exist"
    source = offer.specs.get(graph[source_id]["class_type"])
    if source is None:
        return None  # the missing class is a finding of its own
    outputs = source.get("output")
    if not isinstance(outputs, list):
        return None
    if not 0 <= slot < len(outputs):
        there = f"node {source_id} ({graph[source_id]['class_type']}), which has {len(outputs)}"
        return FindingKind.LINK, f"linked to output {slot} of {there}"
    given, wanted = _type_name(outputs[slot]), _type_name(declared[0])
    fit = {*given.split(",")} & {*wanted.split(",")}
    if fit or "*" in given or "*" in wanted or given.startswith(_DYNAMIC):
        return None
    return FindingKind.LINK, f"takes {wanted}, and node {source_id} gives {given}"


def _type_name(kind: Any) -> str:
    return "COMBO" if isinstance(kind, list) else str(kind)


def _wrong_value(value: Any, declared: Any) -> tuple[FindingKind, str] | None:
    kind, options = declared[0], _settings_of(declared)
    if any(str(key).endswith("_upload") for key in options):
        return None
    if isinstance(value, Mapping) and "__value__" in value:
        value = value["__value__"]
    if isinstance(kind, str) and kind in _CONVERTERS:
        try:
            value = _CONVERTERS[kind](value)
        except (TypeError, ValueError, OverflowError):
            return FindingKind.TYPE, f"{value!r} is no {kind}"
        return _out_of_range(value, options)
    if kind == "STRING" and not isinstance(value, str | int | float | bool):
        return FindingKind.TYPE, f"{value!r} is no text"
    choices = _options_of(declared)
    if choices is None or "remote" in options:
        return None
    wrong = [one for one in (value if isinstance(value, list) else [value]) if one not in choices]
    if not wrong or (isinstance(wrong[0], str) and wrong[0].lower().endswith(tuple(SUFFIXES))):
        return None  # a model file is a finding of its own
    shown = ", ".join(str(one) for one in choices[:_SHOWN_OPTIONS]) + (" …" if len(choices) > _SHOWN_OPTIONS else "")
    return FindingKind.CHOICE, f"{wrong[0]!r} is none of its choices ({shown or 'it has none'})"


def _out_of_range(value: Any, options: Mapping[str, Any]) -> tuple[FindingKind, str] | None:
    low, high = options.get("min"), options.get("max")
    if value != value or (_is_number(low) and value < low) or (_is_number(high) and value > high):
        return FindingKind.RANGE, f"{value} is not in {low} to {high}"
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _group(spec: Spec, group: str) -> Mapping[str, Any]:
    inputs = spec.get("input")
    found = inputs.get(group) if isinstance(inputs, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _inputs_of(spec: Spec) -> dict[str, Any]:
    declared = {**_group(spec, "required"), **_group(spec, "optional")}
    return {
        name: value
        for name, value in declared.items()
        if isinstance(value, list | tuple) and value and not str(value[0]).startswith(_DYNAMIC)
    }


def _settings_of(declared: Any) -> Mapping[str, Any]:
    return declared[1] if len(declared) > 1 and isinstance(declared[1], Mapping) else {}


def _options_of(declared: Any) -> list[Any] | None:
    if not declared:
        return None
    if isinstance(declared[0], list):
        return declared[0]
    options = _settings_of(declared).get("options")
    return list(options) if declared[0] == "COMBO" and isinstance(options, list) else None


_FOLDERS = {"diffusion_models": {"unet"}, "text_encoders": {"clip"}}
"""Folders that older servers list a kind under."""


def _is_folder_of(folder: str, named: Named) -> bool:
    kind = named.kind.value if named.kind is not None else folder
    return folder in ("", kind) or folder in _FOLDERS.get(kind, ())
