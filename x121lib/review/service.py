"""Review's use cases: decide, undo, note. Statuses follow in `pipeline.flow`."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import ConflictError, InvalidInputError, NotFoundError
from x121lib.base.ids import new_id
from x121lib.events import outbox
from x121lib.review import queries
from x121lib.review.rules import undo_until
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import DecisionOutcome, EventKind


@dataclass(frozen=True)
class DecisionInput:
    """A decision as a reviewer makes it."""

    scene_id: uuid.UUID
    """The scene."""
    outcome: DecisionOutcome
    """Approve, reject or flag."""
    reason: str = ""
    """In the reviewer's words."""
    tags: tuple[str, ...] = ()
    """Reasons picked."""
    frame: int | None = None
    """Frame at the playhead."""
    scene_version: int | None = None
    """Number of the cut that was watched; a newer one is a conflict."""


def decide(session: Session, actor: Actor, given: DecisionInput, now: datetime) -> m.Decision:
    """Record a decision on the scene's newest cut and return it.

    Raises:
        ForbiddenError: the actor may not review, or may not approve finally.
        ConflictError: there is a newer cut than the one watched, or somebody has decided already.
        NotFoundError: the scene has no cut to decide on.
    """
    actor.require(Permission.REVIEW)
    if given.outcome == DecisionOutcome.APPROVE:
        actor.require(Permission.FINAL_APPROVAL)
    session.execute(sa.select(m.Scene.id).where(m.Scene.id == given.scene_id).with_for_update())
    version = queries.newest_version(session, given.scene_id)
    if version is None:
        raise NotFoundError("This scene has nothing to review yet.")
    if given.scene_version is not None and given.scene_version != version.number:
        raise ConflictError(
            f"Version {version.number} of this scene has arrived; you watched version {given.scene_version}.",
            hint="Nothing was recorded. Watch the new version.",
        )
    standing = queries.standing_decision(session, version.id)
    if standing is not None and given.outcome != DecisionOutcome.FLAG:
        who = session.get(m.Person, standing.person_id) if standing.person_id else None
        raise ConflictError(
            f"{who.name if who else 'Somebody'} has {standing.outcome_id.label.lower()} this version already.",
            hint="Undo that decision first.",
        )
    decision = m.Decision(
        id=new_id(), scene_version_id=version.id, person_id=actor.person_id, outcome_id=given.outcome,
        reason=given.reason, frame=given.frame, created_at=now,
        applied_at=None if given.outcome == DecisionOutcome.REJECT else now,
    )  # fmt: skip
    session.add(decision)
    session.flush()
    set_tags(session, actor, decision.id, given.tags)
    scene = session.get_one(m.Scene, given.scene_id)
    audit.record(session, actor, f"scene.{given.outcome.value}", ("scene", scene.id),
                 after={"version": version.number, "reason": given.reason, "frame": given.frame})  # fmt: skip
    outbox.publish(session, EventKind.DECISION_MADE, entity="decision", entity_id=decision.id,
                   project_id=scene.project_id,
                   payload={"scene_id": str(scene.id), "outcome": given.outcome.value, "by": actor.name})  # fmt: skip
    return decision


def set_tags(session: Session, actor: Actor, decision_id: uuid.UUID, tags: Sequence[str]) -> None:
    """Replace the reasons picked for a decision.

    Raises:
        ForbiddenError: the actor may not review.
        NotFoundError: there is no such decision.
        InvalidInputError: a reason is unknown.
    """
    actor.require(Permission.REVIEW)
    if session.get(m.Decision, decision_id) is None:
        raise NotFoundError("There is no such decision.")
    known = dict(session.execute(sa.select(m.FailureTag.name, m.FailureTag.id)).all())
    if unknown := [t for t in tags if t not in known]:
        raise InvalidInputError(f"There is no reason '{unknown[0]}'.", hint=f"Known: {', '.join(known)}.")
    session.execute(sa.delete(m.DecisionTag).where(m.DecisionTag.decision_id == decision_id))
    session.add_all(m.DecisionTag(decision_id=decision_id, failure_tag_id=known[t]) for t in dict.fromkeys(tags))


def undo(session: Session, actor: Actor, decision_id: uuid.UUID, now: datetime, undo_s: float) -> m.Decision:
    """Take a decision back within the time in which Undo is offered; returns it.

    Raises:
        ConflictError: too late, undone already, or what followed from it has begun.
    """
    actor.require(Permission.REVIEW)
    decision = session.get(m.Decision, decision_id, with_for_update=True)
    if decision is None:
        raise NotFoundError("There is no such decision.")
    if decision.person_id != actor.person_id:
        actor.require(Permission.FINAL_APPROVAL)
    late = now > undo_until(decision.created_at, undo_s)
    acted = decision.outcome_id == DecisionOutcome.REJECT and decision.applied_at is not None
    if decision.undone_at is not None or late or acted:
        raise ConflictError("This decision can no longer be undone.", hint=f"Undo is offered for {undo_s:g} s.")
    decision.undone_at = now
    version = session.get_one(m.SceneVersion, decision.scene_version_id)
    scene = session.get_one(m.Scene, version.scene_id)
    audit.record(session, actor, "decision.undo", ("decision", decision.id))
    outbox.publish(session, EventKind.DECISION_UNDONE, entity="decision", entity_id=decision.id,
                   project_id=scene.project_id, payload={"scene_id": str(scene.id)})  # fmt: skip
    return decision


def add_note(session: Session, actor: Actor, scene_id: uuid.UUID, text: str, frame: int | None) -> uuid.UUID:
    """Write a note at a frame of the scene's newest cut and return its key."""
    actor.require(Permission.REVIEW)
    version = queries.newest_version(session, scene_id)
    if version is None:
        raise NotFoundError("This scene has nothing to review yet.")
    if not text.strip():
        raise InvalidInputError("A note needs a text.")
    if frame is not None and not 0 <= frame < version.n_frames:
        raise InvalidInputError(f"Frame {frame} is outside of this version's {version.n_frames} frames.")
    note = m.Note(id=new_id(), scene_version_id=version.id, person_id=actor.person_id, frame=frame, text=text.strip())
    session.add(note)
    session.flush()
    scene = session.get_one(m.Scene, scene_id)
    outbox.publish(session, EventKind.NOTE_ADDED, entity="note", entity_id=note.id, project_id=scene.project_id,
                   payload={"scene_id": str(scene_id), "frame": frame, "by": actor.name})  # fmt: skip
    return note.id
