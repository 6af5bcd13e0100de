"""Which takes are retaken by themselves."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from x121lib.api import shapes
from x121lib.api.caller import Acting
from x121lib.api.errors import NO_CONTENT
from x121lib.api.route import ApiRoute
from x121lib.api.shapes import Given, Limit, Offset, Page, page
from x121lib.generation.retakes import Policy

router = APIRouter(route_class=ApiRoute, tags=["work"])


class RetakePolicy(BaseModel):
    """How a project's or scene type's takes that failed a gate are retaken."""

    scope: str
    name: str
    most_retakes: int
    best_of: int
    gates: str
    vary: str
    phrases: str


class NewRetakePolicy(Given):
    """A policy; project or scene_type says whose."""

    project: shapes.Name | None = None
    scene_type: shapes.Name | None = None
    most: int = Field(3, ge=1, le=20)
    best_of: int = Field(1, ge=1, le=20)
    gates: Annotated[tuple[shapes.Name, ...], Field(max_length=100)] = ()
    vary: Annotated[dict[str, float], Field(max_length=50)] = Field(default_factory=dict)
    phrases: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=500)], ...], Field(max_length=50)] = ()


@router.get("/retake-policies", response_model=Page[RetakePolicy])
def list_policies(studio: Acting, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List the retake policies."""
    return page(studio.retakes.list(), limit, offset)


@router.put("/retake-policies", status_code=NO_CONTENT)
def set_policy(studio: Acting, given: NewRetakePolicy) -> None:
    """Set the retake policy of a project or scene type instead of the one that it has."""
    policy = Policy(given.most, given.best_of, frozenset(given.gates), given.vary, given.phrases)
    studio.retakes.set(policy, project=given.project, scene_type=given.scene_type)


@router.delete("/retake-policies", status_code=NO_CONTENT)
def remove_policy(studio: Acting, project: str | None = None, scene_type: str | None = None) -> None:
    """Remove the retake policy of a project or scene type."""
    studio.retakes.remove(project=project, scene_type=scene_type)
