"""What a join tells its caller: progress while it runs, a report when it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from x121lib.media.errors import MediaCancelledError
from x121lib.terms.ranges import FrameRange

Progress = Callable[[int, int], None]
"""Called with (frames done, frames in all)."""
Cancelled = Callable[[], bool]
"""Asked between frames; True ends the work."""


@dataclass(frozen=True)
class JoinedSegment:
    """Where neighbouring frames of the result come from."""

    path: Path
    """The part."""
    source: FrameRange
    """Frames of the part."""
    output: FrameRange
    """Frames of the result."""
    copied: bool
    """Whether the coded pictures are bit-identical to the part's."""


@dataclass(frozen=True)
class ConcatReport:
    """What a join did."""

    n_frames: int
    """Frames of the result."""
    copied_gops: int
    """Groups of pictures (or heads of them) copied bit by bit."""
    reencoded_gops: int
    """Groups, or ends of groups, encoded again."""
    reencoded_frames: int
    """Frames encoded again."""
    segments: tuple[JoinedSegment, ...]
    """Sources in the order of the result."""
    notes: tuple[str, ...] = ()
    """What a person should know, e.g. that sound was left out."""


class Watch:
    """Tells progress and notices a cancel."""

    def __init__(self, progress: Progress | None, cancelled: Cancelled | None) -> None:
        self._progress = progress
        self._cancelled = cancelled
        self.done = 0
        self.total = 0

    def step(self) -> None:
        """Count one frame."""
        if self._cancelled is not None and self._cancelled():
            raise MediaCancelledError("Joining was cancelled; nothing was written.")
        self.done += 1
        if self._progress is not None:
            self._progress(self.done, self.total)
