"""Contrast and grain: what runs away first when clips are chained."""

from __future__ import annotations

import math

import cv2
import numpy as np

from x121lib.measures.size import Luma

_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)
_SCALE = math.sqrt(math.pi / 2) / 6


def contrast(luma: Luma) -> float:
    """Return the RMS contrast in levels: the standard deviation of the luma, 0 to 127.5.

    E. Peli, "Contrast in complex images", J. Opt. Soc. Am. A 7(10), 1990. Comparable between pictures of like content.
    """
    _, deviation = cv2.meanStdDev(luma)
    return float(deviation[0, 0])


def grain(luma: Luma) -> float:
    """Return the standard deviation of fine noise in levels; 0 for a smooth picture, at least 3 × 3 pixels large.

    J. Immerkær, "Fast noise variance estimation", Computer Vision and Image Understanding 64(2), 1996: the mean
    absolute response to the difference of two Laplacians, which edges hardly raise. Hard-edged drawings raise it.
    """
    height, width = luma.shape
    if min(height, width) < 3:
        return 0.0
    answer = cv2.filter2D(luma, cv2.CV_32F, _MASK)[1:-1, 1:-1]
    return float(_SCALE * np.abs(answer).mean())
