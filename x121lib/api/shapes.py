"""What the API takes and gives, as OpenAPI shows it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")
MOST = 1000
"""Most rows of one page, and most keys in one request."""
Limit = Annotated[int, Query(ge=1, le=MOST, description="Rows of this page.")]
Offset = Annotated[int, Query(ge=0, le=10_000_000, description="Rows before this page.")]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Names = Annotated[list[Name], Field(max_length=MOST)]


class Given(BaseModel):
    """The base of what clients send: a field that nobody knows is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


class Fault(BaseModel):
    """What every refusal looks like."""

    code: str
    message: str
    hint: str
    retryable: bool


class Page(BaseModel, Generic[T]):
    """Some rows of a list."""

    items: list[T]
    total: int
    limit: int
    offset: int


def records(frame: Any) -> list[dict[str, Any]]:
    """Return a data frame's rows; None where it has no value."""
    rows: list[dict[str, Any]] = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return rows


def page(rows: Any, limit: int, offset: int) -> dict[str, Any]:
    """Return one page of a list of rows, or of a data frame, as `Page` takes it."""
    items = rows[offset : offset + limit]
    if not isinstance(rows, Sequence):
        items = records(items)
    return {"items": items, "total": len(rows), "limit": limit, "offset": offset}


class Health(BaseModel):
    """Whether the door answers."""

    ok: bool


class SignIn(Given):
    """An address and its password."""

    email: str = Field(max_length=320)
    password: str = Field(max_length=1024)


class Session(BaseModel):
    """A session; its token goes into ``Authorization: Bearer``."""

    token: str
    token_type: Literal["bearer"] = "bearer"
    expires_in_s: int
    name: str


class Project(BaseModel):
    """A project."""

    project: str
    status: str
    default_tier: str
    created_at: datetime


class ProjectSummary(BaseModel):
    """A project with its scenes by status."""

    project_id: uuid.UUID
    project: str
    scenes: dict[str, int]


class NewProject(Given):
    """A project to create."""

    name: Name
    tier: Name = "Production"


class Character(BaseModel):
    """A character."""

    character_id: uuid.UUID
    character: str
    performer: str
    likeness: str
    approved_variants: int


class MatrixCell(BaseModel):
    """One scene of the matrix, made or not."""

    character: str
    scene_type: str
    variant: str
    status: str
    blocked: str = Field(description="What is missing and how to solve it; empty when nothing is.")
    scene_id: uuid.UUID | None


class Scene(BaseModel):
    """A scene."""

    scene_id: uuid.UUID
    character: str
    scene_type: str
    variant: str
    tier: str
    status: str
    worst: str = Field(description="The worst verdict of its chosen takes; empty before any.")
    segments_done: int
    segments: int
    frames: int | None
    version: int | None
    failure_reason: str | None


class SubmittedCell(BaseModel):
    """A cell in the answer to a submission."""

    model_config = ConfigDict(from_attributes=True)
    character: str
    scene_type: str
    variant_kind: str
    scene_id: uuid.UUID | None
    blocked: str


class LackingThing(BaseModel):
    """What scenes lack that does not block them."""

    model_config = ConfigDict(from_attributes=True)
    what: str = Field(description="metadata, model, node class or worker.")
    text: str
    solve: str
    command: str
    name: str


class NeededBy(BaseModel):
    """A thing that scenes lack, and the scenes."""

    model_config = ConfigDict(from_attributes=True)
    lacking: LackingThing
    cells: list[SubmittedCell]


class Submitted(BaseModel):
    """What a submission did, or would do."""

    model_config = ConfigDict(from_attributes=True)
    batch_id: uuid.UUID | None
    planned: list[SubmittedCell]
    present: list[SubmittedCell]
    blocked: list[SubmittedCell]
    n_takes: int
    budgets: list[str] = []
    needs: list[NeededBy] = Field([], description="Of a dry run: what lacks that does not block.")


class Task(BaseModel):
    """A GPU task that is not over."""

    task_id: uuid.UUID
    project: str
    character: str
    scene_type: str | None
    variant: str
    segment: int | None
    take: int | None
    status: str
    priority: int
    progress: float
    worker: str | None
    attempt: int
    queued_at: datetime | None
    started_at: datetime | None
    waits_for: uuid.UUID | None
    why: str = Field(description="Why it waits; empty when it does not.")
    starts_at: datetime | None = Field(description="When it is expected to start; null without history.")


