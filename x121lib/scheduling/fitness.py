"""Which worker can run what: the effective graph of a workflow against what each worker's server said it has.

A workflow version's graph never changes, and what a worker offers has a hash: a verdict is kept under both, so that
dispatch asks the database only about what is new.
"""

from __future__ import annotations

import re
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.comfyui import checking
from x121lib.comfyui.checking import Offer
from x121lib.comfyui.editor.packs import pack_of_module
from x121lib.comfyui.graph import Graph, node_classes
from x121lib.comfyui.model_files import SUFFIXES
from x121lib.scheduling.recall import FRESH, LONG_S, STEADY_S, Recall
from x121lib.store.direct import Compiled, fetch_kept
from x121lib.store.session import among

Overrides = tuple[tuple[str, str, str], ...]
"""(node, input, model file) that are sent instead of the graph's own, sorted."""


@dataclass(frozen=True)
class Demand:
    """What a take asks of a worker."""

    version_id: uuid.UUID
    """The workflow version."""
    overrides: Overrides = ()
    """Model files that its scene type, or the take itself, names instead."""


@dataclass(frozen=True)
class Lack:
    """A node class or a model file that a worker does not have."""

    name: str
    """The class, or the file as the workflow names it."""
    folder: str = ""
    """ComfyUI's folder of the model's kind; empty for a class, and where the kind is unknown."""
    pack: str = ""
    """The pack that holds the class, where somebody says so."""
    is_model: bool = False
    """Whether it is a model file."""

    def __str__(self) -> str:
        if self.is_model:
            return f"model {self.folder}/{self.name}" if self.folder else f"model {self.name}"
        return f"node class {self.name}" + (f" (pack {self.pack})" if self.pack else "")


Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class _Kept(Generic[Key, Value]):
    """The values used last, by key; safe between threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def known(self, keys: Iterable[Key]) -> dict[Key, Value]:
        with self._lock:
            found = {key: self._values[key] for key in keys if key in self._values}
            for key in found:
                self._values.move_to_end(key)
            return found

    def keep(self, values: Mapping[Key, Value]) -> None:
        with self._lock:
            self._values.update(values)
            while len(self._values) > self._most:
                self._values.popitem(last=False)


_verdicts: _Kept[tuple[Demand, uuid.UUID, str], tuple[Lack, ...]] = _Kept(50_000)
_graphs: _Kept[uuid.UUID, Graph] = _Kept(200)
_models: _Kept[uuid.UUID, frozenset[str]] = _Kept(2000)
_workflows: _Kept[uuid.UUID, uuid.UUID] = _Kept(2000)
_MODEL_FILE = re.compile(r".+\.(safetensors|sft|ckpt|gguf|pt|pth|bin|onnx)", re.IGNORECASE)


def graphs(session: Session, version_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Graph]:
    """Return the graphs of workflow versions; nobody may change them."""
    wanted = set(version_ids)
    found = _graphs.known(wanted)
    if missing := wanted - set(found):
        version = m.WorkflowVersion
        rows = session.execute(sa.select(version.id, version.graph).where(version.id.in_(missing)))
        read: dict[uuid.UUID, Graph] = {key: graph for key, graph in rows}
        _graphs.keep(read)
        found |= read
    return found


def models_of(graph: Mapping[str, Any]) -> frozenset[str]:
    """Return the model files that a graph in API form names, whatever loads them."""
    found: set[str] = set()
    for node in graph.values():
        inputs = node.get("inputs", {}) if isinstance(node, Mapping) else {}
        found.update(v for v in inputs.values() if isinstance(v, str) and _MODEL_FILE.fullmatch(v))
    return frozenset(found)


def models(session: Session, version_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, frozenset[str]]:
    """Return the model files that workflow versions name."""
    found = _models.known(version_ids)
    if missing := set(version_ids) - set(found):
        read = {key: models_of(graph) for key, graph in graphs(session, missing).items()}
        _models.keep(read)
        found |= read
    return found


def known_models(version_id: uuid.UUID | None) -> frozenset[str] | None:
    """Return the model files of a workflow version if this process has read them; those of no version are none."""
    return frozenset() if version_id is None else _models.known([version_id]).get(version_id)


def workflows(session: Session, version_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """Return the workflow of each version."""
    found = _workflows.known(version_ids)
    if missing := set(version_ids) - set(found):
        version = m.WorkflowVersion
        rows = session.execute(sa.select(version.id, version.workflow_id).where(version.id.in_(missing)))
        read: dict[uuid.UUID, uuid.UUID] = {key: workflow_id for key, workflow_id in rows}
        _workflows.keep(read)
        found |= read
    return found


def demands(session: Session, task_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Demand]:
    """Return what each task asks of a worker; a handful of queries, however many tasks."""
    rows = session.execute(_asked().where(among(m.GpuTask.id, task_ids))).all()
    return _from_rows(session, [tuple(row) for row in rows], FRESH)


_VERSION = sa.func.coalesce(m.SceneTypeVersion.workflow_version_id, m.VariantKind.workflow_version_id)


def _asked() -> sa.Select[*tuple[Any, ...]]:
    """Return the query of tasks for (task, scene type version, take, workflow version, has values of its own)."""
    has_own = sa.exists().where(m.TakeOverride.take_id == m.GpuTask.take_id)
    return (
        sa.select(m.GpuTask.id, m.SceneTypeVersion.id, m.GpuTask.take_id, _VERSION, has_own)
        .outerjoin(m.Take, m.Take.id == m.GpuTask.take_id)
        .outerjoin(m.Segment, m.Segment.id == m.Take.segment_id)
        .outerjoin(m.Scene, m.Scene.id == m.Segment.scene_id)
        .outerjoin(m.SceneTypeVersion, m.SceneTypeVersion.id == m.Scene.scene_type_version_id)
        .outerjoin(m.ImageVariant, m.ImageVariant.id == m.GpuTask.image_variant_id)
        .outerjoin(m.VariantKind, m.VariantKind.id == m.ImageVariant.kind_id)
        .where(_VERSION.is_not(None))
    )


def _from_rows(session: Session, rows: Sequence[tuple[Any, ...]], recall: Recall) -> dict[uuid.UUID, Demand]:
    with_recipe = {recipe_id for _, recipe_id, *_ in rows if recipe_id is not None}
    without = {version for _, recipe_id, _, version, _ in rows if recipe_id is None}
    recipes: dict[uuid.UUID, dict[tuple[str, str], str]] = recall("recipes", STEADY_S, dict)
    if missing := with_recipe - set(recipes):
        again = with_recipe | recall("asked recipes", LONG_S, set[uuid.UUID])
        recall("asked recipes", LONG_S, set[uuid.UUID]).update(missing)
        recipes.update({key: {} for key in again} | recipe_overrides(session, again))
    plain: dict[uuid.UUID, dict[tuple[str, str], str]] = recall("plain", STEADY_S, dict)
    if missing := without - set(plain):
        plain.update({key: {} for key in missing} | default_overrides(session, missing))
    own = _take_overrides(session, {key for _, _, key, _, has in rows if has and key is not None})
    found = {}
    for task_id, recipe_id, take_id, version, _ in rows:
        values = recipes.get(recipe_id, {}) if recipe_id is not None else plain.get(version, {})
        if take_id in own:
            values = {**values, **own[take_id]}
        found[task_id] = Demand(version, packed(values))
    return found


ASKED = Compiled(
    _asked()
    .add_columns(sa.func.coalesce(m.SceneTypeVersion.vram_bytes, m.WorkflowVersion.vram_bytes))
    .outerjoin(m.WorkflowVersion, m.WorkflowVersion.id == _VERSION)
    .where(m.GpuTask.id == sa.any_(sa.bindparam("task_ids", None, ARRAY(sa.Uuid))))
)


def demands_and_memory(
    session: Session, task_ids: Sequence[uuid.UUID], recall: Recall
) -> dict[uuid.UUID, tuple[Demand, int | None]]:
    """Return what each task asks of a worker, with the GPU memory in bytes where its recipe states it."""
    (rows,) = fetch_kept(session, ASKED(task_ids=list(task_ids)))
    needed = {row[0]: row[-1] for row in rows}
    return {key: (demand, needed[key]) for key, demand in _from_rows(session, [r[:-1] for r in rows], recall).items()}


def packed(values: Mapping[tuple[str, str], str]) -> Overrides:
    """Return overrides in the form of a `Demand`."""
    return tuple(sorted((node, name, value) for (node, name), value in values.items()))


def recipe_overrides(
    session: Session, recipe_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, dict[tuple[str, str], str]]:
    """Return for scene type versions (node, input) → the model file that is sent instead of the workflow file's own.

    That is what the scene type sets, else the studio's own default of the slot.
    """
    if not recipe_ids:
        return {}
    value, slot, version = m.SceneTypeSlotValue, m.WorkflowSlot, m.SceneTypeVersion
    slots = sa.select(version.id, slot.node_id, slot.input_name).join(
        slot, slot.workflow_version_id == version.workflow_version_id
    )
    slots = slots.where(version.id.in_(recipe_ids))
    set_ = slots.add_columns(value.value).join(
        value, sa.and_(value.scene_type_version_id == version.id, value.slot == slot.name)
    )
    found = _gathered(session.execute(slots.add_columns(slot.default_value).where(slot.default_value.is_not(None))))
    for key, values in _gathered(session.execute(set_)).items():
        found.setdefault(key, {}).update(values)
    return found


def default_overrides(
    session: Session, version_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, dict[tuple[str, str], str]]:
    """Return for workflow versions (node, input) → the model file that is the studio's own default of a slot."""
    slot = m.WorkflowSlot
    query = sa.select(slot.workflow_version_id, slot.node_id, slot.input_name, slot.default_value).where(
        slot.workflow_version_id.in_(version_ids), slot.default_value.is_not(None)
    )
    return _gathered(session.execute(query)) if version_ids else {}


