"""Image nodes against references written with NumPy and Pillow; tolerance 2/255."""

from __future__ import annotations

import io
import json
import uuid
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.contract.engine.conftest import with_changes

TOLERANCE = 2


def load(comfy: Any, pixels: np.ndarray) -> dict[str, Any]:
    """Upload a picture; return a graph with LoadImage at "1"."""
    return {"1": {"class_type": "LoadImage", "inputs": {"image": comfy.upload(pixels)}}}


def through(comfy: Any, pixels: np.ndarray, class_type: str, **inputs: Any) -> np.ndarray:
    """Send a picture through one node; return its frames."""
    graph = load(comfy, pixels)
    graph["2"] = {"class_type": class_type, "inputs": {"image": ["1", 0], **inputs}}
    return comfy.pixels(graph, "2")


def close(found: np.ndarray, wanted: np.ndarray, tolerance: float = TOLERANCE) -> bool:
    """Compare pixels (0..255)."""
    assert found.shape == wanted.shape
    return bool(np.abs(found.astype(float) - wanted.clip(0, 255)).max() <= tolerance)


def cubic(distance: np.ndarray) -> np.ndarray:
    """Keys' kernel with a = -0.75, as torch and OpenCV use it."""
    d, a = np.abs(distance), -0.75
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0))


def tent(distance: np.ndarray) -> np.ndarray:
    """The kernel of bilinear scaling."""
    return np.maximum(0, 1 - np.abs(distance))


def weights(kernel: Any, old: int, new: int) -> np.ndarray:
    """Return the (new, old) matrix of point sampling with half-pixel centres and clamped borders."""
    matrix = np.zeros((new, old))
    for row in range(new):
        centre = (row + 0.5) * old / new - 0.5
        for tap in range(int(np.floor(centre)) - 1, int(np.floor(centre)) + 3):
            matrix[row, min(max(tap, 0), old - 1)] += kernel(np.float64(centre - tap))
    return matrix


def box_weights(old: int, new: int) -> np.ndarray:
    """Return the matrix of adaptive average pooling."""
    matrix = np.zeros((new, old))
    for row in range(new):
        start, stop = row * old // new, -(-(row + 1) * old // new)
        matrix[row, start:stop] = 1 / (stop - start)
    return matrix


def scaled(pixels: np.ndarray, width: int, height: int, method: str) -> np.ndarray:
    """Scale by matrices (or by Pillow for lanczos, by picking for nearest-exact)."""
    if method == "lanczos":
        return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))
    old_height, old_width = pixels.shape[:2]
    if method == "nearest-exact":
        rows = [int((i + 0.5) * old_height / height) for i in range(height)]
        return pixels[rows][:, [int((i + 0.5) * old_width / width) for i in range(width)]]
    if method == "area":
        down, right = box_weights(old_height, height), box_weights(old_width, width)
    else:
        kernel = cubic if method == "bicubic" else tent
        down, right = weights(kernel, old_height, height), weights(kernel, old_width, width)
    return np.einsum("ab,bcd,ec->aed", down, pixels.astype(float), right)


@pytest.mark.parametrize("size", [(96, 80), (31, 23), (24, 20), (64, 17)], ids=str)
@pytest.mark.parametrize("method", ["nearest-exact", "bilinear", "area", "bicubic", "lanczos"])
def test_scaling(comfy: Any, picture: np.ndarray, method: str, size: tuple[int, int]) -> None:
    found = through(comfy, picture, "ImageScale", upscale_method=method, width=size[0], height=size[1], crop="disabled")
    assert close(found[0], scaled(picture, *size, method))


def test_scaling_with_a_centre_crop(comfy: Any, picture: np.ndarray) -> None:
    found = through(comfy, picture, "ImageScale", upscale_method="bilinear", width=30, height=30, crop="center")
    assert close(found[0], scaled(picture[:, 4:44], 30, 30, "bilinear"))


@pytest.mark.parametrize(("width", "height", "wanted"), [(24, 0, (20, 24)), (0, 10, (10, 12)), (0, 0, (40, 48))])
def test_a_zero_side_keeps_the_aspect(
    comfy: Any, picture: np.ndarray, width: int, height: int, wanted: tuple[int, int]
) -> None:
    found = through(comfy, picture, "ImageScale", upscale_method="area", width=width, height=height, crop="disabled")
    assert found.shape[1:3] == wanted


@pytest.mark.parametrize(("x", "y", "wanted"), [(5, 7, np.s_[7:17, 5:25]), (40, 35, np.s_[35:, 40:]),
                                                (900, 900, np.s_[39:, 47:])])  # fmt: skip
def test_cropping(comfy: Any, picture: np.ndarray, x: int, y: int, wanted: Any) -> None:
    found = through(comfy, picture, "ImageCrop", width=20, height=10, x=x, y=y)
    assert (found[0] == picture[wanted]).all()


