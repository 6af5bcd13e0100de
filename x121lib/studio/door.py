"""What the web door stands on: views, actions and sign-in over the real studio, as plain data."""

from __future__ import annotations

import atexit
import threading
from collections import OrderedDict
from typing import Any

from x121lib.base.errors import X121Error
from x121lib.base.log import get_logger
from x121lib.base.secrets import read_or_make_secret
from x121lib.base.settings import Settings
from x121lib.studio.core import Studio
from x121lib.studio.door_budgets import BudgetsDoor
from x121lib.studio.door_checks import ChecksDoor
from x121lib.studio.door_debugger import DebuggerDoor
from x121lib.studio.door_fleet import FleetDoor
from x121lib.studio.door_matrix import MatrixDoor
from x121lib.studio.door_messages import MessagesDoor
from x121lib.studio.door_models import ModelsDoor
from x121lib.studio.door_queue import QueueDoor
from x121lib.studio.door_retakes import RetakesDoor
from x121lib.studio.door_triggers import TriggersDoor
from x121lib.studio.door_workflows import WorkflowsDoor
from x121lib.studio.pages import (
    MediaFile,
    SessionPerson,
    actions,
    characters,
    deliveries,
    media,
    pulse,
    queries,
    review,
    shell,
)
from x121lib.studio.pages.desk import View, need_project

_log = get_logger(__name__)
_WATCHED = 10_000