def _take_overrides(session: Session, take_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, dict[tuple[str, str], str]]:
    if not take_ids:
        return {}
    value, slot, version = m.TakeOverride, m.WorkflowSlot, m.SceneTypeVersion
    query = (
        sa.select(value.take_id, slot.node_id, slot.input_name, value.value)
        .join(m.Take, m.Take.id == value.take_id)
        .join(m.Segment, m.Segment.id == m.Take.segment_id)
        .join(m.Scene, m.Scene.id == m.Segment.scene_id)
        .join(version, version.id == m.Scene.scene_type_version_id)
        .join(slot, sa.and_(slot.workflow_version_id == version.workflow_version_id, slot.name == value.slot))
        .where(among(value.take_id, take_ids))
    )
    return _gathered(session.execute(query))


def _gathered(rows: Iterable[Any]) -> dict[uuid.UUID, dict[tuple[str, str], str]]:
    found: dict[uuid.UUID, dict[tuple[str, str], str]] = {}
    for key, node_id, input_name, value in rows:
        if isinstance(value, str) and value.lower().endswith(tuple(SUFFIXES)):
            found.setdefault(key, {})[node_id, input_name] = value
    return found


def lacks(
    session: Session, wanted: Collection[Demand], workers: Mapping[uuid.UUID, str | None]
) -> dict[Demand, dict[uuid.UUID, tuple[Lack, ...]]]:
    """Return for each demand what each worker lacks; workers that lack nothing are left out.

    A worker that was never asked for its capabilities counts as one that lacks nothing.

    Args:
        session: an open session.
        wanted: demands.
        workers: key → hash of what the worker offers, None where that is not known.
    """
    known = {key: digest for key, digest in workers.items() if digest is not None}
    asked = {(demand, key, digest) for demand in set(wanted) for key, digest in known.items()}
    verdicts = _verdicts.known(asked)
    if missing := asked - set(verdicts):
        judged = _judge(session, {demand for demand, _, _ in missing}, known)
        verdicts |= judged
        _verdicts.keep(judged)
    found: dict[Demand, dict[uuid.UUID, tuple[Lack, ...]]] = {}
    for (demand, key, _), verdict in verdicts.items():
        if verdict:
            found.setdefault(demand, {})[key] = verdict
    return found