def test_loading_gives_pixels_and_a_mask(comfy: Any, picture: np.ndarray) -> None:
    assert (comfy.pixels(load(comfy, picture), "1")[0] == picture).all()


def test_inverting(comfy: Any, picture: np.ndarray) -> None:
    assert close(through(comfy, picture, "ImageInvert")[0], 255 - picture.astype(float), 1)


def test_batching_scales_the_second_to_the_first(comfy: Any, picture: np.ndarray) -> None:
    graph = load(comfy, picture)
    graph["2"] = {"class_type": "LoadImage", "inputs": {"image": comfy.upload(picture[:20, :])}}
    graph["3"] = {"class_type": "ImageBatch", "inputs": {"image1": ["1", 0], "image2": ["2", 0]}}
    found = comfy.pixels(graph, "3")
    assert (found[0] == picture).all()
    assert close(found[1], scaled(picture[:20, 12:36], 48, 40, "bilinear"))


def test_repeating(comfy: Any, picture: np.ndarray) -> None:
    found = through(comfy, picture, "RepeatImageBatch", amount=3)
    assert found.shape[0] == 3
    assert (found == picture).all()


def test_an_empty_image_has_its_colour(comfy: Any) -> None:
    inputs = {"width": 7, "height": 5, "batch_size": 2, "color": 0x3366CC}
    found = comfy.pixels({"1": {"class_type": "EmptyImage", "inputs": inputs}}, "1")
    assert found.shape == (2, 5, 7, 3)
    assert close(found, np.broadcast_to([0x33, 0x66, 0xCC], found.shape), 1)


def blended(a: np.ndarray, b: np.ndarray, mode: str) -> np.ndarray:
    """Return the blend of two pictures in 0..1, pixel by pixel."""
    curve = np.where(a <= 0.25, 16 * a**3 - 12 * a**2 + 4 * a, np.sqrt(a))
    return {
        "normal": b,
        "multiply": a * b,
        "screen": a + b - a * b,
        "overlay": np.where(a <= 0.5, 2 * a * b, 2 * a + 2 * b - 2 * a * b - 1),
        "soft_light": np.where(b <= 0.5, a - (1 - 2 * b) * a * (1 - a), a + (2 * b - 1) * (curve - a)),
        "difference": a - b,
    }[mode]


@pytest.mark.parametrize("mode", ["normal", "multiply", "screen", "overlay", "soft_light", "difference"])
def test_blending(comfy: Any, picture: np.ndarray, mode: str) -> None:
    other = np.ascontiguousarray(picture[::-1, ::-1])
    graph = load(comfy, picture)
    graph["2"] = {"class_type": "LoadImage", "inputs": {"image": comfy.upload(other)}}
    inputs = {"image1": ["1", 0], "image2": ["2", 0], "blend_factor": 0.7, "blend_mode": mode}
    graph["3"] = {"class_type": "ImageBlend", "inputs": inputs}
    a, b = picture / 255, other / 255
    assert close(comfy.pixels(graph, "3")[0], (a * 0.3 + blended(a, b, mode) * 0.7) * 255)


def test_blending_scales_the_second_and_repeats_a_single_one(comfy: Any, picture: np.ndarray) -> None:
    graph = load(comfy, picture)
    graph["2"] = {"class_type": "LoadImage", "inputs": {"image": comfy.upload(picture[:20, :24])}}
    graph["3"] = {"class_type": "RepeatImageBatch", "inputs": {"image": ["1", 0], "amount": 2}}
    inputs = {"image1": ["3", 0], "image2": ["2", 0], "blend_factor": 1.0, "blend_mode": "normal"}
    graph["4"] = {"class_type": "ImageBlend", "inputs": inputs}
    found = comfy.pixels(graph, "4")
    assert found.shape[0] == 2
    assert close(found[1], scaled(picture[:20, :24], 48, 40, "bicubic"))


