"""Where a model is used, which pairs of models come with a warning, and what an update makes stale."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from x121lib import model as m
from x121lib.comfyui.model_files import Named, named_models
from x121lib.models import queries
from x121lib.terms.transitions import ENDED_STATUSES
from x121lib.terms.vocabulary import SceneStatus

_OVER = (SceneStatus.APPROVED, SceneStatus.REJECTED)


@dataclass(frozen=True)
class Use:
    """One thing that uses a model: an edge of the dependency graph."""

    what: str
    """``workflow``, ``scene type``, ``scene`` (open work) or ``take``."""
    name: str
    """What people call it."""
    version: int | None
    """Version of the workflow or scene type, number of the take."""
    weight: float | None
    """Strength with which it is loaded, where there is one."""
    is_current: bool
    """Whether the model is needed for future work; a current use forbids removing the model."""
    key: uuid.UUID
    """Key of the workflow version, scene type version, scene or take."""


@dataclass(frozen=True)
class Warned:
    """A pair of models, or one, about which somebody wrote a warning."""

    scene_type: str
    """The scene type that loads them."""
    models: tuple[str, ...]
    """Names of the models."""
    text: str
    """What was observed."""

    def __str__(self) -> str:
        return f"{self.scene_type} loads {' with '.join(self.models)}: {self.text}"


@dataclass(frozen=True)
class Stale:
    """A chosen take that would come out differently today."""

    scene_id: uuid.UUID
    """Its scene."""
    scene: str
    """Character / scene type / variant."""
    segment: int
    """Index of its segment."""
    take: int
    """Number of the take."""
    reason: str
    """Why."""


def matches(row: m.LibraryModel, named: Named) -> bool:
    """Tell whether a loader's input means this model."""
    same_kind = named.kind is None or named.kind == row.kind_id
    return same_kind and named.name in (row.name, row.path)


def uses_of(session: Session, row: m.LibraryModel) -> list[Use]:
    """Return everything that uses a model: current uses first, then older versions and takes."""
    found = [*_workflows(session, row), *_scene_types(session, row), *_takes(session, row)]
    return sorted(found, key=lambda use: not use.is_current)


def _workflows(session: Session, row: m.LibraryModel) -> Iterator[Use]:
    newest = _newest(m.WorkflowVersion, m.WorkflowVersion.workflow_id)
    query = sa.select(m.Workflow.name, m.WorkflowVersion, newest).join(
        m.Workflow, m.Workflow.id == m.WorkflowVersion.workflow_id
    )
    for name, version, is_newest in session.execute(query.order_by(m.Workflow.name, m.WorkflowVersion.number.desc())):
        for named in named_models(version.graph):
            if matches(row, named):
                yield Use("workflow", name, version.number, named.weight, is_newest, version.id)


def _scene_types(session: Session, row: m.LibraryModel) -> Iterator[Use]:
    graphs = scene_type_models(session)
    using = {version_id: named for version_id, all_ in graphs.items() for named in all_ if matches(row, named)}
    newest = _newest(m.SceneTypeVersion, m.SceneTypeVersion.scene_type_id)
    query = sa.select(m.SceneType.name, m.SceneTypeVersion, newest).join(
        m.SceneType, m.SceneType.id == m.SceneTypeVersion.scene_type_id
    )
    for name, version, is_newest in session.execute(query.where(m.SceneTypeVersion.id.in_(using))):
        yield Use("scene type", name, version.number, using[version.id].weight, is_newest, version.id)
    working = (
        sa.select(m.Segment.scene_id).join(m.Take, m.Take.segment_id == m.Segment.id)
        .join(m.GpuTask, m.GpuTask.take_id == m.Take.id)
        .where(m.GpuTask.status_id.not_in(ENDED_STATUSES))
    )  # fmt: skip
    needs = sa.or_(m.Scene.status_id != SceneStatus.FAILED, m.Scene.id.in_(working)).label("needs")
    open_scenes = _scene_names().add_columns(needs)
    open_scenes = open_scenes.where(m.Scene.scene_type_version_id.in_(using), m.Scene.status_id.not_in(_OVER))
    for scene_id, words, is_needed in session.execute(open_scenes):
        yield Use("scene", words, None, None, is_needed, scene_id)


