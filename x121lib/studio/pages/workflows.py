"""The workflows: every version, its graph on a canvas with measured times, its slots, runs and workers."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from x121lib import model as m
from x121lib.catalogue import slots
from x121lib.comfyui.graph import Graph, is_link, title_of
from x121lib.comfyui.layout import NODE_HEIGHT, NODE_WIDTH, lay_out
from x121lib.studio.pages import workflow_difference, workflow_trials, workflow_workers
from x121lib.studio.pages.desk import Desk, View
from x121lib.studio.pages.words import iso
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import AttemptOutcome, SlotType, WorkflowStatus

STATES = {
    WorkflowStatus.DRAFT: "none", WorkflowStatus.TESTED: "review", WorkflowStatus.PRODUCTION: "approved",
}  # fmt: skip
OUTCOMES = {
    AttemptOutcome.COMPLETE: "approved", AttemptOutcome.FAILED: "failed", AttemptOutcome.LOST: "failed",
    AttemptOutcome.CANCELLED: "none", AttemptOutcome.SUPERSEDED: "none",
}  # fmt: skip
MEASURED = 200
"""Newest complete attempts whose node times are shown."""
RUNS = 30
"""Attempts listed, the newest."""
VALUE_CHARS = 200
"""Characters of an input's value shown."""


def workflows(desk: Desk, params: Mapping[str, str]) -> View:
    """Return every workflow, and the version that ``workflow`` and ``version`` name, else the newest of the first."""
    rows = desk.session.execute(
        sa.select(m.WorkflowVersion.id, m.WorkflowVersion.number, m.WorkflowVersion.status_id,
                  m.WorkflowVersion.created_at, m.Workflow.name)
        .join(m.Workflow, m.Workflow.id == m.WorkflowVersion.workflow_id)
        .order_by(m.Workflow.name, m.WorkflowVersion.number.desc())
    ).all()  # fmt: skip
    used = _users(desk)
    chosen = _chosen(rows, params)
    listed: dict[str, dict[str, Any]] = {}
    for row in rows:
        entry = {"number": row.number, "status": STATES[row.status_id], "word": row.status_id.label,
                 "at": iso(row.created_at)}  # fmt: skip
        kept = listed.setdefault(row.name, {"name": row.name, "versions": [], "used": 0})
        kept["versions"].append(entry)
        kept["used"] += len(used.get(row.id, []))
    return {
        "rows": list(listed.values()),
        "chosen": _detail(desk, chosen, used.get(chosen.id, []), params.get("against")) if chosen is not None else None,
        "may_manage": desk.may(Permission.MANAGE_RECIPES),
    }


def _chosen(rows: Sequence[Any], params: Mapping[str, str]) -> Any | None:
    own = [row for row in rows if row.name == params.get("workflow")]
    exact = next((row for row in own if str(row.number) == params.get("version")), None)
    return exact or (own or list(rows) or [None])[0]


def _users(desk: Desk) -> dict[uuid.UUID, list[str]]:
    """Return the scene types (and variant kinds) whose newest version refers to a workflow version."""
    version = m.SceneTypeVersion
    rank = sa.func.row_number().over(partition_by=version.scene_type_id, order_by=version.number.desc())
    newest = sa.select(version.workflow_version_id, version.scene_type_id, rank.label("rank")).subquery()
    found: dict[uuid.UUID, list[str]] = {}
    scene_types = (
        sa.select(newest.c.workflow_version_id, m.SceneType.name)
        .join(m.SceneType, m.SceneType.id == newest.c.scene_type_id)
        .where(newest.c.rank == 1)
        .order_by(m.SceneType.name)
    )
    kinds = sa.select(m.VariantKind.workflow_version_id, m.VariantKind.name).order_by(m.VariantKind.name)
    for key, name in desk.session.execute(scene_types):
        found.setdefault(key, []).append(name)
    for kind_key, name in desk.session.execute(kinds.where(m.VariantKind.workflow_version_id.is_not(None))):
        if kind_key is not None:
            found.setdefault(kind_key, []).append(f"image variant {name}")
    return found


def _detail(desk: Desk, row: Any, users: list[str], against: str | None) -> dict[str, Any]:
    version = desk.session.get_one(m.WorkflowVersion, row.id)
    marked = workflow_difference.marked(desk, version, against)
    graph: Graph = marked.graph
    drawing, times = lay_out(graph), _times(desk, row.id)
    listed = _slots(desk, row.id, graph)
    names = {key: [s["name"] for s in listed if s["node_id"] == key and not s["hidden"]] for key in graph}
    total = sum(t["seconds"] for t in times.values())
    return {
        "id": str(row.id), "name": row.name, "number": row.number, "status": STATES[row.status_id],
        "word": row.status_id.label, "node_width": NODE_WIDTH, "node_height": NODE_HEIGHT,
        "width": drawing.size[0], "height": drawing.size[1],
        "nodes": [_node(key, node, drawing.places[key], names[key], times.get(key), total) | marked.on(key)
                  for key, node in graph.items()],
        "difference": marked.summary(),
        "links": [[line.source, line.target, line.input_name, [list(p) for p in line.bends]] for line in drawing.lines],
        "n_measured": max((t["n"] for t in times.values()), default=0), "total_s": total if times else None,
        "slots": listed, "used_by": users, "runs": _runs(desk, row.id),
        "workers": workflow_workers.workers(desk, row.name, version),
        "trials": workflow_trials.dry_runs(desk, row.name, version),
    }  # fmt: skip


