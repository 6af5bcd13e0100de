"""Colour in CIELAB (D65), and how far apart colours look."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from x121lib.measures.size import Floats, Rgb

_25_7 = 25.0**7
GRID = 16
"""Cells along each side of the grid on which pictures are compared for colour."""


def lab_grid(rgb: Rgb, cells: int = GRID) -> Floats:
    """Return the CIELAB colours (L 0–100, a, b) of a picture averaged over a grid: ``cells`` × ``cells`` × 3."""
    # Halving first is much faster than one long step and gives the same averages.
    while min(rgb.shape[:2]) >= 16 * cells:
        rgb = cast(
            Rgb,
            cv2.resize(
                rgb,
                (rgb.shape[1] // 2, rgb.shape[0] // 2),
                interpolation=cv2.INTER_AREA,
            ),
        )
    small = rgb.astype(np.float32) / np.float32(255)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)
    return cast(
        Floats,
        cv2.resize(lab, (cells, cells), interpolation=cv2.INTER_AREA).astype(np.float64),
    )


def mean_lab(rgb: Rgb) -> Floats:
    """Return the mean CIELAB colour of a picture: 3 values, L 0–100, a, b."""
    return cast(Floats, lab_grid(rgb).mean(axis=(0, 1)))


def picture_distance(a: Floats, b: Floats) -> float:
    """Return the mean ΔE2000 between two equally large grids of `lab_grid`; 0 for equal ones, lower is closer."""
    return float(delta_e_2000(a, b).mean())


def delta_e_2000(lab1: npt.ArrayLike, lab2: npt.ArrayLike) -> Floats:
    """Return the CIEDE2000 difference of colours (…, 3) in CIELAB, 0 or more; symmetric.

    G. Sharma, W. Wu, E. N. Dalal, "The CIEDE2000 color-difference formula: implementation notes, supplementary test
    data, and mathematical observations", Color Research and Application 30(1), 2005, with kL = kC = kH = 1.
    """
    first, second = (
        np.asarray(lab1, dtype=np.float64),
        np.asarray(lab2, dtype=np.float64),
    )
    chroma = (np.hypot(first[..., 1], first[..., 2]) + np.hypot(second[..., 1], second[..., 2])) / 2
    g = 0.5 * (1 - np.sqrt(chroma**7 / (chroma**7 + _25_7)))
    l1, c1, h1 = _lightness_chroma_hue(first, g)
    l2, c2, h2 = _lightness_chroma_hue(second, g)
    grey = c1 * c2 == 0
    turn = np.where(grey, 0.0, (h2 - h1 + 180) % 360 - 180)
    # Exactly opposite hues: the published formula takes +180 for h2 - h1 = 180.
    turn = np.where(~grey & (h2 - h1 == 180), 180.0, turn)
    dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)
    mean_hue = np.where(grey, h1 + h2, _mean_hue(h1, h2))
    return _weighted(((l1 + l2) / 2, (c1 + c2) / 2, mean_hue), (l2 - l1, c2 - c1, dh))


def _lightness_chroma_hue(lab: Floats, g: Floats) -> tuple[Floats, Floats, Floats]:
    a = (1 + g) * lab[..., 1]
    b = lab[..., 2]
    return lab[..., 0], np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360


def _mean_hue(h1: Floats, h2: Floats) -> Floats:
    total = h1 + h2
    far = np.abs(h1 - h2) > 180
    return np.where(far, np.where(total < 360, total + 360, total - 360), total) / 2


def _weighted(mean: tuple[Floats, Floats, Floats], step: tuple[Floats, Floats, Floats]) -> Floats:
    """Return the root of the weighted squares for mean lightness, chroma and hue, and their differences."""
    lightness, chroma, hue = mean
    t = (
        1
        - 0.17 * np.cos(np.radians(hue - 30))
        + 0.24 * np.cos(np.radians(2 * hue))
        + 0.32 * np.cos(np.radians(3 * hue + 6))
        - 0.20 * np.cos(np.radians(4 * hue - 63))
    )
    turn = 30 * np.exp(-(((hue - 275) / 25) ** 2))
    rc = 2 * np.sqrt(chroma**7 / (chroma**7 + _25_7))
    sl = 1 + 0.015 * (lightness - 50) ** 2 / np.sqrt(20 + (lightness - 50) ** 2)
    dl, dc, dh = (
        step[0] / sl,
        step[1] / (1 + 0.045 * chroma),
        step[2] / (1 + 0.015 * chroma * t),
    )
    cross = -np.sin(np.radians(2 * turn)) * rc * dc * dh
    return cast(Floats, np.sqrt(np.maximum(dl**2 + dc**2 + dh**2 + cross, 0.0)))
