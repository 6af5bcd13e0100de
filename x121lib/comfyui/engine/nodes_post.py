"""The nodes that blend, blur and quantise."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from x121lib.comfyui.engine.errors import NodeError
from x121lib.comfyui.engine.images import (
    Bytes,
    Frames,
    Image,
    from_bytes,
    scale,
    to_bytes,
)
from x121lib.comfyui.engine.nodes_image import whole_number
from x121lib.comfyui.engine.specs import Inputs, NodeResult, NodeRun, NodeSpec

_POST = "comfy_extras.nodes_post_processing"
BLEND_MODES = ["normal", "multiply", "screen", "overlay", "soft_light", "difference"]
DITHERS = ["none", "floyd-steinberg", "bayer-2", "bayer-4", "bayer-8", "bayer-16"]
_ONE = np.float32(1.0)
_BLOCK_BYTES = 128 * 1024
"""Blending works on so much of a frame at a time: intermediate values stay in the processor's cache."""


def _blend(run: NodeRun, inputs: Inputs) -> NodeResult:
    base: Frames = inputs["image1"]
    top: Frames = inputs["image2"]
    height, width = base[0].shape[:2]
    if len(base) != len(top) and 1 not in (len(base), len(top)):
        raise NodeError(
            f"{len(base)} images cannot be blended with {len(top)}.",
            hint="Give as many, or one.",
        )
    if top[0].shape[:2] != (height, width):
        top = tuple(scale(frame, width, height, "bicubic", "center") for frame in top)
    factor, mode = inputs["blend_factor"], inputs["blend_mode"]
    count = max(len(base), len(top))
    blended = []
    for number in range(count):
        blended.append(blend(base[number % len(base)], top[number % len(top)], factor, mode))
        run.step(number + 1, count)
    return NodeResult((tuple(blended),))


def blend(base: Image, top: Image, factor: float, mode: str) -> Image:
    """Mix ``base`` with its blend by ``top``: ``base·(1-factor) + mode(base, top)·factor``, cut to 0..1.

    The modes are those of the W3C compositing page, save that *difference* keeps its sign, as in ComfyUI.
    """
    result = np.empty(base.shape, np.float32)
    rows = max(1, _BLOCK_BYTES // base[0].nbytes)
    for start in range(0, len(base), rows):
        part = slice(start, start + rows)
        mixed = result[part]
        np.multiply(_mode(base[part], top[part], mode), np.float32(factor), out=mixed)
        mixed += base[part] * np.float32(1.0 - factor)
        np.clip(mixed, 0.0, 1.0, out=mixed)
    return result


def _mode(base: Image, top: Image, mode: str) -> Image:
    if mode == "normal":
        return top
    if mode == "multiply":
        return base * top
    if mode == "screen":
        return _ONE - (_ONE - base) * (_ONE - top)
    if mode == "overlay":
        return _choose(base <= 0.5, 2 * base * top, _ONE - 2 * (_ONE - base) * (_ONE - top))
    if mode == "difference":
        return base - top
    curve = np.sqrt(np.maximum(base, 0))
    lifted = _choose(base <= 0.25, ((16 * base - 12) * base + 4) * base, curve) - base
    return base + (2 * top - 1) * _choose(top <= 0.5, base - base * base, lifted)


def _choose(condition: npt.NDArray[np.bool_], yes: Image, no: Image) -> Image:
    """Return ``yes`` where the condition holds; by arithmetic, four times as fast as NumPy's ``where``."""
    return no + (yes - no) * condition.astype(np.float32)


def _blur(run: NodeRun, inputs: Inputs) -> NodeResult:
    radius, sigma = inputs["blur_radius"], inputs["sigma"]
    frames: Frames = inputs["image"]
    if min(frames[0].shape[:2]) <= radius:
        raise NodeError(f"A blur of radius {radius} needs an image of more than {radius} pixels in each direction.")
    # The kernel spans -1..1 whatever its radius, so sigma is a part of the radius and not a number of pixels.
    row = np.exp(-(np.linspace(-1, 1, 2 * radius + 1) ** 2) / (2 * sigma * sigma))
    row /= row.sum()

    def one(frame: Image) -> Image:
        return cv2.sepFilter2D(frame, -1, row, row, borderType=cv2.BORDER_REFLECT_101).astype(np.float32, copy=False)

    return NodeResult((run.each(frames, one),))


def _quantize(run: NodeRun, inputs: Inputs) -> NodeResult:
    colors, dither = inputs["colors"], inputs["dither"]

    def one(frame: Image) -> Image:
        pixels = to_bytes(frame)
        picture = Pillow.fromarray(pixels)
        palette = picture.quantize(colors=colors)
        if dither.startswith("bayer"):
            picture = Pillow.fromarray(_ordered(pixels, palette, int(dither.rpartition("-")[2])))
        method = Pillow.Dither.FLOYDSTEINBERG if dither == "floyd-steinberg" else Pillow.Dither.NONE
        return from_bytes(np.asarray(picture.quantize(palette=palette, dither=method).convert("RGB")))

    return NodeResult((run.each(inputs["image"], one),))


def _ordered(pixels: Bytes, palette: Pillow.Image, order: int) -> Bytes:
    """Add a Bayer pattern of ``order`` × ``order``, as wide as two steps of an even palette."""
    entries = len(palette.getpalette() or []) // 3
    pattern = 2 * 256 / entries * _bayer(int(math.log2(order))) + 0.5
    rows, columns = (np.arange(size) % order for size in pixels.shape[:2])
    return np.clip(pixels + pattern[rows[:, None], columns[None, :], None], 0, 255).astype(np.uint8)


def _bayer(level: int) -> npt.NDArray[np.float64]:
    """Return the Bayer matrix of 2^level, centred on zero and in parts of its number of entries."""
    matrix: npt.NDArray[np.float64] = np.zeros((1, 1))
    for depth in range(1, level + 1):
        cells = 4**depth
        quarter = np.array([[-1.5, 0.5], [1.5, -0.5]]) / cells
        matrix = np.asarray(np.kron(np.ones((2, 2)), matrix) + np.kron(quarter, np.ones_like(matrix)))
    return matrix


POST_NODES = [
    NodeSpec(
        "ImageBlend", "ImageBlend", "image/postprocessing", _POST, _blend,
        {
            "image1": ("IMAGE", {}), "image2": ("IMAGE", {}),
            "blend_factor": ("FLOAT", {"default": 0.5, "min": 0.0, "max": 1.0, "step": 0.01}),
            "blend_mode": ("COMBO", {"multiselect": False, "options": BLEND_MODES}),
        },
        outputs=(("IMAGE", "IMAGE"),), v3=True,
    ),
    NodeSpec(
        "ImageBlur", "ImageBlur", "image/postprocessing", _POST, _blur,
        {
            "image": ("IMAGE", {}), "blur_radius": whole_number(1, 1, 31, step=1),
            "sigma": ("FLOAT", {"default": 1.0, "min": 0.1, "max": 10.0, "step": 0.1}),
        },
        outputs=(("IMAGE", "IMAGE"),), v3=True,
    ),
    NodeSpec(
        "ImageQuantize", "ImageQuantize", "image/postprocessing", _POST, _quantize,
        {
            "image": ("IMAGE", {}), "colors": whole_number(256, 1, 256, step=1),
            "dither": ("COMBO", {"multiselect": False, "options": DITHERS}),
        },
        outputs=(("IMAGE", "IMAGE"),), v3=True,
    ),
]  # fmt: skip
"""The classes of this module."""