def _takes(session: Session, row: m.LibraryModel) -> Iterator[Use]:
    own = sa.select(m.ModelVersion.id).where(m.ModelVersion.model_id == row.id)
    unknown = sa.and_(m.ReceiptModel.model_version_id.is_(None), m.ReceiptModel.file_name == row.name)
    query = (
        sa.select(m.Take.id, m.Take.number, m.ReceiptModel.weight, m.Segment.sequence_index, m.Segment.scene_id)
        .join(m.Segment, m.Segment.id == m.Take.segment_id)
        .join(m.ReceiptModel, m.ReceiptModel.receipt_id == m.Take.receipt_id)
        .where(sa.or_(m.ReceiptModel.model_version_id.in_(own), unknown))
        .order_by(m.Take.id)
    )
    rows = session.execute(query).all()
    names = _names(session, {r.scene_id for r in rows})
    for r in rows:
        yield Use("take", f"{names[r.scene_id]} S{r.sequence_index}", r.number, r.weight, False, r.id)


def parents_of(session: Session, uses: Collection[Use]) -> dict[uuid.UUID, uuid.UUID]:
    """Return for each scene type version its workflow version, for each scene that version, for each take its scene."""
    keys = {use.key for use in uses}
    version, scene, take = m.SceneTypeVersion, m.Scene, m.Take
    segments = sa.select(take.id, m.Segment.scene_id).join(m.Segment, m.Segment.id == take.segment_id)
    found: dict[uuid.UUID, uuid.UUID] = {}
    for query in (
        sa.select(version.id, version.workflow_version_id).where(version.id.in_(keys)),
        segments.where(take.id.in_(keys)),
    ):
        found |= dict(session.execute(query).all())
    scenes = keys | set(found.values())
    found |= dict(session.execute(sa.select(scene.id, scene.scene_type_version_id).where(scene.id.in_(scenes))).all())
    return found


def scene_type_models(
    session: Session, version_ids: Collection[uuid.UUID] | None = None
) -> dict[uuid.UUID, list[Named]]:
    """Return the models of scene type versions (all, or those given), with the values that they set themselves."""
    query = sa.select(m.SceneTypeVersion.id, m.WorkflowVersion.id, m.WorkflowVersion.graph).join(
        m.WorkflowVersion, m.WorkflowVersion.id == m.SceneTypeVersion.workflow_version_id
    )
    if version_ids is not None:
        query = query.where(m.SceneTypeVersion.id.in_(version_ids))
    value, slot, version = m.SceneTypeSlotValue, m.WorkflowSlot, m.SceneTypeVersion
    own: dict[uuid.UUID, dict[tuple[str, str], Any]] = defaultdict(dict)
    defaults = (
        sa.select(version.id, slot.node_id, slot.input_name, slot.default_value)
        .join(slot, slot.workflow_version_id == version.workflow_version_id)
        .where(slot.default_value.is_not(None))
    )
    values = (
        sa.select(version.id, slot.node_id, slot.input_name, value.value)
        .join(value, value.scene_type_version_id == version.id)
        .join(slot, sa.and_(slot.workflow_version_id == version.workflow_version_id, slot.name == value.slot))
    )
    for key, node_id, input_name, set_to in [*session.execute(defaults), *session.execute(values)]:
        own[key][node_id, input_name] = set_to
    return {key: list(named_models(graph, own.get(key))) for key, _, graph in session.execute(query)}


def warnings_for(session: Session, version_ids: Collection[uuid.UUID]) -> list[Warned]:
    """Return the warnings that people wrote about the models of scene type versions, each once."""
    models = list(session.scalars(sa.select(m.LibraryModel)))
    query = sa.select(m.SceneTypeVersion.id, m.SceneType.name).join(
        m.SceneType, m.SceneType.id == m.SceneTypeVersion.scene_type_id
    )
    names = dict(session.execute(query.where(m.SceneTypeVersion.id.in_(version_ids))).all())
    notes = list(session.scalars(sa.select(m.ModelNote).where(m.ModelNote.is_warning).order_by(m.ModelNote.id)))
    found: dict[Warned, None] = {}
    for version_id, named in scene_type_models(session, version_ids).items():
        loaded = {row.id: row.name for row in models if any(matches(row, x) for x in named)}
        found.update(dict.fromkeys(_warned(names[version_id], loaded, notes)))
    return sorted(found, key=lambda w: (w.scene_type, w.models, w.text))


def warnings_of(session: Session, scene_type: str) -> list[Warned]:
    """Return the warnings about the models of a scene type's newest version."""
    version = m.SceneTypeVersion
    query = (
        sa.select(version.id)
        .join(m.SceneType, m.SceneType.id == version.scene_type_id)
        .where(m.SceneType.name == scene_type)
        .order_by(version.number.desc())
        .limit(1)
    )
    return warnings_for(session, list(session.scalars(query)))