class Door(
    QueueDoor,
    FleetDoor,
    MatrixDoor,
    ModelsDoor,
    WorkflowsDoor,
    ChecksDoor,
    DebuggerDoor,
    MessagesDoor,
    TriggersDoor,
    BudgetsDoor,
    RetakesDoor,
):
    """Every method acts as the signed-in person, and is safe to call from any thread."""

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self._media = media.MediaRoom(studio.settings.home / "cache")
        self.packer = deliveries.Packer(self._note_change)
        self._watched: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def studio(self) -> Studio:
        """The open studio, for what shares this process, such as the API; each caller acts there as themselves."""
        return self._studio

    # People

    def sign_in(self, email: str, password: str, source: str = "") -> SessionPerson | None:
        """Return the person with a new session; ``source`` is the client's address, for which failures count."""
        return self._doorman.sign_in(email, password, source)

    def redeem_once(self, token: str) -> SessionPerson | None:
        """Return the person whose one-time link this is, and spend it."""
        return self._doorman.redeem_once(token)

    def person_for(self, session: str) -> SessionPerson | None:
        """Return who a session token belongs to."""
        return self._doorman.person_for(session)

    def sign_out(self, session: str) -> None:
        """End every session of whoever holds this one."""
        self._doorman.sign_out(session)

    # Views

    def shell(self, person: SessionPerson, project: str | None) -> View:
        """Return what stands around every page."""
        return self._view(person, project, shell.shell)

    def pulse(self, person: SessionPerson, project: str | None) -> View:
        """Return Pulse."""
        return self._view(person, project, pulse.pulse)

    def characters(self, person: SessionPerson, project: str | None) -> View:
        """Return the gallery."""
        return self._view(person, project, characters.characters)

    def character(self, person: SessionPerson, project: str | None, character_id: str) -> View:
        """Return one character."""
        return self._view(person, project, lambda desk: characters.character(desk, character_id))

    def review(
        self, person: SessionPerson, project: str | None, scene_id: str | None, group: str | None = None
    ) -> View:
        """Return the scene asked for, else the first that waits; what was shown is what a decision is about."""
        view = self._view(person, project, lambda desk: review.review(desk, scene_id, group))
        if view["scene"] is not None:
            self._watch(person, view["scene"]["id"], int(view["scene"]["version"][1:]))
        return view

    def deliveries(self, person: SessionPerson, project: str | None) -> View:
        """Return the packages and what the next one lacks."""
        return self._view(person, project, lambda desk: deliveries.deliveries(desk, self.packer))

    def media(self, person: SessionPerson, key: str) -> MediaFile | None:
        """Return the file behind a key, None where there is none for this person now."""
        try:
            return self._media.file(self._as(person), key)
        except X121Error as error:
            _log.info("media %s refused to %s: %s", key[:80], person.name, error.code)
            return None

    def position(self) -> int:
        """Return a number that grows with every event, and with what this process did without one."""
        with self._studio.transaction() as session:
            return queries.position(session) + self._changed

    # Actions

    def decide(
        self, person: SessionPerson, scene_id: str, outcome: str, *, reason: str | None = None, frame: int | None = None
    ) -> dict[str, Any]:
        """Decide a scene."""
        with self._lock:
            watched = self._watched.get((person.session, scene_id))
        return actions.decide(self._as(person), scene_id, outcome, reason=reason, frame=frame, watched=watched)

    def give_reason(self, person: SessionPerson, decision_id: str, reason: str) -> None:
        """Add the reason to a decision."""
        actions.give_reason(self._as(person), decision_id, reason)
        self._note_change()

    def undo(self, person: SessionPerson, decision_id: str) -> str:
        """Take a decision back."""
        return actions.undo(self._as(person), decision_id)

    def note(self, person: SessionPerson, scene_id: str, text: str, frame: int | None) -> str:
        """Write a note on a scene."""
        return actions.note(self._as(person), scene_id, text, frame)

    def retake(self, person: SessionPerson, scene_id: str, frame: int) -> str:
        """Queue a retake from the segment that holds ``frame``."""
        return actions.retake(self._as(person), scene_id, frame)

    def raise_scene(self, person: SessionPerson, scene_id: str, tier: str) -> dict[str, Any]:
        """Make a finished scene again at a higher tier, with the same seeds, prompts and parameters."""
        return {"text": actions.raise_scene(self._as(person), scene_id, tier)}

    def cancel(self, person: SessionPerson, task_ids: list[str]) -> str:
        """Cancel tasks."""
        return actions.cancel(self._as(person), task_ids)

    def to_front(self, person: SessionPerson, task_ids: list[str]) -> str:
        """Let tasks go first."""
        text = actions.to_front(self._as(person), task_ids)
        self._note_change()
        return text

    def retry(self, person: SessionPerson, task_ids: list[str]) -> str:
        """Try failed tasks again."""
        return actions.retry(self._as(person), task_ids)

    def pause(self, person: SessionPerson) -> str:
        """Pause the queue after the takes that run now."""
        return actions.pause(self._as(person))

    def resume(self, person: SessionPerson) -> str:
        """Let the queue go on."""
        return actions.resume(self._as(person))

    def decide_variant(self, person: SessionPerson, variant_id: str, outcome: str) -> str:
        """Decide an image variant."""
        return actions.decide_variant(self._as(person), variant_id, outcome)

    def save_field(self, person: SessionPerson, character_id: str, name: str, value: str) -> str:
        """Save one metadata field of a character."""
        text = actions.save_field(self._as(person), character_id, name, value)
        self._note_change()
        return text

    def deliver(self, person: SessionPerson, project: str | None, *, partial: bool) -> str:
        """Start writing a package."""
        studio = self._as(person)
        with studio.transaction() as session:
            chosen = need_project(session, project)
        self.packer.start(studio, chosen, partial=partial)
        self._note_change()
        return "The package is being written"

    def _watch(self, person: SessionPerson, scene_id: str, version: int) -> None:
        with self._lock:
            self._watched[person.session, scene_id] = version
            if len(self._watched) > _WATCHED:
                self._watched.popitem(last=False)

    def close(self) -> None:
        """Finish what is being written, and close the studio."""
        self.packer.wait()
        self.model_work.stop()
        self.model_work.wait()
        self._studio.close()


def open_door() -> tuple[Door, str]:
    """Open the studio of the settings; returns the door and the secret that cookies are signed with."""
    settings = Settings()
    door = Door(Studio.open(settings=settings))
    atexit.register(door.close)
    return door, read_or_make_secret(settings.secrets_dir, "cookie-key", 48)
