"""Synthetic clips in which every frame carries its number in a form that survives H.264."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Unpack

import numpy as np

from x121lib.media.colour import Rgb
from x121lib.media.encoding import EncoderSettings, encode_video

BITS = 16
"""Numbers run from 0 to 65,535."""


def numbered_frame(number: int, *, width: int = 128, height: int = 128, hue: int = 0) -> Rgb:
    """Return a moving test picture with ``number`` drawn as black and white blocks along the top eighth.

    Bit *b* is a block of ``width / 16`` x ``height / 8`` pixels, white for 1, the highest bit at the left.
    """
    rows, columns = np.mgrid[0:height, 0:width]
    picture = np.empty((height, width, 3), dtype=np.uint8)
    picture[..., 0] = (columns * 255 // width + hue) % 256
    picture[..., 1] = (rows * 255 // height) % 256
    picture[..., 2] = 96
    side = max(4, height // 4)
    left = (number * 3) % max(1, width - side)
    top = height // 4 + (number * 2) % max(1, height - height // 4 - side)
    picture[top : top + side, left : left + side] = (230, 180, 60)
    block = width // BITS
    for bit in range(BITS):
        value = 235 if number >> (BITS - 1 - bit) & 1 else 20
        picture[: height // 8, bit * block : (bit + 1) * block] = value
    return picture


def frame_number(rgb: Rgb) -> int:
    """Return the number drawn by `numbered_frame`, read from the middle of each block."""
    height, width = rgb.shape[:2]
    block = width // BITS
    number = 0
    for bit in range(BITS):
        left = bit * block + block // 4
        middle = rgb[height // 32 : height * 3 // 32, left : left + max(1, block // 2)]
        number = number << 1 | int(middle.mean() > 127)
    return number


def numbered_frames(count: int, *, first: int = 0, width: int = 128, height: int = 128, hue: int = 0) -> Iterator[Rgb]:
    """Yield ``count`` numbered frames from ``first`` on."""
    for number in range(first, first + count):
        yield numbered_frame(number, width=width, height=height, hue=hue)


def write_numbered_clip(
    path: Path,
    frames: range,
    *,
    rate: Fraction | int = 24,
    size: tuple[int, int] = (128, 128),
    **settings: Unpack[EncoderSettings],
) -> Path:
    """Write a clip of the numbered ``frames`` at (width, height) ``size`` and return its path."""
    pictures = numbered_frames(len(frames), first=frames.start, width=size[0], height=size[1])
    encode_video(path, pictures, Fraction(rate), **settings)
    return path
