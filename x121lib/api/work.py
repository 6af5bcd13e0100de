"""The queue."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from x121lib.api import shapes
from x121lib.api.caller import Acting
from x121lib.api.route import ApiRoute
from x121lib.api.shapes import Given, Limit, Offset, Page, page
from x121lib.studio.holds import Scope
from x121lib.studio.selections import Edit, Tasks
from x121lib.terms.vocabulary import PriorityClass

router = APIRouter(route_class=ApiRoute, tags=["work"])
Class = Literal["Urgent", "Normal", "Background"]


class TaskSelection(Given):
    """Waiting tasks: by keys, else all that match every other field given."""

    task_ids: list[uuid.UUID] = Field(default=[], max_length=shapes.MOST)
    project: shapes.Name | None = None
    person: shapes.Name | None = Field(None, description="E-mail address of who submitted them.")
    scene_type: shapes.Name | None = None
    character: shapes.Name | None = None
    batch_id: uuid.UUID | None = None
    of_class: Class | None = None

    def tasks(self) -> Tasks:
        """Return the selection."""
        kind = PriorityClass(self.of_class) if self.of_class else None
        return Tasks(
            tuple(self.task_ids), self.project, self.person, self.scene_type, self.character, self.batch_id, kind
        )


class TaskMove(TaskSelection):
    """Where waiting tasks are moved to."""

    where: Literal["front", "back", "before", "after"]
    anchor_id: uuid.UUID | None = Field(None, description="The other task, for before and after.")


class TaskEdit(TaskSelection):
    """What is changed of waiting tasks; what is left out stays."""

    priority: int | None = Field(None, ge=0, le=100)
    priority_class: Class | None = None
    off_peak: bool | None = None
    not_before: AwareDatetime | None = None
    at_once: bool = Field(False, description="Take back the time before which they do not start.")


class ChangeKey(Given):
    """A change; without a key one's own last that still stands."""

    change_id: uuid.UUID | None = None


class QueueChange(BaseModel):
    """A change of waiting tasks that was made or undone."""

    change_id: uuid.UUID
    n_tasks: int
    summary: str


class KeptChange(BaseModel):
    """A change of waiting tasks, as it is kept."""

    change_id: uuid.UUID
    at: datetime
    person: str
    change: str
    tasks: int
    undone_at: datetime | None


@router.get("/queue", response_model=Page[shapes.Task])
def list_tasks(studio: Acting, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List the GPU tasks that are not over, in the order in which they will be served."""
    return page(studio.queue(), limit, offset)


@router.post("/tasks/cancel", response_model=shapes.Changed)
def cancel(studio: Acting, given: shapes.TaskKeys) -> Any:
    """Cancel GPU tasks and what waits for them; finished segments stay."""
    return {"changed": studio.cancel(given.task_ids)}


@router.post("/tasks/pause", response_model=shapes.Changed)
def pause(studio: Acting, given: shapes.TaskKeys) -> Any:
    """Pause waiting GPU tasks; a running take is finished first."""
    return {"changed": studio.pause(given.task_ids)}


@router.post("/tasks/resume", response_model=shapes.Changed)
def resume(studio: Acting, given: shapes.TaskKeys) -> Any:
    """Put paused GPU tasks back into the queue."""
    return {"changed": studio.resume(given.task_ids)}


class PauseScope(Given):
    """What is paused or goes on: a batch, scenes, or a project; nothing for the whole studio."""

    batch_id: uuid.UUID | None = None
    scene_ids: list[uuid.UUID] = Field(default=[], max_length=shapes.MOST)
    project: shapes.Name | None = Field(None, description="With one of the next three, its scenes of these.")
    character: shapes.Name | None = None
    scene_type: shapes.Name | None = None
    variant: shapes.Name | None = None

    def scope(self) -> Scope:
        """Return the scope."""
        return Scope(
            self.batch_id, tuple(self.scene_ids), self.project, self.character, self.scene_type, self.variant
        )  # fmt: skip


class NewPause(PauseScope):
    """A pause."""

    reason: str = Field("", max_length=500)


class Pause(BaseModel):
    """What is paused, by whom, since when and why."""

    hold_id: uuid.UUID
    target: str
    person: str
    since: datetime
    reason: str


@router.get("/queue/pauses", response_model=Page[Pause])
def list_pauses(studio: Acting, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List what is paused, by whom, since when and why."""
    return page(studio.pauses.list(), limit, offset)


@router.post("/queue/pause", response_model=shapes.Changed)
def pause_scope(studio: Acting, given: NewPause) -> Any:
    """Pause scenes, a batch, a project or the studio; takes that run are finished, new work waits too."""
    return {"changed": len(studio.pauses.pause(given.scope(), given.reason))}


@router.post("/queue/resume", response_model=shapes.Changed)
def resume_scope(studio: Acting, given: PauseScope) -> Any:
    """Let scenes, a batch, a project or the studio go on."""
    return {"changed": len(studio.pauses.resume(given.scope()))}


@router.post("/queue/move", response_model=QueueChange)
def move(studio: Acting, given: TaskMove) -> Any:
    """Move waiting tasks to the front or back, or before or after another one: all of them or none."""
    return vars(studio.selections.move(given.tasks(), given.where, given.anchor_id))


@router.post("/queue/edit", response_model=QueueChange)
def edit(studio: Acting, given: TaskEdit) -> Any:
    """Change priority, class, off-peak or start of waiting tasks: all of them or none."""
    kind = PriorityClass(given.priority_class) if given.priority_class else None
    wanted = Edit(given.priority, kind, given.off_peak, given.not_before, given.at_once)
    return vars(studio.selections.edit(given.tasks(), wanted))


@router.post("/queue/undo", response_model=QueueChange)
def undo(studio: Acting, given: ChangeKey) -> Any:
    """Take a change back while its tasks still wait as it left them."""
    return vars(studio.selections.undo(given.change_id))


@router.get("/queue/changes", response_model=Page[KeptChange])
def list_changes(studio: Acting, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List who moved and edited what, newest first."""
    return page(studio.selections.list(limit + offset), limit, offset)
