"""A workflow version checked against every worker: all that would keep it from running there."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import NotFoundError
from x121lib.catalogue import workflows
from x121lib.comfyui.checking import Finding, FindingKind, Offer, check_graph
from x121lib.comfyui.graph import Graph, node_classes
from x121lib.comfyui.model_files import Named, named_models
from x121lib.scheduling import fitness, queries
from x121lib.scheduling.workers import find, list_workers
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import ModelKind, ModelStatus


@dataclass(frozen=True)
class Found:
    """One thing that is wrong on one worker."""

    kind: str
    """``node_class``, ``model``, ``link``, ``input``, ``type``, ``range``, ``choice`` or ``output``."""
    node_id: str
    """The node; empty for the whole graph."""
    node_class: str
    """Its class."""
    input_name: str
    """The input; empty where the node itself is meant."""
    name: str
    """The class or model file that is missing; empty otherwise."""
    folder: str
    """ComfyUI's folder of a missing model; empty where it is not known."""
    pack: str
    """The pack that holds a missing class, where the workflow's file or another worker says so."""
    detail: str
    """What was found and what was expected."""
    others: tuple[str, ...]
    """Workers that have what is missing."""
    library: str
    """Path of a missing model in the studio's own library; empty where its file is not there."""
    scene_types: tuple[str, ...]
    """Scene types whose values are meant; empty: all that use the version."""


@dataclass(frozen=True)
class WorkerCheck:
    """A workflow version on one worker."""

    worker: str
    """Name of the worker."""
    state: str
    """Where the worker stands, e.g. ``online`` or ``draining``."""
    known: bool
    """Whether the worker ever said what it has; if not, nothing can be found."""
    read_at: datetime | None
    """When it said so last; None where that is to be asked anew."""
    findings: tuple[Found, ...]
    """All that is wrong; empty where it runs, or where nothing is known."""

    @property
    def word(self) -> str:
        """``fine``, ``not known`` or the number of findings."""
        if not self.known:
            return "not known"
        n = len(self.findings)
        return "fine" if n == 0 else f"{n} finding{'s' if n > 1 else ''}"


@dataclass(frozen=True)
class WorkflowCheck:
    """A workflow version on every worker."""

    workflow: str
    """Name of the workflow."""
    version: int
    """Number of the version."""
    workers: tuple[WorkerCheck, ...]
    """By name of the worker."""


def check(
    session: Session, actor: Actor, name: str, now: datetime, *, number: int | None = None, worker: str | None = None
) -> WorkflowCheck:
    """Check a workflow's version (default: the newest) against every worker that was not removed, or one.

    Each scene type whose newest version refers to the workflow version counts with the values that it sets; the
    file's own values count where no scene type uses it, or an image variant does.

    Raises:
        NotFoundError: no such workflow, version or worker.
    """
    actor.require(Permission.VIEW)
    version = workflows.version(session, name, number)
    only = find(session, worker).id if worker is not None else None
    rows = list_workers(session)
    states = {view.worker_id: view.state for view in queries.worker_views(session, now)}
    variants = effective_graphs(session, version)
    read = _offers(session, variants, [row.id for row in rows if row.capabilities_hash])
    checked = []
    for row in rows:
        if only in (None, row.id):
            found = _findings(session, version.id, variants, row.id, read, rows) if row.id in read else ()
            known = row.id in read
            checked.append(WorkerCheck(row.name, states[row.id], known, row.capabilities_at if known else None, found))
    return WorkflowCheck(name, version.number, tuple(checked))


def workflow_of(session: Session, scene_type: str) -> str:
    """Return the name of the workflow that a scene type's newest version uses; raises `NotFoundError`."""
    query = (
        sa.select(m.Workflow.name)
        .join(m.WorkflowVersion, m.WorkflowVersion.workflow_id == m.Workflow.id)
        .join(m.SceneTypeVersion, m.SceneTypeVersion.workflow_version_id == m.WorkflowVersion.id)
        .join(m.SceneType, m.SceneType.id == m.SceneTypeVersion.scene_type_id)
        .where(m.SceneType.name == scene_type)
        .order_by(m.SceneTypeVersion.number.desc())
        .limit(1)
    )
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFoundError(f"There is no scene type '{scene_type}'.", hint="'x121 scene-type list' shows them.")
    return found


