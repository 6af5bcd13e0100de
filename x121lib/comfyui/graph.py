"""API-format workflow graphs: reading, structural checks, hashing. Pure but for reading the file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from x121lib.comfyui.editor import convert, is_editor_form
from x121lib.comfyui.errors import GraphError, UiFormatError

Node: TypeAlias = dict[str, Any]
"""``{"class_type": …, "inputs": {…}, "_meta": {"title": …}}``"""

Graph: TypeAlias = dict[str, Node]
"""Nodes by id. A link is ``["id", slot]``."""

_OUTPUT_CLASSES = frozenset(
    {
        "SaveImage",
        "PreviewImage",
        "SaveVideo",
        "SaveWEBM",
        "SaveAnimatedWEBP",
        "SaveAnimatedPNG",
        "SaveAudio",
        "SaveAudioMP3",
        "SaveAudioOpus",
        "PreviewAudio",
        "PreviewAny",
        "SaveLatent",
        "SaveGLB",
        "VHS_VideoCombine",
    }
)


LARGEST_FILE_BYTES = 32 * 1024 * 1024
"""Largest workflow file that is read; the largest known in the wild have a few megabytes."""


def load_graph(path: Path, *, object_info: Mapping[str, Any] | None = None) -> Graph:
    """Read a workflow file and check its structure; see `parse_graph`.

    Raises:
        UiFormatError: the file was saved for the editor, and no ``object_info`` was given.
        GraphError: too large, unreadable, no JSON, or structurally wrong; the message names the file and the node.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE_BYTES:
            raise GraphError(
                f"{path.name} has {size / 1024**2:.1f} MB; a workflow file may have at most "
                f"{LARGEST_FILE_BYTES // 1024**2} MB.",
                hint="Take pictures and other data out of the workflow's nodes and save it again.",
            )
        body = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GraphError(f"{path.name} cannot be read as a workflow: {error}.") from error
    except RecursionError as error:
        raise GraphError(f"{path.name} cannot be read as a workflow: it is nested too deeply.") from error
    return parse_graph(body, name=path.name, object_info=object_info)


def parse_graph(body: Any, *, name: str = "The workflow", object_info: Mapping[str, Any] | None = None) -> Graph:
    """Check that a parsed JSON value is an API-format graph with sound links; return it.

    The editor's format is converted where ``object_info``, a server's description of its classes, is given.

    Raises:
        UiFormatError: it is the editor's format, and no ``object_info`` was given.
        NotConvertibleError: it is the editor's format with nodes that cannot be converted; all are named.
        GraphError: it is something else, a link leads nowhere, or the links form a cycle.
    """
    if is_editor_form(body):
        if object_info is None:
            raise UiFormatError(
                f"{name} is a workflow in ComfyUI's editor (UI) format with {len(body['nodes'])} nodes, not in API "
                "format; only with a worker online can it be converted.",
                hint="In ComfyUI choose Workflow > Export (API) and use that file, or bring a worker online.",
            )
        body = convert(body, object_info, name=name)
    if isinstance(body, Mapping) and isinstance(body.get("prompt"), Mapping):
        raise GraphError(f"{name} is a whole request to the server.", hint="Keep only what stands under 'prompt'.")
    if not isinstance(body, Mapping) or not body:
        raise GraphError(f"{name} is not a workflow: expected an object of nodes by id.")
    graph: Graph = {}
    for node_id, node in body.items():
        graph[str(node_id)] = _checked_node(name, str(node_id), node)
    _check_links(name, graph)
    _check_cycles(name, graph)
    return graph


