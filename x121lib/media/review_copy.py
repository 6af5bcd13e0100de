"""A lighter copy of a video for review, marked as generated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from x121lib.media.colour import Rgb
from x121lib.media.encoding import encode_video
from x121lib.media.errors import MediaCancelledError
from x121lib.media.frames import iter_frames
from x121lib.media.probing import probe
from x121lib.media.reporting import Cancelled

WATERMARK = "AI-generated preview"
"""The words that a review copy carries where nothing else is asked for."""

_CRF = 23
_KEY_EVERY_S = 0.5


def review_proxy(
    path: Path | str,
    to: Path | str,
    *,
    text: str | None = WATERMARK,
    max_height: int = 720,
    cancelled: Cancelled | None = None,
) -> int:
    """Write a copy of at most ``max_height`` lines with ``text`` burned in; return its number of frames.

    Frames and rate stay the source's, so a frame number means the same in both. Key frames lie half a second apart,
    so that a browser steps quickly. The drawn font knows ASCII; other characters become ``?``. Has no sound.

    Raises:
        UnreadableVideoError: the video cannot be read.
        MediaCancelledError: cancelled; nothing was written.
    """
    info = probe(path)
    height = min(info.height, max_height) // 2 * 2
    width = round(info.width * height / info.height) // 2 * 2

    def frames() -> Iterator[Rgb]:
        mark = None if not text else _mark(text, width, height)
        for rgb in iter_frames(path):
            if cancelled is not None and cancelled():
                raise MediaCancelledError("The review copy was cancelled; nothing was written.")
            small = rgb
            if rgb.shape[:2] != (height, width):
                small = np.asarray(
                    cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA),
                    dtype=np.uint8,
                )
            yield small if mark is None else _marked(small, mark)

    gop = max(1, round(float(info.frame_rate) * _KEY_EVERY_S))
    return encode_video(to, frames(), info.frame_rate, crf=_CRF, gop=gop)


def _mark(text: str, width: int, height: int) -> Rgb:
    """Return a grey-level picture of the text, light on black, at the lower left."""
    ascii_text = text.encode("ascii", "replace").decode()
    face, thickness = cv2.FONT_HERSHEY_SIMPLEX, 1
    margin = max(4, height // 40)
    (wide, _), _ = cv2.getTextSize(ascii_text, face, 1.0, thickness)
    scale = min(height / 480, (width - 2 * margin) / max(1, wide))
    mark = np.zeros((height, width, 3), dtype=np.uint8)
    at = (margin, height - margin)
    cv2.putText(
        mark,
        ascii_text,
        at,
        face,
        scale,
        (255, 255, 255),
        max(1, round(scale)),
        cv2.LINE_AA,
    )
    return mark


def _marked(rgb: Rgb, mark: Rgb) -> Rgb:
    """Lay the mark over a frame: a dark rim first, so that it reads on any ground."""
    rim = cv2.dilate(mark, np.ones((3, 3), np.uint8))
    dark = cv2.subtract(rgb, rim)
    return np.asarray(cv2.add(dark, (mark * 0.85).astype(np.uint8)), dtype=np.uint8)
