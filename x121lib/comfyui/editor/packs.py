"""Which node pack a class comes from, as the editor's file says. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

CORE = "comfy-core"
"""What the editor writes for ComfyUI's own classes."""
_LONGEST = 200


class Pack(NamedTuple):
    """A node pack."""

    name: str
    """Its name in the Comfy Registry (``cnr_id``), else its GitHub path (``aux_id``)."""
    version: str
    """Version or commit that the file was saved with; empty where it says none."""


def packs_of(body: Any) -> dict[str, Pack]:
    """Return the pack of each class that the file names one for, ComfyUI's own classes left out.

    The editor keeps ``cnr_id``, ``aux_id`` and ``ver`` among a node's properties. A file in API form says nothing.
    """
    found: dict[str, Pack] = {}
    for node in _nodes(body):
        said = node.get("properties")
        name = (said.get("cnr_id") or said.get("aux_id")) if isinstance(said, Mapping) else None
        class_type = node.get("type")
        if not isinstance(name, str) or not isinstance(class_type, str) or not isinstance(said, Mapping):
            continue
        if name != CORE and _is_word(name) and _is_word(class_type):
            version = said.get("ver")
            found.setdefault(class_type, Pack(name, version if isinstance(version, str) and _is_word(version) else ""))
    return found


def pack_of_module(module: Any) -> str:
    """Return the pack that a server's ``python_module`` names; empty for ComfyUI's own modules."""
    first, _, rest = str(module or "").partition(".")
    return rest.split(".")[0] if first == "custom_nodes" else ""


def _nodes(body: Any) -> Iterator[Mapping[str, Any]]:
    if not isinstance(body, Mapping):
        return
    definitions = body.get("definitions")
    inner = definitions.get("subgraphs") if isinstance(definitions, Mapping) else None
    for graph in [body, *(inner if isinstance(inner, list) else [])]:
        nodes = graph.get("nodes") if isinstance(graph, Mapping) else None
        yield from (node for node in (nodes if isinstance(nodes, list) else ()) if isinstance(node, Mapping))


def _is_word(text: str) -> bool:
    return 0 < len(text) <= _LONGEST and text.isprintable()