def effective_graphs(session: Session, version: m.WorkflowVersion) -> dict[str, Graph]:
    """Return the graphs that are sent, by the scene type whose values they have; an empty name is the file itself."""
    recipe = m.SceneTypeVersion
    other = sa.orm.aliased(recipe)
    newest = sa.select(sa.func.max(other.number)).where(other.scene_type_id == recipe.scene_type_id)
    users = session.execute(
        sa.select(m.SceneType.name, recipe.id)
        .join(recipe, recipe.scene_type_id == m.SceneType.id)
        .where(recipe.workflow_version_id == version.id, recipe.number == newest.correlate(recipe).scalar_subquery())
        .order_by(m.SceneType.name)
    ).all()
    overrides = fitness.recipe_overrides(session, [key for _, key in users])
    found = {
        name: fitness.effective_graph(version.graph, fitness.packed(overrides.get(key, {}))) for name, key in users
    }
    images = sa.select(sa.func.count()).where(m.VariantKind.workflow_version_id == version.id)
    if found and not session.scalar(images):
        return found
    own = fitness.default_overrides(session, [version.id]).get(version.id, {})
    return {**found, "": fitness.effective_graph(version.graph, fitness.packed(own))}


def _offers(session: Session, variants: Mapping[str, Graph], worker_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Offer]:
    classes = {name for graph in variants.values() for name in node_classes(graph)}
    files = {named.name for graph in variants.values() for named in named_models(graph)}
    return fitness.offers(session, worker_ids, classes, files)


def _findings(
    session: Session, version_id: uuid.UUID, variants: Mapping[str, Graph], worker_id: uuid.UUID,
    read: Mapping[uuid.UUID, Offer], rows: Sequence[m.Worker],
) -> tuple[Found, ...]:  # fmt: skip
    users: dict[Finding, list[str]] = {}
    models: dict[tuple[str, str, str], Named] = {}
    for scene_type, graph in variants.items():
        for finding in check_graph(graph, read[worker_id]):
            users.setdefault(finding, []).append(scene_type)
        models |= {(named.node_id, named.input_name, named.name): named for named in named_models(graph)}
    missing = {finding.name for finding in users if finding.kind is FindingKind.NODE_CLASS}
    pack_of = fitness.pack_names(session, {version_id}, missing)
    paths = library_paths(session, {f.name for f in users if f.kind is FindingKind.MODEL})
    names = {row.id: row.name for row in rows}
    found = []
    for finding, scene_types in users.items():
        named = models.get((finding.node_id, finding.input_name, finding.name))
        has = _has_class(finding.name) if finding.kind is FindingKind.NODE_CLASS else _has_model(named)
        found.append(
            Found(
                finding.kind.value, finding.node_id, finding.class_type, finding.input_name, finding.name,
                named.kind.value if named and named.kind else "",
                pack_of(version_id, finding.name) if finding.kind is FindingKind.NODE_CLASS else "", finding.detail,
                tuple(sorted(names[key] for key, offer in read.items() if has(offer))),
                paths.get((finding.name, named.kind), "") if named is not None else "",
                tuple(scene_types) if len(scene_types) < len(variants) else (),
            )
        )  # fmt: skip
    return tuple(found)


def _has_class(name: str) -> Callable[[Offer], bool]:
    return lambda offer: name in offer.specs


def _has_model(named: Named | None) -> Callable[[Offer], bool]:
    return lambda offer: named is not None and offer.has_file(named)


def library_paths(session: Session, names: Collection[str]) -> dict[tuple[str, ModelKind | None], str]:
    """Return (name as loaders say it, kind) → path of the models whose file is present in the studio's own library.

    Under the kind None stands the first of any kind, for a loader whose kind is not known.
    """
    row = m.LibraryModel
    query = sa.select(row).where(row.status_id == ModelStatus.PRESENT, sa.or_(row.name.in_(names), row.path.in_(names)))
    found: dict[tuple[str, ModelKind | None], str] = {}
    for model in session.scalars(query.order_by(row.path)) if names else ():
        for name in {model.name, model.path} & set(names):
            found.setdefault((name, model.kind_id), model.path)
            found.setdefault((name, None), model.path)
    return found
