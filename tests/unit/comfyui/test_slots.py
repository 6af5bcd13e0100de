"""Slots: discovery by title, input and use; binding of checked values."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from x121lib.comfyui.errors import SlotError
from x121lib.comfyui.graph import Graph, load_graph
from x121lib.comfyui.slots import Slot, bind, discover_slots, with_seed
from x121lib.terms.vocabulary import SlotType

WORKFLOWS = Path(__file__).parents[3] / "data" / "workflows"


def diffusion() -> Graph:
    """Return the usual text-to-image graph with two prompts behind one sampler."""

    def node(class_type: str, **inputs: Any) -> dict[str, Any]:
        return {"class_type": class_type, "inputs": inputs}

    sampler = {"seed": 5, "steps": 20, "cfg": 8.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0}
    return {
        "3": node("KSampler", model=["4", 0], positive=["6", 0], negative=["8", 0], latent_image=["5", 0], **sampler),
        "4": node("CheckpointLoaderSimple", ckpt_name="m.safetensors"),
        "5": node("EmptyLatentImage", width=512, height=640, batch_size=1),
        "6": node("CLIPTextEncode", text="a portrait", clip=["4", 1]),
        "7": node("CLIPTextEncode", text="blurred", clip=["4", 1]),
        "8": node("ConditioningZeroOut", conditioning=["7", 0]),
        "9": node("SaveImage", images=["3", 0], filename_prefix="x"),
        "10": node("LoadImage", image="a.png"),
    }


def test_slots_of_a_diffusion_workflow() -> None:
    found = {slot.name: (slot.node_id, slot.input_name, slot.type.value) for slot in discover_slots(diffusion())}
    assert found == {
        "cfg": ("3", "cfg", "float"),
        "denoise": ("3", "denoise", "float"),
        "filename_prefix": ("9", "filename_prefix", "string"),
        "height": ("5", "height", "int"),
        "negative_prompt": ("7", "text", "string"),
        "sampler_name": ("3", "sampler_name", "string"),
        "scheduler": ("3", "scheduler", "string"),
        "seed": ("3", "seed", "int"),
        "seed_image": ("10", "image", "image"),
        "steps": ("3", "steps", "int"),
        "text_prompt": ("6", "text", "string"),
        "width": ("5", "width", "int"),
    }


def test_object_info_narrows_bounds() -> None:
    info = {"KSampler": {"input": {"required": {"steps": ["INT", {"min": 1, "max": 50}]}}}}
    steps = next(slot for slot in discover_slots(diffusion(), info) if slot.name == "steps")
    assert (steps.minimum, steps.maximum, steps.default, steps.class_default) == (1, 50, 20, None)


def test_object_info_gives_bounds_and_defaults_also_where_there_were_none() -> None:
    graph = {"1": {"class_type": "SomeVideo", "inputs": {"width": 832, "height": 480, "length": 81}}}
    bounds = {"default": 49, "min": 5, "max": 241, "step": 4}
    info = {"SomeVideo": {"input": {"required": {"width": ["INT"]}, "optional": {"length": ["INT", bounds]}}}}
    found = {slot.name: slot for slot in discover_slots(graph, info)}
    assert set(found) == {"width", "height", "frame_count"}
    length = found["frame_count"]
    assert (length.default, length.class_default, length.minimum, length.maximum) == (81, 49, 5, 241)
    assert (found["width"].class_default, found["width"].minimum) == (None, 16)


def test_length_is_a_frame_count_only_where_a_video_is_made() -> None:
    graph = {"1": {"class_type": "TextCut", "inputs": {"length": 81, "text": "x"}}}
    assert discover_slots(graph) == []


def test_each_lora_has_slots_of_its_own() -> None:
    def loader(class_type: str, title: str = "", **weights: Any) -> dict[str, Any]:
        return {
            "class_type": class_type,
            "inputs": {"lora_name": "l.safetensors", **weights},
            "_meta": {"title": title},
        }

    graph = {
        "12": loader("LoraLoader", "Load LoRA", strength_model=0.8, strength_clip=1),
        "6:2": loader("LoraLoaderModelOnly", "Load LoRA", strength_model=0.5),
        "14": loader("LoraLoaderModelOnly", "style", strength_model=["9", 0]),
    }
    found = {slot.name: (slot.node_id, slot.default) for slot in discover_slots(graph)}
    assert found == {
        "lora_12": ("12", "l.safetensors"), "lora_weight_12": ("12", 0.8), "lora_clip_weight_12": ("12", 1),
        "lora_6_2": ("6:2", "l.safetensors"), "lora_weight_6_2": ("6:2", 0.5), "lora_style": ("14", "l.safetensors"),
    }  # fmt: skip


def test_linked_inputs_are_no_slots() -> None:
    graph = diffusion()
    graph["3"]["inputs"]["seed"] = ["10", 0]
    assert "seed" not in {slot.name for slot in discover_slots(graph)}


def test_two_untitled_loaders_are_told_apart() -> None:
    graph = diffusion()
    graph["11"] = {"class_type": "LoadImage", "inputs": {"image": "b.png"}}
    names = {slot.name for slot in discover_slots(graph) if slot.type.value == "image"}
    assert names == {"seed_image_10", "seed_image_11"}


def test_bind_sets_a_copy() -> None:
    graph = diffusion()
    before = copy.deepcopy(graph)
    bound = bind(graph, discover_slots(graph), {"seed": 2**64 - 1, "text_prompt": "b", "cfg": 3})
    assert graph == before
    assert bound["3"]["inputs"] | {"seed": 2**64 - 1, "cfg": 3} == bound["3"]["inputs"]
    assert bound["6"]["inputs"]["text"] == "b"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sead": 1}, "no slot sead.*It has: cfg, .*seed, seed_image"),
        ({"seed": -1}, "takes 0 to"),
        ({"seed": 2**64}, "takes 0 to"),
        ({"seed": "1"}, "takes a number"),
        ({"seed": True}, "takes a number"),
        ({"cfg": float("nan")}, "takes 0 to"),
        ({"text_prompt": 3}, "takes text"),
    ],
)
def test_bind_refuses_what_does_not_fit(values: dict[str, Any], message: str) -> None:
    graph = diffusion()
    with pytest.raises(SlotError, match=message):
        bind(graph, discover_slots(graph), values)


@pytest.mark.parametrize("name", ["idle", "dance", "walk", "wave"])
def test_slots_of_the_sample_scenes(name: str) -> None:
    names = [slot.name for slot in discover_slots(load_graph(WORKFLOWS / f"{name}.json"))]
    assert names == ["filename_prefix", "frame_rate", "height", "seed", "seed_image", "source_image", "width"]


def test_a_titled_primitive_is_a_slot_of_that_name_and_reaches_every_node_behind_it() -> None:
    graph: Graph = {
        "1": {"class_type": "PrimitiveInt", "inputs": {"value": 512}, "_meta": {"title": "width"}},
        "2": {"class_type": "PrimitiveInt", "inputs": {"value": 3}, "_meta": {"title": "Int"}},
        "3": {"class_type": "PrimitiveFloat", "inputs": {"value": 0.5}, "_meta": {"title": "glow"}},
        "4": {"class_type": "PrimitiveString", "inputs": {"value": "dusk"}, "_meta": {"title": "mood"}},
        "5": {"class_type": "PrimitiveInt", "inputs": {"value": ["2", 0]}, "_meta": {"title": "taken"}},
        "6": {"class_type": "ImageScale", "inputs": {"width": ["1", 0], "height": 64}},
    }
    slots = discover_slots(graph)
    assert [(s.name, s.node_id, s.type, s.minimum, s.maximum) for s in slots] == [
        ("glow", "3", SlotType.FLOAT, None, None), ("mood", "4", SlotType.STRING, None, None),
        ("width", "1", SlotType.INT, 16, 16_384),
    ]  # fmt: skip
    assert bind(graph, slots, {"width": 256})["1"]["inputs"] == {"value": 256}
    with pytest.raises(SlotError, match="Slot width takes 16 to 16384, not 8"):
        bind(graph, slots, {"width": 8})


def two_samplers(first: str = "", second: str = "") -> Graph:
    """Return a graph with two samplers, titled or not."""

    def sampler(title: str) -> dict[str, Any]:
        inputs = {"noise_seed": 3, "steps": 20, "sampler_name": "euler"}
        return {"class_type": "KSamplerAdvanced", "inputs": inputs, "_meta": {"title": title}}

    return {"4": sampler(first), "6:1": sampler(second)}


@pytest.mark.parametrize(
    ("titles", "expected"),
    [
        (("", ""), {"seed_4", "seed_6_1"}),
        (("KSampler", "KSampler"), {"seed_4", "seed_6_1"}),
        (("High noise", "Low, noise!"), {"seed_high_noise", "seed_low_noise"}),
    ],
)
def test_two_samplers_have_two_names(titles: tuple[str, str], expected: set[str]) -> None:
    slots = discover_slots(two_samplers(*titles))
    assert {slot.name for slot in slots if slot.input_name == "noise_seed"} == expected
    assert len({slot.name for slot in slots}) == len(slots)


def test_the_takes_seed_goes_into_every_seed_that_is_not_set() -> None:
    slots = discover_slots(two_samplers())
    assert with_seed(slots, {"seed": 9, "seed_4": 1, "steps_4": 2}) == {"seed_4": 1, "seed_6_1": 9, "steps_4": 2}
    assert with_seed([replace(s, is_hidden=s.node_id == "4") for s in slots], {"seed": 9}) == {"seed_6_1": 9}
    assert with_seed(discover_slots(diffusion()), {"seed": 9}) == {"seed": 9}
    assert with_seed([], {"seed": 9}) == {"seed": 9}


def test_choices_steps_and_defaults_come_from_the_class() -> None:
    names = [["euler", "heun"], {"default": "euler"}]
    newer = ["COMBO", {"options": ["normal", "karras"]}]
    required = {"sampler_name": names, "scheduler": newer, "cfg": ["FLOAT", {"min": 0, "max": 30, "step": 0.5}]}
    found = {s.name: s for s in discover_slots(diffusion(), {"KSampler": {"input": {"required": required}}})}
    sampler = found["sampler_name"]
    assert (sampler.type.value, sampler.choices, sampler.class_default) == ("choice", ("euler", "heun"), "euler")
    assert found["scheduler"].choices == ("normal", "karras")
    assert (found["cfg"].step, found["cfg"].maximum) == (0.5, 30)
    assert discover_slots(diffusion())[0].step is None
    with pytest.raises(SlotError, match="sampler_name takes one of euler, heun, not 'lms'"):
        bind(diffusion(), found.values(), {"sampler_name": "lms"})
    files = [["a.safetensors", "b.safetensors"]]
    lora = {"1": {"class_type": "L", "inputs": {"lora_name": "c.safetensors"}}}
    assert discover_slots(lora, {"L": {"input": {"required": {"lora_name": files}}}})[0].choices == ()


def test_a_hidden_slot_can_not_be_set_and_its_own_default_is_sent() -> None:
    slots = discover_slots(diffusion())
    own = [replace(s, is_hidden=True, default=30, has_own_default=True) if s.name == "steps" else s for s in slots]
    assert bind(diffusion(), own, {"cfg": 2.0})["3"]["inputs"] | {"steps": 30, "cfg": 2.0} == bind(
        diffusion(), own, {"cfg": 2.0})["3"]["inputs"]  # fmt: skip
    with pytest.raises(SlotError, match="Slot steps is hidden"):
        bind(diffusion(), own, {"steps": 3})
    switch = Slot("on", "3", "on", SlotType.BOOLEAN, True)
    with pytest.raises(SlotError, match="on takes true or false, not 1"):
        bind(diffusion(), [switch], {"on": 1})
