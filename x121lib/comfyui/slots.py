"""What of a workflow may be set from outside: discovery of slots, and binding of values. Pure."""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from x121lib.comfyui.errors import SlotError
from x121lib.comfyui.graph import Graph, Node, is_link, links_of, output_nodes, title_of
from x121lib.comfyui.input_specs import input_spec
from x121lib.terms.vocabulary import SlotType


@dataclass(frozen=True)
class Slot:
    """One input of one node that can be set by name. Several slots may share a name and are set together.

    Attributes:
        name: e.g. ``seed_image``, ``seed``, ``text_prompt``.
        node_id: the node.
        input_name: the node's input.
        type: what it takes.
        default: what the workflow file says.
        minimum: smallest number, None for no bound.
        maximum: largest number, None for no bound.
        class_default: what the node's class starts with, None where no server was asked.
        step: by how much an editor changes the number; no value is refused for it, as in ComfyUI.
        choices: the only values that it takes; empty for any.
        label: what people call it.
        is_hidden: whether nobody may set it; its default is sent.
        has_own_default: whether the default is the studio's own, not the file's; it is sent where no value is.
    """

    name: str
    node_id: str
    input_name: str
    type: SlotType
    default: Any
    minimum: float | None = None
    maximum: float | None = None
    class_default: Any = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    label: str = ""
    is_hidden: bool = False
    has_own_default: bool = False

    @property
    def range_words(self) -> str:
        """What it takes, for people: ``0 to 1``, ``one of a, b``; empty for anything."""
        if self.choices:
            more = f" and {len(self.choices) - SHOWN_CHOICES} more" if len(self.choices) > SHOWN_CHOICES else ""
            return f"one of {', '.join(self.choices[:SHOWN_CHOICES])}{more}"
        low, high = _plain(self.minimum), _plain(self.maximum)
        if low is not None and high is not None:
            return f"{low} to {high}"
        return f"{low} or more" if low is not None else f"{high} or less" if high is not None else ""


def _plain(value: float | None) -> float | None:
    return int(value) if isinstance(value, float) and value.is_integer() else value


SHOWN_CHOICES = 12
"""Choices that a message lists."""
FILLED_SLOTS = frozenset({"seed_image", "source_image", "filename_prefix"})
"""Slots that X121 fills itself: hand-off, source, and where the output lies."""
SEED_INPUTS = frozenset({"seed", "noise_seed"})
"""Inputs that a take's seed goes into."""


@dataclass(frozen=True)
class _Rule:
    name: str
    type: SlotType
    minimum: float | None = None
    maximum: float | None = None


_SEED_MAX = 2**64 - 1
_BY_INPUT: Mapping[str, _Rule] = {
    "seed": _Rule("seed", SlotType.INT, 0, _SEED_MAX),
    "noise_seed": _Rule("seed", SlotType.INT, 0, _SEED_MAX),
    "steps": _Rule("steps", SlotType.INT, 1, 10_000),
    "cfg": _Rule("cfg", SlotType.FLOAT, 0, 100),
    "denoise": _Rule("denoise", SlotType.FLOAT, 0, 1),
    "sampler_name": _Rule("sampler_name", SlotType.STRING),
    "scheduler": _Rule("scheduler", SlotType.STRING),
}
_LOADERS: Mapping[str, tuple[str, SlotType, str]] = {
    "LoadImage": ("image", SlotType.IMAGE, "seed_image"),
    "LoadVideo": ("file", SlotType.VIDEO, "source_video"),
    "LoadAudio": ("audio", SlotType.AUDIO, "source_audio"),
}
_PRIMITIVES: Mapping[str, SlotType] = {
    "PrimitiveInt": SlotType.INT, "PrimitiveFloat": SlotType.FLOAT, "PrimitiveString": SlotType.STRING,
    "PrimitiveStringMultiline": SlotType.STRING, "PrimitiveBoolean": SlotType.BOOLEAN,
}  # fmt: skip
_BOUNDS: Mapping[str, tuple[float, float]] = {
    "width": (16, 16_384), "height": (16, 16_384), "frame_count": (1, 16_384), "steps": (1, 10_000),
}  # fmt: skip
_FRAME_COUNTS = ("length", "video_frames", "num_frames", "frame_count")
_SIZES = ("width", "height")
_LORA_WEIGHTS = {"strength_model": "lora_weight", "strength": "lora_weight", "strength_clip": "lora_clip_weight"}
_TEXT_CLASSES = frozenset({"CLIPTextEncode", "TextEncodeQwenImageEdit", "TextEncodeQwenImageEditPlus"})
_TEXT_INPUTS = ("text", "prompt")
_PROMPT_BY_USE = {"positive": "text_prompt", "negative": "negative_prompt"}


