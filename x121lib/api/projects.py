"""Projects: create, look, submit, deliver."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path

from x121lib.api import cell_shapes, shapes
from x121lib.api.caller import Acting
from x121lib.api.errors import CREATED
from x121lib.api.route import ApiRoute
from x121lib.api.shapes import Limit, Offset, Page, page
from x121lib.studio.clients import Clients

router = APIRouter(route_class=ApiRoute, tags=["projects"])
ProjectName = Annotated[str, Path(max_length=200)]


@router.get("/projects", response_model=Page[shapes.Project])
def list_projects(studio: Acting, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List the projects, by name."""
    return page(studio.projects(), limit, offset)


@router.post("/projects", status_code=CREATED, response_model=shapes.ProjectSummary)
def create_project(studio: Acting, given: shapes.NewProject) -> Any:
    """Create a project."""
    handle = studio.create_project(given.name, tier=given.tier)
    return {"project_id": handle.project_id, "project": handle.name, "scenes": {}}


@router.get("/projects/{name}", response_model=shapes.ProjectSummary)
def get_project(studio: Acting, name: ProjectName) -> Any:
    """Return a project with its scenes by status."""
    handle = studio.project(name)
    return {"project_id": handle.project_id, "project": handle.name, "scenes": handle.summary()}


@router.get("/projects/{name}/characters", response_model=Page[shapes.Character])
def list_characters(studio: Acting, name: ProjectName, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List the characters of a project, by name."""
    return page(studio.project(name).characters(), limit, offset)


@router.get("/projects/{name}/matrix", response_model=Page[shapes.MatrixCell])
def list_cells(studio: Acting, name: ProjectName, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List every character × scene type × variant, made or not, and what blocks each."""
    return page(studio.project(name).matrix().frame, limit, offset)


@router.get("/projects/{name}/scenes", response_model=Page[shapes.Scene])
def list_scenes(studio: Acting, name: ProjectName, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List the scenes of a project that were submitted."""
    return page(studio.project(name).scenes(), limit, offset)


@router.post("/projects/{name}/submit", response_model=shapes.Submitted)
def submit(studio: Acting, name: ProjectName, given: cell_shapes.Submit) -> Any:
    """Queue the selected cells, or say what that would do; follow the work on `/events`."""
    return studio.project(name).submit_selection(given.selection(), dry_run=given.dry_run)


@router.post("/projects/{name}/redo", response_model=cell_shapes.Redone)
def redo(studio: Acting, name: ProjectName, given: cell_shapes.Cells) -> Any:
    """Queue what failed or was rejected again, and nothing else of the selection."""
    return studio.project(name).redo(given.chosen())


@router.post("/projects/{name}/cancel", response_model=cell_shapes.Cancelled)
def cancel(studio: Acting, name: ProjectName, given: cell_shapes.Cells) -> Any:
    """Cancel what is queued or running of the selection; finished segments stay."""
    scenes, takes = studio.project(name).cancel_scenes(given.chosen())
    return {"scenes": scenes, "takes": takes}


@router.post("/projects/{name}/deliver", status_code=CREATED, response_model=shapes.Delivered)
def deliver(studio: Acting, name: ProjectName, given: shapes.Deliver) -> Any:
    """Write a delivery into the studio's own folder; answers when the ZIP is complete and verified."""
    key, package = Clients(studio).deliver(name, partial=given.partial, characters=given.characters)
    return {
        "delivery_id": key, "file": package.path.name, "sha256": package.sha256, "n_bytes": package.n_bytes,
        "n_files": package.n_files,
    }  # fmt: skip