def _node(
    key: str, node: Mapping[str, Any], at: tuple[float, float], slots: list[str], time: Mapping[str, Any] | None,
    total: float,
) -> dict[str, Any]:  # fmt: skip
    values = [[name, _text(value)] for name, value in node["inputs"].items() if not is_link(value)]
    seconds = time["seconds"] if time is not None else None
    return {
        "id": key, "name": title_of(node) or node["class_type"], "kind": node["class_type"], "x": at[0], "y": at[1],
        "slots": list(dict.fromkeys(slots)), "values": values, "seconds": seconds,
        "low_s": time["low_s"] if time is not None else None, "high_s": time["high_s"] if time is not None else None,
        "share": seconds / total if seconds is not None and total else 0.0,
    }  # fmt: skip


def _whole(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= VALUE_CHARS else text[: VALUE_CHARS - 1] + "…"


def _attempts(version_id: uuid.UUID) -> Any:
    """Return the attempts of takes and of image variants that a workflow version made, the newest first."""
    return (
        sa.select(m.GpuTaskAttempt.id, m.GpuTaskAttempt.task_id, m.GpuTaskAttempt.number, m.GpuTaskAttempt.outcome_id,
                  m.GpuTaskAttempt.dispatched_at, m.GpuTaskAttempt.run_s, m.Worker.name.label("worker"),
                  m.Character.name.label("character"), m.Scene.id.label("scene_id"),
                  m.SceneType.name.label("scene_type"), m.Segment.sequence_index, m.Take.number.label("take"))
        .join(m.GpuTask, m.GpuTask.id == m.GpuTaskAttempt.task_id)
        .join(m.Take, m.Take.id == m.GpuTask.take_id)
        .join(m.Segment, m.Segment.id == m.Take.segment_id)
        .join(m.Scene, m.Scene.id == m.Segment.scene_id)
        .join(m.SceneTypeVersion, m.SceneTypeVersion.id == m.Scene.scene_type_version_id)
        .join(m.SceneType, m.SceneType.id == m.Scene.scene_type_id)
        .join(m.Character, m.Character.id == m.Scene.character_id)
        .outerjoin(m.Worker, m.Worker.id == m.GpuTaskAttempt.worker_id)
        .where(m.SceneTypeVersion.workflow_version_id == version_id)
        .order_by(m.GpuTaskAttempt.dispatched_at.desc())
    )  # fmt: skip


def _times(desk: Desk, version_id: uuid.UUID) -> dict[str, dict[str, Any]]:
    """Return seconds of each node over the newest complete attempts: median, and the 10th and 90th percentile.

    A node that came from its server's cache in an attempt does not count there.
    """
    complete = _attempts(version_id).where(m.GpuTaskAttempt.outcome_id == AttemptOutcome.COMPLETE)
    newest = complete.limit(MEASURED).subquery()
    time = m.AttemptNodeTime
    parts = [sa.func.percentile_cont(p).within_group(time.seconds) for p in (0.5, 0.1, 0.9)]
    rows = desk.session.execute(
        sa.select(time.node_id, *parts, sa.func.count())
        .join(newest, newest.c.id == time.attempt_id)
        .where(~time.is_cached)
        .group_by(time.node_id)
    )
    return {
        node: {"seconds": float(middle), "low_s": float(low), "high_s": float(high), "n": n}
        for node, middle, low, high, n in rows
    }


def _runs(desk: Desk, version_id: uuid.UUID) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{run.task_id}-{run.number}", "scene_id": str(run.scene_id), "name": f"{run.character} · "
            f"{run.scene_type}", "take": f"S{run.sequence_index + 1} take {run.take}",
            "status": OUTCOMES[run.outcome_id] if run.outcome_id is not None else "generating",
            "word": run.outcome_id.label if run.outcome_id is not None else "Running", "worker": run.worker,
            "seconds": run.run_s, "at": iso(run.dispatched_at),
        }
        for run in desk.session.execute(_attempts(version_id).limit(RUNS))
    ]  # fmt: skip


def _slots(desk: Desk, version_id: uuid.UUID, graph: Graph) -> list[dict[str, Any]]:
    version = m.SceneTypeVersion
    rank = sa.func.row_number().over(partition_by=version.scene_type_id, order_by=version.number.desc())
    newest = sa.select(version.id, version.scene_type_id, version.workflow_version_id, rank.label("rank")).subquery()
    setters: dict[str, list[str]] = {}
    values = (
        sa.select(m.SceneTypeSlotValue.slot, m.SceneType.name)
        .join(newest, newest.c.id == m.SceneTypeSlotValue.scene_type_version_id)
        .join(m.SceneType, m.SceneType.id == newest.c.scene_type_id)
        .where(newest.c.rank == 1, newest.c.workflow_version_id == version_id)
        .order_by(m.SceneType.name)
    )
    for name, scene_type in desk.session.execute(values):
        setters.setdefault(name, []).append(scene_type)
    shown = []
    for row, slot in slots.rows_of(desk.session, version_id):
        shown.append(
            {
                "name": slot.name, "kind": slot.type.label, "node_id": slot.node_id, "input": slot.input_name,
                "value": _text(graph[slot.node_id]["inputs"][slot.input_name]), "set_by": setters.get(slot.name, []),
                "label": slot.label, "default": _whole(slot.default), "own_default": slot.has_own_default,
                "range": slot.range_words, "step": slot.step, "hidden": slot.is_hidden, "added": not row.found_name,
                "choices": ["true", "false"] if slot.type is SlotType.BOOLEAN else list(slot.choices),
            }
        )  # fmt: skip
    return shown
