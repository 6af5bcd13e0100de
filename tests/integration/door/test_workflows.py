"""The page of the workflows on a real studio."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from dashboards import contracts as c
from tests.integration.door.conftest import Stage
from tests.integration.door.shapes import problems
from x121lib import model as m
from x121lib.base.errors import ConflictError, ForbiddenError, InvalidInputError
from x121lib.scheduling import workers
from x121lib.studio.door import Door
from x121lib.studio.pages import SessionPerson
from x121lib.terms.vocabulary import SceneStatus


def test_without_workflows_the_page_is_empty(empty: tuple[Door, SessionPerson]) -> None:
    door, admin = empty
    view = door.workflows(admin, None, {})
    assert problems(view, c.WorkflowsView) == []
    assert (view["rows"], view["chosen"]) == ([], None)


@pytest.mark.capability("PRD-33/workflow-graph-canvas", "PRD-33/per-node-timing-telemetry")
def test_a_workflow_shows_its_graph_times_slots_runs_and_what_workers_lack(reviewed: Stage) -> None:
    door, studio = reviewed.door, reviewed.studio
    with studio.transaction() as session:
        attempts = list(session.scalars(sa.select(m.GpuTaskAttempt.id).order_by(m.GpuTaskAttempt.dispatched_at)))
        version = session.scalars(sa.select(m.WorkflowVersion).join(m.SceneTypeVersion)).one()
        nodes = list(version.graph)[:2]
        for number, attempt in enumerate(attempts):
            for node, seconds, cached in ((nodes[0], 1.0 + number, False), (nodes[1], 0.0, True)):
                session.add(m.AttemptNodeTime(attempt_id=attempt, node_id=node, seconds=seconds, is_cached=cached,
                                              node_class=version.graph[node]["class_type"]))  # fmt: skip
        classes = {node["class_type"] for node in version.graph.values()}
        lacking = sorted(classes)[0]
        key = str(session.scalars(sa.select(m.Worker.id)).one())
        workers.record_capabilities(session, workers.find(session, key).id, dict.fromkeys(classes - {lacking}),
                                    frozenset(), studio.house.now())  # fmt: skip
    view = door.workflows(reviewed.reviewer, None, {"workflow": "idle"})
    assert problems(view, c.WorkflowsView) == []
    assert [row["name"] for row in view["rows"]] == ["evening", "idle"]
    assert [row["used"] for row in view["rows"]] == [1, 1]
    chosen = view["chosen"]
    assert chosen["used_by"] == ["idle"]
    assert {node["id"] for node in chosen["nodes"]} == set(version.graph)
    shown = {node["id"]: node for node in chosen["nodes"]}
    assert chosen["n_measured"] == len(attempts) > 1
    assert shown[nodes[0]]["seconds"] == pytest.approx(1 + (len(attempts) - 1) / 2)
    assert shown[nodes[0]]["share"] == 1.0
    assert shown[nodes[1]]["seconds"] is None, "what came from the cache took no time"
    assert "seed_image" in {slot["name"] for slot in chosen["slots"]}
    assert any("seed_image" in node["slots"] for node in chosen["nodes"])
    assert len(chosen["runs"]) == len(attempts)
    assert [(w["status"], w["classes"]) for w in chosen["workers"]] == [("failed", [lacking])]


def test_an_unknown_workflow_or_version_shows_what_there_is(stage: Stage) -> None:
    for params in ({"workflow": "nope"}, {"workflow": "idle", "version": "99"}, {"version": "1"}):
        assert stage.door.workflows(stage.admin, None, params)["chosen"] is not None


@pytest.mark.capability("OVR/pre-run-workflow-health-check-of-loras-and-nodes")
def test_a_batch_is_checked_from_the_matrix_and_mended_by_who_may(reviewed: Stage) -> None:
    door, studio = reviewed.door, reviewed.studio
    told = door.check_project(reviewed.reviewer, None)
    assert problems(told, c.BatchCheck) == []
    assert "blocked" in {row["status"] for row in told["rows"]}
    with studio.transaction() as session:
        key = session.scalars(sa.select(m.Worker.id)).one()
        workers.record_capabilities(session, key, {"Nothing": None}, frozenset(), studio.house.now())
        session.execute(sa.update(m.Scene).values(status_id=SceneStatus.FAILED))
    told = door.check_project(reviewed.reviewer, None)
    stuck = [row for row in told["rows"] if row["status"] == "failed"]
    assert stuck
    assert all(row["text"].startswith("No worker has node class") for row in stuck)
    assert (told["steps"], told["mends"], told["may_fix"]) == (
        ["ask the workers again for what they have"],
        False,
        False,
    )
    with pytest.raises(ForbiddenError):
        door.fix_project(reviewed.reviewer, None)
    mended = door.fix_project(reviewed.admin, None)
    assert [one["ok"] for one in mended["done"]] == [True]


@pytest.mark.capability("PRD-75/dry-run-test")
def test_a_version_is_tried_from_its_page_by_who_may(reviewed: Stage) -> None:
    door, studio = reviewed.door, reviewed.studio
    with pytest.raises(ForbiddenError):
        door.try_workflow(reviewed.reviewer, "idle", 1)
    with studio.transaction() as session:
        session.execute(sa.update(m.Worker).values(url="http://127.0.0.7:9", capabilities_hash=None))
    assert door.try_workflow(reviewed.admin, "idle", 1)["text"].startswith("idle v1 is being tried on ")
    (shown,) = door.workflows(reviewed.admin, None, {"workflow": "idle"})["chosen"]["trials"]
    assert shown["word"] in ("Running", "Failed")
    with contextlib.suppress(ConflictError):  # nothing answers there: it may be over already
        assert door.cancel_try(reviewed.admin, shown["id"]) == "The dry run stops"
    for _ in range(300):
        if studio.trials.list("idle")["status"][0] != "running":
            break
        time.sleep(0.1)
    assert studio.trials.list("idle")["status"][0] in ("failed", "cancelled")


@pytest.mark.capability("M-03/visual-workflow-diff-graph-comparison")
def test_a_version_is_marked_against_another(stage: Stage, tmp_path: Path) -> None:
    flows = stage.studio.workflows
    graph = flows.show("idle@1")["graph"]
    last = next(key for key, node in graph.items() if node["class_type"] == "SaveVideo")
    graph["900"] = graph.pop(last)
    graph["900"]["class_type"] = "SaveWEBM"
    video = next(key for key, node in graph.items() if node["class_type"] == "CreateVideo")
    graph[video]["inputs"]["fps"] = 12
    (tmp_path / "idle.json").write_text(json.dumps(graph))
    flows.import_file(tmp_path / "idle.json")
    view = stage.door.workflows(stage.admin, None, {"workflow": "idle", "version": "2", "against": "1"})
    assert problems(view, c.WorkflowsView) == []
    marks = {node["id"]: node["mark"] for node in view["chosen"]["nodes"] if node["mark"]}
    assert marks == {"900": "added", f"removed:{last}": "removed", video: "changed"}
    found = view["chosen"]["difference"]
    assert (found["number"], found["added"], found["removed"], found["changed"]) == (1, 1, 1, 1)
    assert [row["lines"] for row in found["rows"] if row["mark"] == "changed"] == [["fps: 24.0 → 12"]]
    for none in ("2", "9", "x"):
        plain = stage.door.workflows(stage.admin, None, {"workflow": "idle", "version": "2", "against": none})
        assert plain["chosen"]["difference"] is None


@pytest.mark.capability("PRD-33/edit-mapped-parameters-on-the-canvas")
def test_slots_are_edited_from_the_page_and_taken_back(stage: Stage) -> None:
    door = stage.door

    def shown() -> dict[str, dict[str, Any]]:
        slots = door.workflows(stage.admin, None, {"workflow": "idle"})["chosen"]["slots"]
        return {slot["name"]: slot for slot in slots}

    node = shown()["frame_rate"]["node_id"]
    done = door.edit_slot(stage.admin, "idle@1", "frame_rate", node, {"name": "rate"})
    assert done["undo"] == {"name": "edit_slot", "slot": "rate", "changes": {"name": "frame_rate"}}
    with pytest.raises(InvalidInputError, match="Slot rate takes 1 to 120, not 'fast'"):
        door.edit_slot(stage.admin, "idle@1", "rate", node, {"default": "fast"})
    door.edit_slot(stage.admin, "idle@1", "rate", node, {"default": "30", "is_hidden": True})
    rate = shown()["rate"]
    assert (rate["default"], rate["own_default"], rate["hidden"], rate["range"]) == ("30", True, True, "1 to 120")
    door.edit_slot(stage.admin, "idle@1", "rate", node, done["undo"]["changes"])
    with pytest.raises(ForbiddenError):
        door.edit_slot(stage.reviewer, "idle@1", "frame_rate", node, {"label": "x"})
    graph = stage.studio.workflows.show("idle")["graph"]
    place = next((k, n) for k, v in graph.items() for n, x in v["inputs"].items() if n == "format" and x == "mp4")
    added = door.add_slot(stage.admin, "idle", *place)
    assert added["undo"] == {"name": "remove_slot", "slot": "format"}
    assert shown()["format"]["added"] is True
    door.remove_slot(stage.admin, "idle@1", "format", place[0])
    assert "format" not in shown()
