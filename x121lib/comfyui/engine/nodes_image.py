"""The nodes that load, cut, scale and join images."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps, ImageSequence

from x121lib.comfyui.engine.errors import NodeError
from x121lib.comfyui.engine.folders import Folders
from x121lib.comfyui.engine.images import (
    CROP_METHODS,
    SCALE_METHODS,
    Frames,
    Image,
    from_bytes,
    scale,
)
from x121lib.comfyui.engine.specs import (
    MAX_RESOLUTION,
    Inputs,
    InputSpec,
    NodeResult,
    NodeRun,
    NodeSpec,
)

_IMAGES = "comfy_extras.nodes_images"
_NO_MASK_PX = 64


def whole_number(default: int, low: int, high: int, **more: Any) -> InputSpec:
    """Return an INT input."""
    return ("INT", {"default": default, "min": low, "max": high, **more})


def file_check(kind: str) -> Any:
    """Return a check that an input file exists; ComfyUI's wording."""

    def check(folders: Folders, value: Any) -> str | None:
        return None if folders.has_source(str(value)) else f"Invalid {kind} file: {value}"

    return check


@lru_cache(maxsize=256)
def _content_digest(path: Path, modified_ns: int, size_bytes: int) -> str:
    del modified_ns, size_bytes  # part of the key only
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_digest(folders: Folders, name: str) -> str:
    """Return the SHA-256 of an input file, read again only after it changed."""
    path = folders.source(name)
    facts = os.stat(path)
    return _content_digest(path, facts.st_mtime_ns, facts.st_size)


def _load(run: NodeRun, inputs: Inputs) -> NodeResult:
    images: list[Image] = []
    masks: list[Image] = []
    with Pillow.open(run.folders.source(inputs["image"])) as opened:
        for raw in ImageSequence.Iterator(opened):
            turned = ImageOps.exif_transpose(raw)
            if turned.mode == "I":
                turned = turned.point(lambda value: value * (1 / 255))
            pixels = from_bytes(np.asarray(turned.convert("RGB")))
            if images and pixels.shape != images[0].shape:
                continue
            images.append(pixels)
            masks.append(_mask(turned))
            run.step(len(images), getattr(opened, "n_frames", 1))
        if opened.format == "MPO":
            images, masks = images[:1], masks[:1]
    return NodeResult((tuple(images), tuple(masks)))


def _mask(image: Pillow.Image) -> Image:
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    if "A" not in image.getbands():
        return np.zeros((_NO_MASK_PX, _NO_MASK_PX), np.float32)
    return 1.0 - from_bytes(np.asarray(image.getchannel("A")))


def _scale(run: NodeRun, inputs: Inputs) -> NodeResult:
    frames: Frames = inputs["image"]
    width, height = inputs["width"], inputs["height"]
    if not width and not height:
        return NodeResult((frames,))
    old_height, old_width = frames[0].shape[:2]
    width = width or max(1, round(old_width * height / old_height))
    height = height or max(1, round(old_height * width / old_width))
    method, crop = inputs["upscale_method"], inputs["crop"]
    return NodeResult((run.each(frames, lambda frame: scale(frame, width, height, method, crop)),))


def _crop(run: NodeRun, inputs: Inputs) -> NodeResult:
    frames: Frames = inputs["image"]
    height, width = frames[0].shape[:2]
    x, y = min(inputs["x"], width - 1), min(inputs["y"], height - 1)
    to_x, to_y = x + inputs["width"], y + inputs["height"]
    return NodeResult((run.each(frames, lambda frame: frame[y:to_y, x:to_x]),))


def _batch(run: NodeRun, inputs: Inputs) -> NodeResult:
    first: Frames = inputs["image1"]
    second: Frames = inputs["image2"]
    height, width = first[0].shape[:2]
    if second[0].shape[:2] != (height, width):
        second = run.each(second, lambda frame: scale(frame, width, height, "bilinear", "center"))
    return NodeResult((first + second,))


def _repeat(run: NodeRun, inputs: Inputs) -> NodeResult:
    del run
    return NodeResult((inputs["image"] * inputs["amount"],))


def _invert(run: NodeRun, inputs: Inputs) -> NodeResult:
    return NodeResult((run.each(inputs["image"], lambda frame: np.float32(1.0) - frame),))


def _empty(run: NodeRun, inputs: Inputs) -> NodeResult:
    del run
    color = inputs["color"]
    frame = np.empty((inputs["height"], inputs["width"], 3), np.float32)
    frame[:] = np.array([color >> 16 & 255, color >> 8 & 255, color & 255], np.float32) / 255
    return NodeResult(((frame,) * inputs["batch_size"],))


def _add_noise(run: NodeRun, inputs: Inputs) -> NodeResult:
    frames: Frames = inputs["image"]
    strength = np.float32(inputs["strength"])
    noise = normal_stream(inputs["seed"], [frame.shape for frame in frames])
    noisy = []
    for number, (frame, offsets) in enumerate(zip(frames, noise, strict=True), start=1):
        offsets *= strength
        offsets += frame
        noisy.append(np.clip(offsets, 0.0, 1.0, out=offsets))
        run.step(number, len(frames))
    return NodeResult((tuple(noisy),))


