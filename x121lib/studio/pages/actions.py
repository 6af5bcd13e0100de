"""What pages do to the studio: each through the use case that checks permission, right and state again."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import InvalidInputError, NotFoundError, RefusedError
from x121lib.intake import fields, variants
from x121lib.pipeline import redoing, submission, tiering
from x121lib.pipeline.submission import Selection
from x121lib.review import queries as review_queries
from x121lib.review.service import set_tags
from x121lib.store import audit
from x121lib.studio.core import Studio
from x121lib.studio.pages import proposal, queries
from x121lib.studio.pages.desk import key_of, keys_of, need_project
from x121lib.studio.pages.review import neighbours
from x121lib.studio.pages.words import many
from x121lib.studio.selections import Tasks, Where
from x121lib.terms.roles import Permission
from x121lib.terms.transitions import WAITING_STATUSES
from x121lib.terms.vocabulary import DecisionOutcome, TaskStatus

_DONE = {"approve": "approved", "reject": "rejected", "flag": "flagged"}


# Review


def decide(
    studio: Studio, scene_id: str, outcome: str, *, reason: str | None, frame: int | None, watched: int | None
) -> dict[str, Any]:
    """Decide a scene; ``watched`` is the number of the cut that was shown, against which a newer one conflicts."""
    if outcome not in _DONE:
        raise InvalidInputError(f"There is no decision '{outcome}'.", hint=f"Known: {', '.join(_DONE)}.")
    key = key_of(scene_id, "scene")
    with studio.transaction() as session:
        row = queries.scene_names(session, [key]).get(key)
        if row is None:
            raise NotFoundError("There is no such scene.")
        order = [r["id"] for r in queries.waiting(session, row["project_id"])]
        known = reason in review_queries.failure_tags(session) if reason else False
    given: dict[str, Any] = {"frame": frame, "scene_version": watched}
    given |= {"tags": (reason,)} if known else {"reason": reason or ""}
    decision_id = studio.decide(key, outcome, **given)
    after = neighbours(order, key)[1]
    return {
        "decision_id": str(decision_id), "outcome": outcome, "undo_s": studio.settings.undo_s,
        "next_id": str(after) if after else None,
        "text": f"{row['character']} · {row['scene_type']} · {row['variant']} {_DONE[outcome]}",
        "more": _what_follows(studio, outcome),
    }  # fmt: skip


def _what_follows(studio: Studio, outcome: str) -> str:
    if outcome == DecisionOutcome.REJECT.value:
        return f"A retake is queued in {studio.settings.undo_s:g} s."
    return "It stays in review." if outcome == DecisionOutcome.FLAG.value else "Ready for delivery."


def give_reason(studio: Studio, decision_id: str, reason: str) -> None:
    """Set the reason of a decision: one's own, or anybody's for whoever approves finally."""
    studio.actor.require(Permission.REVIEW)
    with studio.transaction() as session:
        decision = session.get(m.Decision, key_of(decision_id, "decision"), with_for_update=True)
        if decision is None or decision.undone_at is not None:
            raise NotFoundError("There is no such decision.")
        if decision.person_id != studio.actor.person_id:
            studio.actor.require(Permission.FINAL_APPROVAL)
        set_tags(session, studio.actor, decision.id, [reason])
        audit.record(session, studio.actor, "decision.reason", ("decision", decision.id), after={"reason": reason})


def undo(studio: Studio, decision_id: str) -> str:
    """Take a decision back while that is offered."""
    studio.undo_decision(key_of(decision_id, "decision"))
    return "The scene is back in review"


def note(studio: Studio, scene_id: str, text: str, frame: int | None) -> str:
    """Write a note."""
    studio.add_note(key_of(scene_id, "scene"), text, frame)
    return "Note saved"


def retake(studio: Studio, scene_id: str, frame: int) -> str:
    """Queue a retake from the segment that holds a frame of the newest cut."""
    key = key_of(scene_id, "scene")
    with studio.transaction() as session:
        version = review_queries.newest_version(session, key)
        if version is None:
            raise NotFoundError("This scene has nothing to retake yet.")
        segments = review_queries.reviewed_segments(session, version.id)
    holding = next((s for s in segments if s.frames.start <= frame < s.frames.stop), segments[-1] if segments else None)
    if holding is None:
        raise NotFoundError("This scene has no segments.")
    n = studio.retake(key, holding.sequence_index)
    return f"Retake queued from segment {holding.sequence_index}: {many(n, 'take')}"


# Submission


def submit(
    studio: Studio, project: str | None, cells: Sequence[tuple[str, str]], tier: str | None,
    variants: Sequence[str] = (),
) -> str:  # fmt: skip
    """Submit every scene of the selection that can be; all of them or, where a budget or a limit refuses, none."""
    studio.actor.require(Permission.SUBMIT)
    with studio.transaction() as session:
        row, chosen = _chosen(session, project, cells, variants)
        selection = replace(chosen, tier=_tier_name(session, tier), skip_blocked=True)
        done = submission.submit(session, studio.actor, row, selection, studio.house.now())
    if not done.planned:
        return "Nothing was left to submit"
    words = f"{many(len(done.planned), 'scene')} submitted, {many(done.n_takes, 'take')}"
    return words + (f"; {len(done.blocked)} blocked" if done.blocked else "")


def propose_cells(
    studio: Studio, project: str | None, cells: Sequence[tuple[str, str]], tier: str | None,
    variants: Sequence[str] = (),
) -> dict[str, Any]:  # fmt: skip
    """Return what submitting the selection would do; changes nothing."""
    if not cells:
        raise InvalidInputError("Nothing was chosen.", hint="Choose cells of the matrix first.")
    with studio.transaction() as session:
        name = _tier_name(session, tier)
    selection = Selection(cells=tuple(cells), variants=tuple(variants), tier=name, skip_blocked=True)
    return proposal.propose(studio, project, selection) | {"tier": name or ""}


def cancel_cells(
    studio: Studio, project: str | None, cells: Sequence[tuple[str, str]], variants: Sequence[str] = ()
) -> str:
    """Cancel what is queued or running of the selection."""
    studio.actor.require(Permission.CONTROL_QUEUE)
    with studio.transaction() as session:
        row, chosen = _chosen(session, project, cells, variants)
        scenes, takes = redoing.cancel(session, studio.actor, row, chosen, studio.house.now())
    return f"{many(scenes, 'scene')} cancelled, {many(takes, 'take')}"


def redo_cells(
    studio: Studio, project: str | None, cells: Sequence[tuple[str, str]], variants: Sequence[str] = ()
) -> str:
    """Make the failed and rejected scenes of the selection again."""
    studio.actor.require(Permission.SUBMIT)
    with studio.transaction() as session:
        row, chosen = _chosen(session, project, cells, variants)
        done = redoing.redo(session, studio.actor, row, chosen, studio.house.now())
    words = f"{many(done.failed + done.rejected, 'scene')} queued again, {many(done.takes, 'take')}"
    return words + (f"; {len(done.blocked)} blocked" if done.blocked else "")


def raise_scene(studio: Studio, scene_id: str, tier: str) -> str:
    """Make a finished scene again at a higher tier, with the same seeds, prompts and parameters."""
    takes = studio.tiers.raise_scene(key_of(scene_id, "scene"), tier)
    return f"Queued at {tier}, {many(takes, 'take')}; what is made stays"


def raise_cells(
    studio: Studio, project: str | None, cells: Sequence[tuple[str, str]], tier: str, variants: Sequence[str] = ()
) -> str:
    """Make the finished scenes of the selection again at a higher tier."""
    studio.actor.require(Permission.SUBMIT)
    with studio.transaction() as session:
        row, chosen = _chosen(session, project, cells, variants)
        name = _tier_name(session, tier)
        selection = replace(chosen, tier=name)
        scenes, takes = tiering.raise_cells(session, studio.actor, row, selection, studio.house.now())
    return f"{many(scenes, 'scene')} queued at {name}, {many(takes, 'take')}"


def _chosen(
    session: Session, project: str | None, cells: Sequence[tuple[str, str]], variants: Sequence[str]
) -> tuple[m.Project, Selection]:
    """Return the project, locked, and the chosen cells of it."""
    if not cells:
        raise InvalidInputError("Nothing was chosen.", hint="Choose cells of the matrix first.")
    row = session.get_one(m.Project, need_project(session, project).id, with_for_update=True)
    return row, Selection(cells=tuple(cells), variants=tuple(variants))


def _tier_name(session: Session, tier: str | None) -> str | None:
    if not tier:
        return None
    tiers = {str(key): name for key, name in session.execute(sa.select(m.Tier.id, m.Tier.name))}
    return tiers.get(tier, tier)


# The queue


def cancel(studio: Studio, task_ids: list[str]) -> str:
    """Cancel tasks; a running take is interrupted."""
    return f"{many(studio.cancel(keys_of(task_ids, 'task')), 'take')} cancelled"


def to_front(studio: Studio, task_ids: list[str]) -> str:
    """Let waiting tasks go before everything that waits now: one's own among one's own, or among all."""
    n = studio.selections.move(Tasks(tuple(keys_of(task_ids, "task"))), Where.FRONT).n_tasks
    return f"{many(n, 'take')} go first now" if n != 1 else "Goes first now"


def retry(studio: Studio, task_ids: list[str]) -> str:
    """Submit the scenes of failed takes again, and plan failed images again."""
    studio.actor.require(Permission.SUBMIT)
    with studio.transaction() as session:
        rows = _failed(session, keys_of(task_ids, "task"))
        n = sum(_retry_one(studio, session, row) for row in rows)
    if not n:
        raise RefusedError("Nothing of this has failed any more.", hint="It is queued or done already.")
    return f"{many(n, 'take')} queued again"


def _failed(session: Session, task_ids: list[uuid.UUID]) -> list[Any]:
    """Return whose work failed: one row per scene or image variant."""
    kind = sa.func.coalesce(m.Scene.variant_kind_id, m.ImageVariant.kind_id)
    query = (
        sa.select(m.GpuTask.project_id, m.Character.name.label("character"), m.SceneType.name.label("scene_type"),
                  m.VariantKind.name.label("variant"), m.Tier.name.label("tier"))
        .outerjoin(m.Take, m.Take.id == m.GpuTask.take_id)
        .outerjoin(m.Segment, m.Segment.id == m.Take.segment_id)
        .outerjoin(m.Scene, m.Scene.id == m.Segment.scene_id)
        .outerjoin(m.SceneType, m.SceneType.id == m.Scene.scene_type_id)
        .outerjoin(m.Tier, m.Tier.id == m.Scene.tier_id)
        .outerjoin(m.ImageVariant, m.ImageVariant.id == m.GpuTask.image_variant_id)
        .join(m.Character, m.Character.id == sa.func.coalesce(m.Scene.character_id, m.ImageVariant.character_id))
        .join(m.VariantKind, m.VariantKind.id == kind)
        .where(m.GpuTask.id.in_(task_ids), m.GpuTask.status_id == TaskStatus.FAILED)
        .distinct()
    )  # fmt: skip
    return list(session.execute(query).mappings())


def _retry_one(studio: Studio, session: Session, row: Any) -> int:
    project = session.get_one(m.Project, row["project_id"], with_for_update=True)
    now = studio.house.now()
    if row["scene_type"] is None:
        return len(variants.plan_variants(session, studio.actor, project, row["variant"], [row["character"]], now))
    selection = Selection((row["character"],), (row["scene_type"],), (row["variant"],), tier=row["tier"])
    return submission.submit(session, studio.actor, project, selection, now).n_takes


def pause(studio: Studio) -> str:
    """Pause the whole studio; what runs now finishes its take, and what is submitted later waits too."""
    n = _n_waiting(studio)
    studio.pauses.pause()
    return f"{many(n, 'take')} paused; what runs now finishes" if n else "Paused: nothing was waiting"


def resume(studio: Studio) -> str:
    """Let the studio go on; what is paused by itself stays so."""
    studio.pauses.resume()
    n = _n_waiting(studio)
    return f"{many(n, 'take')} go on" if n != 1 else "1 take goes on"


def _n_waiting(studio: Studio) -> int:
    studio.actor.require(Permission.CONTROL_QUEUE)
    with studio.transaction() as session:
        return sum(n for s, (n, _) in queries.counts(session).items() if s in WAITING_STATUSES - {TaskStatus.PAUSED})


# Characters


def decide_variant(studio: Studio, variant_id: str, outcome: str) -> str:
    """Approve or reject the newest version of an image variant."""
    key = key_of(variant_id, "image variant")
    with studio.transaction() as session:
        variant = session.get(m.ImageVariant, key)
        if variant is None:
            raise NotFoundError("There is no such image variant.")
        if outcome == "reject":
            name = variants.reject(session, studio.actor, key)
            return f"{name}: image rejected"
        if outcome != "approve":
            raise InvalidInputError(f"There is no decision '{outcome}'.", hint="Known: approve, reject.")
        character = session.get_one(m.Character, variant.character_id)
        project = session.get_one(m.Project, character.project_id)
        kind = session.get_one(m.VariantKind, variant.kind_id)
        variants.approve(session, studio.actor, project, kind.name, [character.name], version=None)
    return f"{character.name}: '{kind.name}' approved"


def save_field(studio: Studio, character_id: str, name: str, value: str) -> str:
    """Save one metadata field of a character, checked against the schema."""
    key = key_of(character_id, "character")
    with studio.transaction() as session:
        label = fields.save_field(session, studio.actor, key, (name, value), studio.opened.fields)
    return f"{label} saved"