def _judge(
    session: Session, wanted: Collection[Demand], known: Mapping[uuid.UUID, str]
) -> dict[tuple[Demand, uuid.UUID, str], tuple[Lack, ...]]:
    read = graphs(session, {demand.version_id for demand in wanted})
    each = {demand: effective_graph(read[demand.version_id], demand.overrides) for demand in wanted}
    classes = {name for graph in each.values() for name in node_classes(graph)}
    loaders = {graph[named.node_id]["class_type"] for graph in each.values() for named in checking.needed_models(graph)}
    files = {named.name for graph in each.values() for named in checking.needed_models(graph)}
    offered = offers(session, known, classes, files, described=loaders)
    return {
        (demand, key, digest): _lacking(graph, offered[key])
        for demand, graph in each.items()
        for key, digest in known.items()
    }


def with_packs(
    session: Session, found: Mapping[Demand, Mapping[uuid.UUID, tuple[Lack, ...]]]
) -> dict[Demand, dict[uuid.UUID, tuple[Lack, ...]]]:
    """Return what workers lack with the pack of each missing class, where the file or another worker names it."""
    missing = {one.name for by_worker in found.values() for all_ in by_worker.values() for one in all_}
    packs = pack_names(session, {demand.version_id for demand in found}, missing) if missing else None

    def named(demand: Demand, one: Lack) -> Lack:
        return one if one.is_model or packs is None else replace(one, pack=packs(demand.version_id, one.name))

    return {
        demand: {key: tuple(named(demand, one) for one in all_) for key, all_ in by_worker.items()}
        for demand, by_worker in found.items()
    }


