"""One decoding pass over a take, from file to scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from x121lib.media.colour import RgbReader
from x121lib.media.errors import MediaCancelledError, UnreadableVideoError
from x121lib.qa.decoding import TakeSource
from x121lib.qa.metrics import METRICS
from x121lib.qa.sampling import FrameSamples, Reference
from x121lib.qa.watching import FrameWatch
from x121lib.terms.quality import Score
from x121lib.terms.ranges import FrameRange


@dataclass(frozen=True, eq=False)
class Analysis:
    """What one pass over a take found."""

    scores: tuple[Score, ...]
    """At most one per metric."""
    series: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    """Numbers per frame, per pair of frames, or per sampled frame (those listed in ``sample_frame``)."""
    not_applicable: frozenset[str] = frozenset()
    """Metrics without meaning for this take; their gates give no verdict."""
    unmeasured: Mapping[str, str] = field(default_factory=dict)
    """Metrics that could not be measured, with the reason; their gates fail."""


def analyse(path: Path, reference: Reference, *, cancelled: Callable[[], bool] | None = None) -> Analysis:
    """Decode a take once and return its scores; memory stays flat, and nothing is written.

    Bad content never raises: a file that cannot be opened gives ``readable`` 0 and leaves the rest unmeasured, damage
    inside is counted and the rest measured. OpenCV is set to one thread in this process: its pool costs more than it
    gives on small pictures, and a worker has one core.

    Raises:
        MediaCancelledError: ``cancelled`` returned true; asked before each frame.
    """
    cv2.setNumThreads(1)
    source, watch, samples = TakeSource(path), FrameWatch(), FrameSamples(reference)
    to_rgb = RgbReader()
    try:
        for number, frame in enumerate(source.frames()):
            if cancelled is not None and cancelled():
                raise MediaCancelledError(f"The quality check of {path} was cancelled; nothing was written.")
            if number == 0:
                samples.expect(source.promised or reference.expected_frames or 0)
            if samples.wants(number, watch.add(frame)):
                samples.look(number, to_rgb(frame))
    except UnreadableVideoError as error:
        return _unreadable(reference, error.message)
    if not watch.count:
        return _unreadable(reference, source.last_error or f"{path} shows no frame")
    scores = [
        *_file_scores(source, watch, reference),
        *watch.scores(float(reference.expected_rate)),
        *samples.scores(),
    ]
    return Analysis(
        scores=tuple(scores),
        series=watch.series() | samples.series(),
        not_applicable=reference.not_applicable(),
        unmeasured=reference.unmeasured(),
    )


def _unreadable(reference: Reference, reason: str) -> Analysis:
    names = [metric.name for metric in METRICS if metric.name != "readable"]
    return Analysis(
        scores=(Score("readable", 0.0, None, reason.rstrip(".")),),
        not_applicable=reference.not_applicable(),
        unmeasured=dict.fromkeys(names, "the file cannot be read"),
    )


def _file_scores(source: TakeSource, watch: FrameWatch, reference: Reference) -> list[Score]:
    """Return the scores of the file itself: damage, length, size, timing, sound."""
    at = source.error_at
    where = FrameRange(at, at + 1) if at is not None else None
    gone = FrameRange(source.frames_seen, source.promised) if source.missing else None
    width, height = watch.first_size or (0, 0)
    wanted = reference.expected_size
    off = abs(width - wanted[0]) + abs(height - wanted[1])
    size_note = f"{width}×{height} instead of {wanted[0]}×{wanted[1]}" if off else ""
    scores = [
        Score("readable", 1.0),
        Score("decode_errors", float(source.errors), where, source.last_error),
        Score("missing_frames", float(source.missing), gone),
        Score("size_error", float(off), None, size_note),
        Score("audio_streams", float(source.audio_streams)),
        *_timing_scores(source, reference.expected_rate),
    ]
    if reference.expected_frames is not None:
        wrong = abs(watch.count - reference.expected_frames)
        note = f"{watch.count} instead of {reference.expected_frames} frames" if wrong else ""
        scores.append(Score("frame_count_error", float(wrong), None, note))
    return scores


def _timing_scores(source: TakeSource, expected: Fraction) -> list[Score]:
    """Return frame rate and regularity by the timestamps; by the container's word where it stores none."""
    rate, irregular, where = source.declared_rate or Fraction(0), 0, None
    times = np.array(source.times, dtype=np.int64)
    if times.size > 1 and times[-1] > times[0]:
        rate = Fraction(int(times.size - 1)) / (int(times[-1] - times[0]) * source.time_base)
        steps = np.diff(times)
        # A coarse time base rounds each interval by up to one tick.
        odd = np.flatnonzero(np.abs(steps - np.median(steps)) > max(1.0, 0.02 * float(np.median(steps))))
        irregular = int(odd.size)
        where = FrameRange(int(odd[0]), int(odd[0]) + 2) if odd.size else None
    error = float(abs(rate - expected) / expected)
    note = f"{float(rate):.3f} instead of {float(expected):.3f} frames/s" if error > 0.001 else ""
    return [
        Score("rate_error", error, None, note),
        Score("irregular_intervals", float(irregular), where),
    ]
