"""The sizes at which pictures are compared."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

Luma = npt.NDArray[np.uint8]
"""Height × width, 0–255."""
Rgb = npt.NDArray[np.uint8]
"""Height × width × 3, RGB, 0–255."""
Floats = npt.NDArray[np.float64]

SMALL_SIDE = 160
"""The short side of a small picture lies from here to just under twice this many pixels."""


def small_luma(luma: Luma, side: int = SMALL_SIDE) -> Luma:
    """Return the picture halved until its short side is below ``2 * side`` pixels.

    Halving by area is some seven times faster in OpenCV than one step to an arbitrary size, and it averages coding
    noise away in the same manner for every frame of a clip.
    """
    while min(luma.shape) >= 2 * side:
        luma = cast(
            Luma,
            cv2.resize(
                luma,
                (luma.shape[1] // 2, luma.shape[0] // 2),
                interpolation=cv2.INTER_AREA,
            ),
        )
    return luma


def luma_of(rgb: Rgb) -> Luma:
    """Return the BT.601 luma (0–255, full range) of an RGB picture; a luma picture is returned as it is."""
    if rgb.ndim == 2:
        return rgb
    return cast(Luma, cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))
