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

    After Z. Wang, A. C. Bovik, B. L. Evans, "Blind measurement of blocking artifacts in images", ICIP 2000, in the
    picture domain: for every grid line the mean absolute step across it, divided by the mean step on the lines
    between it and its neighbours; the median over the lines, the larger of both directions. The median keeps an
    edge of the picture that happens to lie on the grid from counting as a grid. A quarter level is added above and
    below, so that flat pictures give 1 and not a quotient of noise.
    """
    return max(_grid_ratio(luma), _grid_ratio(np.ascontiguousarray(luma.T)))


def _grid_ratio(luma: Luma) -> float:
    lines = luma.shape[1] // BLOCK - 1
    if lines < 2:
        return 1.0
    steps = cv2.absdiff(luma[:, 1:], luma[:, :-1])
    columns = cv2.reduce(steps, 0, cv2.REDUCE_AVG, dtype=cv2.CV_64F)[0]
    # Row n holds the steps around grid line n: three before it, the line itself, four after it.
    around = columns[BLOCK - 4 : BLOCK - 4 + lines * BLOCK].reshape(lines, BLOCK)
    on_grid = around[:, 3]
    beside = (around.sum(axis=1) - on_grid) / (BLOCK - 1)
    return float(np.median((on_grid + 0.25) / (beside + 0.25)))