def discover_slots(graph: Graph, object_info: Mapping[str, Any] | None = None) -> list[Slot]:
    """Find what can be set, sorted by name and node.

    Images: a loader's title that is an identifier (``seed_image``, ``source_image``) names it; a single
    untitled ``LoadImage`` is ``seed_image``. Prompts: a text encoder that leads to an input called
    ``positive`` or ``negative``. Numbers: sampler inputs by name, width and height of empty latents and of
    nodes that make a video, their frame count, the frame rate of ``CreateVideo``; where several nodes have one,
    each has a name of its own, after its title where all have different ones, else after its id
    (``seed_high_noise``, ``steps_12``). Primitives: a value whose title is an identifier (``width``) is set by that
    name in all nodes that it leads to. LoRAs: file and weights of each loader under names of its own, after its
    title or id (``lora_12``, ``lora_weight_12``).
    ``object_info``, where given, gives bounds, steps, choices and the class's default.
    """
    outputs = set(output_nodes(graph, object_info))
    uses = _prompt_uses(graph)
    found: list[Slot] = []
    for node_id, node in graph.items():
        found.extend(_loader_slots(node_id, node))
        found.extend(_text_slots(node_id, node, uses))
        found.extend(_number_slots(node_id, node))
        found.extend(_primitive_slots(node_id, node))
        found.extend(_lora_slots(node_id, node))
        if node_id in outputs and isinstance(node["inputs"].get("filename_prefix"), str):
            found.append(_slot(node_id, node, "filename_prefix", _Rule("filename_prefix", SlotType.STRING)))
    found = [described(slot, graph, object_info) for slot in _distinct_numbers(_distinct_loaders(found), graph)]
    return sorted(found, key=lambda slot: (slot.name, slot.node_id, slot.input_name))


def described(slot: Slot, graph: Graph, object_info: Mapping[str, Any] | None) -> Slot:
    """Return the slot with the bounds, step, choices and class default that a server says; what it omits stays."""
    spec = input_spec(object_info, graph[slot.node_id]["class_type"], slot.input_name)
    if spec is None:
        return slot
    slot = replace(slot, class_default=spec.default)
    if slot.type in (SlotType.INT, SlotType.FLOAT):
        low = slot.minimum if spec.minimum is None else spec.minimum
        high = slot.maximum if spec.maximum is None else spec.maximum
        return replace(slot, minimum=low, maximum=high, step=spec.step)
    if slot.type in (SlotType.STRING, SlotType.CHOICE) and spec.choices:
        return replace(slot, type=SlotType.CHOICE, choices=spec.choices)
    return slot


def bind(graph: Mapping[str, Any], slots: Iterable[Slot], values: Mapping[str, Any]) -> Graph:
    """Return a deep copy of the graph with the named slots set, and the studio's own defaults in the others.

    Raises:
        SlotError: a name that no slot has (the message lists the known ones), a hidden slot, a value of another
            type, out of bounds, or none of its choices.
    """
    by_name: dict[str, list[Slot]] = {}
    hidden: set[str] = set()
    bound: Graph = copy.deepcopy(dict(graph))
    for slot in slots:
        if slot.has_own_default:
            bound[slot.node_id]["inputs"][slot.input_name] = slot.default
        if slot.is_hidden:
            hidden.add(slot.name)
        else:
            by_name.setdefault(slot.name, []).append(slot)
    unknown = sorted(set(values) - set(by_name))
    if unknown and set(unknown) <= hidden:
        raise SlotError(
            f"Slot {', '.join(unknown)} is hidden and can not be set.", hint="Show it with 'x121 workflow slot show'."
        )
    if unknown:
        raise SlotError(
            f"The workflow has no slot {', '.join(unknown)}.", hint=f"It has: {', '.join(sorted(by_name)) or 'none'}."
        )
    for name, value in values.items():
        for slot in by_name[name]:
            bound[slot.node_id]["inputs"][slot.input_name] = check_value(slot, value)
    return bound


