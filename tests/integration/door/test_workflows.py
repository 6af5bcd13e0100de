"""The page of the workflows on a real studio."""

from __future__ import annotations

import contextlib
import time

import pytest
import sqlalchemy as sa

from dashboards import contracts as c
from tests.integration.door.conftest import Stage
from tests.integration.door.shapes import problems
from x121lib import model as m
from x121lib.base.errors import ConflictError, ForbiddenError
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
