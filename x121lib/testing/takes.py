"""Takes of the drawn sample portraits under a camera path, and faults to put into them."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from x121lib.identity import FaceBackend, embed_face, primary_face
from x121lib.identity.classical import ClassicalBackend
from x121lib.media.colour import Rgb
from x121lib.media.encoding import encode_video
from x121lib.media.images import read_image
from x121lib.qa.sampling import Reference

Frames = list[Rgb]
Fault = Callable[[Frames], Frames]

RATE = Fraction(24)
_SAMPLES = Path(__file__).resolve().parents[2] / "data" / "sample" / "characters"


@cache
def portrait(name: str) -> Rgb:
    """Return a sample character's portrait."""
    return read_image(_SAMPLES / name / "portrait.png")


@cache
def backend() -> FaceBackend:
    """Return the face backend that needs no model."""
    return ClassicalBackend(threads=1)


def moved(
    name: str,
    count: int = 37,
    *,
    size: tuple[int, int] = (320, 384),
    reach: float = 0.04,
    zoom: float = 0.12,
    seed: int = 0,
) -> Frames:
    """Return frames of a camera path over a portrait that ends where it began.

    ``reach`` is the largest shift as a share of the width, ``zoom`` the largest magnification above 1; ``seed``
    chooses the direction.
    """
    source, (width, height) = portrait(name), size
    rows, columns = source.shape[:2]
    fit = max(width / columns, height / rows)
    angle = np.random.default_rng(seed).uniform(0, 2 * math.pi)
    frames = []
    for n in range(count):
        ease = math.sin(math.pi * n / (count - 1)) ** 2
        scale = fit * (1 + zoom * ease)
        x = columns / 2 + reach * columns * ease * math.cos(angle)
        y = rows / 2 + reach * columns * ease * math.sin(angle)
        matrix = np.array([[scale, 0, width / 2 - scale * x], [0, scale, height / 2 - scale * y]])
        # Averaged down first, as a scaler would: plain sampling would alias the drawing's fine lines.
        frames.append(cv2.warpAffine(_softened(name, fit), matrix, size, borderMode=cv2.BORDER_REFLECT))
    return [np.asarray(frame, dtype=np.uint8) for frame in frames]


@cache
def _softened(name: str, fit: float) -> Rgb:
    source = portrait(name)
    return source if fit >= 1 else np.asarray(cv2.GaussianBlur(source, (0, 0), 0.4 / fit), dtype=np.uint8)


def write(path: Path, frames: Sequence[Rgb], *, rate: Fraction = RATE, crf: int = 18) -> Path:
    """Encode a take as the engines do and return its path."""
    encode_video(path, iter(frames), rate, crf=crf)
    return path


def reference(first: Rgb, count: int = 37, *, faces: bool = True) -> Reference:
    """Return the reference of a take that continues from ``first``, which also began the scene."""
    found = primary_face(backend().detect(first)) if faces else None
    return Reference(
        expected_size=(first.shape[1], first.shape[0]),
        expected_rate=RATE,
        expected_frames=count,
        handoff_frame=first,
        first_frame=first,
        face=embed_face(backend(), first, found) if found else None,
        backend=backend() if faces else None,
    )


def _each(change: Callable[[Rgb], Rgb]) -> Fault:
    return lambda frames: [np.asarray(change(frame), dtype=np.uint8) for frame in frames]


def blurred(sigma: float) -> Fault:
    """Blur every frame by a Gaussian of that many pixels."""
    return _each(lambda frame: np.asarray(cv2.GaussianBlur(frame, (0, 0), sigma), dtype=np.uint8))


def blocky(quality: int) -> Fault:
    """Pass every frame through JPEG of that quality."""

    def change(frame: Rgb) -> Rgb:
        buffer = io.BytesIO()
        Image.fromarray(frame).save(buffer, format="JPEG", quality=quality)
        return np.asarray(Image.open(buffer), dtype=np.uint8)

    return _each(change)


def tinted(levels: int) -> Fault:
    """Add levels to red and take them from blue."""
    shift = np.array([levels, 0, -levels])
    return _each(lambda frame: np.clip(frame.astype(np.int16) + shift, 0, 255).astype(np.uint8))


def flickering(levels: int) -> Fault:
    """Make frames brighter and darker in turn."""
    return lambda frames: [
        np.clip(frame.astype(np.int16) + (levels if n % 2 else -levels), 0, 255).astype(np.uint8)
        for n, frame in enumerate(frames)
    ]


def black(count: int, at: int = 14) -> Fault:
    """Replace frames by black ones."""
    return lambda frames: [f * 0 if at <= n < at + count else f for n, f in enumerate(frames)]


def frozen(count: int, at: int = 8) -> Fault:
    """Repeat one frame so that it is shown ``count`` times."""
    return lambda frames: [frames[at] if at <= n < at + count else f for n, f in enumerate(frames)]


def repeated(times: int = 2) -> Fault:
    """Show each ``times``-th frame ``times`` times: a lower frame rate in disguise."""
    return lambda frames: [frames[n // times * times] for n in range(len(frames))]


def shaken(pixels: int) -> Fault:
    """Shift frames to and fro by that many pixels."""
    return lambda frames: [np.roll(f, (pixels if n % 2 else -pixels), axis=1) for n, f in enumerate(frames)]


def jumping(pixels: int, at: int = 14) -> Fault:
    """Shift everything from one frame on."""
    return lambda frames: [np.roll(f, pixels, axis=1) if n >= at else f for n, f in enumerate(frames)]


def shifted(pixels: int) -> Fault:
    """Shift every frame: a jump at the seam."""
    return _each(lambda frame: np.roll(frame, (pixels, pixels), axis=(0, 1)))


def faceless(at: int) -> Fault:
    """Cover the middle, where the face is, from one frame on."""

    def change(frame: Rgb) -> Rgb:
        covered, (height, width) = frame.copy(), frame.shape[:2]
        covered[height // 8 : height * 3 // 4, width // 5 : width * 4 // 5] = frame[4, 4]
        return covered

    return lambda frames: [change(f) if n >= at else f for n, f in enumerate(frames)]


def swapped(name: str, at: int, stop: int | None = None) -> Fault:
    """Show another character in frames ``at`` … ``stop - 1``."""

    def change(frames: Frames) -> Frames:
        size = (frames[0].shape[1], frames[0].shape[0])
        others = moved(name, len(frames), size=size)
        end = len(frames) if stop is None else stop
        return [others[n] if at <= n < end else f for n, f in enumerate(frames)]

    return change
