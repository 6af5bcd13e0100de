"""What every part of the web door stands on: the studio as one person, and views in one transaction."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from x121lib.studio.core import Studio
from x121lib.studio.pages import SessionPerson, auth
from x121lib.studio.pages.desk import Desk, View, choose_project
from x121lib.terms.roles import Permission


class DoorBase:
    """Every method acts as the signed-in person, and is safe to call from any thread."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._doorman = auth.Doorman(studio)
        self._changes = itertools.count(1)
        self._changed = 0

    def sample(self) -> None:
        """Do what is due every few seconds; each part of the door adds its own."""

    def _as(self, person: SessionPerson) -> Studio:
        return self._studio.as_actor(self._doorman.actor_for(person))

    def _view(self, person: SessionPerson, project: str | None, make: Callable[[Desk], View]) -> View:
        studio = self._as(person)
        studio.actor.require(Permission.VIEW)
        with studio.transaction() as session:
            chosen = choose_project(session, project)
            return make(Desk(studio, session, person, chosen, studio.house.now()))

    def _note_change(self) -> None:
        """Let pages read again where no event says so."""
        self._changed = next(self._changes)
