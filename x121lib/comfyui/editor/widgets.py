"""What a worker's ``/object_info`` says of a class, and which saved value belongs to which widget. Pure.

A node's values are saved as a list in the order in which the editor makes its widgets, extra ones of the
editor's own included: after a seed comes what happens to it after each run, after a picture the upload button.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from x121lib.comfyui.editor.document import InputSlot

_WIDGET_TYPES = frozenset(
    {
        "INT", "FLOAT", "BOOLEAN", "STRING", "MARKDOWN", "COMBO", "COLOR", "TEXTAREA", "MULTISELECT", "TREESELECT",
        "SELECTBUTTON", "FILEUPLOAD", "IMAGECOMPARE", "CHART", "GALLERIA", "COMFY_DYNAMICCOMBO_V3",
    }
)  # fmt: skip
BROWSER_TYPES = frozenset({"WEBCAM", "LOAD_3D", "LOAD_3D_ANIMATION", "AUDIO_RECORD"})
"""Widgets whose value a browser makes when the workflow is queued."""
_SEEDS = ("seed", "noise_seed")
_UPLOADS = ("image_upload", "video_upload", "animated_image_upload")


@dataclass(frozen=True)
class InputSpec:
    """One input as a class declares it."""

    name: str
    """Name."""
    type: str
    """ComfyUI's type; ``COMBO`` for every spelling of a choice."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Range, default and the like; a choice's ``options``."""

    @property
    def is_widget(self) -> bool:
        """Whether it has a widget, and so a saved value."""
        return self.widget_type in _WIDGET_TYPES and not self.options.get("forceInput")

    @property
    def widget_type(self) -> str:
        """Type of the widget, which may differ from the socket's."""
        return str(self.options.get("widgetType") or self.type)

    @property
    def extra_values(self) -> int:
        """How many values of the editor's own follow this one."""
        control = self.options.get("control_after_generate")
        if self.type == "INT":
            return int(bool(self.name in _SEEDS if control is None else control))
        return 2 if self.type == "COMBO" and control and not self.options.get("multi_select") else 0


@dataclass(frozen=True)
class ClassSpec:
    """A node class as a worker describes it."""

    title: str
    """Title of a node that nobody renamed."""
    inputs: tuple[InputSpec, ...]
    """In the order in which the editor makes their widgets."""
    output_types: tuple[str, ...]
    """Types of the outputs."""
    has_upload: bool
    """Whether the editor adds an upload button, which saves a value of its own."""

    def sockets(self) -> list[InputSlot]:
        """Return the inputs in the editor's order: plain sockets first."""
        plain = [InputSlot(spec.name, spec.type) for spec in self.inputs if not spec.is_widget]
        linked = [
            InputSlot(spec.name, spec.type, None, spec.name)
            for spec in self.inputs
            if spec.is_widget and not spec.options.get("socketless")
        ]
        return [*plain, *linked]


def read_class(described: Mapping[str, Any], class_type: str) -> ClassSpec:
    """Read one class of ``/object_info``."""
    raw = described.get("input")
    groups = raw if isinstance(raw, Mapping) else {}
    orders = described.get("input_order")
    inputs: list[InputSpec] = []
    for group in ("required", "optional"):
        listed = groups.get(group)
        order = orders.get(group) if isinstance(orders, Mapping) else None
        if isinstance(listed, Mapping):
            names = [name for name in (order if isinstance(order, list) else []) if name in listed]
            names += [name for name in listed if name not in names]
            inputs.extend(_spec(name, listed[name]) for name in names)
    required = groups.get("required")
    has_upload = isinstance(required, Mapping) and any(spec.name in required and _uploads(spec) for spec in inputs)
    outputs = described.get("output")
    return ClassSpec(
        str(described.get("display_name") or class_type),
        tuple(inputs),
        tuple("COMBO" if isinstance(o, list) else str(o) for o in (outputs if isinstance(outputs, list) else [])),
        has_upload,
    )


