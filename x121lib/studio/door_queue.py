"""The queue's part of the web door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from x121lib.studio.door_base import DoorBase
from x121lib.studio.pages import SessionPerson, queue, queue_actions, queue_details, queue_schedules
from x121lib.studio.pages.desk import View


class QueueDoor(DoorBase):
    """The Queue page: what waits, runs and ran, and what people do about it."""

    def queue(self, person: SessionPerson, project: str | None, at: str | None = None) -> View:
        """Return the queue; with a moment, the lanes of the 24 hours before it."""
        return self._view(person, project, lambda desk: queue.queue(desk, at))

    def task_details(self, person: SessionPerson, task_id: str) -> dict[str, Any]:
        """Return one task in full."""
        return queue_details.details(self._as(person), task_id)

    def move_tasks(
        self, person: SessionPerson, task_ids: list[str], where: str, anchor: str | None = None
    ) -> dict[str, Any]:
        """Move waiting tasks to the front or back, or before or after another."""
        return queue_actions.move(self._as(person), task_ids, where, anchor)

    def edit_tasks(self, person: SessionPerson, task_ids: list[str], changes: dict[str, Any]) -> dict[str, Any]:
        """Change class, priority or off-peak of waiting tasks."""
        return queue_actions.edit(self._as(person), task_ids, changes)

    def undo_change(self, person: SessionPerson, change_id: str) -> str:
        """Take a move or edit back."""
        return queue_actions.undo(self._as(person), change_id)

    def hold_work(self, person: SessionPerson, kind: str, keys: list[str], reason: str = "") -> str:
        """Pause tasks, a scene or a project."""
        return queue_actions.hold(self._as(person), kind, keys, reason)

    def go_on(self, person: SessionPerson, kind: str, keys: list[str]) -> str:
        """Let tasks, a scene or a project go on."""
        return queue_actions.go_on(self._as(person), kind, keys)

    def schedule_offers(self, person: SessionPerson) -> dict[str, Any]:
        """Answer what the form of a new schedule offers."""
        return queue_schedules.offers(self._as(person))

    def schedule_times(self, person: SessionPerson, cron: str, zone: str) -> dict[str, Any]:
        """Answer when a cron expression comes next."""
        return queue_schedules.times(self._as(person), cron, zone)

    def add_schedule(self, person: SessionPerson, given: Mapping[str, Any]) -> dict[str, Any]:
        """Set a schedule that submits as the person."""
        return queue_schedules.add(self._as(person), given)

    def schedule(self, person: SessionPerson, schedule_id: str) -> dict[str, Any]:
        """Answer a schedule as the form fills its fields."""
        return queue_schedules.show(self._as(person), schedule_id)

    def change_schedule(
        self, person: SessionPerson, schedule_id: str, given: Mapping[str, Any], version: int | None = None
    ) -> dict[str, Any]:
        """Change a schedule in place, unless it was changed since a version."""
        return queue_schedules.change(self._as(person), schedule_id, given, version)

    def steer_schedule(self, person: SessionPerson, name: str, how: str) -> str:
        """Enable, disable or remove a schedule, or run it now."""
        return queue_actions.steer_schedule(self._as(person), name, how)
