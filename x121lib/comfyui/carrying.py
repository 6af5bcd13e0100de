"""What becomes of a workflow's slots in its next version: bindings follow their nodes. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from x121lib.comfyui.graph import Graph, is_link, title_of
from x121lib.comfyui.slots import Slot


@dataclass(frozen=True)
class KnownSlot:
    """A slot of an earlier version, with what people made of it."""

    slot: Slot
    """The slot."""
    found_name: str
    """What discovery called it; empty for one that a person added."""
    has_own_range: bool = False
    """Whether a person set its range."""


@dataclass(frozen=True)
class LostSlot:
    """A slot whose binding does not survive."""

    name: str
    """Its name."""
    reason: str
    """What became of its node or input."""


def same_nodes(before: Graph, after: Graph) -> dict[str, str]:
    """Return the later id of each earlier node that is still there.

    The same id with the same class; else the only node left over on both sides with that class and title.
    """
    matched = {key: key for key, node in before.items() if key in after and _class(after, key) == node["class_type"]}
    taken = set(matched.values())
    left, right = _by_kind(before, set(matched)), _by_kind(after, taken)
    for kind, ids in left.items():
        if len(ids) == 1 and len(right.get(kind, ())) == 1:
            matched[ids[0]] = right[kind][0]
    return matched


def carry(
    before: Graph, known: Iterable[KnownSlot], after: Graph, found: Sequence[Slot]
) -> tuple[list[KnownSlot], list[LostSlot]]:
    """Return the later version's slots with names, labels, defaults and hiding carried over, and what is lost.

    A slot keeps its name where its node is still there; one that nobody renamed takes a new name where its node was
    given another title, for titles name slots. A newly found slot never takes a carried name: it gets its node's id.
    """
    nodes = same_nodes(before, after)
    new = {(slot.node_id, slot.input_name): slot for slot in found}
    carried: dict[tuple[str, str], KnownSlot] = {}
    lost: list[LostSlot] = []
    for old in known:
        node_id = nodes.get(old.slot.node_id)
        reason = _trouble(before, old.slot, after, node_id)
        if node_id is None or reason:
            lost.append(LostSlot(old.slot.name, reason))
            continue
        place = (node_id, old.slot.input_name)
        retitled = title_of(before[old.slot.node_id]) != title_of(after[node_id])
        carried[place] = _carried(old, new.get(place), after, place, retitled=retitled)
    names = {kept.slot.name for kept in carried.values()}
    for place, slot in new.items():
        if place not in carried:
            clash = slot.name in names and not _together(slot, carried.values())
            name = f"{slot.name}_{slot.node_id.replace(':', '_')}" if clash else slot.name
            carried[place] = KnownSlot(replace(slot, name=name), slot.name)
    return sorted(carried.values(), key=lambda k: (k.slot.name, k.slot.node_id, k.slot.input_name)), lost


def renamed(before: Graph, old: Iterable[Slot], after: Graph, new: Iterable[Slot]) -> dict[str, str]:
    """Return the later name of each earlier slot that can still be set; names that are lost are absent."""
    nodes = same_nodes(before, after)
    by_place = {(slot.node_id, slot.input_name): slot for slot in new if not slot.is_hidden}
    names = {slot.name for slot in by_place.values()}
    found: dict[str, str] = {}
    for slot in old:
        later = by_place.get((nodes.get(slot.node_id, ""), slot.input_name))
        if later is not None:
            found.setdefault(slot.name, later.name)
    return {slot.name: found.get(slot.name, slot.name) for slot in old if slot.name in found or slot.name in names}


def _carried(old: KnownSlot, found: Slot | None, after: Graph, place: tuple[str, str], *, retitled: bool) -> KnownSlot:
    kept = old.slot
    value = after[place[0]]["inputs"][place[1]]
    base = found or replace(kept, default=value, has_own_default=False)
    is_renamed = kept.name != old.found_name
    name = base.name if retitled and not is_renamed else kept.name
    base = replace(
        base, node_id=place[0], name=name, type=kept.type if not old.found_name else base.type, label=kept.label,
        is_hidden=kept.is_hidden, default=kept.default if kept.has_own_default else base.default,
        has_own_default=kept.has_own_default,
    )  # fmt: skip
    # A file that no server was asked about says no range: the one known before is better than none.
    if old.has_own_range or (base.class_default is None and base.step is None and not base.choices):
        base = replace(
            base, minimum=kept.minimum, maximum=kept.maximum, step=kept.step, choices=kept.choices,
            class_default=kept.class_default, type=kept.type,
        )  # fmt: skip
    return KnownSlot(base, found.name if found is not None and old.found_name else "", old.has_own_range)


def _trouble(before: Graph, slot: Slot, after: Graph, node_id: str | None) -> str:
    class_type = before[slot.node_id]["class_type"]
    if node_id is None:
        return f"node {slot.node_id} ({class_type}) is gone"
    value = after[node_id]["inputs"].get(slot.input_name)
    if slot.input_name not in after[node_id]["inputs"]:
        return f"node {node_id} ({class_type}) has no {slot.input_name} any more"
    return f"{slot.input_name} of node {node_id} ({class_type}) comes by a link now" if is_link(value) else ""


def _together(slot: Slot, kept: Iterable[KnownSlot]) -> bool:
    """Tell whether discovery itself gives several nodes this name: prompts and prefixes, which are filled alike."""
    shared = {"text_prompt", "negative_prompt", "filename_prefix"}
    return slot.name in shared and any(k.found_name == slot.name and k.slot.name == slot.name for k in kept)


def _class(graph: Graph, key: str) -> str:
    return str(graph[key]["class_type"])


def _by_kind(graph: Graph, without: set[str]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for key, node in graph.items():
        if key not in without:
            found[node["class_type"], title_of(node)].append(key)
    return found
