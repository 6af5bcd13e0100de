"""The shapes of the gallery and of one character."""

from __future__ import annotations

from typing import Any, TypedDict

from .words import Counts, Status


class CharacterCard(TypedDict):
    """One character in the gallery."""

    id: str
    name: str
    kind: str  # "Synthetic" or "Real performer"
    thumb: str | None
    counts: Counts
    scenes: int
    approved: int
    variants: list[dict[str, str]]  # name, status
    notice: dict[str, str] | None  # status, text: the strongest thing that is missing
    tags: list[str]


class CharactersView(TypedDict):
    """``StudioViews.characters``."""

    characters: list[CharacterCard]
    import_command: str  # what to type, for the empty page


class Check(TypedDict):
    """One check of a source image."""

    name: str
    value: str
    status: Status


class VariantCard(TypedDict):
    """One image variant of a character."""

    id: str
    name: str
    prefix: str  # file name prefix, "" for none
    status: Status
    word: str
    image: str | None
    version: str  # "v3"
    identity: float | None  # cosine with the source image
    scenes: str  # "6 scenes: 5 approved, 1 in review"
    versions: list[dict[str, Any]]  # id, name, image, hero: bool, score: float | None
    can_decide: bool


class CharacterView(TypedDict):
    """``StudioViews.character``."""

    id: str
    name: str
    code: str
    kind: str
    added: str
    position: int  # 1-based, among the project's characters
    total: int
    previous_id: str | None
    next_id: str | None
    badges: list[dict[str, str]]  # status, text
    source: dict[str, Any]  # image: str | None; box: [x, y, w, h] in shares | None; box_word: str; checks: list[Check]
    variants: list[VariantCard]
    identity_gate: float | None
    identity_backend: str
    identity_types: list[dict[str, Any]]  # name, mean, low: float; status
    release: dict[str, Any]  # needed: bool; status; word; rows: list[[label, value]]; covers: list[str]
    metadata: list[dict[str, Any]]  # name, label, value: str; required, missing: bool
