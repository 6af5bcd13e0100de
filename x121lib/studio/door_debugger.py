"""The debugger's part of the web door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from x121lib.studio.core import Studio
from x121lib.studio.door_base import DoorBase
from x121lib.studio.pages import SessionPerson, debugger
from x121lib.studio.pages.desk import View
from x121lib.studio.pages.steering import Steering


class DebuggerDoor(DoorBase):
    """What the page of one take reads and does."""

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self.steering = Steering()

    def debugger(self, person: SessionPerson, project: str | None, params: Mapping[str, str]) -> View:
        """Return the take of ``task``, else the first that runs."""
        self.steering.work_off()
        return self._view(person, project, lambda desk: debugger.debugger(desk, params, self.steering))

    def sample(self) -> None:
        """Carry out the changes whose takes have stopped."""
        super().sample()
        self.steering.work_off()

    def pause_task(self, person: SessionPerson, task_id: str, at: str) -> str:
        """Pause a running take when its node has ended (``node``) or at once (``now``)."""
        return debugger.pause(self._as(person), task_id, at)

    def resume_task(self, person: SessionPerson, task_id: str) -> str:
        """Let a paused take go on."""
        return debugger.resume(self._as(person), task_id)

    def change_task(
        self, person: SessionPerson, task_id: str, values: Mapping[str, str | None], *, go_on: bool
    ) -> dict[str, Any]:
        """Change slot values of a take, at its next safe point where it runs."""
        done = debugger.change(self._as(person), self.steering, task_id, values, go_on=go_on)
        self._note_change()
        return done
