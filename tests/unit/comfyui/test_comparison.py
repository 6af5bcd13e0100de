"""Two versions of a workflow: every kind of difference, and nodes that were numbered anew."""

from __future__ import annotations

import copy
from typing import Any

from x121lib.comfyui.comparison import LinkChange, NodeName, ParameterChange, Source, compare, textual_difference
from x121lib.comfyui.graph import Graph


def node(class_type: str, title: str = "", **inputs: Any) -> dict[str, Any]:
    """Return a node."""
    return {"class_type": class_type, "inputs": inputs, **({"_meta": {"title": title}} if title else {})}


def sampled() -> Graph:
    """Return a small text-to-picture graph."""
    return {
        "1": node("CheckpointLoaderSimple", ckpt_name="a.safetensors"),
        "2": node("CLIPTextEncode", "good", text="a face", clip=["1", 1]),
        "3": node("CLIPTextEncode", "bad", text="blur", clip=["1", 1]),
        "4": node("KSampler", model=["1", 0], positive=["2", 0], negative=["3", 0], steps=20, cfg=7.0),
        "5": node("SaveImage", images=["4", 0], filename_prefix="x"),
    }


KSAMPLER = NodeName("4", "KSampler", "")


def test_the_same_graph_has_no_difference() -> None:
    found = compare(sampled(), copy.deepcopy(sampled()))
    assert found.is_empty
    assert found.lines() == []
    assert textual_difference(sampled(), sampled()) == ""


def test_parameters_set_otherwise_added_and_removed() -> None:
    after = sampled()
    after["4"]["inputs"] |= {"steps": 30, "denoise": True}
    del after["4"]["inputs"]["cfg"]
    found = compare(sampled(), after)
    assert found.changed == (
        ParameterChange(KSAMPLER, "cfg", 7.0, None),
        ParameterChange(KSAMPLER, "denoise", None, True),
        ParameterChange(KSAMPLER, "steps", 20, 30),
    )
    assert found.lines()[2] == "set: node 4 (KSampler), steps: 20 → 30"
    assert (found.added, found.removed, found.relinked) == ((), (), ())


def test_true_is_not_one_but_one_is_one() -> None:
    before, after = {"1": node("A", x=1, y=1)}, {"1": node("A", x=True, y=1.0)}
    assert [c.input_name for c in compare(before, after).changed] == ["x"]


def test_nodes_added_and_removed_and_links_led_past_them() -> None:
    after = sampled()
    after["9"] = node("LoraLoaderModelOnly", "look", model=["1", 0], lora_name="l", strength_model=1.0)
    after["4"]["inputs"]["model"] = ["9", 0]
    after["4"]["inputs"]["steps"] = ["10", 0]
    after["10"] = node("PrimitiveInt", value=20)
    found = compare(sampled(), after)
    look = NodeName("9", "LoraLoaderModelOnly", "look")
    assert found.added == (look, NodeName("10", "PrimitiveInt", ""))
    model = NodeName("1", "CheckpointLoaderSimple", "")
    assert found.relinked[0] == LinkChange(KSAMPLER, "model", Source(model, 0, None), Source(look, 0, None))
    assert found.relinked[1].before == Source(None, 0, 20)
    back = compare(after, sampled())
    assert back.removed == found.added
    assert back.relinked[1].after == Source(None, 0, 20)


def test_another_class_under_the_same_id_is_another_node() -> None:
    after = sampled()
    after["5"] = node("PreviewImage", images=["4", 0])
    found = compare(sampled(), after)
    assert found.added == (NodeName("5", "PreviewImage", ""),)
    assert found.removed == (NodeName("5", "SaveImage", ""),)


def test_a_graph_numbered_anew_is_the_same_graph() -> None:
    numbers = {"1": "10", "2": "33", "3": "22", "4": "40:7", "5": "50"}
    after: Graph = {}
    for key, old in sampled().items():
        inputs = {n: [numbers[v[0]], v[1]] if isinstance(v, list) else v for n, v in old["inputs"].items()}
        after[numbers[key]] = {**old, "inputs": inputs}
    after["40:7"]["inputs"]["steps"] = 25
    found = compare(sampled(), after)
    assert found.matched == numbers
    assert (found.added, found.removed, found.relinked) == ((), (), ())
    assert found.changed == (ParameterChange(NodeName("40:7", "KSampler", ""), "steps", 20, 25),)
    assert len(found.renamed) == 5


def test_of_several_alike_the_one_with_most_in_common_is_the_same() -> None:
    before = {"1": node("Load", "a"), "2": node("Scale", image=["1", 0], by=1), "3": node("Save", images=["2", 0])}
    after = {
        "7": node("Load", "a"), "8": node("Scale", image=["7", 0], by=1), "9": node("Scale", image=["8", 0], by=2),
        "3": node("Save", images=["9", 0]),
    }  # fmt: skip
    found = compare(before, after)
    assert found.matched == {"1": "7", "2": "8", "3": "3"}
    assert [n.id for n in found.added] == ["9"]
    assert [c.input_name for c in found.relinked] == ["images"]


def test_nodes_with_only_the_class_in_common_are_not_the_same() -> None:
    found = compare({"1": node("Note", "one", x=1)}, {"2": node("Note", "two", x=2)})
    assert (len(found.added), len(found.removed), found.matched) == (1, 1, {})


def test_the_textual_difference_is_unified_and_orders_ids_as_numbers() -> None:
    before = {"10": node("B", y=2, x=1), "2": node("A")}
    after = {"2": node("A"), "10": node("B", x=1, y=3)}
    text = textual_difference(before, after, names=("walk 1", "walk 2"))
    assert text.splitlines()[:2] == ["--- walk 1", "+++ walk 2"]
    assert [line for line in text.splitlines()[2:] if line[0] in "+-"] == ['-      "y": 2', '+      "y": 3']
