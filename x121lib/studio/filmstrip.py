"""A scene's filmstrip, cut where its segments meet."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image


def cut_strip(strip: Path, lengths: Sequence[int]) -> list[bytes]:
    """Return one WebP picture per segment: its share of a strip that shows the whole cut evenly.

    Args:
        strip: picture of the whole cut.
        lengths: frames of each segment in the cut, in order.
    """
    total = sum(lengths)
    if total <= 0:
        return []
    parts, done = [], 0
    with Image.open(strip) as picture:
        picture.load()
        for length in lengths:
            left, right = (round(picture.width * frames / total) for frames in (done, done + length))
            done += length
            file = BytesIO()
            picture.crop((left, 0, max(right, left + 1), picture.height)).save(file, "WEBP", quality=85)
            parts.append(file.getvalue())
    return parts
