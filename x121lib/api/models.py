"""The library of models."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from x121lib.api import shapes
from x121lib.api.caller import Acting
from x121lib.api.errors import CREATED, NO_CONTENT
from x121lib.api.route import ApiRoute
from x121lib.api.shapes import Given, Limit, Offset, Page, page

router = APIRouter(route_class=ApiRoute, tags=["models"])


class Model(BaseModel):
    """A model in the inventory."""

    model_id: uuid.UUID
    kind: str
    name: str
    version: int
    status: str
    rating: int | None
    base_model: str
    n_bytes: int
    sha256: str
    path: str


class Version(BaseModel):
    """What a model's file held from one moment on."""

    number: int
    sha256: str
    n_bytes: int
    since: datetime


class Note(BaseModel):
    """A note on a model or on a pair."""

    text: str
    partner: Annotated[str | None, Field(validation_alias="with")]
    warning: bool
    by: str | None
    at: datetime


class ModelDetail(BaseModel):
    """Everything known of a model."""

    model_id: uuid.UUID
    kind: str
    name: str
    path: str
    status: str
    rating: int | None
    n_bytes: int
    base_model: str
    trigger_words: list[str]
    verified_at: datetime | None
    duplicates: list[str]
    versions: list[Version]
    notes: list[Note]


class Use(BaseModel):
    """Something that uses a model."""

    what: str
    name: str
    version: int | None
    weight: float | None
    is_current: bool
    key: uuid.UUID


class Stale(BaseModel):
    """A take that an update made stale."""

    scene_id: uuid.UUID
    scene: str
    segment: int
    take: int
    reason: str


class Rating(Given):
    """Stars from 1 to 5, or null for none."""

    rating: Annotated[int | None, Field(ge=1, le=5)]


class NewNote(Given):
    """A note; a warning is said before work is queued."""

    text: str = Field(min_length=1, max_length=2000)
    other: shapes.Name | None = None
    warning: bool = False


class NoteKey(BaseModel):
    """A note's key."""

    note_id: uuid.UUID


class Scanned(BaseModel):
    """What a scan changed."""

    n_files: int
    n_hashed: int
    added: list[str]
    updated: list[str]
    missing: list[str]
    unreadable: list[tuple[str, str]]


class Wanted(Given):
    """Models by path, name or key; none: all."""

    names: list[shapes.Name] = Field(default_factory=list, max_length=1000)


class Verified(BaseModel):
    """A model and whether its file is what the inventory says."""

    path: str
    status: str


class Repaired(BaseModel):
    """What became of a missing model."""

    path: str
    found: str | None
    still_named: list[str]


@router.post("/models/scan", response_model=Scanned)
def scan_models(studio: Acting) -> Any:
    """Register what lies in the folder of models that the settings name."""
    return asdict(studio.models.scan())


@router.post("/models/verify", response_model=list[Verified])
def verify_models(studio: Acting, given: Wanted) -> Any:
    """Read the files again and compare their hashes with the inventory."""
    found = studio.models.verify(tuple(given.names))
    return [{"path": path, "status": status.value} for path, status in found]


@router.post("/models/repair", response_model=list[Repaired])
def repair_models(studio: Acting) -> Any:
    """Point each missing model at a file with the same content."""
    return [asdict(done) for done in studio.models.repair()]


@router.delete("/models/{model_id}", status_code=NO_CONTENT)
def remove_model(studio: Acting, model_id: uuid.UUID, keep_file: bool = False) -> None:
    """Take a model out of the inventory and delete its file; refused while something uses it."""
    studio.models.remove(str(model_id), keep_file=keep_file)


@router.get("/models/{model_id}/notes", response_model=list[Note])
def list_notes(studio: Acting, model_id: uuid.UUID) -> Any:
    """List the notes on a model and on its pairs, the newest first."""
    return studio.models.show(str(model_id))["notes"]


@router.get("/models/{model_id}/graph")
def draw_graph(studio: Acting, model_id: uuid.UUID) -> Response:
    """Draw where a model is used, as SVG."""
    return Response(studio.models.graph(str(model_id)), media_type="image/svg+xml")


@router.get("/models", response_model=Page[Model])
def list_models(studio: Acting, limit: Limit = 100, offset: Offset = 0, kind: shapes.Name | None = None) -> Any:
    """List the models."""
    return page(studio.models.list(kind), limit, offset)


@router.get("/models/{model_id}", response_model=ModelDetail)
def show_model(studio: Acting, model_id: uuid.UUID) -> Any:
    """Show everything known of a model."""
    return studio.models.show(str(model_id))


@router.get("/models/{model_id}/uses", response_model=Page[Use])
def list_uses(studio: Acting, model_id: uuid.UUID, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List where a model is used."""
    return page(studio.models.uses(str(model_id)), limit, offset)


@router.get("/models/{model_id}/stale", response_model=Page[Stale])
def list_stale(studio: Acting, model_id: uuid.UUID, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List the chosen takes that an update of the model made stale."""
    return page(studio.models.stale(str(model_id)), limit, offset)


@router.put("/models/{model_id}/rating", status_code=NO_CONTENT)
def rate_model(studio: Acting, model_id: uuid.UUID, given: Rating) -> None:
    """Rate a model."""
    studio.models.rate(str(model_id), given.rating)


@router.post("/models/{model_id}/notes", status_code=CREATED, response_model=NoteKey)
def add_note(studio: Acting, model_id: uuid.UUID, given: NewNote) -> Any:
    """Write a note on a model, or on a pair."""
    key = studio.models.note(str(model_id), given.text, other=given.other, is_warning=given.warning)
    return {"note_id": key}