def with_seed(slots: Iterable[Slot], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with the take's ``seed`` for each slot of a seed that none of them names.

    A workflow with several samplers has seeds of several names; the take's own one goes into all of them, and
    ``seed`` falls away where no slot is called so.
    """
    seeds = {slot.name for slot in slots if slot.input_name in SEED_INPUTS and not slot.is_hidden}
    if "seed" not in values or not seeds:
        return dict(values)
    given = {name: value for name, value in values.items() if name != "seed" or name in seeds}
    return {**dict.fromkeys(sorted(seeds - set(values)), values["seed"]), **given}


def own_defaults(slots: Iterable[Slot]) -> dict[str, Any]:
    """Return the studio's own defaults by the slot's name, with its node where another slot shares that name."""
    slots = list(slots)
    counts = Counter(slot.name for slot in slots)
    return {
        slot.name if counts[slot.name] == 1 else f"{slot.name}@{slot.node_id}": slot.default
        for slot in slots
        if slot.has_own_default
    }


def check_value(slot: Slot, value: Any) -> Any:
    """Return a value that fits a slot.

    Raises:
        SlotError: it does not; the message names slot, value and range.
    """
    if slot.type in (SlotType.INT, SlotType.FLOAT):
        number = isinstance(value, int) or (slot.type is SlotType.FLOAT and isinstance(value, float))
        if not number or isinstance(value, bool):
            raise SlotError(f"Slot {slot.name} takes a number ({slot.type.value}), not {value!r}.")
        low, high = slot.minimum, slot.maximum
        if value != value or (low is not None and value < low) or (high is not None and value > high):
            raise SlotError(f"Slot {slot.name} takes {slot.range_words or 'a number'}, not {value}.")
    elif slot.type is SlotType.BOOLEAN:
        if not isinstance(value, bool):
            raise SlotError(f"Slot {slot.name} takes true or false, not {value!r}.")
    elif not isinstance(value, str):
        raise SlotError(f"Slot {slot.name} takes text, not {value!r}.")
    elif slot.choices and value not in slot.choices:
        raise SlotError(f"Slot {slot.name} takes {slot.range_words}, not {value!r}.")
    return value


def _loader_slots(node_id: str, node: Node) -> Iterator[Slot]:
    loader = _LOADERS.get(node["class_type"])
    if loader is not None and isinstance(node["inputs"].get(loader[0]), str):
        title = title_of(node)
        name = title if title.isidentifier() and title.islower() else loader[2]
        yield _slot(node_id, node, loader[0], _Rule(name, loader[1]))


def _distinct_loaders(slots: list[Slot]) -> list[Slot]:
    # Two untitled loaders must not get the same picture by accident: each is told apart by its node.
    files = (SlotType.IMAGE, SlotType.VIDEO, SlotType.AUDIO)
    counts = Counter(slot.name for slot in slots if slot.type in files)
    return [
        replace(slot, name=f"{slot.name}_{slot.node_id}") if slot.type in files and counts[slot.name] > 1 else slot
        for slot in slots
    ]


def _distinct_numbers(slots: list[Slot], graph: Graph) -> list[Slot]:
    """Give each of several nodes that have a slot of one name a name of its own.

    Prompts and file name prefixes stay together: X121 fills all of them alike.
    """
    groups: dict[str, list[Slot]] = {}
    for slot in slots:
        if slot.type in (SlotType.INT, SlotType.FLOAT) or slot.input_name in _BY_INPUT:
            groups.setdefault(slot.name, []).append(slot)
    names: dict[tuple[str, str], str] = {}
    for name, group in groups.items():
        titles = [name_of(title_of(graph[slot.node_id])) for slot in group]
        titled = all(titles) and len(set(titles)) == len(titles)
        for slot, title in zip(group, titles, strict=True):
            own = title if titled else name_of(slot.node_id)
            if len(group) > 1:
                names[slot.node_id, slot.input_name] = f"{name}_{own}"
    return [replace(slot, name=names.get((slot.node_id, slot.input_name), slot.name)) for slot in slots]


def name_of(text: str) -> str:
    """Return a text as a part of a slot's name: lower case, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def _prompt_uses(graph: Graph) -> dict[str, str]:
    """Return ``positive`` or ``negative`` by the id of each node that leads to such an input."""
    uses: dict[str, str] = {}
    for node in graph.values():
        for input_name, source, _slot_number in links_of(node):
            if input_name in _PROMPT_BY_USE:
                _mark_upstream(graph, source, input_name, uses)
    return uses


def _mark_upstream(graph: Graph, node_id: str, use: str, uses: dict[str, str]) -> None:
    waiting = [node_id]
    while waiting:
        current = waiting.pop()
        if current in uses:
            continue
        uses[current] = use
        inputs = list(links_of(graph[current]))
        # A node with inputs of both names passes each on: its own walk starts from them.
        waiting.extend(source for name, source, _s in inputs if name not in _PROMPT_BY_USE)


def _text_slots(node_id: str, node: Node, uses: Mapping[str, str]) -> Iterator[Slot]:
    if node["class_type"] not in _TEXT_CLASSES:
        return
    title = title_of(node)
    titled = title if title in _PROMPT_BY_USE.values() else None
    name = titled or _PROMPT_BY_USE[uses.get(node_id, "positive")]
    for input_name in _TEXT_INPUTS:
        if isinstance(node["inputs"].get(input_name), str):
            yield _slot(node_id, node, input_name, _Rule(name, SlotType.STRING))


def _number_slots(node_id: str, node: Node) -> Iterator[Slot]:
    class_type = node["class_type"]
    makes_video = set(_SIZES) <= set(node["inputs"]) and any(name in node["inputs"] for name in _FRAME_COUNTS)
    for input_name, value in node["inputs"].items():
        rule = _BY_INPUT.get(input_name)
        if class_type == "CreateVideo" and input_name == "fps":
            rule = _Rule("frame_rate", SlotType.FLOAT, 1, 120)
        if input_name in _SIZES and (makes_video or (class_type.startswith("Empty") and "Latent" in class_type)):
            rule = _Rule(input_name, SlotType.INT, 16, 16_384)
        if input_name in _FRAME_COUNTS and makes_video:
            rule = _Rule("frame_count", SlotType.INT, 1, 16_384)
        if rule is not None and not is_link(value):
            yield _slot(node_id, node, input_name, rule)


def _primitive_slots(node_id: str, node: Node) -> Iterator[Slot]:
    kind, title = _PRIMITIVES.get(node["class_type"]), title_of(node)
    if kind is None or not (title.isidentifier() and title.islower()) or is_link(node["inputs"].get("value")):
        return
    if "value" in node["inputs"]:
        yield _slot(node_id, node, "value", _Rule(title, kind, *_BOUNDS.get(title, (None, None))))


def _lora_slots(node_id: str, node: Node) -> Iterator[Slot]:
    if not isinstance(node["inputs"].get("lora_name"), str):
        return
    title = title_of(node)
    own = title if title.isidentifier() and title.islower() else node_id.replace(":", "_")
    yield _slot(node_id, node, "lora_name", _Rule(f"lora_{own}", SlotType.STRING))
    for input_name, prefix in _LORA_WEIGHTS.items():
        if type(node["inputs"].get(input_name)) in (int, float):
            yield _slot(node_id, node, input_name, _Rule(f"{prefix}_{own}", SlotType.FLOAT, -100, 100))


def _slot(node_id: str, node: Node, input_name: str, rule: _Rule) -> Slot:
    default = node["inputs"][input_name]
    return Slot(rule.name, node_id, input_name, rule.type, default, rule.minimum, rule.maximum)
