"""Sharpness, and the coding grid showing through."""

from __future__ import annotations

import cv2
import numpy as np

from x121lib.measures.size import Luma

BLOCK = 8
"""Pixels between the lines of the grid that coders share (JPEG, MPEG-2, H.264 with 8 × 8 transforms)."""


def sharpness(luma: Luma) -> float:
    """Return the variance of the Laplacian in levels²; higher is sharper.

    J. L. Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy: a comparative study", ICPR 2000.
    Comparable only between pictures of one size and of like content.
    """
    _, deviation = cv2.meanStdDev(cv2.Laplacian(luma, cv2.CV_16S))
    return float(deviation[0, 0] ** 2)


def blockiness(luma: Luma) -> float:
    """Return how much steeper the picture is across the 8-pixel grid than beside it; about 1 without a grid.

    After Z. Wang, A. C. Bovik, B. L. Evans, "Blind measurement of blocking artifacts in images", ICIP 2000, in its
    plain form: mean absolute step on grid lines divided by the mean step elsewhere, the larger of both directions.
    A quarter level is added to both, so that flat pictures give 1 and not a quotient of noise.
    """
    return max(_grid_ratio(luma), _grid_ratio(np.ascontiguousarray(luma.T)))


def _grid_ratio(luma: Luma) -> float:
    if luma.shape[1] <= 2 * BLOCK:
        return 1.0
    steps = cv2.absdiff(luma[:, 1:], luma[:, :-1])
    columns = cv2.reduce(steps, 0, cv2.REDUCE_AVG, dtype=cv2.CV_64F)[0]
    on_grid = np.zeros(columns.size, dtype=bool)
    on_grid[BLOCK - 1 :: BLOCK] = True
    return float((columns[on_grid].mean() + 0.25) / (columns[~on_grid].mean() + 0.25))