class TaskKeys(Given):
    """GPU tasks."""

    task_ids: list[uuid.UUID] = Field(min_length=1, max_length=MOST)


class Changed(BaseModel):
    """How many tasks changed."""

    changed: int


class Score(BaseModel):
    """One measurement of a take, with the verdict of its gate where it has one."""

    segment: int
    take: int
    metric: str
    value: float | None
    unit: str
    outcome: str
    threshold: float | None
    reason: str
    note: str | None


class Decide(Given):
    """A review decision."""

    outcome: Literal["approve", "reject", "flag"]
    reason: str = Field("", max_length=4000)
    tags: tuple[Name, ...] = Field((), max_length=50)
    frame: int | None = Field(None, ge=0, le=2**31 - 1)
    scene_version: int | None = Field(None, ge=1, le=2**31 - 1, description="The cut that was watched.")


class Decided(BaseModel):
    """The key of a decision, which Undo takes."""

    decision_id: uuid.UUID


class Worker(BaseModel):
    """A GPU worker."""

    worker_id: uuid.UUID
    name: str
    url: str
    kind: str
    status: str
    slots: int
    busy: int
    version: str
    device: str
    last_seen_at: datetime | None
    tags: str
    error_streak: int
    set_aside_until: datetime | None


class WorkerModel(BaseModel):
    """A model file that a GPU worker lists."""

    folder: str
    name: str


class WorkerSpeed(BaseModel):
    """How fast a GPU worker runs a workflow."""

    workflow: str
    mean_s: float
    takes: int


class WorkerDetail(Worker):
    """A GPU worker with all that is known of it."""

    vram_bytes: int | None
    capabilities_at: datetime | None
    node_classes: list[str]
    models: list[WorkerModel]
    loaded: list[str]
    speed: list[WorkerSpeed]


class WorkerStatusChange(BaseModel):
    """A change of a GPU worker's status."""

    at: datetime
    from_status: str | None = Field(validation_alias="from")
    to: str
    reason: str
    who: str


class WorkerChange(Given):
    """What to change of a GPU worker; what is left out stays."""

    name: Name | None = None
    slots: int | None = Field(None, ge=1, le=16)
    tags: Annotated[tuple[Name, ...], Field(max_length=50)] | None = None


class CommandResult(BaseModel):
    """How a configured command ended; -1: it was not started or did not end in time."""

    exit_code: int
    output: str


class GpuVitals(BaseModel):
    """A GPU's newest vitals: shares 0 to 1, bytes, °C, W; null where the driver does not say."""

    worker: str
    gpu: int
    name: str
    utilisation: float | None
    vram_used_bytes: int | None
    vram_total_bytes: int | None
    temperature_c: float | None
    power_w: float | None
    throttled: str
    measured_at: datetime


class WorkerAlert(BaseModel):
    """A threshold that a GPU host passes at the moment."""

    worker: str
    alert: str
    message: str
    raised_at: datetime


class NewWorker(Given):
    """A ComfyUI server to send work to."""

    url: str = Field(min_length=1, max_length=2000)
    name: Name | None = None
    slots: int = Field(1, ge=1, le=16)
    tags: Annotated[tuple[Name, ...], Field(max_length=50)] = ()


class WorkerKey(BaseModel):
    """The key of a new worker."""

    worker_id: uuid.UUID


class Delivery(BaseModel):
    """A delivery; ``fetchable`` ones lie in the studio's own folder."""

    delivery_id: uuid.UUID
    project: str
    created_at: datetime
    status: str
    file: str
    n_bytes: int | None
    sha256: str | None
    partial: bool
    fetchable: bool


class Deliver(Given):
    """What to deliver; an empty list means all characters."""

    characters: Names = []
    partial: bool = False


class Delivered(BaseModel):
    """A delivery that was written."""

    delivery_id: uuid.UUID
    file: str
    sha256: str
    n_bytes: int
    n_files: int
