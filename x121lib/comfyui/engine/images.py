"""IMAGE values and their scaling.

An IMAGE is a tuple of frames, each a float32 array of height × width × 3 (RGB, 0..1, overshoot allowed). Frames are
never changed in place once they are a node's output, so batches share them instead of copying.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from x121lib.comfyui.engine.errors import NodeError

Image = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
Frames = tuple[Image, ...]

SCALE_METHODS = ["nearest-exact", "bilinear", "area", "bicubic", "lanczos"]
CROP_METHODS = ["disabled", "center"]
_CV2_METHODS = {"bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}


def to_bytes(frame: Image) -> Bytes:
    """Return a frame as uint8, cut (not rounded) to 0..255 as ComfyUI does when it saves."""
    scaled = np.multiply(frame, np.float32(255.0))
    np.clip(scaled, 0.0, 255.0, out=scaled)
    return scaled.astype(np.uint8)


def from_bytes(pixels: Bytes) -> Image:
    """Return uint8 pixels as float32 in 0..1."""
    return np.divide(pixels, np.float32(255.0), dtype=np.float32)


def scale(frame: Image, width: int, height: int, method: str, crop: str = "disabled") -> Image:
    """Scale one frame to ``width`` × ``height`` pixels.

    Agrees with torch's ``interpolate`` without antialiasing (half-pixel centres, clamped border, bicubic a = -0.75;
    ``area`` is adaptive average pooling), and with Pillow for ``lanczos``, which works on 8 bits. ``crop="center"``
    first cuts the frame to the new aspect ratio. A frame of the right size is returned as it is (not for lanczos,
    which cuts to 8 bits even then).
    """
    source = _centre_cut(frame, width, height) if crop == "center" else frame
    if method == "lanczos":
        resized = Pillow.fromarray(to_bytes(source)).resize((width, height), Pillow.Resampling.LANCZOS)
        return from_bytes(np.asarray(resized))
    if source.shape[:2] == (height, width):
        return source
    if method == "nearest-exact":
        return _nearest_exact(source, width, height)
    if method == "area":
        return _area(source, width, height)
    return _resize(source, width, height, _CV2_METHODS[method])


def _resize(frame: Image, width: int, height: int, interpolation: int) -> Image:
    return np.asarray(cv2.resize(frame, (width, height), interpolation=interpolation), np.float32)


def _centre_cut(frame: Image, width: int, height: int) -> Image:
    old_height, old_width = frame.shape[:2]
    old_aspect, new_aspect = old_width / old_height, width / height
    x = round((old_width - old_width * (new_aspect / old_aspect)) / 2) if old_aspect > new_aspect else 0
    y = round((old_height - old_height * (old_aspect / new_aspect)) / 2) if old_aspect < new_aspect else 0
    return frame[y : old_height - y, x : old_width - x]


def _nearest_exact(frame: Image, width: int, height: int) -> Image:
    rows = ((np.arange(height) + 0.5) * frame.shape[0] / height).astype(np.intp)
    columns = ((np.arange(width) + 0.5) * frame.shape[1] / width).astype(np.intp)
    return np.asarray(frame[rows[:, None], columns[None, :]], np.float32)


def _area(frame: Image, width: int, height: int) -> Image:
    if frame.shape[0] % height == 0 and frame.shape[1] % width == 0:
        return _resize(frame, width, height, cv2.INTER_AREA)
    return _pool(_pool(frame, height, 0), width, 1)


def _pool(frame: Image, size: int, axis: int) -> Image:
    """Average over the bins [floor(i·n/size), ceil((i+1)·n/size)) along one axis."""
    length = frame.shape[axis]
    starts = np.arange(size) * length // size
    stops = -((-(np.arange(size) + 1) * length) // size)
    sums = np.concatenate(
        [
            np.zeros_like(frame.take([0], axis), np.float64),
            frame.cumsum(axis, np.float64),
        ],
        axis,
    )
    counts = (stops - starts).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
    return np.asarray((sums.take(stops, axis) - sums.take(starts, axis)) / counts, np.float32)


def same_size(frames: Frames) -> tuple[int, int]:
    """Return the (width, height) that all frames share.

    Raises:
        NodeError: there is no frame, or sizes differ.
    """
    shapes = {frame.shape[:2] for frame in frames}
    if len(shapes) != 1:
        raise NodeError("The images are empty or differ in size.", hint="Give frames of one size.")
    height, width = shapes.pop()
    return width, height
