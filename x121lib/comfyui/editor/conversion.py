"""The editor's form of a workflow made into the API's form, as ComfyUI's own frontend makes it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from x121lib.comfyui.editor.document import read_document
from x121lib.comfyui.editor.places import Place, open_document
from x121lib.comfyui.editor.routes import BrokenLinkError, Output, Routes, Value
from x121lib.comfyui.editor.texts import replace_values, resolve_choices
from x121lib.comfyui.editor.widgets import BROWSER_TYPES
from x121lib.comfyui.errors import NotConvertibleError

_NAMED_FILES = frozenset(
    {
        "SaveImage", "SaveAnimatedWEBP", "SaveWEBM", "SaveAudio", "SaveGLB", "SaveAnimatedPNG", "CLIPSave", "VAESave",
        "ModelSave", "LoraSave", "SaveLatent",
    }
)  # fmt: skip
_BROADCASTERS = frozenset(
    {"Anything Everywhere", "Anything Everywhere?", "Anything Everywhere3", "Prompts Everywhere", "Seed Everywhere"}
)
_ALIAS = "Node name for S&R"


def is_editor_form(body: Any) -> bool:
    """Tell whether a parsed JSON value is a workflow as the editor saves it."""
    return isinstance(body, Mapping) and isinstance(body.get("nodes"), list)


def convert(body: Mapping[str, Any], object_info: Mapping[str, Any], *, name: str = "The workflow") -> dict[str, Any]:
    """Return the API form of an editor's workflow.

    Muted nodes are left out with the links from them; bypassed ones hand on what fits by type; reroutes,
    primitives and notes vanish; nodes of a subgraph get ids such as ``6:2``. ``object_info`` says which saved
    value belongs to which widget, and gives the defaults of widgets that the file has no value for.

    Raises:
        GraphError: the file is damaged or of a newer form.
        NotConvertibleError: names every node that cannot be converted, with the reason.
    """
    places = open_document(read_document(body, name), object_info, name)
    problems = [f"node {p.key} {p.node.label}: {why}" for p in places.values() if (why := _obstacle(p))]
    routes, graph = Routes(places), dict[str, Any]()
    for place in places.values():
        if place.runs and place.spec is not None:
            try:
                inputs = _inputs(place, places, routes)
            except BrokenLinkError as error:
                problems.append(f"node {place.key} {place.node.label}: {error}")
                continue
            title = place.node.title or place.spec.title
            graph[place.key] = {"inputs": inputs, "class_type": place.node.class_type, "_meta": {"title": title}}
    if problems:
        raise NotConvertibleError(name, problems)
    if not graph:
        raise NotConvertibleError(name, ["no node of it would run: all are muted, bypassed or notes"])
    for node in graph.values():
        node["inputs"] = {k: v for k, v in node["inputs"].items() if not (isinstance(v, list) and v[0] not in graph)}
    return graph


def _obstacle(place: Place) -> str:
    """Say why a node cannot be converted; empty where it can."""
    if not place.runs:
        return ""
    class_type = place.node.class_type
    if class_type.startswith(("workflow>", "workflow/")):
        return "it is a group node of the old kind; in ComfyUI choose Convert to Subgraph and save again"
    if place.spec is None:
        return "the worker that was asked has no such class"
    if class_type in _BROADCASTERS:
        return "it links nodes without visible links; link them by hand"
    browser = next((spec for spec in place.spec.inputs if spec.type in BROWSER_TYPES), None)
    return f"input {browser.name} is made in the browser" if browser is not None else ""


def _inputs(place: Place, places: Mapping[str, Place], routes: Routes) -> dict[str, Any]:
    inputs = {name: _wrapped(value) for name, value in _sent_values(place, places).items()}
    for index, slot in enumerate(place.inputs):
        source = routes.source(place, index)
        if isinstance(source, Value):
            inputs[slot.name] = _wrapped(source.value)
        elif isinstance(source, Output):
            inputs[slot.name] = [source.key, source.slot]
    return inputs


def _wrapped(value: Any) -> Any:
    # A bare list would be read as a link.
    return {"__value__": value} if isinstance(value, list) else value


def _sent_values(place: Place, places: Mapping[str, Place]) -> dict[str, Any]:
    values, class_type = dict(place.values), place.node.class_type
    for spec in place.spec.inputs if place.spec is not None else ():
        text = values.get(spec.name)
        if not isinstance(text, str):
            continue
        if spec.options.get("dynamicPrompts") is True:
            values[spec.name] = resolve_choices(text)
        elif spec.name == "filename_prefix" and class_type in _NAMED_FILES:
            values[spec.name] = replace_values(text, lambda node, widget: _widget_text(places, node, widget))
        elif spec.name == "sampler_name" and class_type in ("KSampler", "KSamplerAdvanced"):
            values[spec.name] = text.removeprefix("sample_")
    return values


def _widget_text(places: Mapping[str, Place], name: str, widget: str) -> str | None:
    named = [p for p in places.values() if _alias(p) == name] or [p for p in places.values() if _title(p) == name]
    value = named[0].values.get(widget) if named else None
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _alias(place: Place) -> str:
    given = place.node.properties.get(_ALIAS)
    if isinstance(given, str):
        return given
    return "" if place.spec is None or place.node.class_type in _NAMED_FILES else place.node.class_type


def _title(place: Place) -> str:
    return place.node.title or (place.spec.title if place.spec is not None else "")
