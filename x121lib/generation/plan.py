"""How a scene becomes segments, and takes become a cut: exact arithmetic in frames."""

from __future__ import annotations

import hashlib
import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from x121lib.base.errors import InvalidInputError
from x121lib.terms.ranges import FrameRange

MAX_SEGMENTS = 500
"""Segments that one scene may have; more is taken for a slip in the durations."""


@dataclass(frozen=True)
class ScenePlan:
    """The segments of a scene before anything is made."""

    segment_frames: tuple[int, ...]
    """New frames that each segment adds to the scene."""
    target_frames: int
    """Frames that the scene must reach."""

    @property
    def n_frames(self) -> int:
        """Frames of the whole plan; at least `target_frames`."""
        return sum(self.segment_frames)


@dataclass(frozen=True)
class TakeFacts:
    """What assembly needs to know of a chosen take."""

    take_id: uuid.UUID
    """The take."""
    n_frames: int
    """Frames of its file."""
    boundary_frame: int
    """Frame that seeds the next segment; the take is used up to and including it."""


def frames_for(duration_s: Decimal, rate: Fraction) -> int:
    """Return the least number of frames that lasts at least ``duration_s`` seconds."""
    return math.ceil(Fraction(duration_s) * rate)


def plan_scene(target_s: Decimal, segment_s: Decimal, rate: Fraction) -> ScenePlan:
    """Divide a target duration into equal segments; the last is a whole one, so the target is met or passed.

    Raises:
        InvalidInputError: a duration is shorter than a frame, or the scene would need too many segments.
    """
    target, segment = frames_for(target_s, rate), round(Fraction(segment_s) * rate)
    if segment < 2 or target < 2:
        raise InvalidInputError(f"{target_s} s in segments of {segment_s} s at {rate} frames/s is no scene.")
    count = math.ceil(target / segment)
    if count > MAX_SEGMENTS:
        raise InvalidInputError(f"{target_s} s in segments of {segment_s} s makes {count} segments.",
                                hint=f"At most {MAX_SEGMENTS}: use longer segments.")  # fmt: skip
    return ScenePlan(segment_frames=(segment,) * count, target_frames=target)


def cut_of(takes: Sequence[TakeFacts], *, repeats_seed_frame: bool) -> list[FrameRange]:
    """Return each take's frames in the scene's cut.

    Where the workflow repeats its seed frame as the first frame, that duplicate is dropped exactly once, from
    every segment but the first (whose first frame is the scene's own). A take is used up to its boundary frame.
    """
    return [
        FrameRange(1 if repeats_seed_frame and position > 0 else 0, take.boundary_frame + 1)
        for position, take in enumerate(takes)
    ]


def target_reached(cut: Sequence[FrameRange], target_frames: int) -> bool:
    """Return whether the cut is long enough."""
    return sum(len(part) for part in cut) >= target_frames


def boundary_frame(n_frames: int) -> int:
    """Return the frame that seeds the next segment: the literal last one."""
    if n_frames < 1:
        raise InvalidInputError("A take without frames has no boundary frame.")
    return n_frames - 1


def seed_for(scene_id: uuid.UUID, sequence_index: int, take_number: int) -> int:
    """Return a take's seed: 48 bits of a hash, so that it survives JavaScript's numbers and can be rebuilt."""
    digest = hashlib.sha256(f"{scene_id}/{sequence_index}/{take_number}".encode()).digest()
    return int.from_bytes(digest[:6], "big")