def _uploads(spec: InputSpec) -> bool:
    sound = spec.name == "audio" and spec.options.get("audio_upload") is True
    return sound or (spec.type == "COMBO" and any(spec.options.get(key) is True for key in _UPLOADS))


def widget_values(spec: ClassSpec, saved: list[Any] | dict[str, Any]) -> dict[str, Any]:
    """Return each widget's value by name: what was saved, else the default, left out where there is neither."""
    if isinstance(saved, dict):
        return {
            entry.name: value
            for entry in spec.inputs
            if entry.is_widget and (value := saved.get(entry.name, default_of(entry))) is not None
        }
    waiting = iter(_without_sockets(spec, saved))
    values: dict[str, Any] = {}
    for entry in spec.inputs:
        if entry.is_widget:
            values.update(_taken(entry, waiting))
    return values


def _taken(entry: InputSpec, waiting: Iterator[Any]) -> Iterator[tuple[str, Any]]:
    missing = object()
    value = next(waiting, missing)
    was_saved = value is not missing
    value = value if was_saved else default_of(entry)
    if was_saved or value is not None:
        yield entry.name, value
    for _ in range(entry.extra_values):
        next(waiting, None)
    for inner in _chosen_inputs(entry, value):
        if inner.is_widget:
            yield from _taken(inner, waiting)


def _chosen_inputs(entry: InputSpec, value: Any) -> list[InputSpec]:
    # A dynamic choice brings inputs of its own, named after it: "resize_type.width".
    if entry.type != "COMFY_DYNAMICCOMBO_V3":
        return []
    for option in _dynamic_options(entry):
        if option.get("key") == value:
            inner = read_class({"input": option.get("inputs")}, "")
            return [InputSpec(f"{entry.name}.{spec.name}", spec.type, spec.options) for spec in inner.inputs]
    return []


def _dynamic_options(entry: InputSpec) -> list[Mapping[str, Any]]:
    options = entry.options.get("options")
    return [o for o in options if isinstance(o, Mapping)] if isinstance(options, list) else []


def _without_sockets(spec: ClassSpec, saved: list[Any]) -> list[Any]:
    # Until 2025 the editor saved a value for inputs that are sockets by force. Such a list is longer by theirs.
    known = [entry for entry in spec.inputs if entry.is_widget or _is_forced(entry)]
    places = [(entry, first) for entry in known for first in (True, *[False] * entry.extra_values)]
    if not any(_is_forced(entry) for entry in known) or len(places) + int(spec.has_upload) != len(saved):
        return saved
    kept = [value for (entry, _), value in zip(places, saved, strict=False) if not _is_forced(entry)]
    return kept + saved[len(places) :]


def _is_forced(entry: InputSpec) -> bool:
    return entry.widget_type in _WIDGET_TYPES and bool(entry.options.get("forceInput"))


def default_of(entry: InputSpec) -> Any:
    """Return the value of a widget that nobody touched, None where there is none."""
    default = entry.options.get("default")
    if entry.type == "COMFY_DYNAMICCOMBO_V3":
        return next((option.get("key") for option in _dynamic_options(entry)), None)
    if entry.type == "COMBO":
        options = entry.options.get("options")
        if entry.options.get("multi_select"):
            return default if isinstance(default, list) else []
        return default or (options[0] if isinstance(options, list) and options else None)
    if default is not None:
        return default
    return {"INT": 0, "FLOAT": 0, "BOOLEAN": False, "STRING": "", "MARKDOWN": "", "TEXTAREA": ""}.get(entry.type)


def _spec(name: str, raw: Any) -> InputSpec:
    parts = raw if isinstance(raw, list | tuple) and raw else ["*"]
    options: dict[str, Any] = dict(parts[1]) if len(parts) > 1 and isinstance(parts[1], Mapping) else {}
    if isinstance(parts[0], list):
        return InputSpec(name, "COMBO", {**options, "options": parts[0]})
    return InputSpec(name, str(parts[0]), options)
