"""Which waiting tasks a person means, by keys or by what they belong to, and whether they are theirs to change."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import ForbiddenError, InvalidInputError, NotFoundError, RefusedError
from x121lib.store.session import among
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.transitions import WAITING_STATUSES
from x121lib.terms.vocabulary import PriorityClass, TaskStatus

MOST_CHANGED = 10_000
"""Most tasks that one change may take; more is a batch or project to be paused or submitted anew."""
_SHOWN = 3


@dataclass(frozen=True)
class Tasks:
    """A selection of waiting tasks: by keys, or by all of the other fields that are given."""

    task_ids: tuple[uuid.UUID, ...] = ()
    """Keys of tasks; the other fields are not looked at."""
    project: str | None = None
    """Name of the project."""
    person: str | None = None
    """E-mail address of who submitted them."""
    scene_type: str | None = None
    """Name of the scene type."""
    character: str | None = None
    """Name of the character."""
    batch_id: uuid.UUID | None = None
    """The batch."""
    priority_class: PriorityClass | None = None
    """The priority class."""


def chosen(session: Session, actor: Actor, wanted: Tasks) -> list[m.GpuTask]:
    """Return the tasks of a selection, locked, in the order of their keys.

    Raises:
        InvalidInputError: nothing is selected by, or more than `MOST_CHANGED` tasks.
        NotFoundError: a task or a named thing does not exist.
        RefusedError: one of the keys is of a task that waits no more, or nothing matches the filter.
        ForbiddenError: one of the tasks is somebody else's, and the actor orders their own only.
    """
    actor.require(Permission.CONTROL_QUEUE)
    ids = list(dict.fromkeys(wanted.task_ids)) or _matching(session, wanted)
    if len(ids) > MOST_CHANGED:
        raise InvalidInputError(
            f"These are {len(ids)} tasks; one change takes {MOST_CHANGED} at most.", hint="Choose fewer."
        )
    t = m.GpuTask
    tasks = list(session.scalars(sa.select(t).where(among(t.id, ids)).order_by(t.id).with_for_update()))
    if missing := set(ids) - {task.id for task in tasks}:
        raise NotFoundError(f"There is no GPU task {min(missing)}.", hint="'x121 queue --json' lists their keys.")
    gone = [task for task in tasks if task.status_id not in WAITING_STATUSES]
    if wanted.task_ids and gone:
        words = names(session, [task.id for task in gone])
        raise RefusedError(
            f"Nothing was changed: {words} no longer wait{'s' if len(gone) == 1 else ''}.",
            hint="Leave out what runs or is over.",
        )
    tasks = [task for task in tasks if task.status_id in WAITING_STATUSES]
    require_own(session, actor, tasks)
    return tasks


def require_own(session: Session, actor: Actor, tasks: Sequence[m.GpuTask]) -> None:
    """Raise `ForbiddenError` where a task is somebody else's and the actor may order their own only."""
    if actor.may(Permission.ORDER_QUEUE):
        return
    foreign = [task.id for task in tasks if task.submitted_by_id != actor.person_id]
    if foreign:
        raise ForbiddenError(
            f"Nothing was changed: {names(session, foreign)} {'was' if len(foreign) == 1 else 'were'} submitted by "
            f"somebody else, and {actor.name} may order their own tasks only.",
            hint="Ask an Admin.",
        )


def _matching(session: Session, wanted: Tasks) -> list[uuid.UUID]:
    conditions = _conditions(session, wanted)
    if not conditions:
        raise InvalidInputError(
            "No task was chosen.", hint="Give keys of tasks, a project, person, scene type, character, batch or class."
        )
    query = (
        sa.select(m.GpuTask.id)
        .outerjoin(m.Take, m.Take.id == m.GpuTask.take_id)
        .outerjoin(m.Segment, m.Segment.id == m.Take.segment_id)
        .outerjoin(m.Scene, m.Scene.id == m.Segment.scene_id)
        .outerjoin(m.ImageVariant, m.ImageVariant.id == m.GpuTask.image_variant_id)
        .where(m.GpuTask.status_id.in_(WAITING_STATUSES), *conditions)
        .limit(MOST_CHANGED + 1)
    )
    found = list(session.scalars(query))
    if not found:
        raise RefusedError("No waiting task matches that.", hint="'x121 queue' lists what waits.")
    return found


def _conditions(session: Session, wanted: Tasks) -> list[sa.ColumnElement[bool]]:
    t = m.GpuTask
    character_of = sa.func.coalesce(m.Scene.character_id, m.ImageVariant.character_id)
    named: tuple[tuple[str, Any, Any, str | None, Any], ...] = (
        ("project", m.Project.id, m.Project.name, wanted.project, t.project_id),
        ("person", m.Person.id, m.Person.email, wanted.person, t.submitted_by_id),
        ("scene type", m.SceneType.id, m.SceneType.name, wanted.scene_type, m.Scene.scene_type_id),
        ("character", m.Character.id, m.Character.name, wanted.character, character_of),
    )
    found: list[sa.ColumnElement[bool]] = []
    for what, key, column, name, of_task in named:
        if name is not None:
            ids = list(session.scalars(sa.select(key).where(sa.func.lower(column) == name.lower())))
            if not ids:
                raise NotFoundError(f"There is no {what} '{name}'.")
            found.append(of_task.in_(ids))
    if wanted.batch_id is not None:
        if session.get(m.Batch, wanted.batch_id) is None:
            raise NotFoundError(f"There is no batch {wanted.batch_id}.")
        found.append(t.batch_id == wanted.batch_id)
    if wanted.priority_class is not None:
        found.append(sa.cast(t.class_id, sa.SmallInteger) == wanted.priority_class.number)
    return found


def names(session: Session, task_ids: Collection[uuid.UUID]) -> str:
    """Return tasks in words: ``Aiko · sway S2``, the first few and how many more."""
    query = (
        sa.select(m.Character.name, m.SceneType.name, m.Segment.sequence_index)
        .select_from(m.GpuTask)
        .outerjoin(m.Take, m.Take.id == m.GpuTask.take_id)
        .outerjoin(m.Segment, m.Segment.id == m.Take.segment_id)
        .outerjoin(m.Scene, m.Scene.id == m.Segment.scene_id)
        .outerjoin(m.SceneType, m.SceneType.id == m.Scene.scene_type_id)
        .outerjoin(m.ImageVariant, m.ImageVariant.id == m.GpuTask.image_variant_id)
        .join(m.Character, m.Character.id == sa.func.coalesce(m.Scene.character_id, m.ImageVariant.character_id))
        .where(among(m.GpuTask.id, list(task_ids)))
        .order_by(m.GpuTask.id)
        .limit(_SHOWN)
    )
    shown = [
        f"{who} · {what} S{index}" if what is not None else f"{who} · image"
        for who, what, index in session.execute(query)
    ]
    more = f" and {len(task_ids) - len(shown)} more" if len(task_ids) > len(shown) else ""
    return ", ".join(shown) + more


def has_place(task: m.GpuTask) -> bool:
    """Return whether a task has a place in the queue: scheduled and paused ones have none yet."""
    return task.status_id in (TaskStatus.QUEUED, TaskStatus.WAITING)
