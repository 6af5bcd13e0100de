"""What an editor's file says: graphs of nodes, slots and links, old and new spelling. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from x121lib.comfyui.errors import GraphError

NEVER = 2
"""Mode of a muted node."""
BYPASS = 4
"""Mode of a bypassed node."""
INPUT_ID = "-10"
"""Id of the node that stands for a subgraph's inputs."""
OUTPUT_ID = "-20"
"""Id of the node that stands for a subgraph's outputs."""
_NEWEST_VERSION = 1.0


@dataclass(frozen=True)
class InputSlot:
    """One input of a node."""

    name: str
    """Name, unique in its node."""
    type: str
    """ComfyUI's type, ``*`` for any, several with commas."""
    link: int | None = None
    """The link that arrives here."""
    widget: str = ""
    """Name of the widget that it replaces when linked, empty for a plain socket."""


@dataclass(frozen=True)
class EditorNode:
    """A node as the file has it."""

    id: str
    """Id within its graph."""
    class_type: str
    """Class, or the id of a subgraph's definition."""
    title: str
    """Title that a person gave, empty for none."""
    mode: int
    """0 runs, 2 is muted, 4 is bypassed."""
    inputs: tuple[InputSlot, ...]
    """In the file's order."""
    output_types: tuple[str, ...]
    """Types of the outputs."""
    values: list[Any] | dict[str, Any]
    """Widgets' values by position, or by name as some packs write them."""
    properties: Mapping[str, Any]
    """What else the editor keeps."""

    @property
    def label(self) -> str:
        """The node as messages name it."""
        return f"{self.title!r} ({self.class_type})" if self.title else f"({self.class_type})"


@dataclass(frozen=True)
class Link:
    """A connection."""

    origin_id: str
    """Node that gives; ``-10`` for a subgraph's own input."""
    origin_slot: int
    """Number of its output."""
    target_id: str
    """Node that takes; ``-20`` for a subgraph's own output."""
    target_slot: int
    """Number of its input when the file was saved."""


@dataclass(frozen=True)
class EditorGraph:
    """The whole workflow, or the inside of one subgraph."""

    nodes: Mapping[str, EditorNode]
    """By id."""
    links: Mapping[int, Link]
    """By id."""
    name: str = ""
    """A subgraph's name."""
    input_names: tuple[str, ...] = ()
    """A subgraph's inputs."""
    input_links: tuple[tuple[int, ...], ...] = ()
    """Links from each input to the nodes inside."""
    output_links: tuple[tuple[int, ...], ...] = ()
    """Links from the nodes inside to each output."""


@dataclass(frozen=True)
class Document:
    """A whole file."""

    root: EditorGraph
    """What the file opens with."""
    subgraphs: Mapping[str, EditorGraph]
    """Definitions by id."""


def read_document(body: Mapping[str, Any], name: str) -> Document:
    """Read an editor's file.

    Raises:
        GraphError: it is of a newer form, or a node or a link has no readable form.
    """
    version = body.get("version")
    if isinstance(version, int | float) and version > _NEWEST_VERSION:
        raise GraphError(
            f"{name} is in version {version} of the editor's format; known up to {_NEWEST_VERSION:g}.",
            hint="In ComfyUI choose Workflow > Export (API) and use that file, or update X121.",
        )
    definitions = {str(d.get("id")): _graph(d, f"{name}, subgraph {_quoted(d)}") for d in _definitions(body)}
    return Document(_graph(body, name), definitions)


def _definitions(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    waiting = [body]
    while waiting:
        definitions = waiting.pop().get("definitions")
        listed = definitions.get("subgraphs") if isinstance(definitions, Mapping) else None
        for definition in _mappings(listed):
            waiting.append(definition)
            yield definition


def _quoted(definition: Mapping[str, Any]) -> str:
    return repr(str(definition.get("name") or definition.get("id") or ""))


def _graph(body: Mapping[str, Any], where: str) -> EditorGraph:
    nodes: dict[str, EditorNode] = {}
    for raw in _listed(body.get("nodes")):
        node = _node(raw, where)
        if node.id in nodes:
            raise GraphError(f"{where}: there are two nodes {node.id}.")
        nodes[node.id] = node
    links = dict(_links(body.get("links"), where))
    inputs, outputs = list(_mappings(body.get("inputs"))), list(_mappings(body.get("outputs")))
    starts, ends = defaultdict[int, list[int]](list), defaultdict[int, list[int]](list)
    for link_id, link in links.items():
        if link.origin_id == INPUT_ID:
            starts[link.origin_slot].append(link_id)
        if link.target_id == OUTPUT_ID:
            ends[link.target_slot].append(link_id)
    return EditorGraph(
        nodes,
        links,
        name=str(body.get("name") or ""),
        input_names=tuple(str(slot.get("name") or "") for slot in inputs),
        input_links=tuple(_at_wall(slot, starts[number]) for number, slot in enumerate(inputs)),
        output_links=tuple(_at_wall(slot, ends[number]) for number, slot in enumerate(outputs)),
    )


def _at_wall(slot: Mapping[str, Any], found: list[int]) -> tuple[int, ...]:
    listed = slot.get("linkIds")
    return tuple(i for i in listed if type(i) is int) if isinstance(listed, list) else tuple(found)


def _node(raw: Any, where: str) -> EditorNode:
    if not isinstance(raw, Mapping) or "id" not in raw or not isinstance(raw.get("type"), str):
        raise GraphError(f"{where}: an entry of 'nodes' has no id or no type: {str(raw)[:80]}.")
    mode, values, properties = raw.get("mode"), raw.get("widgets_values"), raw.get("properties")
    return EditorNode(
        id=str(raw["id"]),
        class_type=raw["type"],
        title=str(raw.get("title") or ""),
        mode=mode if type(mode) is int else 0,
        inputs=tuple(_input(slot) for slot in _mappings(raw.get("inputs"))),
        output_types=tuple(_type(slot.get("type")) for slot in _mappings(raw.get("outputs"))),
        values=values if isinstance(values, list | dict) else [],
        properties=properties if isinstance(properties, Mapping) else {},
    )


def _input(raw: Mapping[str, Any]) -> InputSlot:
    link, widget = raw.get("link"), raw.get("widget")
    return InputSlot(
        str(raw.get("name") or ""),
        _type(raw.get("type")),
        link if type(link) is int else None,
        str(widget.get("name") or "") if isinstance(widget, Mapping) else "",
    )


def _type(raw: Any) -> str:
    return "COMBO" if isinstance(raw, list) else "*" if raw in (None, "", 0) else str(raw)


def _links(raw: Any, where: str) -> Iterator[tuple[int, Link]]:
    keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot")
    for item in list(raw.values()) if isinstance(raw, Mapping) else _listed(raw):
        if item is None:
            continue
        parts = [item.get(key) for key in keys] if isinstance(item, Mapping) else item
        if not isinstance(parts, list) or len(parts) < 5 or any(type(parts[i]) is not int for i in (0, 2, 4)):
            raise GraphError(f"{where}: an entry of 'links' is no link: {str(item)[:80]}.")
        yield parts[0], Link(str(parts[1]), parts[2], str(parts[3]), parts[4])


def _listed(raw: Any) -> list[Any]:
    return raw if isinstance(raw, list) else []


def _mappings(raw: Any) -> Iterator[Mapping[str, Any]]:
    return (item for item in _listed(raw) if isinstance(item, Mapping))