@pytest.mark.parametrize(("radius", "sigma"), [(1, 1.0), (5, 0.4), (12, 2.0)])
def test_blurring(comfy: Any, picture: np.ndarray, radius: int, sigma: float) -> None:
    line = np.linspace(-1, 1, 2 * radius + 1)
    kernel = np.exp(-(line[:, None] ** 2 + line[None, :] ** 2) / (2 * sigma**2))
    padded = np.pad(picture.astype(float), ((radius, radius), (radius, radius), (0, 0)), "reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape, axis=(0, 1))
    wanted = np.einsum("abcij,ij->abc", windows, kernel / kernel.sum())
    assert close(through(comfy, picture, "ImageBlur", blur_radius=radius, sigma=sigma)[0], wanted)


@pytest.mark.parametrize("dither", ["none", "floyd-steinberg"])
def test_quantising(comfy: Any, picture: np.ndarray, dither: str) -> None:
    image = Image.fromarray(picture)
    method = Image.Dither.NONE if dither == "none" else Image.Dither.FLOYDSTEINBERG
    wanted = image.quantize(palette=image.quantize(colors=12), dither=method).convert("RGB")
    assert close(through(comfy, picture, "ImageQuantize", colors=12, dither=dither)[0], np.asarray(wanted))


@pytest.mark.parametrize("order", [2, 4, 8, 16])
def test_ordered_dithering_keeps_colours_few_and_the_mean(comfy: Any, order: int) -> None:
    ramp = np.repeat(np.linspace(0, 255, 64).astype(np.uint8)[None, :, None], 64, 0).repeat(3, 2)
    found = through(comfy, ramp, "ImageQuantize", colors=16, dither=f"bayer-{order}")[0]
    assert len(np.unique(found.reshape(-1, 3), axis=0)) <= 16
    assert abs(found.mean() - ramp.mean()) < 6
    assert len(np.unique(found[:, 30], axis=0)) > 1  # a column of one grey became a pattern


def test_noise_is_normal_and_decided_by_its_seed(comfy: Any) -> None:
    grey = np.full((128, 128, 3), 128, np.uint8)
    first, again, other = (through(comfy, grey, "ImageAddNoise", seed=seed, strength=0.1) for seed in (7, 7, 2**40 + 8))
    assert (first == again).all()
    noise = (first.astype(float) - 128) / 25.5
    assert abs(noise.mean()) < 0.05
    assert abs(noise.std() - 1) < 0.03
    assert abs((np.abs(noise) < 1).mean() - 0.683) < 0.03
    assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.02


def test_noise_is_torchs(comfy: Any) -> None:
    # torch.manual_seed(42); torch.randn(48)[:6], from torch 2.13 on a CPU.
    wanted = np.array([1.9269, 1.4873, 0.9007, -2.1055, 0.6784, -1.2345])
    grey = np.full((4, 4, 3), 128, np.uint8)
    found = through(comfy, grey, "ImageAddNoise", seed=42, strength=0.1)[0].reshape(-1)[:6]
    assert np.abs(found - (128 + 25.5 * wanted)).max() <= TOLERANCE


def test_saved_images_carry_prompt_and_workflow(comfy: Any, picture: np.ndarray) -> None:
    graph = load(comfy, picture)
    prefix = f"deep/er/{uuid.uuid4().hex}_%width%x%height%"
    graph["2"] = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": prefix}}
    (shown,) = comfy.result(graph, extra_data={"extra_pnginfo": {"workflow": {"a": 1}}})["2"]["images"]
    assert shown["subfolder"] == "deep/er"
    assert shown["filename"] == prefix.split("/")[-1].replace("%width%x%height%", "48x40") + "_00001_.png"
    image = Image.open(io.BytesIO(comfy.file(shown)))
    assert json.loads(image.info["prompt"]) == with_changes(comfy, graph)
    assert json.loads(image.info["workflow"]) == {"a": 1}


def test_saving_counts_on_and_stays_in_its_folder(comfy: Any, picture: np.ndarray) -> None:
    prefix = uuid.uuid4().hex
    graph = load(comfy, picture)
    graph["2"] = {"class_type": "RepeatImageBatch", "inputs": {"image": ["1", 0], "amount": 2}}
    graph["3"] = {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": prefix}}
    names = [one["filename"] for one in comfy.result(graph)["3"]["images"]]
    graph["2"]["inputs"]["amount"] = 1
    names += [one["filename"] for one in comfy.result(graph)["3"]["images"]]
    assert names == [f"{prefix}_0000{number}_.png" for number in (1, 2, 3)]
    graph["3"]["inputs"]["filename_prefix"] = "../escaped"
    entry, _ = comfy.play(graph)
    assert entry["status"]["status_str"] == "error"


def test_previews_are_temporary(comfy: Any, quick: dict[str, Any]) -> None:
    (shown,) = comfy.result(quick)["2"]["images"]
    assert shown["type"] == "temp"
    assert Image.open(io.BytesIO(comfy.file(shown))).size == (16, 16)


def test_one_number_is_taken_by_every_node_that_links_to_it(comfy: Any) -> None:
    picture = np.full((40, 60, 3), 90, dtype=np.uint8)
    graph = load(comfy, picture)
    graph["7"] = {"class_type": "PrimitiveInt", "inputs": {"value": 24}, "_meta": {"title": "width"}}
    scaled = {"upscale_method": "area", "width": ["7", 0], "height": 16, "crop": "disabled"}
    graph["2"] = {"class_type": "ImageScale", "inputs": {"image": ["1", 0], **scaled}}
    graph["3"] = {
        "class_type": "ImageCrop",
        "inputs": {"image": ["2", 0], "width": ["7", 0], "height": 8, "x": 0, "y": 0},
    }
    assert comfy.pixels(graph, "3").shape == (1, 8, 24, 3)