def normal_stream(seed: int, shapes: list[tuple[int, ...]]) -> Any:
    """Yield standard normal noise (float32) of each shape, the same as torch's CPU generator gives for a seed.

    Mersenne Twister of the seed's lower 32 bits; 24-bit uniforms in blocks of 16, the Box-Muller transform between a
    block's halves; a last incomplete block is replaced by the last 16 values drawn anew.

    Raises:
        NodeError: fewer than 16 values in all.
    """
    total = sum(int(np.prod(shape)) for shape in shapes)
    if total < 16:
        raise NodeError("Noise needs an image of at least six pixels.")
    generator = np.random.MT19937()
    generator._legacy_seeding(seed & 0xFFFFFFFF)
    if all(np.prod(shape) % 16 == 0 for shape in shapes):
        for shape in shapes:
            yield _box_muller(_uniform(generator, int(np.prod(shape)))).reshape(shape)
        return
    uniform = _uniform(generator, total)
    normal = np.empty(total, np.float32)
    whole = total - total % 16
    normal[:whole] = _box_muller(uniform[:whole])
    if whole < total:
        normal[-16:] = _box_muller(_uniform(generator, 16))
    start = 0
    for shape in shapes:
        stop = start + int(np.prod(shape))
        yield normal[start:stop].reshape(shape)
        start = stop


def _uniform(generator: np.random.MT19937, count: int) -> Image:
    raw = generator.random_raw(count) & 0xFFFFFF
    return raw.astype(np.float32) * np.float32(2.0**-24)


def _box_muller(uniform: Image) -> Image:
    halves = uniform.reshape(-1, 2, 8)
    radius = np.sqrt(np.float32(-2.0) * np.log(np.float32(1.0) - halves[:, 0]))
    angle = np.float32(2.0 * np.pi) * halves[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(-1)


IMAGE_NODES = [
    NodeSpec(
        "LoadImage", "Load Image", "image", "nodes", _load,
        {"image": ([], {"image_upload": True})},
        outputs=(("IMAGE", "IMAGE"), ("MASK", "MASK")),
        files={"image": "image"}, check={"image": file_check("image")},
        fingerprint=lambda folders, inputs: file_digest(folders, inputs["image"]),
    ),
    NodeSpec(
        "ImageScale", "Upscale Image", "image/upscaling", "nodes", _scale,
        {
            "image": ("IMAGE",), "upscale_method": (SCALE_METHODS,),
            "width": whole_number(512, 0, MAX_RESOLUTION, step=1),
            "height": whole_number(512, 0, MAX_RESOLUTION, step=1), "crop": (CROP_METHODS,),
        },
        outputs=(("IMAGE", "IMAGE"),),
    ),
    NodeSpec(
        "ImageCrop", "Image Crop", "image/transform", _IMAGES, _crop,
        {
            "image": ("IMAGE",), "width": whole_number(512, 1, MAX_RESOLUTION, step=1),
            "height": whole_number(512, 1, MAX_RESOLUTION, step=1),
            "x": whole_number(0, 0, MAX_RESOLUTION, step=1), "y": whole_number(0, 0, MAX_RESOLUTION, step=1),
        },
        outputs=(("IMAGE", "IMAGE"),),
    ),
    NodeSpec(
        "ImageBatch", "Batch Images", "image", "nodes", _batch,
        {"image1": ("IMAGE",), "image2": ("IMAGE",)}, outputs=(("IMAGE", "IMAGE"),),
    ),
    NodeSpec(
        "RepeatImageBatch", "RepeatImageBatch", "image/batch", _IMAGES, _repeat,
        {"image": ("IMAGE",), "amount": whole_number(1, 1, 4096)}, outputs=(("IMAGE", "IMAGE"),),
    ),
    NodeSpec(
        "ImageInvert", "Invert Image", "image", "nodes", _invert,
        {"image": ("IMAGE",)}, outputs=(("IMAGE", "IMAGE"),),
    ),
    NodeSpec(
        "EmptyImage", "EmptyImage", "image", "nodes", _empty,
        {
            "width": whole_number(512, 1, MAX_RESOLUTION, step=1),
            "height": whole_number(512, 1, MAX_RESOLUTION, step=1), "batch_size": whole_number(1, 1, 4096),
            "color": whole_number(0, 0, 0xFFFFFF, step=1, display="color"),
        },
        outputs=(("IMAGE", "IMAGE"),),
    ),
    NodeSpec(
        "ImageAddNoise", "ImageAddNoise", "image", _IMAGES, _add_noise,
        {
            "image": ("IMAGE",), "seed": whole_number(0, 0, 0xFFFFFFFFFFFFFFFF, control_after_generate=True),
            "strength": ("FLOAT", {"default": 0.5, "min": 0.0, "max": 1.0, "step": 0.01}),
        },
        outputs=(("IMAGE", "IMAGE"),),
    ),
]  # fmt: skip
"""The classes of this module."""
