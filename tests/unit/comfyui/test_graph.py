"""Workflow graphs: what is refused and why, what is found, what the hash depends on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from x121lib.comfyui.errors import GraphError, UiFormatError
from x121lib.comfyui.graph import canonical_hash, load_graph, needed_nodes, node_classes, output_nodes, parse_graph

WORKFLOWS = Path(__file__).parents[3] / "data" / "workflows"
CORE = {
    "LoadImage",
    "ImageScale",
    "ImageCrop",
    "ImageBatch",
    "RepeatImageBatch",
    "ImageBlend",
    "ImageBlur",
    "ImageInvert",
    "ImageAddNoise",
    "ImageQuantize",
    "EmptyImage",
    "SaveImage",
    "PreviewImage",
    "CreateVideo",
    "SaveVideo",
    "LoadVideo",
    "GetVideoComponents",
    "EmptyAudio",
    "SaveWEBM",
    "SaveAnimatedWEBP",
    "PrimitiveInt",
}


def node(class_type: str = "A", **inputs: Any) -> dict[str, Any]:
    """Return a node."""
    return {"class_type": class_type, "inputs": inputs}


def test_editor_format_is_named_as_such() -> None:
    with pytest.raises(UiFormatError, match=r"editor .* 1 nodes.*Export \(API\)"):
        parse_graph({"nodes": [{}], "links": [], "version": 0.4})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (None, "not a workflow"),
        ([], "not a workflow"),
        ({}, "not a workflow"),
        ({"prompt": {"1": node()}}, "whole request"),
        ({"1": {"inputs": {}}}, "node 1 has no class_type"),
        ({"1": {"class_type": "A"}}, "has no inputs"),
        ({"1": node(x=["9", 0])}, "node 9, which does not exist"),
        ({"1": node(x=["1", -1])}, "slot -1"),
        ({"1": node(), "2": node(x=[1, 0])}, "neither a value nor a link"),
        ({"1": node(x=["2", 0]), "2": node(x=["1", 0])}, "cycle"),
        ({"1": node(x=["1", 0])}, "cycle"),
    ],
)
def test_unsound_graphs_are_refused_with_the_place(body: Any, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        parse_graph(body)


def test_lists_that_are_values_are_wrapped() -> None:
    assert parse_graph({"1": node(x={"__value__": ["a", 0]})})


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{", encoding="utf-8")
    for name in ("bad.json", "absent.json"):
        with pytest.raises(GraphError, match=name):
            load_graph(tmp_path / name)


def test_hash_ignores_order_and_notices_values() -> None:
    a = {"1": node(x=1, y=2), "2": node("B")}
    b = {"2": node("B"), "1": node(y=2, x=1)}
    assert canonical_hash(a) == canonical_hash(b)
    assert canonical_hash(a) != canonical_hash({**a, "1": node(x=1, y=3)})


def test_outputs_and_needed_nodes() -> None:
    graph = {
        "1": node("LoadImage"),
        "2": node("SaveImage", images=["1", 0]),
        "3": node("Odd", filename_prefix="x", images=["1", 0]),
        "4": node("Unused"),
    }
    assert output_nodes(graph) == ("2", "3")
    assert output_nodes(graph, {"Odd": {"output_node": False}, "Unused": {"output_node": True}}) == ("2", "4")
    assert needed_nodes(graph) == {"1", "2", "3"}


@pytest.mark.parametrize("name", ["idle", "dance", "walk", "wave", "evening"])
def test_sample_workflows_use_core_nodes_only(name: str) -> None:
    graph = load_graph(WORKFLOWS / f"{name}.json")
    assert node_classes(graph) <= CORE
    assert len(graph) <= 260
    assert needed_nodes(graph) == set(graph)


def test_a_server_s_mark_of_a_file_is_dropped() -> None:
    graph = parse_graph({"1": {**node("LoadImage", image="a.png"), "is_changed": ["of another day"]}})
    assert graph == {"1": node("LoadImage", image="a.png")}
