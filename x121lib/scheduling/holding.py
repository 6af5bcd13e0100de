"""What is paused, read for dispatch and for whoever tells why a task waits."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.terms.transitions import WAITING_STATUSES
from x121lib.terms.vocabulary import TaskStatus

STUDIO = "the whole studio"


@dataclass(frozen=True)
class Hold:
    """One pause, with who made it, when and why."""

    hold_id: uuid.UUID
    """Its key."""
    target: str
    """What is paused, in words."""
    project_id: uuid.UUID | None
    """The project, where it is one."""
    batch_id: uuid.UUID | None
    """The batch, where it is one."""
    scene_id: uuid.UUID | None
    """The scene, where it is one."""
    task_id: uuid.UUID | None
    """The task, where it is one."""
    person: str
    """Who paused it."""
    reason: str
    """Why, in their words; may be empty."""
    made_at: datetime
    """When."""

    @property
    def words(self) -> str:
        """Return the sentence that its tasks give for waiting."""
        why = f": {self.reason}" if self.reason else ""
        what = "" if self.task_id is not None else f" with {self.target}"
        return f"Paused{what} by {self.person} since {self.made_at.astimezone():%d %b %H:%M}{why.rstrip('.')}."


@dataclass(frozen=True)
class Holds:
    """Every pause that stands."""

    every: tuple[Hold, ...] = ()
    """The widest first."""
    _by: Mapping[tuple[str, uuid.UUID | None], Hold] = field(default_factory=dict)

    @property
    def studio(self) -> Hold | None:
        """The pause of the whole studio."""
        return self._by.get(("studio", None))

    def of(self, row: Any) -> Hold | None:
        """Return the widest pause that holds a task; ``row`` has its project_id, batch_id, scene_id and task_id."""
        found = self.studio
        for name in ("project_id", "batch_id", "scene_id", "task_id"):
            found = found or (self._by.get((name, row[name])) if row[name] is not None else None)
        return found

    def of_project(self, project_id: uuid.UUID) -> Hold | None:
        """Return the pause that holds a whole project."""
        return self.studio or self._by.get(("project_id", project_id))


def read(session: Session) -> Holds:
    """Return every pause that stands."""
    h = m.QueueHold
    scene = (
        sa.select(m.Character.name + " · " + m.SceneType.name + " · " + m.VariantKind.name)
        .select_from(m.Scene)
        .join(m.Character, m.Character.id == m.Scene.character_id)
        .join(m.SceneType, m.SceneType.id == m.Scene.scene_type_id)
        .join(m.VariantKind, m.VariantKind.id == m.Scene.variant_kind_id)
        .where(m.Scene.id == h.scene_id)
        .scalar_subquery()
    )
    of_batch = sa.orm.aliased(m.Project)
    query = (
        sa.select(h, m.Person.name, m.Project.name, scene, m.Batch.created_at, of_batch.name)
        .outerjoin(m.Person, m.Person.id == h.person_id)
        .outerjoin(m.Project, m.Project.id == h.project_id)
        .outerjoin(m.Batch, m.Batch.id == h.batch_id)
        .outerjoin(of_batch, of_batch.id == m.Batch.project_id)
        .outerjoin(m.GpuTask, m.GpuTask.id == h.task_id)
        .where(sa.or_(h.task_id.is_(None), m.GpuTask.status_id == TaskStatus.PAUSED))
        .order_by(h.task_id.is_not(None), h.scene_id.is_not(None), h.batch_id.is_not(None), h.project_id.is_not(None),
                  h.made_at, h.id)
    )  # fmt: skip
    found, by = [], {}
    for row, person, project, scene_words, submitted_at, batch_project in session.execute(query):
        batch = f"{batch_project}'s batch of {submitted_at.astimezone():%d %b %H:%M}" if row.batch_id else ""
        target = project or scene_words or batch or ("a task" if row.task_id else STUDIO)
        hold = Hold(row.id, target, row.project_id, row.batch_id, row.scene_id, row.task_id, person or "X121",
                    row.reason, row.made_at)  # fmt: skip
        found.append(hold)
        keys = ("project_id", "batch_id", "scene_id", "task_id")
        name = next((key for key in keys if getattr(row, key) is not None), "studio")
        by[name, getattr(row, name, None)] = hold
    return Holds(tuple(found), by)


def shown(row: Any, holds: Holds) -> Any:
    """Return a task's row, *Paused* where it waits and a pause of its scene, batch, project or the studio holds it."""
    waits = row["status"] in WAITING_STATUSES
    return {**row, "status": TaskStatus.PAUSED} if waits and holds.of(row) is not None else row


def conditions(session: Session) -> list[sa.ColumnElement[bool]]:
    """Return what a task must meet so that no wider pause holds it; nothing where nothing is paused."""
    h, t = m.QueueHold, m.GpuTask
    n = sa.func.count
    count = sa.select(n(h.id), n(h.project_id), n(h.batch_id), n(h.scene_id)).where(h.task_id.is_(None))
    every, projects, batches, scenes = session.execute(count).one()
    if every > projects + batches + scenes:  # one without a target: the whole studio's
        return [sa.false()]
    found: list[sa.ColumnElement[bool]] = []
    if projects:
        found.append(~sa.exists().where(h.project_id == t.project_id))
    if batches:
        found.append(~sa.exists().where(h.batch_id == t.batch_id))
    if scenes:
        of_take = sa.select(h.id).join(m.Segment, m.Segment.scene_id == h.scene_id)
        of_take = of_take.join(m.Take, m.Take.segment_id == m.Segment.id)
        found.append(~sa.exists(of_take.where(m.Take.id == t.take_id).correlate(t)))
    return found
