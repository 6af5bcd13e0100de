"""Downloads of models."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from x121lib.api import shapes
from x121lib.api.caller import Acting
from x121lib.api.errors import CREATED, NO_CONTENT
from x121lib.api.route import ApiRoute
from x121lib.api.shapes import Given, Limit, Offset, Page, page

router = APIRouter(route_class=ApiRoute, tags=["models"])


class Download(BaseModel):
    """A download and how far it is."""

    download_id: uuid.UUID
    path: str
    status: str
    received_bytes: int
    n_bytes: int | None
    percent: float | None
    bytes_per_s: int
    eta_s: int | None
    sha256: str | None
    trouble: str
    address: str
    model_id: uuid.UUID | None


class NewDownload(Given):
    """What to fetch."""

    address: Annotated[str, Field(min_length=1, max_length=2000)]
    sha256: Annotated[str | None, Field(max_length=64)] = None
    kind: shapes.Name | None = None
    name: shapes.Name | None = None
    anyway: bool = False


class Placement(BaseModel):
    """A model on a worker's host."""

    path: str
    worker: str
    status: str
    sent_bytes: int
    n_bytes: int
    is_newest: bool
    trouble: str
    finished_at: datetime | None


class Destination(Given):
    """Workers by name, or by tag; neither: all that have an agent."""

    tag: shapes.Name | None = None
    workers: Annotated[list[shapes.Name] | None, Field(min_length=1, max_length=1000)] = None


class Queued(BaseModel):
    """Workers that a model now goes to."""

    workers: list[str]


@router.get("/model-placements", response_model=Page[Placement])
def list_placements(studio: Acting, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List which models were sent to which workers."""
    return page(studio.placements.list(), limit, offset)


@router.post("/models/{model_id}/distribute", status_code=CREATED, response_model=Queued)
def distribute_model(studio: Acting, model_id: uuid.UUID, given: Destination) -> Any:
    """Queue a model for the hosts of workers."""
    return {"workers": studio.placements.add(str(model_id), given.workers, tag=given.tag)}


@router.post("/models/{model_id}/placements/{worker}/pause", status_code=NO_CONTENT)
def pause_placement(studio: Acting, model_id: uuid.UUID, worker: str) -> None:
    """Pause a model's way to a worker's host."""
    studio.placements.pause(str(model_id), worker)


@router.post("/models/{model_id}/placements/{worker}/resume", status_code=NO_CONTENT)
def resume_placement(studio: Acting, model_id: uuid.UUID, worker: str) -> None:
    """Go on with a paused or failed way to a worker's host."""
    studio.placements.resume(str(model_id), worker)


@router.post("/models/{model_id}/placements/{worker}/cancel", status_code=NO_CONTENT)
def cancel_placement(studio: Acting, model_id: uuid.UUID, worker: str) -> None:
    """End a model's way to a worker's host and delete what the host has of it."""
    studio.placements.cancel(str(model_id), worker)


@router.get("/model-downloads", response_model=Page[Download])
def list_downloads(studio: Acting, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List the downloads, the newest first."""
    return page(studio.downloads.list(), limit, offset)


@router.post("/model-downloads", status_code=CREATED, response_model=Download)
def add_download(studio: Acting, given: NewDownload) -> Any:
    """Queue a download; the site is asked for the file at once."""
    key = studio.downloads.add(
        given.address, sha256=given.sha256, kind=given.kind, name=given.name, anyway=given.anyway
    )
    return studio.downloads.show(key)


@router.get("/model-downloads/{download_id}", response_model=Download)
def show_download(studio: Acting, download_id: uuid.UUID) -> Any:
    """Show how far a download is."""
    return studio.downloads.show(download_id)


@router.post("/model-downloads/{download_id}/pause", response_model=Download)
def pause_download(studio: Acting, download_id: uuid.UUID) -> Any:
    """Pause a download."""
    studio.downloads.pause(download_id)
    return studio.downloads.show(download_id)


@router.post("/model-downloads/{download_id}/resume", response_model=Download)
def resume_download(studio: Acting, download_id: uuid.UUID) -> Any:
    """Go on with a paused or failed download."""
    studio.downloads.resume(download_id)
    return studio.downloads.show(download_id)


@router.post("/model-downloads/{download_id}/cancel", response_model=Download)
def cancel_download(studio: Acting, download_id: uuid.UUID) -> Any:
    """End a download and delete what was received."""
    studio.downloads.cancel(download_id)
    return studio.downloads.show(download_id)
