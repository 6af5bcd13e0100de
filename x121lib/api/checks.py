"""What is missing on which worker."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from x121lib.api import shapes
from x121lib.api.caller import Acting
from x121lib.api.route import ApiRoute
from x121lib.studio.checks import worker_rows

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
