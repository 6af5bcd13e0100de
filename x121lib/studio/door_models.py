"""The library's part of the web door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from x121lib.studio.core import Studio
from x121lib.studio.door_base import DoorBase
from x121lib.studio.pages import SessionPerson, model_actions, models
from x121lib.studio.pages.desk import View
from x121lib.studio.pages.model_work import ModelWork
from x121lib.terms.roles import Permission


class ModelsDoor(DoorBase):
    """What the page of the models reads and does."""

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self.model_work = ModelWork(self._note_change)

    def models(self, person: SessionPerson, project: str | None, params: Mapping[str, str]) -> View:
        """Return the models that the filter lets through, and the one that is chosen."""
        return self._view(person, project, lambda desk: models.models(desk, params, self.model_work.view()))

    def scan_models(self, person: SessionPerson, folder: str) -> dict[str, Any]:
        """Begin to scan a known folder."""
        allowed = self._view(person, None, lambda desk: {"folders": models.folders(desk)})["folders"]
        return model_actions.scan(self._as(person), self.model_work, folder, allowed)

    def verify_models(self, person: SessionPerson) -> str:
        """Begin to read every file again."""
        return model_actions.verify(self._as(person), self.model_work)

    def stop_model_work(self, person: SessionPerson) -> None:
        """Stop the scan or check that goes on."""
        self._as(person).actor.require(Permission.MANAGE_RECIPES)
        self.model_work.stop()

    def repair_models(self, person: SessionPerson) -> str:
        """Point missing models at files with the same content."""
        text = model_actions.repair(self._as(person))
        self._note_change()
        return text

    def rate_model(self, person: SessionPerson, model_id: str, rating: int | None) -> None:
        """Rate a model from 1 to 5 stars; None takes the rating away."""
        model_actions.rate(self._as(person), model_id, rating)
        self._note_change()

    def note_model(self, person: SessionPerson, model_id: str, text: str, other: str, warning: str) -> dict[str, Any]:
        """Write a note on a model, or on a pair."""
        done = model_actions.note(self._as(person), model_id, text, other, warning)
        self._note_change()
        return done

    def remove_model(self, person: SessionPerson, model_id: str, file: str) -> dict[str, Any]:
        """Take a model out of the inventory, with its file or without."""
        done = model_actions.remove(self._as(person), model_id, file)
        self._note_change()
        return done

    def add_download(self, person: SessionPerson, address: str, kind: str, name: str, sha256: str) -> dict[str, Any]:
        """Queue a download; the site is asked for the file at once."""
        done = model_actions.download(self._as(person), address, kind, name, sha256)
        self._note_change()
        return done

    def steer_download(self, person: SessionPerson, download_id: str, how: str) -> str:
        """Pause, resume or cancel a download."""
        text = model_actions.steer_download(self._as(person), download_id, how)
        self._note_change()
        return text
