"""Pauses of a task, scene, batch, project or the whole studio: nothing of it is sent until it goes on.

A take that runs is finished first, so a scene yields at its segment's boundary; what is submitted into a pause later
waits as well. A pause of single tasks is their status *Paused*; a wider one is a row, and its tasks are shown so.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import InvalidInputError, NotFoundError, RefusedError
from x121lib.base.ids import new_id
from x121lib.events import outbox
from x121lib.scheduling.holding import Hold, read
from x121lib.scheduling.service import wake
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import EventKind


@dataclass(frozen=True)
class Scope:
    """What is paused: the first that is given; nothing for the whole studio."""

    batch_id: uuid.UUID | None = None
    """A batch."""
    scene_ids: tuple[uuid.UUID, ...] = ()
    """Scenes."""
    project: str | None = None
    """Name of a project; with one of the next three, its scenes of these."""
    character: str | None = None
    """Name of a character of the project."""
    scene_type: str | None = None
    """Name of a scene type."""
    variant: str | None = None
    """Name of a variant kind."""


def pause(session: Session, actor: Actor, scope: Scope, reason: str, now: datetime) -> list[Hold]:
    """Pause a scope and return its pauses; what is paused already keeps who did it and why.

    Raises:
        NotFoundError: there is no such project, batch or scene.
        RefusedError: it is paused already.
    """
    actor.require(Permission.CONTROL_QUEUE)
    if len(reason) > 500:
        raise InvalidInputError("A reason has 500 characters at most.")
    keys = ("project_id", "batch_id", "scene_id")
    given = {"person_id": actor.person_id, "reason": reason.strip(), "made_at": now}
    rows = [
        {"id": new_id(), **given, **{name: key if name == of else None for name in keys}}
        for of, key in _targets(session, scope)
    ]
    h = m.QueueHold  # who pauses the same at the same time is waited for, and keeps it
    added = set(session.scalars(insert(h).on_conflict_do_nothing().returning(h.id), rows))
    if not added:
        raise RefusedError("This is paused already.", hint="'x121 queue pauses' says by whom and why.")
    made = [hold for hold in read(session).every if hold.hold_id in added]
    for hold in made:
        _say(session, actor, EventKind.QUEUE_PAUSED, hold)
    return made


def resume(session: Session, actor: Actor, scope: Scope) -> list[Hold]:
    """Let a scope go on and return the pauses that ended; wider and narrower ones stay.

    Raises:
        NotFoundError: there is no such project, batch or scene.
        RefusedError: it is not paused.
    """
    actor.require(Permission.CONTROL_QUEUE)
    targets = set(_targets(session, scope))
    rows = [row for row in session.scalars(sa.select(m.QueueHold).with_for_update()) if _target_of(row) in targets]
    if not rows:
        raise RefusedError("This is not paused.", hint="'x121 queue pauses' lists what is.")
    ended = [hold for hold in read(session).every if hold.hold_id in {row.id for row in rows}]
    for hold in ended:
        _say(session, actor, EventKind.QUEUE_RESUMED, hold)
    for row in rows:
        session.delete(row)
    session.flush()
    wake(session)
    return ended


_Target = tuple[str, uuid.UUID | None]


def _target_of(row: m.QueueHold) -> _Target:
    for name in ("project_id", "batch_id", "scene_id", "task_id"):
        if getattr(row, name) is not None:
            return name, getattr(row, name)
    return "studio", None


def _targets(session: Session, scope: Scope) -> list[_Target]:
    if scope.batch_id is not None:
        if session.get(m.Batch, scope.batch_id) is None:
            raise NotFoundError(f"There is no batch {scope.batch_id}.")
        return [("batch_id", scope.batch_id)]
    narrow = (scope.character, scope.scene_type, scope.variant)
    if scope.scene_ids:
        known = set(session.scalars(sa.select(m.Scene.id).where(m.Scene.id.in_(scope.scene_ids))))
        if missing := set(scope.scene_ids) - known:
            raise NotFoundError(f"There is no scene {min(missing)}.")
        return [("scene_id", key) for key in sorted(known)]
    if scope.project is None:
        if any(narrow):
            raise InvalidInputError("Say of which project these scenes are.", hint="Give the project as well.")
        return [("studio", None)]
    project_id = session.scalar(sa.select(m.Project.id).where(m.Project.name == scope.project))
    if project_id is None:
        raise NotFoundError(f"There is no project '{scope.project}'.", hint="'x121 project list'.")
    return _scenes(session, project_id, scope) if any(narrow) else [("project_id", project_id)]


def _scenes(session: Session, project_id: uuid.UUID, scope: Scope) -> list[_Target]:
    named: Collection[tuple[Any, str | None]] = (
        (m.Character.name, scope.character), (m.SceneType.name, scope.scene_type), (m.VariantKind.name, scope.variant),
    )  # fmt: skip
    query = (
        sa.select(m.Scene.id)
        .join(m.Character, m.Character.id == m.Scene.character_id)
        .join(m.SceneType, m.SceneType.id == m.Scene.scene_type_id)
        .join(m.VariantKind, m.VariantKind.id == m.Scene.variant_kind_id)
        .where(m.Scene.project_id == project_id, *(column == name for column, name in named if name is not None))
        .order_by(m.Scene.id)
    )
    found = [("scene_id", key) for key in session.scalars(query)]
    if not found:
        words = " / ".join(name for _, name in named if name is not None)
        raise NotFoundError(f"'{scope.project}' has no scene of {words}.", hint="'x121 matrix' lists them.")
    return list(found)


def _say(session: Session, actor: Actor, kind: EventKind, hold: Hold) -> None:
    facts = {"target": hold.target, "reason": hold.reason, "by": actor.name}
    target = ("project", hold.project_id) if hold.project_id is not None else ("queue_hold", hold.hold_id)
    audit.record(session, actor, "queue.hold" if kind is EventKind.QUEUE_PAUSED else "queue.go_on", target, after=facts)
    outbox.publish(session, kind, entity="queue_hold", entity_id=hold.hold_id, project_id=hold.project_id,
                   payload=facts)  # fmt: skip
