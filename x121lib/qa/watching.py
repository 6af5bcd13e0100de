"""What is measured on every frame, on a small luma picture."""

from __future__ import annotations

import av
import cv2
import numpy as np
import numpy.typing as npt

from x121lib import measures
from x121lib.measures.size import Luma
from x121lib.terms.quality import Score
from x121lib.terms.ranges import FrameRange

PICTURE_BLACK_SHARE = 0.98
"""Share of black pixels from which a frame is black (FFmpeg ``blackdetect``: ``picture_black_ratio_th``)."""
_FULL_RANGE = 2
_STRETCH = np.clip((np.arange(256, dtype=np.float64) - 16) * 255 / 219, 0, 255).round().astype(np.uint8)
"""Limited-range luma to 0–255 (ITU-R BT.709)."""
_EIGHT_BIT_PLANAR = {
    "yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "nv21", "gray", "yuva420p", "yuv411p",
    "yuv440p", "yuvj440p",
}  # fmt: skip

Series = npt.NDArray[np.float64]


class FrameWatch:
    """Takes every frame of a take once and keeps a few numbers of each; memory stays flat."""

    def __init__(self) -> None:
        self._before: Luma | None = None
        self._size: tuple[int, int] | None = None
        self._frozen = measures.FrozenRuns()
        self._motion = measures.GlobalMotion()
        self._black: list[bool] = []
        self._brightness: list[float] = []
        self._changes: list[float] = []
        self._still: list[bool] = []
        self._size_changes: list[int] = []
        self._invalid = 0

    @property
    def first_size(self) -> tuple[int, int] | None:
        """Width and height in pixels of the first frame."""
        return self._first_size if self._black else None

    @property
    def count(self) -> int:
        """Frames seen."""
        return len(self._black)

    def add(self, frame: av.VideoFrame) -> float:
        """Measure the next frame and return its mean change in levels from the frame before."""
        small = small_picture(frame)
        self._watch_size(frame)
        change = None
        if self._before is not None and self._before.shape == small.shape:
            change = measures.frame_change(self._before, small)
        self._black.append(measures.black_share(small) >= PICTURE_BLACK_SHARE)
        self._brightness.append(float(cv2.mean(small)[0]))
        self._frozen.add(small, change)
        self._motion.add(small)
        if self._before is not None:
            self._changes.append(change.mean if change else 0.0)
            self._still.append(change is not None and change.is_still)
        self._before = small
        return change.mean if change else 0.0

    def _watch_size(self, frame: av.VideoFrame) -> None:
        size = (frame.width, frame.height)
        if self._size is None:
            self._first_size = size
        elif size != self._size:
            self._size_changes.append(len(self._black))
        self._size = size
        if "f32" in frame.format.name or "f16" in frame.format.name:
            self._invalid += measures.invalid_samples(frame.to_ndarray())

    def series(self) -> dict[str, Series]:
        """Return the numbers per frame (``black``, ``frozen``, ``brightness``) and per pair (``motion``, shifts)."""
        shifts = np.array(self._motion.shifts, dtype=np.float64).reshape(-1, 2)
        return {
            "black": np.array(self._black, dtype=np.float64),
            "frozen": np.array(self._frozen.flags, dtype=np.float64),
            "brightness": np.array(self._brightness, dtype=np.float64),
            "motion": np.array(self._changes, dtype=np.float64),
            "shift_x": shifts[:, 0],
            "shift_y": shifts[:, 1],
        }

    def scores(self, rate: float) -> list[Score]:
        """Return the scores over all frames; ``rate`` in frames per second turns runs into seconds."""
        return [*self._run_scores(rate), *self._motion_scores()]

    def _run_scores(self, rate: float) -> list[Score]:
        black = measures.longest_run(self._black)
        frozen = measures.longest_run(self._frozen.flags)
        # The frame at which a standstill began belongs to it.
        frozen = (frozen[0] - 1, frozen[1]) if frozen else None
        pairs = max(1, len(self._still))
        changes = self._size_changes
        return [
            Score("black_frames", float(sum(self._black)), _range(black)),
            Score("black_run", _seconds(black, rate), _range(black)),
            Score("frozen_run", _seconds(frozen, rate), _range(frozen)),
            Score("duplicate_ratio", sum(self._still) / pairs),
            Score(
                "size_changes",
                float(len(changes)),
                _range((changes[0], changes[0] + 1) if changes else None),
            ),
            Score("invalid_samples", float(self._invalid)),
        ]

    def _motion_scores(self) -> list[Score]:
        changes = np.array(self._changes, dtype=np.float64)
        energy = float(changes.mean()) if changes.size else 0.0
        size, place = measures.spike(changes)
        waver = np.abs(np.diff(np.array(self._brightness, dtype=np.float64), n=2))
        shifts = np.array(self._motion.shifts, dtype=np.float64).reshape(-1, 2)
        return [
            Score("motion_energy", energy),
            Score("motion_jitter", measures.jitter(shifts)),
            Score(
                "motion_spike",
                size,
                FrameRange(place, place + 2) if changes.size else None,
            ),
            Score(
                "brightness_flicker",
                float(np.percentile(waver, 95)) if waver.size else 0.0,
            ),
            Score("temporal_stability", 1 - energy / 255),
        ]


def small_picture(frame: av.VideoFrame) -> Luma:
    """Return a frame's luma, small and in full range, without converting the frame to RGB."""
    if frame.format.name not in _EIGHT_BIT_PLANAR:
        frame = frame.reformat(format="yuv420p")
    plane = frame.planes[0]
    whole = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]
    small = measures.small_luma(whole)
    if frame.color_range == _FULL_RANGE or frame.format.name.startswith("yuvj") or frame.format.name == "gray":
        return small.copy() if small.base is not None else small
    return np.asarray(cv2.LUT(small, _STRETCH), dtype=np.uint8)


def _range(run: tuple[int, int] | None) -> FrameRange | None:
    return FrameRange(*run) if run else None


def _seconds(run: tuple[int, int] | None, rate: float) -> float:
    return (run[1] - run[0]) / rate if run else 0.0
