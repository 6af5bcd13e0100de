"""The workflows: their versions and their slots."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from x121lib.api.caller import Acting
from x121lib.api.errors import CREATED, NO_CONTENT
from x121lib.api.route import ApiRoute
from x121lib.api.shapes import Given, Limit, Name, Offset, Page, page

router = APIRouter(route_class=ApiRoute, tags=["workflows"])
Value = str | bool | int | float
Words = Annotated[str, Field(max_length=10_000)]


class WorkflowVersion(BaseModel):
    """A version of a workflow."""

    workflow: str
    version: int
    status: str
    hash: str
    scene_types: int
    last_used: datetime | None
    slots: str


class VersionDetail(BaseModel):
    """A version of a workflow with its graph."""

    workflow: str
    version: int
    status: str
    hash: str
    created_at: datetime
    repeats_seed_frame: bool
    slots: list[str]
    graph: dict[str, Any]


class Node(BaseModel):
    """A node as a person knows it."""

    id: str
    class_type: str
    title: str


class Difference(BaseModel):
    """How a version differs from another."""

    before: str
    after: str
    added: list[Node]
    removed: list[Node]
    changed: list[dict[str, Any]]
    relinked: list[dict[str, Any]]
    moved: list[dict[str, Node]]
    slots_added: list[str]
    slots_removed: list[str]
    lines: list[str]
    text: str


class Slot(BaseModel):
    """What may be set of a workflow version from outside."""

    slot: str
    type: str
    range: str
    default: Any
    label: str
    node: str
    input: str
    is_hidden: bool
    is_added: bool
    set_by: str
    own_default: bool
    class_default: Any
    minimum: float | None
    maximum: float | None
    step: float | None
    choices: list[str]


class SlotChange(Given):
    """What is changed of a slot; what is absent stays."""

    name: Name | None = None
    label: Words | None = None
    is_hidden: bool | None = None
    default: Value | None = Field(None, description="null: what the file says.")
    minimum: float | int | None = None
    maximum: float | int | None = None
    step: float | None = None
    choices: Annotated[list[Words], Field(max_length=500)] | None = None

    def changes(self) -> dict[str, Any]:
        """Return what was given; null stands for none only where none has a meaning."""
        given = self.model_dump(exclude_unset=True)
        never = {"name", "label", "is_hidden", "choices"}
        return {key: value for key, value in given.items() if value is not None or key not in never}


class NewSlot(SlotChange):
    """An input of a node that becomes a slot."""

    node: Name
    input: Name


class NewWorkflow(Given):
    """A workflow in API form, or in the editor's form while a worker is online."""

    name: Name
    workflow: dict[str, Any]
    repeats_seed_frame: bool = False


class FromWorker(Given):
    """Workflows that people saved on a worker's ComfyUI; no files: all."""

    worker: Name
    files: list[Words] = Field(default_factory=list, max_length=1000)
    repeats_seed_frame: bool = False


class ImportedVersion(BaseModel):
    """What an import stored."""

    workflow: str
    version: int
    is_new: bool
    lost: list[str]
    set_by: list[str]


class FileImport(BaseModel):
    """What became of one file: ``imported``, ``unchanged`` or ``refused``."""

    file: str
    workflow: str
    version: int | None
    result: str
    reason: str


class SavedFile(BaseModel):
    """A workflow that somebody saved on a worker's ComfyUI."""

    file: str
    n_bytes: int


class SlotName(BaseModel):
    """The name of a slot."""

    slot: str


@router.get("/workflows", response_model=Page[WorkflowVersion])
def list_workflows(studio: Acting, limit: Limit = 100, offset: Offset = 0, workflow: Name | None = None) -> Any:
    """List the versions of the workflows, or of one."""
    return page(studio.workflows.list(workflow), limit, offset)


class NeededMemory(Given):
    """GPU memory that a worker must have."""

    gib: float | None = Field(gt=0, le=4096)
    version: int | None = Field(None, ge=1)


@router.put("/workflows/{name}/memory", status_code=NO_CONTENT)
def set_memory(studio: Acting, name: str, given: NeededMemory) -> None:
    """State the GPU memory in GiB that a worker must have to run a version; null for any."""
    studio.workflows.set_memory(name, given.gib, version=given.version)


@router.post("/workflows", status_code=CREATED, response_model=ImportedVersion)
def import_workflow(studio: Acting, given: NewWorkflow) -> Any:
    """Import a workflow; the same graph again is the same version."""
    done = studio.workflows.import_body(given.name, given.workflow, repeats_seed_frame=given.repeats_seed_frame)
    return {"workflow": done.name, "version": done.number, "is_new": done.is_new, "lost": done.lines,
            "set_by": list(done.users)}  # fmt: skip


@router.post("/workflows/from-worker", response_model=list[FileImport])
def import_from_worker(studio: Acting, given: FromWorker) -> Any:
    """Import workflows that people saved on a worker's ComfyUI; one that is refused stops no other."""
    found = studio.workflows.import_from_worker(given.worker, given.files, repeats_seed_frame=given.repeats_seed_frame)
    return [asdict(result) for result in found]


@router.get("/workers/{name}/workflow-files", response_model=Page[SavedFile])
def list_saved(studio: Acting, name: str, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List the workflows that people saved on a worker's ComfyUI."""
    return page(studio.workflows.worker_files(name), limit, offset)


@router.get("/workflows/{version}", response_model=VersionDetail)
def show_workflow(studio: Acting, version: str) -> Any:
    """Show a workflow version, NAME for the newest or NAME@NUMBER, with its graph in API form."""
    return studio.workflows.show(version)


@router.get("/workflows/{after}/difference", response_model=Difference)
def compare_workflows(studio: Acting, after: str, before: Name | None = None) -> Any:
    """Tell how a workflow version differs from another; without ``before``, from the version before it."""
    found = studio.workflows.compare(after) if before is None else studio.workflows.compare(before, after)
    return {**found.facts(), "lines": found.lines(), "text": found.text}


@router.get("/workflows/{version}/slots", response_model=Page[Slot])
def list_slots(studio: Acting, version: str, limit: Limit = 1000, offset: Offset = 0) -> Any:
    """List the slots of a workflow version: NAME for the newest, or NAME@NUMBER."""
    return page(studio.workflows.slots(version), limit, offset)


@router.post("/workflows/{version}/slots", status_code=CREATED, response_model=SlotName)
def add_slot(studio: Acting, version: str, given: NewSlot) -> Any:
    """Make an input of a node a slot."""
    changes = {key: value for key, value in given.changes().items() if key not in ("node", "input")}
    return {"slot": studio.workflows.add_slot(version, given.node, given.input, **changes)}


@router.patch("/workflows/{version}/slots/{slot}")
def change_slot(studio: Acting, version: str, slot: str, given: SlotChange, node: Name | None = None) -> dict[str, Any]:
    """Change a slot; answers what was before, in the form of the request, to take it back."""
    return dict(studio.workflows.change_slot(version, slot, given.changes(), node=node))


@router.delete("/workflows/{version}/slots/{slot}", status_code=NO_CONTENT)
def remove_slot(studio: Acting, version: str, slot: str, node: Name | None = None) -> None:
    """Remove a slot that a person added."""
    studio.workflows.remove_slot(version, slot, node=node)
