"""What a decision means."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from x121lib.review.rules import ReviewedSegment, retake_from, status_after, undo_until
from x121lib.terms.quality import Outcome
from x121lib.terms.ranges import FrameRange
from x121lib.terms.vocabulary import DecisionOutcome, SceneStatus

PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL


def segments(*outcomes: Outcome) -> list[ReviewedSegment]:
    return [
        ReviewedSegment(uuid.uuid4(), i, outcome, FrameRange(48 * (i - 1), 48 * i))
        for i, outcome in enumerate(outcomes, start=1)
    ]


@pytest.mark.parametrize(
    ("outcomes", "frame", "expected"),
    [
        ((PASS, FAIL, FAIL), 0, 2),
        ((PASS, WARN, PASS), None, 1),
        ((PASS, WARN, PASS), 47, 1),
        ((PASS, WARN, PASS), 48, 2),
        ((PASS, PASS, PASS), 143, 3),
        ((PASS, PASS, PASS), 999, 3),
        ((), 10, 1),
    ],
)
def test_a_retake_starts_at_the_first_failing_segment_else_at_the_playhead(
    outcomes: tuple[Outcome, ...], frame: int | None, expected: int
) -> None:
    assert retake_from(segments(*outcomes), frame) == expected


def test_approval_and_rejection_move_the_scene_and_a_flag_leaves_it() -> None:
    for before in (SceneStatus.REVIEW, SceneStatus.APPROVED):
        assert status_after(DecisionOutcome.FLAG, before) == before
    assert status_after(DecisionOutcome.APPROVE, SceneStatus.REVIEW) == SceneStatus.APPROVED
    assert status_after(DecisionOutcome.REJECT, SceneStatus.REVIEW) == SceneStatus.REJECTED


def test_undo_is_offered_for_the_time_that_is_set() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    assert undo_until(at, 10) - at == timedelta(seconds=10)
