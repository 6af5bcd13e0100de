"""Decisions on real scenes: approve, reject, flag, undo, who may, and what follows."""

from __future__ import annotations

import uuid

import pytest
import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from x121lib.base.ids import new_id
from x121lib.studio import Studio
from x121lib.terms.roles import Actor
from x121lib.terms.vocabulary import TakeStatus, TaskStatus, VerdictOutcome
from x121lib.testing.small_studio import Clock


def scene(studio: Studio, character: str = "Aiko") -> uuid.UUID:
    return studio.project("Aurora").scene(character, "sway", "clothed").scene_id


def status(studio: Studio, character: str = "Aiko") -> str:
    return str(studio.project("Aurora").scene(character, "sway", "clothed").head()["status"])


def queued(studio: Studio) -> list[tuple[int, int, int]]:
    """Return (segment, take number, priority) of what waits in the queue."""
    frame = studio.queue()
    return [(r.segment, r.take, r.priority) for r in frame.itertuples()]


def test_an_approval_moves_the_scene_at_once_and_a_second_one_is_a_conflict(reviewed: Studio) -> None:
    key = scene(reviewed)
    reviewed.decide(key, "approve", scene_version=1)
    assert status(reviewed) == "Approved"
    with pytest.raises(ConflictError, match="has approved this version already"):
        reviewed.decide(key, "reject", reason="too late")
    assert status(reviewed) == "Approved"


def test_a_rejection_queues_its_retake_only_when_undo_is_over(reviewed: Studio, clock: Clock) -> None:
    reviewed.decide(scene(reviewed), "reject", reason="Blinks", frame=30, tags=("motion",))
    assert status(reviewed) == "Rejected"
    reviewed.work.tick()
    assert queued(reviewed) == []
    clock.advance(10.5)
    reviewed.work.tick()
    # Frame 30 of 13 + 12 + 12 lies in segment 3 and no gate failed.
    assert queued(reviewed) == [(3, 2, 80)]
    assert status(reviewed) == "Generating"
    takes = reviewed.project("Aurora").scene("Aiko", "sway", "clothed").takes()
    assert list(takes[takes["take"] == 1]["status"]) == ["Passed", "Passed", TakeStatus.REJECTED.value]
    reviewed.work.tick()
    assert len(queued(reviewed)) == 1, "acted upon once"


def test_the_first_failing_segment_comes_before_the_playhead(reviewed: Studio, clock: Clock) -> None:
    key = scene(reviewed)
    with reviewed.transaction() as session:
        segment = sa.select(m.Segment.chosen_take_id).where(m.Segment.scene_id == key, m.Segment.sequence_index == 2)
        verdict = session.scalars(sa.select(m.Verdict).where(m.Verdict.take_id == session.scalar(segment))).first()
        assert verdict is not None
        verdict.outcome_id = VerdictOutcome.FAIL
    reviewed.decide(key, "reject", frame=36)
    clock.advance(11)
    reviewed.work.tick()
    assert [(s, t) for s, t, _ in queued(reviewed)] == [(2, 2), (3, 2)]


def test_undo_in_time_brings_the_scene_back_to_review(reviewed: Studio, clock: Clock) -> None:
    key = scene(reviewed)
    decision = reviewed.decide(key, "reject")
    clock.advance(9)
    reviewed.undo_decision(decision)
    assert status(reviewed) == "In review"
    clock.advance(60)
    reviewed.work.tick()
    assert queued(reviewed) == []
    with pytest.raises(ConflictError):
        reviewed.undo_decision(decision)
    reviewed.decide(key, "approve")
    assert status(reviewed) == "Approved"


def test_undo_too_late_is_refused(reviewed: Studio, clock: Clock) -> None:
    decision = reviewed.decide(scene(reviewed), "approve")
    clock.advance(11)
    with pytest.raises(ConflictError, match="can no longer be undone"):
        reviewed.undo_decision(decision)
    assert status(reviewed) == "Approved"


def test_what_has_begun_can_not_be_undone(reviewed: Studio) -> None:
    key = scene(reviewed)
    decision = reviewed.decide(key, "reject")
    assert reviewed.retake(key, 1) == 3
    with pytest.raises(ConflictError, match="generating by now"):
        reviewed.undo_decision(decision)
    assert status(reviewed) == "Generating"