def _warned(scene_type: str, loaded: Mapping[uuid.UUID, str], notes: Iterable[m.ModelNote]) -> Iterator[Warned]:
    for note in notes:
        keys = [key for key in (note.model_id, note.other_model_id) if key is not None]
        if all(key in loaded for key in keys):
            yield Warned(scene_type, tuple(loaded[key] for key in keys), note.text)


def stale_takes(session: Session, model_id: uuid.UUID | None = None) -> list[Stale]:
    """Return the chosen takes that an update of a model (or of any) makes stale, and those that follow one.

    A take is stale where its receipt names a model version that is not the newest; a later segment of the same scene
    starts from the frame before it, so it is stale with it. A take whose receipt knows no version is not counted.
    """
    reasons: dict[uuid.UUID, str] = {}
    newest = aliased(m.ModelVersion)
    highest = sa.select(sa.func.max(newest.number)).where(newest.model_id == m.ModelVersion.model_id)
    current = highest.correlate(m.ModelVersion).scalar_subquery()
    query = (
        sa.select(m.ReceiptModel.receipt_id, m.LibraryModel.path, m.ModelVersion.number, current)
        .join(m.ModelVersion, m.ModelVersion.id == m.ReceiptModel.model_version_id)
        .join(m.LibraryModel, m.LibraryModel.id == m.ModelVersion.model_id)
        .where(m.ModelVersion.number < current)
    )
    if model_id is not None:
        query = query.where(m.LibraryModel.id == model_id)
    for receipt_id, path, used, now in session.execute(query):
        reasons.setdefault(receipt_id, f"made with version {used} of {path}, which is at version {now}")
    return _follow(session, reasons)


def _follow(session: Session, reasons: Mapping[uuid.UUID, str]) -> list[Stale]:
    first = (
        sa.select(m.Segment.scene_id).join(m.Take, m.Take.id == m.Segment.chosen_take_id)
        .where(m.Take.receipt_id.in_(reasons))
    )  # fmt: skip
    query = (
        sa.select(m.Segment.scene_id, m.Segment.sequence_index, m.Take.number, m.Take.receipt_id)
        .join(m.Take, m.Take.id == m.Segment.chosen_take_id)
        .where(m.Segment.scene_id.in_(first))
        .order_by(m.Segment.scene_id, m.Segment.sequence_index)
    )
    rows = session.execute(query).all()
    names = _names(session, {row.scene_id for row in rows})
    stale: list[Stale] = []
    since: dict[uuid.UUID, int] = {}
    for scene_id, segment, take, receipt_id in rows:
        reason = reasons.get(receipt_id) if receipt_id is not None else None
        if reason is None and scene_id in since:
            reason = f"follows segment {since[scene_id]}, which is stale"
        if reason is not None:
            since[scene_id] = segment
            stale.append(Stale(scene_id, names[scene_id], segment, take, reason))
    return stale


def current_version_ids(session: Session, named: Collection[Named]) -> dict[tuple[str, str], uuid.UUID]:
    """Return (node, input) → the newest version of the model that it names, for those in the inventory."""
    names = {item.name for item in named}
    query = sa.select(m.LibraryModel).where(sa.or_(m.LibraryModel.name.in_(names), m.LibraryModel.path.in_(names)))
    rows = list(session.scalars(query.order_by(m.LibraryModel.id)))
    newest = queries.newest_versions(session, [row.id for row in rows])
    return {
        (item.node_id, item.input_name): newest[row.id].id for item in named for row in rows[::-1] if matches(row, item)
    }


def _newest(version: Any, owner: Any) -> Any:
    other = aliased(version)
    same = getattr(other, owner.key) == owner
    return (
        version.number == sa.select(sa.func.max(other.number)).where(same).correlate(version).scalar_subquery()
    ).label("is_newest")


def _scene_names() -> Any:
    words = m.Character.name + " / " + m.SceneType.name + " / " + m.VariantKind.name
    return (
        sa.select(m.Scene.id, words)
        .join(m.Character, m.Character.id == m.Scene.character_id)
        .join(m.SceneType, m.SceneType.id == m.Scene.scene_type_id)
        .join(m.VariantKind, m.VariantKind.id == m.Scene.variant_kind_id)
        .order_by(m.Scene.id)
    )


def _names(session: Session, scene_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    return dict(session.execute(_scene_names().where(m.Scene.id.in_(scene_ids))).all())
