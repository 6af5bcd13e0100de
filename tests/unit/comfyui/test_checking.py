"""A graph against what a server has: every rule with what it says, and what it leaves alone."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from x121lib.comfyui.capabilities import files_in, trimmed
from x121lib.comfyui.checking import FindingKind, Offer, check_graph, effective, lacks_file, needed_models
from x121lib.comfyui.editor.packs import Pack, pack_of_module, packs_of

DATA = Path(__file__).parents[3] / "data" / "workflows"
SPECS: dict[str, Any] = {
    "LoadImage": {"input": {"required": {"image": [["a.png"], {"image_upload": True}]}}, "output": ["IMAGE", "MASK"]},
    "CheckpointLoaderSimple": {
        "input": {"required": {"ckpt_name": [["base.safetensors", "sub\\other.safetensors"]]}},
        "output": ["MODEL", "CLIP", "VAE"],
    },
    "LoraLoaderModelOnly": {
        "input": {"required": {"model": ["MODEL"], "lora_name": ["COMBO", {"options": ["soft.safetensors"]}],
                               "strength_model": ["FLOAT", {"min": -100.0, "max": 100.0}]}},
        "output": ["MODEL"],
    },
    "KSampler": {
        "input": {"required": {"model": ["MODEL"], "steps": ["INT", {"min": 1, "max": 100}], "image": ["IMAGE,MASK"],
                               "sampler_name": [["euler", "heun"]]},
                  "optional": {"any": ["*"], "grow": ["COMFY_AUTOGROW_V3", {}]}},
        "output": ["IMAGE"],
    },
    "SaveImage": {"input": {"required": {"images": ["IMAGE"], "filename_prefix": ["STRING"]}}, "output": [],
                  "output_node": True},
    "TextLoader": {"input": {"required": {"path": ["STRING"]}}, "output": ["MODEL"]},
}  # fmt: skip
GRAPH: dict[str, Any] = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "seed.png"}},
    "2": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "base.safetensors"}},
    "3": {"class_type": "LoraLoaderModelOnly",
          "inputs": {"model": ["2", 0], "lora_name": "soft.safetensors", "strength_model": 0.8}},
    "4": {"class_type": "KSampler", "inputs": {"model": ["3", 0], "steps": "20", "image": ["1", 0],
                                               "sampler_name": "euler"}},
    "5": {"class_type": "SaveImage", "inputs": {"images": ["4", 0], "filename_prefix": "x"}},
}  # fmt: skip
OFFER = Offer(SPECS, frozenset({("checkpoints", "base.safetensors"), ("loras", "soft.safetensors")}))
CHANGES = [
    ("4", "steps", 0, FindingKind.RANGE, "0 is not in 1 to 100"),
    ("4", "steps", 101, FindingKind.RANGE, "101 is not in 1 to 100"),
    ("3", "strength_model", float("nan"), FindingKind.RANGE, "nan is not in -100.0 to 100.0"),
    ("4", "steps", "many", FindingKind.TYPE, "'many' is no INT"),
    ("5", "filename_prefix", {"a": 1}, FindingKind.TYPE, "{'a': 1} is no text"),
    ("4", "sampler_name", "lcm", FindingKind.CHOICE, "'lcm' is none of its choices (euler, heun)"),
    ("4", "image", ["2", 0], FindingKind.LINK, "takes IMAGE,MASK, and node 2 gives MODEL"),
    ("4", "image", ["1", 2], FindingKind.LINK, "linked to output 2 of node 1 (LoadImage), which has 2"),
    ("4", "image", ["99", 0], FindingKind.LINK, "linked to node 99, which does not exist"),
    ("3", "lora_name", "hard.safetensors", FindingKind.MODEL, "'hard.safetensors' is not there"),
    ("2", "ckpt_name", "sub/other.safetensors", FindingKind.MODEL,
     "'sub/other.safetensors' is spelled 'sub\\\\other.safetensors' there"),
]  # fmt: skip


def changed(node_id: str, input_name: str, value: Any) -> dict[str, Any]:
    return effective(copy.deepcopy(GRAPH), {(node_id, input_name): value})


def test_a_graph_that_a_server_can_run_has_no_findings() -> None:
    assert check_graph(GRAPH, OFFER) == []
    assert check_graph(changed("4", "image", ["1", 1]), OFFER) == [], "one of several types fits"
    assert check_graph(changed("4", "any", ["2", 2]), OFFER) == [], "any type fits"


@pytest.mark.parametrize(("node_id", "input_name", "value", "kind", "detail"), CHANGES)
def test_each_wrong_value_or_link_is_one_finding(
    node_id: str, input_name: str, value: Any, kind: FindingKind, detail: str
) -> None:
    (found,) = check_graph(changed(node_id, input_name, value), OFFER)
    assert (found.kind, found.node_id, found.input_name, found.detail) == (kind, node_id, input_name, detail)


def test_all_missing_classes_are_named_and_what_no_output_needs_is_not_looked_at() -> None:
    graph = copy.deepcopy(GRAPH)
    del graph["4"]["inputs"]["steps"]
    graph |= {
        "6": {"class_type": "Odd", "inputs": {}},
        "7": {"class_type": "Odd", "inputs": {}},
        "8": {"class_type": "Even", "inputs": {}},
        "9": {"class_type": "LoraLoaderModelOnly", "inputs": {"lora_name": "never.safetensors"}},
    }
    found = [(f.kind.value, f.name, f.node_id, f.detail) for f in check_graph(graph, OFFER)]
    assert found == [
        ("node_class", "Even", "8", "used by node 8"),
        ("node_class", "Odd", "6", "used by 2 nodes: 6, 7"),
        ("input", "", "4", "this required input has no value"),
    ]
    (none,) = check_graph({"1": GRAPH["1"]}, OFFER)
    assert none.kind is FindingKind.OUTPUT


def test_a_file_is_surely_missing_only_where_the_server_lists_such_files() -> None:
    hard = needed_models(changed("3", "lora_name", "hard.safetensors"))
    lora = next(named for named in hard if named.node_id == "3")
    assert lacks_file(lora, "LoraLoaderModelOnly", OFFER)
    assert not lacks_file(lora, "LoraLoaderModelOnly", Offer(SPECS, frozenset({("loras", "hard.safetensors")})))
    assert lacks_file(lora, "LoraLoaderModelOnly", Offer({"LoraLoaderModelOnly": None}, frozenset()))
    assert not lacks_file(lora, "LoraLoaderModelOnly", Offer({}, frozenset({("", "hard.safetensors")})))
    graph = GRAPH | {"2": {"class_type": "TextLoader", "inputs": {"path": "/far/away.safetensors"}}}
    (far,) = [named for named in needed_models(graph) if named.node_id == "2"]
    assert not lacks_file(far, "TextLoader", OFFER), "what is typed freely may be fetched by the node itself"
    assert check_graph(graph, OFFER) == []


def test_a_description_is_kept_without_texts_for_people_and_without_numbers_that_are_none() -> None:
    told = {
        "input": {"required": {"lora_name": [["a.safetensors", "b\0.pt"], {"tooltip": "long", "default": "a"}],
                               "x": ["FLOAT", {"max": float("inf"), "min": 0}]},
                  "hidden": {"prompt": "PROMPT"}},
        "output": ["MODEL"], "python_module": "custom_nodes.Pack-A.deep", "description": "long",
    }  # fmt: skip
    kept = trimmed(told)
    json.dumps(kept, allow_nan=False)
    assert kept["input"]["required"]["x"] == ["FLOAT", {"max": None, "min": 0}]
    assert kept["input"]["required"]["lora_name"][1] == {"default": "a"}
    assert list(files_in(kept)) == ["a.safetensors", "b.pt"]
    assert pack_of_module(kept["python_module"]) == "Pack-A"
    assert [pack_of_module(x) for x in ("nodes", "comfy_extras.nodes_x", None)] == ["", "", ""]
    assert trimmed("nonsense") == {}
    assert list(files_in({})) == []


def test_the_editor_s_file_names_packs_also_inside_subgraphs() -> None:
    def node(class_type: Any, **properties: Any) -> dict[str, Any]:
        return {"type": class_type, "properties": properties}

    subgraphs = [{"nodes": [node("F", cnr_id="pack-f", ver=3), node("A", cnr_id="other")]}, 7]
    body = {
        "nodes": [
            node("A", cnr_id="pack-a", ver="1.2.0"), node("B", aux_id="who/pack-b"), node("C", cnr_id="comfy-core"),
            node("D", ver="1"), node(5, cnr_id="x"), {"type": "E", "properties": None}, "noise",
        ],
        "definitions": {"subgraphs": subgraphs},
    }  # fmt: skip
    assert packs_of(body) == {"A": Pack("pack-a", "1.2.0"), "B": Pack("who/pack-b", ""), "F": Pack("pack-f", "")}
    assert packs_of([]) == packs_of({"nodes": 3, "definitions": 4}) == {}
