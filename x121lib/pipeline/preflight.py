"""The check of a whole batch before it runs: which scenes can run where, what is missing, and what would mend it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.pipeline import lacking
from x121lib.pipeline.hold import hold_reason
from x121lib.pipeline.house import House
from x121lib.pipeline.lacking import Placing
from x121lib.pipeline.submission import Cell, Selection, cells_with_recipes
from x121lib.scheduling.fitness import Lack
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import SceneStatus

_OPEN = frozenset({SceneStatus.PENDING, SceneStatus.FAILED, SceneStatus.GENERATING})
"""Statuses of scenes that are still to be made."""


@dataclass(frozen=True)
class WorkerLack:
    """What one worker lacks of a group's workflow."""

    worker: str
    """Name of the worker."""
    state: str
    """Where it stands, e.g. ``online``."""
    lacks: tuple[Lack, ...]
    """Node classes with their pack, and model files."""


@dataclass(frozen=True)
class Group:
    """Scenes of one scene type that run by the same workflow version, so that they can run in the same places."""

    scene_type: str
    """Name of the scene type."""
    workflow: str
    """Name of the workflow."""
    version: int
    """Number of its version."""
    scenes: tuple[str, ...]
    """Character / scene type / variant of each."""
    ready: tuple[str, ...]
    """Workers that can run it and are available."""
    away: tuple[str, ...]
    """Workers that can run it and are not available, each with where it stands."""
    unknown: tuple[str, ...]
    """Workers that never said what they have; they are sent everything."""
    lacking: tuple[WorkerLack, ...]
    """Workers that can not run it."""
    reason: str
    """Why it can run nowhere now; empty where it can."""


@dataclass(frozen=True)
class Blocked:
    """Scenes that lack something that no machine can give: an approved image, or a likeness release."""

    reason: str
    """What is missing and how to solve it."""
    scenes: tuple[str, ...]
    """Character / scene type / variant of each."""


@dataclass(frozen=True)
class Need:
    """A worker with all that it lacks to run a group that runs nowhere: what could be mended."""

    worker_id: uuid.UUID
    """The worker."""
    worker: str
    """Its name."""
    lacks: tuple[Lack, ...]
    """All that it lacks."""


@dataclass(frozen=True)
class Preflight:
    """The check of a batch."""

    project: str
    """Name of the project."""
    groups: tuple[Group, ...]
    """Scenes that are still to be made, by where they can run."""
    blocked: tuple[Blocked, ...]
    """Scenes that are blocked before any worker is asked."""
    held: str
    """What holds all new takes back (a full disk); empty where nothing does."""
    disk_bytes: int | None
    """Bytes that the takes will need, by the mean of earlier takes; None where there were none."""
    needs: tuple[tuple[Need, ...], ...] = ()
    """For each group that runs nowhere: workers that could be mended."""

    @property
    def stuck(self) -> tuple[Group, ...]:
        """The groups that can run nowhere now."""
        return tuple(group for group in self.groups if group.reason)

    @property
    def fine(self) -> bool:
        """Whether every scene that is still to be made can start."""
        return not self.stuck and not self.blocked and not self.held


def preflight(house: House, session: Session, actor: Actor, project: m.Project, selection: Selection) -> Preflight:
    """Check every selected scene that is still to be made; changes nothing and asks no server."""
    actor.require(Permission.VIEW)
    now = house.now()
    cells = [(c, recipe) for c, recipe in cells_with_recipes(session, project, selection, now) if c.status in _OPEN]
    free = [(cell, recipe) for cell, recipe in cells if not cell.blocked]
    reasons: dict[str, list[str]] = {}
    for cell, _ in cells:
        if cell.blocked:
            reasons.setdefault(cell.blocked, []).append(str(cell))
    groups, needs = _groups(session, free, now)
    return Preflight(
        project.name, groups, tuple(Blocked(reason, tuple(names)) for reason, names in reasons.items()),
        hold_reason(house), _disk_bytes(session, [recipe for _, recipe in free]), needs,
    )  # fmt: skip


def _groups(
    session: Session, cells: Sequence[tuple[Cell, uuid.UUID]], now: datetime
) -> tuple[tuple[Group, ...], tuple[tuple[Need, ...], ...]]:
    by_recipe: dict[uuid.UUID, list[Cell]] = {}
    for cell, recipe_id in cells:
        by_recipe.setdefault(recipe_id, []).append(cell)
    recipe, version = m.SceneTypeVersion, m.WorkflowVersion
    rows = session.execute(
        sa.select(recipe.id, version.number, m.Workflow.name)
        .join(version, version.id == recipe.workflow_version_id)
        .join(m.Workflow, m.Workflow.id == version.workflow_id)
        .where(recipe.id.in_(by_recipe)).order_by(m.Workflow.name, version.number, recipe.id)
    ).all()  # fmt: skip
    places = lacking.placing(session, list(by_recipe), now)
    groups, needs = [], []
    for row in rows:
        group = _group(by_recipe[row.id], (row.name, row.number), places, row.id)
        groups.append(group)
        if group.reason:
            lacks, needed = places.lacks[row.id], places.needed[row.id]
            needs.append(tuple(Need(v.worker_id, v.name, lacks[v.worker_id]) for v in places.views
                               if v.worker_id in lacks and needed <= v.tags))  # fmt: skip
    return tuple(groups), tuple(needs)


def _group(cells: Sequence[Cell], workflow: tuple[str, int], places: Placing, recipe_id: uuid.UUID) -> Group:
    fit, lacks = places.fit(recipe_id), places.lacks[recipe_id]
    return Group(
        cells[0].scene_type, *workflow, tuple(str(cell) for cell in cells),
        tuple(v.name for v in fit if v.available), tuple(f"{v.name} ({v.state})" for v in fit if not v.available),
        tuple(v.name for v in fit if v.offer is None),
        tuple(WorkerLack(v.name, v.state, lacks[v.worker_id]) for v in places.views if v.worker_id in lacks),
        places.reason(recipe_id),
    )  # fmt: skip


def _disk_bytes(session: Session, recipes: Sequence[uuid.UUID]) -> int | None:
    """Return the mean bytes of a segment's finished take times the segments that are planned, over scene types."""
    version = m.SceneTypeVersion
    rows = session.execute(
        sa.select(version.id, sa.func.ceil(version.target_duration_s / version.segment_duration_s)).where(
            version.id.in_(set(recipes))
        )
    )
    segments = {key: int(n) for key, n in rows}
    mean = session.scalar(
        sa.select(sa.func.avg(m.Artifact.n_bytes)).join(m.Take, m.Take.output_artifact_id == m.Artifact.id)
    )
    return None if mean is None or not recipes else int(float(mean) * sum(segments[key] for key in recipes))
