"""Faces without any model: OpenCV's frontal cascades and hand-made features.

This is not a biometric identifier, only drift detection: it tells whether a face stayed the face that it was from one
frame of a clip to the next, not who somebody is. Every score made with it names it (``classical``).
"""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from x121lib.identity import features
from x121lib.identity.faces import Box, DetectedFace, IdentityError, RgbImage, Vector, check_rgb

_WORK_SHORT_PX = 160
"""Short side of the grey image that is searched whole: a face of 1/8 of it is still the cascades' own 20 px.

Measured on 25 shifts, zooms, gradings and compressions of six portraits: 160 px finds as many as 256 px in half the
time.
"""
_SMALLEST_SHARE = 0.125
_COARSE, _FINE = 1.12, 1.06
"""Scale steps: the coarse one first, the fine one only where it found nothing."""
_TRACK_FACE_PX = 48
"""Size to which a tracked face is scaled before the search around it."""
_REFINE_FACE_PX = 56
_CROP_MARGIN = 0.1
"""Margin around the refined box, in box sides: takes in hairline and chin, leaves clothes out."""
_MIN_CONFIDENCE = 0.3
_BELOW_BEST = 0.35
"""A find this much less sure than the surest one of its picture is taken for a false one."""


class ClassicalBackend:
    """Viola-Jones cascades (``alt2``, confirmed by ``default``) and features of `x121lib.identity.features`.

    Confidence: the two cascades' last-stage sums ``a`` and ``d`` (`detectMultiScale3` level weights) at the found
    place give ``1 / (1 + exp(-z))`` with ``z = 1.4·(a - 55.5) + 0.35·(d - 2) + 2.3``; a place that ``default`` does not
    confirm has ``d = -4``. The constants make the drawn sample portraits and a real portrait score above 0.65 and
    the false finds of those pictures below it; they are a ranking, not a probability.

    Safe to share between threads: each thread loads its own cascades, which are not thread-safe in OpenCV.
    """

    name = "classical"
    pack = "haar-hog-lbp-1"

    def __init__(self, *, threads: int | None = None) -> None:
        """Load nothing yet; ``threads`` sets OpenCV's thread count for the whole process (1 in a worker)."""
        if threads is not None:
            cv2.setNumThreads(threads)
        self._local = threading.local()

    def detect(self, rgb: RgbImage, near: Box | None = None) -> list[DetectedFace]:
        """Return the faces of an H×W×3 uint8 RGB image, largest first; see `FaceBackend.detect`."""
        check_rgb(rgb)
        if near is not None:
            return self._detect_near(rgb, near)
        height, width = rgb.shape[:2]
        scale = min(1.0, _WORK_SHORT_PX / min(height, width))
        grey = _grey(rgb, scale)
        limits = max(20, round(_SMALLEST_SHARE * min(grey.shape))), min(grey.shape)
        boxes = self._search(grey, limits, _COARSE) or self._search(grey, limits, _FINE)
        if not boxes:  # flat or dark pictures: once more with the contrast spread out
            grey = _levels(cv2.equalizeHist(grey))
            boxes = self._search(grey, limits, _FINE)
        return self._faces(grey, boxes, 1 / scale, (0, 0), (width, height))

    def embed(self, rgb: RgbImage, face: DetectedFace) -> Vector:
        """Return the features of the face's aligned crop: float32 (512,), L2 norm 1."""
        check_rgb(rgb)
        box = self._refined(rgb, face.box)
        return features.describe(_crop(rgb, box))

    def _detect_near(self, rgb: RgbImage, near: Box) -> list[DetectedFace]:
        height, width = rgb.shape[:2]
        x0, y0, x1, y1 = _around(near, 0.4, (width, height))
        if min(x1 - x0, y1 - y0) < 24:
            return []
        scale = min(1.0, _TRACK_FACE_PX / max(near[2], 1))
        grey = _grey(rgb[y0:y1, x0:x1], scale)
        side = near[2] * scale
        limits = max(20, round(0.75 * side)), round(1.35 * side)
        boxes = self._search(grey, limits, 1.1) or self._search(grey, limits, 1.04)
        return self._faces(grey, boxes, 1 / scale, (x0, y0), (width, height))

    def _search(
        self, grey: NDArray[np.uint8], limits: tuple[int, int], step: float
    ) -> list[tuple[NDArray[np.int32], float]]:
        """Return (x, y, w, h) with the last stage's sum for each find of a side within ``limits``."""
        low, high = limits
        found, _, weights = self._cascade("alt2").detectMultiScale3(
            grey, step, 2, 0, (low, low), (high, high), outputRejectLevels=True
        )
        return list(zip(np.asarray(found, np.int32).reshape(-1, 4), np.ravel(weights).tolist(), strict=True))

    def _faces(
        self,
        grey: NDArray[np.uint8],
        boxes: list[tuple[NDArray[np.int32], float]],
        up: float,
        origin: tuple[int, int],
        size: tuple[int, int],
    ) -> list[DetectedFace]:
        faces = []
        for box, weight in boxes:
            confidence = _confidence(weight, self._confirmation(grey, box))
            if confidence < _MIN_CONFIDENCE:
                continue
            x, y = round(box[0] * up) + origin[0], round(box[1] * up) + origin[1]
            w, h = min(round(box[2] * up), size[0] - x), min(round(box[3] * up), size[1] - y)
            faces.append(DetectedFace((x, y, w, h), confidence))
        best = max((face.confidence for face in faces), default=0.0)
        kept = [face for face in faces if face.confidence >= best - _BELOW_BEST]
        return sorted(kept, key=lambda face: (-face.area_px, -face.confidence, face.box))

    def _confirmation(self, grey: NDArray[np.uint8], box: NDArray[np.int32]) -> float:
        """Return the best last-stage sum of ``default`` near a found box; -4 where it finds nothing."""
        whole: Box = (int(box[0]), int(box[1]), int(box[2]), int(box[3]))
        x0, y0, x1, y1 = _around(whole, 0.25, (grey.shape[1], grey.shape[0]))
        part = grey[y0:y1, x0:x1]
        scale = min(1.0, 40 / whole[2])
        part = _levels(cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
        low, high = max(24, round(0.75 * whole[2] * scale)), round(1.4 * whole[2] * scale)
        _, _, weights = self._cascade("default").detectMultiScale3(
            part, 1.08, 1, 0, (low, low), (high, high), outputRejectLevels=True
        )
        return max((float(w) for w in np.ravel(weights)), default=-4.0)

    def _refined(self, rgb: RgbImage, box: Box) -> tuple[float, float, float]:
        """Return (centre x, centre y, side) averaged over many finely stepped finds, else those of the box."""
        height, width = rgb.shape[:2]
        x0, y0, x1, y1 = _around(box, 0.35, (width, height))
        scale = _REFINE_FACE_PX / max(box[2], 1)
        grey = cv2.equalizeHist(_grey(rgb[y0:y1, x0:x1], scale))
        low, high = round(0.75 * _REFINE_FACE_PX), round(1.35 * _REFINE_FACE_PX)
        found = self._cascade("alt2").detectMultiScale(grey, 1.04, 0, 0, (low, low), (high, high))
        if len(found) < 4:
            return box[0] + box[2] / 2, box[1] + box[3] / 2, float(box[2])
        hits = np.asarray(found, np.float64)
        centres = hits[:, :2] + hits[:, 2:] / 2
        cx, cy = np.median(centres, axis=0) / scale
        return float(cx + x0), float(cy + y0), float(np.median(hits[:, 2]) / scale)

    def _cascade(self, which: str) -> cv2.CascadeClassifier:
        loaded = getattr(self._local, which, None)
        if loaded is None:
            path = Path(cv2.__file__).parent / "data" / f"haarcascade_frontalface_{which}.xml"
            loaded = cv2.CascadeClassifier(str(path))
            if loaded.empty():
                raise IdentityError(f"OpenCV's cascade {path.name} is missing.", hint="Reinstall opencv-python.")
            setattr(self._local, which, loaded)
        return loaded


def _confidence(alt2: float, default: float) -> float:
    z = 1.4 * (alt2 - 55.5) + 0.35 * (default - 2) + 2.3
    return 1 / (1 + math.exp(-z))


def _levels(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the array as uint8 levels; OpenCV keeps the type, its stubs do not say so."""
    return np.asarray(array, np.uint8)


def _grey(rgb: RgbImage, scale: float) -> NDArray[np.uint8]:
    """Return the grey image scaled by ``scale``; scaling first keeps the conversion small."""
    if scale < 1:
        rgb = _levels(cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    grey = _levels(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))
    if scale > 1:
        grey = _levels(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR))
    return grey


def _around(box: Box, margin: float, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return (x0, y0, x1, y1) of the box grown by ``margin`` sides each way and kept inside (width, height)."""
    x, y, w, h = box
    dx, dy = round(margin * w), round(margin * h)
    return max(0, x - dx), max(0, y - dy), min(size[0], x + w + dx), min(size[1], y + h + dy)


def _crop(rgb: RgbImage, place: tuple[float, float, float]) -> NDArray[np.uint8]:
    """Return the square around (centre x, centre y, side) with its margin, `features.CROP_PX` on a side."""
    cx, cy, side = place
    scale = features.CROP_PX / (side * (1 + 2 * _CROP_MARGIN))
    half = features.CROP_PX / 2
    if scale < 0.5:  # a warp samples points; shrink by area first
        shrink = 2 * scale
        rgb = _levels(cv2.resize(rgb, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA))
        cx, cy, scale = cx * shrink, cy * shrink, 0.5
    matrix = np.array([[scale, 0, half - scale * cx], [0, scale, half - scale * cy]], np.float32)
    size = (features.CROP_PX, features.CROP_PX)
    return _levels(cv2.warpAffine(rgb, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
