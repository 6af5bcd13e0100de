"""The workflows' part of the web door."""

from __future__ import annotations

from collections.abc import Mapping

from x121lib.studio.door_base import DoorBase
from x121lib.studio.pages import SessionPerson, workflows
from x121lib.studio.pages.desk import View


class WorkflowsDoor(DoorBase):
    """What the page of the workflows reads."""

    def workflows(self, person: SessionPerson, project: str | None, params: Mapping[str, str]) -> View:
        """Return every workflow, and the version that is chosen with its graph laid out."""
        return self._view(person, project, lambda desk: workflows.workflows(desk, params))
