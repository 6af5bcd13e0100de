"""What is missing on which worker."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from x121lib.api import shapes
from x121lib.api.caller import Acting
from x121lib.api.projects import ProjectName
from x121lib.api.route import ApiRoute
from x121lib.studio.checks import preflight_rows, worker_rows

router = APIRouter(route_class=ApiRoute, tags=["checks"])


class Finding(BaseModel):
    """One thing that keeps a workflow from running on a worker."""

    kind: str
    node_id: str
    node_class: str
    input_name: str
    name: str
    folder: str
    pack: str
    detail: str
    others: list[str]
    library: str
    scene_types: list[str]


class WorkerCheck(BaseModel):
    """A workflow version on one worker; nothing is found where nothing is known."""

    worker: str
    workflow: str
    version: int
    state: str
    result: str
    known: bool
    read_at: datetime | None
    missing: str
    findings: list[Finding]


@router.get("/workflows/{workflow}/check", response_model=list[WorkerCheck])
def check_workflow(
    studio: Acting, workflow: str, version: int | None = None, worker: shapes.Name | None = None, fresh: bool = False
) -> Any:
    """Check a workflow's version against every worker; `fresh` asks the workers again first."""
    return worker_rows(studio.checks.workflow(workflow, version=version, worker=worker, fresh=fresh))


class WorkerLack(BaseModel):
    """What one worker lacks."""

    worker: str
    state: str
    lacks: list[str]


class SceneGroup(BaseModel):
    """Scenes that can run in the same places; `reason` says why they can run nowhere, and is empty where they can."""

    scene_type: str
    workflow: str
    version: int
    scenes: list[str]
    ready: list[str]
    away: list[str]
    unknown: list[str]
    reason: str
    lacking: list[WorkerLack]


class BlockedScenes(BaseModel):
    """Scenes that lack an approved image or a release."""

    reason: str
    scenes: list[str]


class MendingStep(BaseModel):
    """Something that would let scenes run: `read`, `send` (a model) or `install` (a pack)."""

    kind: str
    worker: str
    name: str
    text: str


class Preflight(BaseModel):
    """The check of a project's scenes that are still to be made."""

    project: str
    fine: bool
    groups: list[SceneGroup]
    held: str
    blocked: list[BlockedScenes]
    disk_bytes: int | None
    steps: list[MendingStep]


class StepDone(BaseModel):
    """What became of a step."""

    kind: str
    worker: str
    name: str
    ok: bool
    text: str


@router.get("/projects/{name}/check", response_model=Preflight)
def check_project(studio: Acting, name: ProjectName, fresh: bool = False) -> Any:
    """Say which scenes can run where, what is missing, and what would mend it; `fresh` asks the workers again first."""
    found = studio.checks.project(name, fresh=fresh)
    return preflight_rows(found, studio.checks.plan(found))


@router.post("/projects/{name}/check/fix", response_model=list[StepDone])
def fix_project(studio: Acting, name: ProjectName) -> Any:
    """Carry out the steps that the check of a project names now; an Admin's act where one changes a host."""
    done = studio.checks.fix(studio.checks.plan(studio.checks.project(name)))
    return [{**asdict(one.step), "ok": one.ok, "text": one.text} for one in done]