def links_of(node: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    """Yield (input name, source node id, source slot) of a node's linked inputs."""
    for input_name, value in node["inputs"].items():
        if is_link(value):
            yield input_name, value[0], value[1]


def is_link(value: Any) -> bool:
    """Tell whether an input's value is a link; other lists are written as ``{"__value__": […]}``."""
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and type(value[1]) is int


def title_of(node: Mapping[str, Any]) -> str:
    """Return the title that a person gave a node, empty where there is none."""
    meta = node.get("_meta")
    return str(meta.get("title") or "") if isinstance(meta, Mapping) else ""


def classes_of(graph: Graph) -> dict[str, str]:
    """Return ``class_type`` by node id."""
    return {node_id: node["class_type"] for node_id, node in graph.items()}


def node_classes(graph: Graph) -> frozenset[str]:
    """Return the node classes that a server must have to run the graph."""
    return frozenset(classes_of(graph).values())


def output_nodes(graph: Graph, object_info: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """Return the ids of output nodes, sorted.

    With ``object_info`` its ``output_node`` flags decide. Without, known classes count, and nodes with a
    ``filename_prefix`` that nobody consumes.
    """
    consumed = {source for node in graph.values() for _input, source, _slot in links_of(node)}

    def is_output(node_id: str, node: Node) -> bool:
        described = (object_info or {}).get(node["class_type"])
        if isinstance(described, Mapping) and "output_node" in described:
            return bool(described["output_node"])
        known = node["class_type"] in _OUTPUT_CLASSES
        return known or ("filename_prefix" in node["inputs"] and node_id not in consumed)

    return tuple(sorted(node_id for node_id, node in graph.items() if is_output(node_id, node)))


def needed_nodes(graph: Graph) -> frozenset[str]:
    """Return the nodes that the outputs depend on, outputs included: those that a server executes."""
    waiting, needed = list(output_nodes(graph)), set[str]()
    while waiting:
        node_id = waiting.pop()
        if node_id not in needed:
            needed.add(node_id)
            waiting.extend(source for _input, source, _slot in links_of(graph[node_id]))
    return frozenset(needed)


def canonical_hash(graph: Graph) -> str:
    """Return the SHA-256 (hex) of the graph as canonical JSON: keys sorted, no spaces, ASCII.

    Titles count: they name the slots.
    """
    text = json.dumps(graph, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _checked_node(name: str, node_id: str, node: Any) -> Node:
    if not isinstance(node, Mapping) or not isinstance(node.get("class_type"), str) or not node["class_type"]:
        raise GraphError(f"{name}: node {node_id} has no class_type.", hint="Export the workflow in API format.")
    if not isinstance(node.get("inputs"), Mapping):
        raise GraphError(f"{name}: node {node_id} ({node['class_type']}) has no inputs object.")
    # A graph taken from a saved picture carries the server's own mark of its files then; sent again, the server
    # would believe it and never notice another file under the same name.
    kept = {key: value for key, value in node.items() if key != "is_changed"}
    return {**kept, "inputs": dict(node["inputs"])}


def _check_links(name: str, graph: Graph) -> None:
    for node_id, node in graph.items():
        for input_name, value in node["inputs"].items():
            where = f"{name}: node {node_id} ({node['class_type']}), input {input_name}"
            if isinstance(value, list) and not is_link(value):
                raise GraphError(f'{where} is neither a value nor a link ["node id", slot]: {value!r}.')
            if is_link(value) and value[0] not in graph:
                raise GraphError(f"{where} is linked to node {value[0]}, which does not exist.")
            if is_link(value) and value[1] < 0:
                raise GraphError(f"{where} is linked to slot {value[1]}, which does not exist.")


def _check_cycles(name: str, graph: Graph) -> None:
    # Kahn's algorithm: what cannot be ordered lies on a cycle or behind one.
    sources = {node_id: {source for _i, source, _s in links_of(node)} for node_id, node in graph.items()}
    consumers: dict[str, list[str]] = {node_id: [] for node_id in graph}
    for node_id, needed in sources.items():
        for source in needed:
            consumers[source].append(node_id)
    ready = [node_id for node_id, needed in sources.items() if not needed]
    ordered = 0
    while ready:
        source = ready.pop()
        ordered += 1
        for node_id in consumers[source]:
            sources[node_id].discard(source)
            if not sources[node_id]:
                ready.append(node_id)
    if ordered < len(graph):
        stuck = sorted(node_id for node_id, needed in sources.items() if needed)
        raise GraphError(f"{name}: the links form a cycle through or before node {stuck[0]}.")
