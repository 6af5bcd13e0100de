"""Small pictures of a video: a thumbnail, and a filmstrip for a timeline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from x121lib.base.errors import InvalidInputError
from x121lib.media.atomic import whole_file
from x121lib.media.colour import Rgb
from x121lib.media.frames import read_frame
from x121lib.media.probing import probe

_FORMATS = {".webp": "WEBP", ".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}


@dataclass(frozen=True)
class FilmstripInfo:
    """A picture that holds several frames side by side."""

    frames: tuple[int, ...]
    """Frame number of each tile, from left to right."""
    tile_width: int
    """Pixels."""
    tile_height: int
    """Pixels."""


def thumbnail(path: Path | str, to: Path | str, *, frame: int | None = None, width: int = 320) -> int:
    """Write one frame, scaled to ``width`` pixels, as WebP, JPEG or PNG by the suffix; return its number.

    Without ``frame`` the middle one is taken. Never enlarges.

    Raises:
        UnreadableVideoError: the video cannot be read.
        FrameNotFoundError: there is no such frame.
    """
    info = probe(path)
    number = info.n_frames // 2 if frame is None else frame
    size = min(width, info.width)
    _save(
        _scaled(
            read_frame(path, number),
            size,
            max(1, round(info.height * size / info.width)),
        ),
        Path(to),
    )
    return number


def filmstrip(path: Path | str, to: Path | str, *, n: int = 8, height: int = 96) -> FilmstripInfo:
    """Write ``n`` frames, evenly spread, side by side in one picture (WebP, JPEG or PNG by the suffix).

    A video with fewer than ``n`` frames gives one tile per frame.

    Raises:
        UnreadableVideoError: the video cannot be read.
    """
    info = probe(path)
    count = min(n, info.n_frames)
    if count < 1:
        raise InvalidInputError("A filmstrip needs at least one frame.")
    # The middle of each of the equal stretches, so that neither end is over-represented.
    numbers = tuple(int((at + 0.5) * info.n_frames / count) for at in range(count))
    width = max(1, round(info.width * height / info.height))
    tiles = [_scaled(read_frame(path, number), width, height) for number in numbers]
    _save(np.concatenate(tiles, axis=1), Path(to))
    return FilmstripInfo(frames=numbers, tile_width=width, tile_height=height)


def _scaled(rgb: Rgb, width: int, height: int) -> Rgb:
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _save(rgb: Rgb, to: Path) -> None:
    kind = _FORMATS.get(to.suffix.lower())
    if kind is None:
        raise InvalidInputError(f"{to.name}: pictures are written as WebP, JPEG or PNG.")
    with whole_file(to) as part:
        Image.fromarray(np.ascontiguousarray(rgb)).save(part, format=kind, quality=82)
