"""Selections of waiting tasks, as the façade offers them: moved, edited, undone."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pandas as pd

from x121lib.scheduling import selections, undoing
from x121lib.scheduling.places import Where
from x121lib.scheduling.selecting import Tasks
from x121lib.scheduling.selections import Changed, Edit, Place

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

__all__ = ["Changed", "Edit", "Place", "Selections", "Tasks", "Where"]
COLUMNS = ["change_id", "at", "person", "change", "tasks", "undone_at"]


class Selections:
    """What people change of waiting tasks: each change takes all of its tasks or none, and can be undone."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def move(self, tasks: Tasks, where: str, anchor: uuid.UUID | None = None) -> Changed:
        """Move waiting tasks to the ``front`` or ``back``, or ``before`` or ``after`` another task.

        Who orders the whole queue moves anybody's tasks among all; others move their own among their own.
        """
        with self._studio.transaction() as session:
            place = Place(Where(where), anchor)
            return selections.move(session, self._studio.actor, tasks, place, self._studio.house.now())

    def edit(self, tasks: Tasks, given: Edit) -> Changed:
        """Change priority, class, off-peak or start of waiting tasks."""
        with self._studio.transaction() as session:
            return selections.edit(session, self._studio.actor, tasks, given, self._studio.house.now())

    def undo(self, change_id: uuid.UUID | None = None) -> Changed:
        """Take a change back: the one named, else one's own last that still stands."""
        with self._studio.transaction() as session:
            return undoing.undo(session, self._studio.actor, change_id, self._studio.house.now())

    def list(self, limit: int = 50) -> pd.DataFrame:
        """Return the last changes, newest first."""
        with self._studio.transaction() as session:
            rows = selections.changes(session, self._studio.actor, limit)
            data = [(c.id, c.made_at, who or "X121", c.summary, n, c.undone_at) for c, who, n in rows]
        return pd.DataFrame(data, columns=COLUMNS)