def test_a_flag_moves_nothing_and_neither_does_taking_it_back(reviewed: Studio) -> None:
    key = scene(reviewed)
    flag = reviewed.decide(key, "flag", reason="Look at the hair")
    assert status(reviewed) == "In review"
    reviewed.decide(key, "approve")
    reviewed.undo_decision(flag)
    reviewed.decide(key, "flag")
    assert status(reviewed) == "Approved"


def test_a_cut_that_was_not_watched_can_not_be_decided_on(reviewed: Studio) -> None:
    with pytest.raises(ConflictError, match="you watched version 3"):
        reviewed.decide(scene(reviewed), "approve", scene_version=3)
    assert status(reviewed) == "In review"


def test_final_approval_is_the_creators_and_a_reviewer_may_reject_and_flag(reviewed: Studio, reviewer: Actor) -> None:
    seen = reviewed.as_actor(reviewer)
    with pytest.raises(ForbiddenError, match="final_approval"):
        seen.decide(scene(reviewed), "approve")
    seen.decide(scene(reviewed), "flag")
    seen.decide(scene(reviewed, "Lena"), "reject", reason="Seam")
    assert (status(reviewed), status(reviewed, "Lena")) == ("In review", "Rejected")
    with pytest.raises(ForbiddenError):
        seen.retake(scene(reviewed), 1)


def test_reasons_follow_a_decision_and_unknown_ones_are_named(reviewed: Studio) -> None:
    decision = reviewed.decide(scene(reviewed), "reject")
    reviewed.set_decision_tags(decision, ["seam", "colour", "seam"])
    reviewed.set_decision_tags(decision, ["seam", "motion"])
    with reviewed.transaction() as session:
        names = session.scalars(
            sa.select(m.FailureTag.name).join(m.DecisionTag, m.DecisionTag.failure_tag_id == m.FailureTag.id)
        ).all()
    assert sorted(names) == ["motion", "seam"]
    with pytest.raises(InvalidInputError, match="no reason 'boring'"):
        reviewed.set_decision_tags(decision, ["boring"])
    with pytest.raises(NotFoundError):
        reviewed.set_decision_tags(new_id(), ["seam"])
    nobody = Actor(None, "Nobody", frozenset())
    with pytest.raises(ForbiddenError):
        reviewed.as_actor(nobody).set_decision_tags(decision, [])


def test_a_retake_begins_at_a_segment_that_exists(reviewed: Studio) -> None:
    for wrong in (0, 4):
        with pytest.raises(InvalidInputError, match="segment 1 to 3"):
            reviewed.retake(scene(reviewed), wrong)
    with pytest.raises(NotFoundError):
        reviewed.retake(new_id(), 1)
    assert reviewed.retake(scene(reviewed), 2) == 2
    assert [(s, t) for s, t, _ in queued(reviewed)] == [(2, 2), (3, 2)]
    assert set(reviewed.queue()["status"]) == {TaskStatus.QUEUED.value}


def test_notes_stand_at_a_frame_of_the_cut(reviewed: Studio) -> None:
    reviewed.add_note(scene(reviewed), " The left eye ", frame=36)
    with pytest.raises(InvalidInputError, match="outside of this version's 37 frames"):
        reviewed.add_note(scene(reviewed), "Too far", frame=37)
    with pytest.raises(InvalidInputError, match="needs a text"):
        reviewed.add_note(scene(reviewed), "  ")
    with reviewed.transaction() as session:
        assert session.scalars(sa.select(m.Note.text)).all() == ["The left eye"]


def test_every_decision_is_in_the_audit_log(reviewed: Studio) -> None:
    reviewed.undo_decision(reviewed.decide(scene(reviewed), "approve"))
    reviewed.retake(scene(reviewed), 3)
    with reviewed.transaction() as session:
        actions = session.scalars(sa.select(m.AuditEntry.action).order_by(m.AuditEntry.id)).all()
    assert actions[-3:] == ["scene.approve", "decision.undo", "scene.retake"]


def test_approve_passing_leaves_scenes_with_a_failed_gate_to_a_person(reviewed: Studio) -> None:
    with reviewed.transaction() as session:
        take = sa.select(m.Segment.chosen_take_id).where(m.Segment.scene_id == scene(reviewed, "Lena")).limit(1)
        verdict = session.scalars(sa.select(m.Verdict).where(m.Verdict.take_id == session.scalar(take))).first()
        assert verdict is not None
        verdict.outcome_id = VerdictOutcome.FAIL
    approved, left = reviewed.project("Aurora").approve_passing()
    assert sorted(approved) == ["Aiko / idle / clothed", "Aiko / sway / clothed"]
    assert left == ["Lena / sway / clothed"]
