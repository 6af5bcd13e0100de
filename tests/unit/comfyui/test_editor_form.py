"""Workflows in the editor's form: what they become, and what is refused with every node named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from x121lib.comfyui.errors import GraphError, NotConvertibleError, UiFormatError
from x121lib.comfyui.graph import Graph, load_graph, parse_graph
from x121lib.testing.editor_files import BYPASSED, SHELF, Sheet

OBJECT_INFO = json.loads((Path(__file__).parent / "object_info.json").read_text(encoding="utf-8"))
"""Some classes as ComfyUI 0.3.64 describes them, choices cut short."""


def made(body: dict[str, Any]) -> Graph:
    """Return the API form."""
    return parse_graph(body, name="file.json", object_info=OBJECT_INFO)


def inputs(body: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs of each node of the API form."""
    return {key: node["inputs"] for key, node in made(body).items()}


@pytest.mark.parametrize("name", ["plain", "objects"])
def test_notes_vanish_and_the_upload_button_takes_no_value(name: str) -> None:
    assert made(SHELF[name]()) == {
        "1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}, "_meta": {"title": "seed_image"}},
        "2": {
            "class_type": "ImageScale",
            "inputs": {"upscale_method": "lanczos", "width": 640, "height": 480, "crop": "center", "image": ["1", 0]},
            "_meta": {"title": "Upscale Image"},
        },
        "3": {
            "class_type": "SaveImage",
            "inputs": {"filename_prefix": "out/example.png", "images": ["2", 0]},
            "_meta": {"title": "Save Image"},
        },
    }


def test_a_value_after_the_seed_is_the_editors_and_a_primitive_writes_its_value() -> None:
    found = inputs(SHELF["sampled"]())
    assert found["3"] == {
        "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0], "seed": ["11", 0],
        "steps": 31, "cfg": 7.5, "sampler_name": "euler", "scheduler": "normal", "denoise": 0.85,
    }  # fmt: skip
    assert found["6"]["text"] == "a {real} face "
    assert "10" not in found


def test_bypassed_nodes_hand_on_what_fits() -> None:
    found = inputs(SHELF["bypassed"]())
    assert found["5"]["images"] == ["1", 0]
    assert "images" not in found["8"]
    assert {"2", "4", "6"}.isdisjoint(found)


def test_a_muted_node_takes_the_input_that_it_fed_with_it() -> None:
    found = inputs(SHELF["muted"]())
    assert found["1"] == {"height": 48, "batch_size": 1, "color": 255}
    assert found["5"] == {"filename_prefix": "without"}


def test_reroutes_hand_on_past_a_bypassed_node() -> None:
    found = inputs(SHELF["rerouted"]())
    assert set(found) == {"1", "5", "7"}
    assert found["5"] == {"image1": ["1", 0], "blend_factor": 0.5, "blend_mode": "normal"}


def test_nested_subgraphs_get_ids_of_their_way_and_the_outermost_value() -> None:
    found = inputs(SHELF["nested"]())
    assert set(found) == {"1", "2:1:1", "2:1:2", "2:2", "3:1", "3:2", "4"}
    assert found["2:1:1"] == {"upscale_method": "area", "scale_by": 4.0, "image": ["1", 0]}
    assert found["3:1"] == {"upscale_method": "area", "scale_by": 1.25, "image": ["2:2", 0]}
    assert found["4"]["images"] == ["3:2", 0]


def test_a_promoted_widget_is_fed_by_a_link_or_keeps_the_value_inside() -> None:
    found = inputs(SHELF["fed_subgraph"]())
    assert found["3:1"]["scale_by"] == ["2", 0]
    assert found["4:1"]["scale_by"] == 2.0


def test_the_newer_list_of_promoted_widgets_says_where_its_values_stand() -> None:
    body = SHELF["nested"]()
    body["nodes"][1]["widgets_values"] = [None, 6.5]
    body["nodes"][1]["properties"] = {"proxyWidgets": [["2", "blend_factor"], ["-1", "scale_by"]]}
    assert inputs(body)["2:1:1"]["scale_by"] == 6.5
    assert inputs(body)["2:2"]["blend_factor"] == 0.5


def test_muted_and_bypassed_subgraphs_keep_nothing_of_their_inside() -> None:
    body = SHELF["nested"]()
    body["nodes"][1]["mode"] = BYPASSED
    found = inputs(body)
    assert set(found) == {"1", "3:1", "3:2", "4"}
    assert found["3:1"]["image"] == ["1", 0]
    body["nodes"][1]["mode"] = 2
    assert "image" not in inputs(body)["3:1"]


def test_missing_values_are_the_classes_defaults() -> None:
    found = inputs(SHELF["defaults"]())
    assert found["2"]["blend_mode"] == "normal"
    assert found["3"] == {"fps": 30.0, "images": ["2", 0]}
    assert found["4"] == {"filename_prefix": "video/mine", "format": "mp4", "codec": "auto", "video": ["3", 0]}


def test_a_primitives_number_is_put_on_the_widgets_step() -> None:
    assert inputs(SHELF["rounded"]())["3"]["scale_by"] == 0.14


def test_a_primitive_feeds_a_promoted_widget_and_a_file_name_takes_values() -> None:
    found = inputs(SHELF["primed_subgraph"]())
    assert found["3:1"]["scale_by"] == 3.5
    assert found["5"]["upscale_method"] == "bicubic"
    assert found["6"]["filename_prefix"] == "2_64_%nothing.x%"


def test_converted_inputs_keep_their_names_and_a_null_stays() -> None:
    found = inputs(SHELF["sockets_by_force"]())
    assert found["4"] == {"width": 333, "height": 222, "batch_size": None, "color": 255}
    assert found["1"] == {"prompt": "a", "size": "1365x1024", "n": 2, "seed": 7}


