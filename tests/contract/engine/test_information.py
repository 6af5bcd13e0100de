"""What the server says about itself."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

NUMBERS = {
    ("ImageScale", "width"): ("INT", 512, 0, 16384),
    ("ImageCrop", "width"): ("INT", 512, 1, 16384),
    ("ImageCrop", "x"): ("INT", 0, 0, 16384),
    ("RepeatImageBatch", "amount"): ("INT", 1, 1, 4096),
    ("ImageBlend", "blend_factor"): ("FLOAT", 0.5, 0.0, 1.0),
    ("ImageBlur", "blur_radius"): ("INT", 1, 1, 31),
    ("ImageBlur", "sigma"): ("FLOAT", 1.0, 0.1, 10.0),
    ("ImageAddNoise", "seed"): ("INT", 0, 0, 2**64 - 1),
    ("ImageAddNoise", "strength"): ("FLOAT", 0.5, 0.0, 1.0),
    ("ImageQuantize", "colors"): ("INT", 256, 1, 256),
    ("EmptyImage", "batch_size"): ("INT", 1, 1, 4096),
    ("EmptyImage", "color"): ("INT", 0, 0, 0xFFFFFF),
    ("CreateVideo", "fps"): ("FLOAT", 30.0, 1.0, 120.0),
    ("EmptyAudio", "channels"): ("INT", 2, 1, 2),
    ("SaveWEBM", "fps"): ("FLOAT", 24.0, 0.01, 1000.0),
    ("SaveAnimatedWEBP", "quality"): ("INT", 80, 0, 100),
}
CHOICES = {
    ("ImageScale", "upscale_method"): {"nearest-exact", "bilinear", "area", "bicubic", "lanczos"},
    ("ImageScale", "crop"): {"disabled", "center"},
    ("ImageBlend", "blend_mode"): {"normal", "multiply", "screen", "overlay", "soft_light", "difference"},
    ("ImageQuantize", "dither"): {"none", "floyd-steinberg", "bayer-2", "bayer-4", "bayer-8", "bayer-16"},
    ("SaveVideo", "format"): {"auto", "mp4"},
    ("SaveWEBM", "codec"): {"vp9", "av1"},
    ("SaveAnimatedWEBP", "method"): {"default", "fastest", "slowest"},
}
OUTPUTS = {
    "LoadImage": ["IMAGE", "MASK"],
    "CreateVideo": ["VIDEO"],
    "LoadVideo": ["VIDEO"],
    "GetVideoComponents": ["IMAGE", "AUDIO", "FLOAT"],
    "EmptyAudio": ["AUDIO"],
    "ImageInvert": ["IMAGE"],
    "ImageBatch": ["IMAGE"],
    "SaveVideo": [],
    "PreviewImage": [],
}


def spec(comfy: Any, name: str, input_name: str) -> list[Any]:
    """Return an input's spec, required or optional."""
    groups = comfy.http.get(f"/object_info/{name}").json()[name]["input"]
    return {**groups["required"], **groups.get("optional", {})}[input_name]


@pytest.mark.parametrize(("name", "input_name"), NUMBERS)
def test_numbers_have_comfyuis_type_default_and_range(comfy: Any, name: str, input_name: str) -> None:
    kind, options = spec(comfy, name, input_name)
    assert (kind, options["default"], options["min"], options["max"]) == NUMBERS[name, input_name]


@pytest.mark.parametrize(("name", "input_name"), CHOICES)
def test_choices_are_comfyuis(comfy: Any, name: str, input_name: str) -> None:
    found = spec(comfy, name, input_name)
    options = found[0] if isinstance(found[0], list) else found[1]["options"]
    assert CHOICES[name, input_name] <= set(options)


@pytest.mark.parametrize("name", OUTPUTS)
def test_outputs_are_comfyuis(comfy: Any, name: str) -> None:
    # ComfyUI 0.28 has more slots behind these: the picture of a preview, the video of a SaveVideo, the bit depth.
    info = comfy.http.get(f"/object_info/{name}").json()[name]
    assert info["output"][: len(OUTPUTS[name])] == OUTPUTS[name]
    assert len(info["output"]) <= len(OUTPUTS[name]) + 1
    assert info["output_node"] is (name in {"SaveVideo", "PreviewImage"})


def test_object_info_lists_every_class_and_answers_unknown_ones_with_nothing(comfy: Any) -> None:
    everything = comfy.http.get("/object_info").json()
    assert {name for name, _ in NUMBERS} | set(OUTPUTS) <= set(everything)
    assert comfy.http.get("/object_info/NoSuchNode").json() == {}


def test_uploaded_images_appear_as_choices(comfy: Any, picture: Any) -> None:
    name = comfy.upload(picture)
    found = spec(comfy, "LoadImage", "image")
    assert name in (found[0] if isinstance(found[0], list) else found[1]["options"])


def test_system_stats_name_version_and_device(comfy: Any) -> None:
    stats = comfy.http.get("/system_stats").json()
    assert int(stats["system"]["comfyui_version"].split(".")[0]) >= 0
    assert stats["system"]["ram_total"] > stats["system"]["ram_free"] > 0
    assert stats["devices"][0]["type"]


def test_features_and_folders(comfy: Any) -> None:
    assert comfy.http.get("/features").json()["supports_preview_metadata"] is True
    assert "checkpoints" in comfy.http.get("/models").json()
    assert isinstance(comfy.http.get("/models/loras").json(), list)
    assert comfy.http.get("/models/no_such_folder").status_code == 404
    assert isinstance(comfy.http.get("/embeddings").json(), list)


@pytest.mark.parametrize("path", ["/prompt", "/queue", "/history", "/system_stats", "/object_info/EmptyImage"])
def test_every_route_is_served_below_api_too(comfy: Any, path: str) -> None:
    plain, prefixed = comfy.http.get(path), comfy.http.get("/api" + path)
    assert prefixed.status_code == plain.status_code == 200
    assert prefixed.json().keys() == plain.json().keys()


def test_other_origins_are_refused(comfy: Any) -> None:
    answer = comfy.http.get("/queue", headers={"Origin": "http://elsewhere.example"})
    assert answer.status_code == 403


def test_free_needs_a_body(comfy: Any) -> None:
    assert comfy.http.post("/free", json={"free_memory": True}).status_code == 200
    assert comfy.http.post("/free").status_code == 500


def test_no_other_method_is_taken(comfyui_url: str) -> None:
    assert httpx.delete(comfyui_url + "/queue").status_code == 405
