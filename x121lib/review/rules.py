"""What a decision means: pure rules over frozen values."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from x121lib.terms.quality import Outcome
from x121lib.terms.ranges import FrameRange
from x121lib.terms.vocabulary import DecisionOutcome, SceneStatus


@dataclass(frozen=True)
class ReviewedSegment:
    """A segment as the reviewer saw it."""

    segment_id: uuid.UUID
    """The segment."""
    sequence_index: int
    """1, 2, …"""
    outcome: Outcome
    """Its chosen take's overall outcome."""
    frames: FrameRange
    """Its frames in the scene's cut."""


def retake_from(segments: Sequence[ReviewedSegment], frame: int | None) -> int:
    """Return the sequence index from which a rejected scene is retaken.

    The first segment that failed a gate; else the one at the playhead; else the first.
    """
    for segment in segments:
        if segment.outcome == Outcome.FAIL:
            return segment.sequence_index
    if frame is not None and segments:
        for segment in segments:
            if segment.frames.start <= frame < segment.frames.stop:
                return segment.sequence_index
        return segments[-1].sequence_index
    return 1


def undo_until(decided_at: datetime, undo_s: float) -> datetime:
    """Return the moment until which a decision can be undone."""
    return decided_at + timedelta(seconds=undo_s)


def status_after(outcome: DecisionOutcome, before: SceneStatus) -> SceneStatus:
    """Return the scene's status after a decision; a flag leaves it where it stands."""
    return {
        DecisionOutcome.APPROVE: SceneStatus.APPROVED,
        DecisionOutcome.REJECT: SceneStatus.REJECTED,
        DecisionOutcome.FLAG: before,
    }[outcome]
