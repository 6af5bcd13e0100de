"""The fleet's part of the web door."""

from __future__ import annotations

from typing import Any

from x121lib.studio.core import Studio
from x121lib.studio.door_base import DoorBase
from x121lib.studio.pages import SessionPerson, worker_actions, workers
from x121lib.studio.pages.desk import View
from x121lib.studio.pages.vitals import VitalsLog


class FleetDoor(DoorBase):
    """What the page of the GPU workers reads and does."""

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self._vitals = VitalsLog()

    def workers(self, person: SessionPerson, project: str | None, worker_id: str | None) -> View:
        """Return the fleet, and the worker asked for, else the first."""
        return self._view(person, project, lambda desk: workers.workers(desk, worker_id, self._vitals))

    def sample(self) -> None:
        """Keep a sample of the GPUs' vitals for the curves."""
        super().sample()
        with self._studio.transaction() as session:
            self._vitals.sample(session)

    def worker_services(self, person: SessionPerson, worker_id: str) -> dict[str, Any]:
        """Return which services the worker's agent may restart."""
        return {"services": list(self._as(person).agents.services(worker_id))}

    def add_worker(self, person: SessionPerson, url: str, name: str, slots: str, tags: str) -> dict[str, Any]:
        """Add a ComfyUI server."""
        return worker_actions.add(self._as(person), url, name, slots, tags)

    def edit_worker(self, person: SessionPerson, worker_id: str, name: str, slots: str, tags: str) -> dict[str, Any]:
        """Change a worker's name, slots and tags."""
        done = worker_actions.edit(self._as(person), worker_id, name, slots, tags)
        self._note_change()
        return done

    def attach_agent(self, person: SessionPerson, worker_id: str, url: str, key: str) -> dict[str, Any]:
        """Tell which agent runs on a worker's host."""
        done = worker_actions.attach(self._as(person), worker_id, url, key)
        self._note_change()
        return done

    def set_power(
        self, person: SessionPerson, worker_id: str, idle: str, wake: str, target: str, windows: str
    ) -> dict[str, Any]:
        """Set how a worker's power is switched."""
        done = worker_actions.set_power(self._as(person), worker_id, idle, wake, target, windows)
        self._note_change()
        return done

    def restart_service(self, person: SessionPerson, worker_id: str, service: str) -> dict[str, Any]:
        """Restart a service on a worker's host."""
        return worker_actions.restart(self._as(person), worker_id, service)

    def hold_worker(self, person: SessionPerson, worker_id: str, how: str, reason: str = "") -> str:
        """Drain a worker, take it into maintenance, or take it back."""
        return worker_actions.hold(self._as(person), worker_id, how, reason)

    def switch_worker(self, person: SessionPerson, worker_id: str, *, on: bool) -> str:
        """Wake a worker, or put it to sleep."""
        return worker_actions.switch(self._as(person), worker_id, on=on)

    def remove_worker(self, person: SessionPerson, worker_id: str) -> str:
        """Remove a worker; its history stays."""
        return worker_actions.remove(self._as(person), worker_id)
