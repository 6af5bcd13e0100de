"""Hand-made features of an aligned face crop, projected to the length of an embedding.

Pure functions of one crop. Orientation histograms after Dalal and Triggs, "Histograms of Oriented Gradients for Human
Detection" (CVPR 2005); uniform local binary patterns after Ojala, Pietikäinen and Mäenpää (PAMI 24(7), 2002); the
projection after Johnson and Lindenstrauss: random orthonormal columns keep cosines up to noise of about 1/sqrt(512).
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from x121lib.identity.faces import EMBEDDING_SIZE, Vector

CROP_PX = 96
"""Side of the square crop that features are made of."""
_SEED = 121
_CELLS = 6
_WEIGHTS = (1.0, 0.55, 0.8)
"""Weights of shape, texture and colour, chosen on the drawn sample portraits (tests/unit/identity)."""

Floats = NDArray[np.float32]


def describe(crop_rgb: NDArray[np.uint8]) -> Vector:
    """Return the embedding of a `CROP_PX` square RGB crop: 512 float32 values of norm 1."""
    grey = cv2.cvtColor(crop_rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey = (grey - grey.mean()) / max(float(grey.std()), 1.0)
    parts = (_shape(grey), _texture(grey), _colour(crop_rgb))
    joined = np.concatenate([weight * _unit(part) for weight, part in zip(_WEIGHTS, parts, strict=True)])
    return _unit(joined.astype(np.float32) @ _projection(joined.size))


def _unit(vector: Floats) -> Floats:
    return cast(Floats, (vector / max(float(np.linalg.norm(vector)), 1e-9)).astype(np.float32))


@cache
def _projection(size: int) -> Floats:
    """Return ``size``×512 with orthonormal columns (or rows, where size is smaller), always the same."""
    rng = np.random.Generator(np.random.PCG64(_SEED))
    tall = rng.standard_normal((max(size, EMBEDDING_SIZE), min(size, EMBEDDING_SIZE)))
    q, r = np.linalg.qr(tall)
    q = q * np.sign(np.diag(r))
    return np.ascontiguousarray(q if size >= EMBEDDING_SIZE else q.T, dtype=np.float32)


@cache
def _oval() -> Floats:
    """Return the `CROP_PX` square soft mask of where a face is, 0 to 1; it fades the background out."""
    y, x = np.mgrid[0:CROP_PX, 0:CROP_PX] / (CROP_PX - 1) * 2 - 1
    radius = np.sqrt((x / 0.92) ** 2 + (y / 1.05) ** 2)
    return cast(Floats, np.clip((1.15 - radius) / 0.3, 0, 1).astype(np.float32))


def _shape(grey: Floats) -> Floats:
    """Orientation histograms of a blurred crop: 9 unsigned bins, soft cells, minus each cell's mean."""
    smooth = cv2.GaussianBlur(grey, (0, 0), 1.5)
    dx, dy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    magnitude = np.sqrt(np.hypot(dx, dy)) * _oval()
    angle = (np.arctan2(dy, dx) % np.pi) / np.pi * 9
    low = np.floor(angle)
    share = angle - low
    layers = []
    for bin_ in range(9):
        weight = np.where(low % 9 == bin_, 1 - share, 0) + np.where((low + 1) % 9 == bin_, share, 0)
        layers.append(cv2.resize(magnitude * weight, (_CELLS * 2, _CELLS * 2), interpolation=cv2.INTER_AREA))
    cells = np.stack(layers, axis=-1)
    cells = cv2.GaussianBlur(cells, (0, 0), 0.7)
    return cast(Floats, (cells - cells.mean(axis=(0, 1), keepdims=True)).ravel())


@cache
def _uniform_patterns() -> NDArray[np.uint8]:
    """Return the class of each of the 256 patterns: 0 to 57 for those with at most two changes, 58 for the rest."""
    table = np.full(256, 58, np.uint8)
    code = 0
    for pattern in range(256):
        rolled = ((pattern << 1) | (pattern >> 7)) & 0xFF
        if (pattern ^ rolled).bit_count() <= 2:
            table[pattern] = code
            code += 1
    return table


def _texture(grey: Floats) -> Floats:
    """Square roots of uniform-pattern histograms in a 3×3 grid of the blurred crop, minus their common mean."""
    smooth = cv2.GaussianBlur(grey, (0, 0), 1.2)
    centre = smooth[2:-2, 2:-2] + 0.06  # a flat drawn cheek must not turn noise into patterns
    pattern = np.zeros(centre.shape, np.uint8)
    for bit, (oy, ox) in enumerate(((0, 0), (0, 2), (0, 4), (2, 4), (4, 4), (4, 2), (4, 0), (2, 0))):
        neighbour = smooth[oy : oy + centre.shape[0], ox : ox + centre.shape[1]]
        pattern |= (neighbour >= centre).astype(np.uint8) << np.uint8(bit)
    classes = _uniform_patterns()[pattern]
    edges = np.linspace(0, centre.shape[0], 4).astype(int)
    rows = []
    for y0, y1 in pairwise(edges):
        for x0, x1 in pairwise(edges):
            counts = np.bincount(classes[y0:y1, x0:x1].ravel(), minlength=59).astype(np.float32)
            rows.append(np.sqrt(counts / counts.sum()))
    grid = np.stack(rows)
    return cast(Floats, (grid - grid.mean(axis=0)).ravel())


def _colour(crop_rgb: NDArray[np.uint8]) -> Floats:
    """Lab of coarse cells relative to the face's own mean, so that a graded light changes little."""
    lab = cv2.cvtColor(crop_rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    mask = _oval()[..., None]
    small = cv2.resize(lab * mask, (8, 8), interpolation=cv2.INTER_AREA)
    weight = cv2.resize(_oval(), (8, 8), interpolation=cv2.INTER_AREA)[..., None]
    mean = (lab * mask).sum(axis=(0, 1)) / mask.sum()
    relative = small - weight * mean
    spread = np.sqrt((relative**2).mean(axis=(0, 1))) + 1.0
    return cast(Floats, (relative / spread).astype(np.float32).ravel())
