"""Change from frame to frame: energy, standstill, the camera's path and its smoothness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from x121lib.measures.size import Floats, Luma

FROZEN_MEAN = 0.255
"""Mean change in levels under which frames count as the same: FFmpeg ``freezedetect`` noise 0.001 of 255."""
FROZEN_LOCAL = 2.0
"""The same for the liveliest 8 × 8 cell, so that moving lips in a still picture are no standstill."""
_PATH_SIDE = 40


@dataclass(frozen=True)
class FrameChange:
    """How much one frame differs from another, in luma levels 0–255."""

    mean: float
    """Mean absolute difference."""
    local: float
    """Mean absolute difference of the liveliest 8 × 8 cell."""

    @property
    def is_still(self) -> bool:
        """Whether only coding noise tells the frames apart."""
        return self.mean < FROZEN_MEAN and self.local < FROZEN_LOCAL


def frame_change(a: Luma, b: Luma) -> FrameChange:
    """Return the change between two small luma pictures of one size (see `small_luma`)."""
    difference = cv2.absdiff(a, b)
    cells = cv2.resize(
        difference,
        (max(1, a.shape[1] // 8), max(1, a.shape[0] // 8)),
        interpolation=cv2.INTER_AREA,
    )
    return FrameChange(mean=float(cv2.mean(difference)[0]), local=float(cells.max()))


class FrozenRuns:
    """Marks the frames that equal the frame at which their standstill began, as FFmpeg's ``freezedetect`` does.

    Comparing with the beginning, and not only with the frame before, tells a slow zoom from a frozen picture.
    """

    def __init__(self) -> None:
        self._anchor: Luma | None = None
        self.flags: list[bool] = []
        """One per frame seen: whether it repeats the frame before and the anchor."""

    def add(self, luma: Luma, change: FrameChange | None) -> None:
        """Take the next small frame and its change from the frame before (None for the first frame)."""
        still = change is not None and change.is_still
        if still and self._anchor is not None:
            still = frame_change(self._anchor, luma).is_still
        if not still:
            self._anchor = luma
        self.flags.append(still)


class GlobalMotion:
    """Follows the whole picture's shift from frame to frame.

    One Gauss–Newton step of B. D. Lucas and T. Kanade, "An iterative image registration technique", IJCAI 1981, for
    a shift and a zoom of a picture of about 40 pixels. Large shifts come out too small, never too large.
    """

    def __init__(self) -> None:
        self._before: Floats | None = None
        self.shifts: list[tuple[float, float]] = []
        """Per pair of frames: (x, y) in percent of the short side."""

    def add(self, luma: Luma) -> None:
        """Take the next small frame."""
        scale = _PATH_SIDE / min(luma.shape)
        size = (
            max(8, round(luma.shape[1] * scale)),
            max(8, round(luma.shape[0] * scale)),
        )
        tiny = cv2.resize(luma, size, interpolation=cv2.INTER_LINEAR).astype(np.float64)
        now = cast(Floats, cv2.GaussianBlur(tiny, (5, 5), 1.0))
        if self._before is not None and self._before.shape == now.shape:
            x, y = _shift(self._before, now)
            short = min(now.shape)
            self.shifts.append((100 * x / short, 100 * y / short))
        elif self._before is not None:
            self.shifts.append((0.0, 0.0))
        self._before = now


def _shift(before: Floats, now: Floats) -> tuple[float, float]:
    """Return the shift (x, y) in pixels that carries ``before`` to ``now``."""
    middle = (before + now) / 2
    gx = (middle[1:-1, 2:] - middle[1:-1, :-2]) / 2
    gy = (middle[2:, 1:-1] - middle[:-2, 1:-1]) / 2
    rows, columns = np.indices(gx.shape, dtype=np.float64)
    zoom = gx * (columns - columns.mean()) + gy * (rows - rows.mean())
    basis = np.stack((gx.ravel(), gy.ravel(), zoom.ravel()))
    normal = basis @ basis.T + np.eye(3) * 1e-3
    answer = np.linalg.solve(normal, basis @ (before - now)[1:-1, 1:-1].ravel())
    return float(answer[0]), float(answer[1])


def jitter(shifts: Floats) -> float:
    """Return the typical unevenness of a path of shifts (n × 2): the mean length of their change.

    In the shifts' unit per frame; 0 for a steady or absent motion, lower is smoother. For the shift of a smooth path
    the change from frame to frame is far below the shift itself; a shaken one turns at every frame.
    """
    if len(shifts) < 3:
        return 0.0
    turns = np.diff(np.asarray(shifts, dtype=np.float64), axis=0)
    return float(np.hypot(turns[:, 0], turns[:, 1]).mean())


def spike(changes: Floats) -> tuple[float, int]:
    """Return how far the largest change stands above the usual one, and its place; (1, 0) for too few values.

    The ratio of the largest to the median change, with half a level added to both so that coding noise in a still
    picture is no spike. About 1 to 3 for smooth motion; a cut or a jump gives 10 and more.
    """
    values = np.asarray(changes, dtype=np.float64)
    if values.size < 3:
        return 1.0, 0
    place = int(values.argmax())
    return float((values[place] + 0.5) / (np.median(values) + 0.5)), place
