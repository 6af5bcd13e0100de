"""The shape of the library of models, and what may be asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypedDict

from .people import SessionPerson
from .words import Status


class ModelRow(TypedDict):
    """One model in the list."""

    id: str
    name: str
    path: str
    root: str
    kind: str
    status: Status
    word: str
    rating: int | None
    n_bytes: int
    version: int
    base_model: str
    sha256: str
    workers: int  # how many workers list it
    used: int  # scene types whose newest version loads it


class ModelDetail(TypedDict):
    """All that hangs on one model."""

    id: str
    name: str
    path: str
    rating: int | None
    verified_at: str | None
    words: list[str]
    duplicates: list[str]
    versions: list[dict[str, Any]]  # number, sha256, n_bytes, at
    uses: list[dict[str, Any]]  # id, what, name, version, weight, current
    n_uses: int
    holding: int  # uses that forbid removing it
    stale: list[dict[str, str]]  # id, name, why, scene_id
    n_stale: int
    notes: list[dict[str, Any]]  # id, text, with, warning, by, at
    have: list[str]  # workers
    lack: list[str]
    others: list[str]  # paths, for a note on a pair


class ModelsView(TypedDict):
    """``ModelsDoor.models``."""

    rows: list[ModelRow]
    found: int  # that the filter lets through; ``rows`` are the first of them
    total: int
    bytes: int
    kinds: list[dict[str, Any]]  # id, name, n
    states: list[dict[str, Any]]  # id, status, word, n
    chosen: ModelDetail | None
    work: dict[str, Any] | None  # what, by, done, total, status, text
    downloads: list[dict[str, Any]]  # id, path, status, word, bytes, share, left_s, trouble, address, can, …
    live: bool  # a download runs: read again every second
    folders: list[str]
    n_workers: int
    may_manage: bool


class ModelsDoor(Protocol):
    """What the page of the models reads and does."""

    def models(self, person: SessionPerson, project: str | None, params: Mapping[str, str]) -> ModelsView:
        """Return the models that ``find``, ``kind`` and ``state`` let through, and the one of ``model``."""

    def scan_models(self, person: SessionPerson, folder: str) -> dict[str, Any]:
        """Begin to scan a known folder."""

    def verify_models(self, person: SessionPerson) -> str:
        """Begin to read every file again."""

    def stop_model_work(self, person: SessionPerson) -> None:
        """Stop the scan or check that goes on."""

    def repair_models(self, person: SessionPerson) -> str:
        """Point missing models at files with the same content."""

    def rate_model(self, person: SessionPerson, model_id: str, rating: int | None) -> None:
        """Rate a model from 1 to 5 stars; None takes the rating away."""

    def note_model(self, person: SessionPerson, model_id: str, text: str, other: str, warning: str) -> dict[str, Any]:
        """Write a note on a model, or on a pair; ``warning`` is ``yes`` or ``no``."""

    def remove_model(self, person: SessionPerson, model_id: str, file: str) -> dict[str, Any]:
        """Take a model out of the inventory; ``file`` is ``delete`` or ``keep``."""

    def add_download(self, person: SessionPerson, address: str, kind: str, name: str, sha256: str) -> dict[str, Any]:
        """Queue a download; the site is asked for the file at once."""

    def steer_download(self, person: SessionPerson, download_id: str, how: str) -> str:
        """Pause, resume or cancel a download."""
