"""The checks' part of the web door."""

from __future__ import annotations

from typing import Any

from x121lib.studio.door_base import DoorBase
from x121lib.studio.pages import SessionPerson, preflight
from x121lib.studio.pages.desk import need_project


class ChecksDoor(DoorBase):
    """What the matrix asks before work begins."""

    def check_project(self, person: SessionPerson, project: str | None) -> dict[str, Any]:
        """Return which scenes of a project that are still to be made can run where, and what is missing."""
        return preflight.check(self._as(person), self._name(project))

    def fix_project(self, person: SessionPerson, project: str | None) -> dict[str, Any]:
        """Mend what the check of a project plans, and check again."""
        done = preflight.fix(self._as(person), self._name(project))
        self._note_change()
        return done

    def _name(self, project: str | None) -> str:
        with self._studio.transaction() as session:
            return need_project(session, project).name
