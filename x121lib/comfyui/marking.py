"""Two graphs as one picture: the later one with what was removed beside it, and what changed on each node. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, TypeAlias

from x121lib.comfyui.comparison import Comparison, NodeName, shown
from x121lib.comfyui.errors import GraphError
from x121lib.comfyui.graph import Graph, is_link, links_of, parse_graph

REMOVED = "removed:"
"""What the id of a removed node begins with in the picture: its own id may be another node's by now."""

Change: TypeAlias = tuple[str, str, str]
"""(input or ``title``, earlier, later), as text."""


def union(before: Graph, after: Graph, found: Comparison) -> Graph:
    """Return the later graph with the nodes of the earlier one that are gone, linked as they were.

    Links from removed nodes into nodes that stay are inputs called ``removed:NAME``; they are left out where they
    would close a circle.
    """
    places = {**found.matched, **{node.id: REMOVED + node.id for node in found.removed}}
    picture: Graph = {key: {**node, "inputs": dict(node["inputs"])} for key, node in after.items()}
    for node in found.removed:
        old = before[node.id]
        inputs = {
            name: [places[value[0]], value[1]] if is_link(value) else value for name, value in old["inputs"].items()
        }
        picture[REMOVED + node.id] = {**old, "inputs": inputs}
    led: list[tuple[str, str, Any]] = []
    gone = {node.id for node in found.removed}
    for earlier, later in found.matched.items():
        for name, source, slot in links_of(before[earlier]):
            if source in gone:
                led.append((later, REMOVED + name, [REMOVED + source, slot]))
    for target, name, link in led:
        picture[target]["inputs"][name] = link
    try:
        return parse_graph(picture)
    except GraphError:
        for target, name, _ in led:
            del picture[target]["inputs"][name]
        return picture


def changes_by_node(found: Comparison) -> dict[str, list[Change]]:
    """Return what changed on each node that stays, by its later id: values, links, title and id."""
    changes: dict[str, list[Change]] = defaultdict(list)
    for value in found.changed:
        changes[value.node.id].append((value.input_name, shown(value.before), shown(value.after)))
    for link in found.relinked:
        changes[link.node.id].append((link.input_name, str(link.before), str(link.after)))
    for before, after in found.renamed:
        changes[after.id].extend(_names(before, after))
    return dict(changes)


def _names(before: NodeName, after: NodeName) -> list[Change]:
    pairs = (("title", before.title, after.title), ("node", before.id, after.id))
    return [(what, was or "none", now or "none") for what, was, now in pairs if was != now]
