"""The workflows' part of the web door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from x121lib.studio.door_base import DoorBase
from x121lib.studio.pages import SessionPerson, workflow_actions, workflows
from x121lib.studio.pages.desk import View


class WorkflowsDoor(DoorBase):
    """What the page of the workflows reads."""

    def workflows(self, person: SessionPerson, project: str | None, params: Mapping[str, str]) -> View:
        """Return every workflow, and the version that is chosen with its graph laid out."""
        return self._view(person, project, lambda desk: workflows.workflows(desk, params))

    def edit_slot(
        self, person: SessionPerson, version: str, slot: str, node_id: str, changes: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Change a slot's name, label, default or hiding."""
        done = workflow_actions.edit(self._as(person), version, slot, node_id, changes)
        self._note_change()
        return done

    def add_slot(self, person: SessionPerson, version: str, node_id: str, input_name: str) -> dict[str, Any]:
        """Make an input of a node a slot."""
        done = workflow_actions.add(self._as(person), version, node_id, input_name)
        self._note_change()
        return done

    def remove_slot(self, person: SessionPerson, version: str, slot: str, node_id: str) -> dict[str, Any]:
        """Remove a slot that was added."""
        done = workflow_actions.remove(self._as(person), version, slot, node_id)
        self._note_change()
        return done