def effective_graph(graph: Graph, overrides: Overrides) -> Graph:
    """Return the graph with the model files of a demand."""
    return checking.effective(graph, {(node, name): value for node, name, value in overrides})


def _lacking(graph: Graph, offer: Offer) -> tuple[Lack, ...]:
    found = [Lack(name) for name in sorted(node_classes(graph) - set(offer.specs))]
    for named in checking.needed_models(graph):
        if checking.lacks_file(named, graph[named.node_id]["class_type"], offer):
            found.append(Lack(named.name, named.kind.value if named.kind else "", is_model=True))
    return tuple(dict.fromkeys(found))


def offers(
    session: Session, worker_ids: Collection[uuid.UUID], classes: Collection[str], files: Collection[str],
    *, described: Collection[str] | None = None,
) -> dict[uuid.UUID, Offer]:  # fmt: skip
    """Return what workers have of some classes and model files.

    Args:
        session: an open session.
        worker_ids: the workers.
        classes: names of classes.
        files: names of model files, with ``/``.
        described: classes whose description is needed; None for all of them.
    """
    specs: dict[uuid.UUID, dict[str, Any]] = {key: {} for key in worker_ids}
    row = m.WorkerNodeClass
    spec = row.spec if described is None else sa.case((row.name.in_(described), row.spec))
    query = sa.select(row.worker_id, row.name, spec).where(row.worker_id.in_(worker_ids), row.name.in_(classes))
    for key, name, said in session.execute(query):
        specs[key][name] = said
    held: dict[uuid.UUID, set[tuple[str, str]]] = {key: set() for key in worker_ids}
    model = m.WorkerModel
    spelled = {*files, *(name.replace("/", "\\") for name in files)}
    found = sa.select(model.worker_id, model.folder, model.name).where(
        model.worker_id.in_(worker_ids), model.name.in_(spelled)
    )
    for key, folder, name in session.execute(found) if files else ():
        held[key].add((folder, name))
    return {key: Offer(specs[key], frozenset(held[key])) for key in worker_ids}


def pack_names(
    session: Session, version_ids: Collection[uuid.UUID], classes: Collection[str]
) -> Callable[[uuid.UUID, str], str]:
    """Return a function of (workflow version, class) that names its pack: by the file, else by another worker."""
    row, node = m.WorkflowNodePack, m.WorkerNodeClass
    said: dict[tuple[uuid.UUID, str], str] = {}
    for key, name, pack, version in session.execute(
        sa.select(row.workflow_version_id, row.node_class, row.pack, row.pack_version).where(
            row.workflow_version_id.in_(version_ids), row.node_class.in_(classes)
        )
    ):
        said[key, name] = f"{pack} {version}".strip()
    module = node.spec["python_module"].astext
    query = sa.select(node.name, module).where(node.name.in_(classes), module.startswith("custom_nodes.")).distinct()
    seen = {name: pack_of_module(text) for name, text in session.execute(query)}
    return lambda key, name: said.get((key, name)) or seen.get(name, "")
