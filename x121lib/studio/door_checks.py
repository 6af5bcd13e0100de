"""The checks' part of the web door."""

from __future__ import annotations

from typing import Any

from x121lib.studio.door_base import DoorBase
from x121lib.studio.pages import SessionPerson, preflight
from x121lib.studio.pages.desk import key_of, need_project


class ChecksDoor(DoorBase):
    """What the matrix and the workflows ask before work begins."""

    def check_project(self, person: SessionPerson, project: str | None) -> dict[str, Any]:
        """Return which scenes of a project that are still to be made can run where, and what is missing."""
        return preflight.check(self._as(person), self._name(project))

    def fix_project(self, person: SessionPerson, project: str | None) -> dict[str, Any]:
        """Mend what the check of a project plans, and check again."""
        done = preflight.fix(self._as(person), self._name(project))
        self._note_change()
        return done

    def try_workflow(self, person: SessionPerson, workflow: str, version: int) -> dict[str, Any]:
        """Begin a dry run on the least busy worker that has all it needs."""
        studio = self._as(person)
        done = studio.trials.show(studio.trials.start(workflow, version=version))
        self._note_change()
        return {"text": f"{workflow} v{version} is being tried on {done['worker']}"}

    def cancel_try(self, person: SessionPerson, trial_id: str) -> str:
        """Ask a dry run to stop."""
        self._as(person).trials.cancel(key_of(trial_id, "dry run"))
        return "The dry run stops"

    def _name(self, project: str | None) -> str:
        with self._studio.transaction() as session:
            return need_project(session, project).name
