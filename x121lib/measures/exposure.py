"""Black pictures and values that are no picture at all."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from x121lib.measures.size import Luma

BLACK_LEVEL = 0.10
"""Share of the luma range below which a pixel counts as black (FFmpeg ``blackdetect``: ``pixel_black_th`` 0.10)."""


def black_share(luma: Luma, *, full_range: bool = True) -> float:
    """Return the share of black pixels, 0 to 1, as FFmpeg's ``blackdetect`` counts them.

    ``full_range`` says whether black is 0 (full) or 16 (limited, with white at 235).
    """
    limit = BLACK_LEVEL * 255 if full_range else 16 + BLACK_LEVEL * 219
    # Counting the bright ones of a thresholded copy is quicker than a boolean array.
    bright = cv2.countNonZero(cv2.threshold(luma, limit, 255, cv2.THRESH_BINARY)[1])
    return 1.0 - bright / luma.size


def invalid_samples(picture: npt.NDArray[Any], *, low: float = 0.0, high: float = 1.0) -> int:
    """Return how many samples of a float picture are NaN, infinite or outside ``low`` … ``high``; 0 for integers."""
    if not np.issubdtype(picture.dtype, np.floating):
        return 0
    inside = (picture >= low) & (picture <= high)
    return int(picture.size - np.count_nonzero(inside))
