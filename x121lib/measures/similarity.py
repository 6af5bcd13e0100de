"""How alike two pictures are."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from x121lib.base.errors import InvalidInputError
from x121lib.measures.size import Floats, Rgb, luma_of

_C1 = (0.01 * 255) ** 2
_C2 = (0.03 * 255) ** 2
HASH_BITS = 64
"""Bits of a perceptual hash."""


def ssim(a: Rgb, b: Rgb) -> float:
    """Return the mean structural similarity of two pictures of one size, -1 to 1, 1 for equal ones; symmetric.

    Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image quality assessment: from error visibility to
    structural similarity", IEEE TIP 13(4), 2004: 11 × 11 Gaussian of sigma 1.5, K = (0.01, 0.03), on luma. As in
    the authors' reference, both pictures are first averaged down by ``round(short side / 256)``, the scale at which
    the index was fitted to people's judgement; the window's border is left out.

    Raises:
        InvalidInputError: the sizes differ, or a side is under 11 pixels.
    """
    x, y = luma_of(a), luma_of(b)
    if x.shape != y.shape or min(x.shape) < 11:
        raise InvalidInputError(f"SSIM compares pictures of one size from 11 pixels up; got {x.shape} and {y.shape}.")
    factor = max(1, round(min(x.shape) / 256))
    return float(_ssim_map(_shrunk(x, factor), _shrunk(y, factor)).mean())


def _shrunk(luma: Rgb, factor: int) -> Floats:
    size = (luma.shape[1] // factor, luma.shape[0] // factor)
    return cast(Floats, cv2.resize(luma, size, interpolation=cv2.INTER_AREA).astype(np.float64))


def _ssim_map(x: Floats, y: Floats) -> Floats:
    def blur(picture: Floats) -> Floats:
        return cast(Floats, cv2.GaussianBlur(picture, (11, 11), 1.5)[5:-5, 5:-5])

    mx, my = blur(x), blur(y)
    vx, vy, cov = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
    top = (2 * mx * my + _C1) * (2 * cov + _C2)
    return top / ((mx * mx + my * my + _C1) * (vx + vy + _C2))


def phash(rgb: Rgb) -> int:
    """Return the 64-bit perceptual hash of a picture.

    The signs of the 8 × 8 lowest frequencies of the discrete cosine transform of the 32 × 32 luma, against their
    median (C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010).
    """
    luma = cv2.resize(luma_of(rgb), (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(luma)[:8, :8].flatten()
    bits = low > np.median(low[1:])
    return int("".join("1" if bit else "0" for bit in bits), 2)


def phash_distance(a: int, b: int) -> int:
    """Return how many of the 64 bits differ, 0 to 64."""
    return (a ^ b).bit_count()
