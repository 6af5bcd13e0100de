"""Colour matched back: the statistics of one picture given to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from x121lib.measures.size import Floats, Rgb

LEAST_GAIN, MOST_GAIN = 0.8, 1.25
"""Bounds of the change of spread in each channel: beyond them grain or banding would be made, and it is not only the
colour in which the pictures differ."""


@dataclass(frozen=True)
class Correction:
    """What was done to a picture in CIELAB, channel by channel (L, a, b): ``(x - mean) × gain + mean + shift``."""

    shift: tuple[float, float, float]
    """Added to the mean, in CIELAB units."""
    gain: tuple[float, float, float]
    """Factor of the spread around the mean, `LEAST_GAIN` to `MOST_GAIN`."""


def matched(rgb: Rgb, to: Rgb) -> tuple[Rgb, Correction]:
    """Return a picture with the mean and spread of another one's colours, and what was done to it.

    E. Reinhard et al., "Color transfer between images", IEEE Computer Graphics and Applications 21(5), 2001, in CIELAB
    (D65). Both pictures are H × W × 3; their sizes may differ. What leaves the gamut is clipped.
    """
    lab, (mean, spread), (wanted, wide) = _lab(rgb), _statistics(_lab(rgb)), _statistics(_lab(to))
    gain = np.clip((wide + 0.5) / (spread + 0.5), LEAST_GAIN, MOST_GAIN)
    shift = wanted - mean
    moved = ((lab - mean) * gain + mean + shift).astype(np.float32)
    back = cv2.cvtColor(moved, cv2.COLOR_LAB2RGB)
    return (
        cast(Rgb, np.clip(np.rint(back * 255), 0, 255).astype(np.uint8)),
        Correction(_three(shift), _three(gain)),
    )


def _lab(rgb: Rgb) -> Floats:
    return cast(Floats, cv2.cvtColor(rgb.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB).astype(np.float64))


def _statistics(lab: Floats) -> tuple[Floats, Floats]:
    return lab.mean(axis=(0, 1)), lab.std(axis=(0, 1))


def _three(values: Floats) -> tuple[float, float, float]:
    first, second, third = (round(float(v), 4) for v in values)
    return first, second, third
