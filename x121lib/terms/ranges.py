"""Ranges of frames."""

from __future__ import annotations

from dataclasses import dataclass

from x121lib.base.errors import InvalidInputError


@dataclass(frozen=True)
class FrameRange:
    """Frames ``start`` … ``stop - 1``, numbered from 0 in display order."""

    start: int
    """First frame of the range."""
    stop: int
    """First frame after the range."""

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.stop:
            raise InvalidInputError(f"{self.start} to {self.stop} is no range of frames.")

    def __len__(self) -> int:
        """Return how many frames the range holds."""
        return self.stop - self.start