def test_values_by_name_and_values_of_forced_sockets() -> None:
    sheet = Sheet()
    sheet.node(1, "EmptyImage", "", "IMAGE:IMAGE", {"width": 80, "color": 9, "extra": True})
    sheet.node(2, "RecraftTextToImageNode", "", "IMAGE:IMAGE", ["text", "1365x1024", 2, 7, "fixed", "dummy"])
    found = inputs(sheet.file())
    assert found["1"] == {"width": 80, "height": 512, "batch_size": 1, "color": 9}
    assert found["2"] == {"prompt": "text", "size": "1365x1024", "n": 2, "seed": 7}


def test_dynamic_choices_bring_widgets_of_their_own() -> None:
    options = [{"key": "by", "inputs": {"required": {"factor": ["FLOAT", {"default": 1.0}]}}}, {"key": "none"}]
    described = {"input": {"required": {"how": ["COMFY_DYNAMICCOMBO_V3", {"options": options}], "n": ["INT", {}]}}}
    sheet = Sheet()
    sheet.node(1, "Resize", values=["by", 2.5, 3])
    sheet.node(2, "Resize", values=["none", 4])
    found = parse_graph(sheet.file(), object_info={"Resize": described})
    assert found["1"]["inputs"] == {"how": "by", "how.factor": 2.5, "n": 3}
    assert found["2"]["inputs"] == {"how": "none", "n": 4}


def test_a_set_and_a_get_node_are_one_link() -> None:
    sheet = Sheet()
    sheet.node(1, "EmptyImage", "", "IMAGE:IMAGE", [64, 64, 1, 0])
    sheet.node(2, "SetNode", "IMAGE:IMAGE", "IMAGE:IMAGE", ["shared"])
    sheet.node(3, "GetNode", "", "IMAGE:IMAGE", ["shared"])
    sheet.node(4, "SaveImage", "images:IMAGE", "", ["x"])
    sheet.link(1, 0, 2, "IMAGE")
    sheet.link(3, 0, 4, "images")
    assert inputs(sheet.file())["4"]["images"] == ["1", 0]


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("a {red|blue {sky|sea}} hat", "a red hat"),
        ("{ {a|b} c|d}", " a c"),
        ("x /* out\nof */ y // end\nz", "x  y \nz"),
        (r"\{kept\|so\}", "{kept|so}"),
        ("{open", "open"),
    ],
)
def test_prompts_lose_comments_and_take_the_first_choice(text: str, sent: str) -> None:
    body = SHELF["sampled"]()
    body["nodes"][3]["widgets_values"] = [text]
    assert inputs(body)["7"]["text"] == sent


def test_every_node_that_cannot_be_converted_is_named_at_once() -> None:
    sheet = Sheet()
    sheet.node(1, "Load3D", "", "IMAGE:IMAGE", title="Statue")
    sheet.node(2, "OfSomePack", title="Magic")
    sheet.node(3, "workflow>old group")
    sheet.node(4, "AnotherPack", mode=2)
    sheet.node(5, "SaveImage", "images:IMAGE", "", ["x"])
    body = sheet.file()
    body["nodes"][4]["inputs"][0]["link"] = 7
    with pytest.raises(NotConvertibleError) as caught:
        made(body)
    assert [line.split(":")[0] for line in caught.value.problems] == [
        "node 1 'Statue' (Load3D)", "node 2 'Magic' (OfSomePack)", "node 3 (workflow>old group)", "node 5 (SaveImage)",
    ]  # fmt: skip
    assert "file.json cannot be converted" in str(caught.value)
    assert "link 7, which does not exist" in str(caught.value)


def _with_self_in_itself() -> dict[str, Any]:
    body = SHELF["nested"]()
    body["definitions"]["subgraphs"][0]["nodes"][0]["type"] = body["definitions"]["subgraphs"][0]["id"]
    return body


def _circle_of_reroutes() -> dict[str, Any]:
    sheet = Sheet()
    sheet.node(1, "Reroute", ":*", "IMAGE:IMAGE")
    sheet.node(2, "Reroute", ":*", "IMAGE:IMAGE")
    sheet.node(3, "SaveImage", "images:IMAGE", "", ["x"])
    sheet.link(1, 0, 2, "")
    sheet.link(2, 0, 1, "")
    sheet.link(2, 0, 3, "images")
    return sheet.file()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (Sheet().file(version=2), "version 2 of the editor's format"),
        ({"nodes": [{"type": "A"}]}, "no id or no type"),
        ({"nodes": [7]}, "no id or no type"),
        ({"nodes": [{"id": 1, "type": "A"}, {"id": 1, "type": "B"}]}, "two nodes 1"),
        ({"nodes": [], "links": [[1, 2]]}, "is no link"),
        ({"nodes": []}, "no node of it would run"),
        (_with_self_in_itself(), "'Blender' contains itself"),
        (_circle_of_reroutes(), "runs in a circle"),
    ],
)
def test_damaged_files_are_refused(body: dict[str, Any], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        made(body)


def test_without_a_worker_the_hint_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(SHELF["plain"]()), encoding="utf-8")
    with pytest.raises(UiFormatError, match=r"mine\.json .* 5 nodes.*bring a worker online"):
        load_graph(path)
    assert set(load_graph(path, object_info=OBJECT_INFO)) == {"1", "2", "3"}


def test_a_file_of_50_mb_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "big.json"
    with path.open("wb") as file:
        file.truncate(50 * 1024 * 1024)
    with pytest.raises(GraphError, match=r"big\.json has 50\.0 MB; a workflow file may have at most 32 MB"):
        load_graph(path)


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(GraphError, match=r"deep\.json .* nested too deeply"):
        load_graph(path)
