"""Joining parts of videos into one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from x121lib.media.colour import Rgb
from x121lib.media.encoding import encode_video
from x121lib.media.errors import IncompatiblePartsError
from x121lib.media.frames import iter_frames
from x121lib.media.gops import Part, read_part
from x121lib.media.plan import Cut, check_alike, check_cuts, plan
from x121lib.media.probing import index_of
from x121lib.media.reporting import (
    Cancelled,
    ConcatReport,
    JoinedSegment,
    Progress,
    Watch,
)
from x121lib.media.seam import SEAM_CRF
from x121lib.media.splice import Splice
from x121lib.terms.ranges import FrameRange


def concat(
    cuts: Sequence[Cut],
    to: Path | str,
    *,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    allow_reencode: bool = False,
) -> ConcatReport:
    """Join parts of videos into one file of constant frame rate; it appears whole or not at all.

    Args:
        cuts: the parts in order, each with the frames wanted.
        to: the file to write; the suffix chooses the container. MP4 has its index first.
        progress: called with (frames done, frames in all).
        cancelled: asked between packets; True ends the join and leaves nothing behind.
        allow_reencode: encode everything again where the parts do not fit together: size and frame rate become the
            first part's, frames are scaled and picked by time.

    Raises:
        UnreadableVideoError: a part is no video or damaged.
        IncompatiblePartsError: the parts do not fit together; names them.
        FrameNotFoundError: a cut names frames that its video has not.
        MediaCancelledError: cancelled.
        EncodingError: the encoder or the muxer refused.
    """
    to = Path(to)
    by_path = {path: read_part(path) for path in dict.fromkeys(Path(cut.path) for cut in cuts)}
    parts = [by_path[Path(cut.path)] for cut in cuts]
    check_cuts(cuts, parts)
    try:
        check_alike(parts)
        runs = plan(cuts, parts)
    except IncompatiblePartsError:
        if not allow_reencode:
            raise
        return _reencode_all(cuts, parts, to, Watch(progress, cancelled))
    return Splice(parts, runs, Watch(progress, cancelled)).write(to)


def _reencode_all(cuts: Sequence[Cut], parts: Sequence[Part], to: Path, watch: Watch) -> ConcatReport:
    """Join by encoding everything again, at the first part's size and frame rate."""
    info = index_of(parts[0].path).info
    counts = [_resampled_count(cut, part, parts[0]) for cut, part in zip(cuts, parts, strict=True)]
    watch.total = sum(counts)

    def frames() -> Iterator[Rgb]:
        for cut, part, count in zip(cuts, parts, counts, strict=True):
            for rgb in _resampled(cut, part, parts[0], count):
                yield _sized(rgb, info.width, info.height)
                watch.step()

    encode_video(to, frames(), info.frame_rate, crf=SEAM_CRF)
    segments, first = [], 0
    for cut, count in zip(cuts, counts, strict=True):
        segments.append(
            JoinedSegment(
                Path(cut.path),
                cut.frames,
                FrameRange(first, first + count),
                copied=False,
            )
        )
        first += count
    return ConcatReport(
        n_frames=first,
        copied_gops=0,
        reencoded_gops=len(cuts),
        reencoded_frames=first,
        segments=tuple(segments),
        notes=("The parts differ, so everything was encoded again.",),
    )


def _resampled_count(cut: Cut, part: Part, first: Part) -> int:
    return max(1, round((cut.frames.stop - cut.frames.start) * first.rate / part.rate))


def _resampled(cut: Cut, part: Part, first: Part, count: int) -> Iterator[Rgb]:
    """Yield ``count`` frames of a cut, each the one shown at its time."""
    given = 0
    for at, rgb in enumerate(iter_frames(cut.path, start=cut.frames.start, stop=cut.frames.stop)):
        while given < count and int(given * part.rate / first.rate) <= at:
            yield rgb
            given += 1
    for _ in range(count - given):
        yield rgb


def _sized(rgb: Rgb, width: int, height: int) -> Rgb:
    if rgb.shape[:2] == (height, width):
        return rgb
    smaller = width * height < rgb.shape[0] * rgb.shape[1]
    method = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=method), dtype=np.uint8)
