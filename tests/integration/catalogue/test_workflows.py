"""The registry of workflows: status, use, and the explicit upgrade of a scene type."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest
import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.errors import ConflictError, InvalidInputError, NotFoundError
from x121lib.studio import Studio
from x121lib.terms.transitions import TransitionError
from x121lib.terms.vocabulary import AttemptOutcome
from x121lib.testing.small_studio import tiny_graph, write_recipe


def second_version(studio: Studio, folder: Path) -> str:
    """Import the graph of *sway* with another title as the next version; returns the workflow's name."""
    write_recipe(folder, "sway")
    path = folder / "sway_graph.json"
    graph = json.loads(path.read_text())
    first = next(iter(graph.values()))
    first["_meta"] = {**first.get("_meta", {}), "note": "second"}
    path.write_text(json.dumps(graph))
    studio.import_workflow(path)
    return path.stem


@pytest.mark.capability("PRD-75/workflow-library")
def test_a_version_is_tested_before_production_and_scene_types_are_counted(stocked: Studio, tmp_path: Path) -> None:
    name = second_version(stocked, tmp_path)
    frame = stocked.workflows.list(name)
    assert list(frame["version"]) == [1, 2]
    assert list(frame["status"]) == ["Draft", "Draft"]
    assert list(frame["scene_types"]) == [1, 0]
    assert frame["last_used"].isna().all()
    with pytest.raises(TransitionError, match="from Draft to Production"):
        stocked.workflows.set_status(name, "Production")
    stocked.workflows.set_status(name, "tested")
    with pytest.raises(ConflictError, match="x121 workflow try sway_graph"):
        stocked.workflows.set_status(name, "Production")
    with stocked.transaction() as session:
        version = session.scalars(sa.select(m.WorkflowVersion).order_by(m.WorkflowVersion.number.desc())).first()
        assert version is not None
        session.add(m.WorkflowTrial(workflow_version_id=version.id, prompt_id=uuid.uuid4(), seen_at=stocked.house.now(),
                                    outcome_id=AttemptOutcome.COMPLETE))  # fmt: skip
    stocked.workflows.set_status(name, "Production")
    stocked.workflows.set_status(name, "Tested", version=1)
    assert list(stocked.workflows.list(name)["status"]) == ["Tested", "Production"]
    with pytest.raises(InvalidInputError, match="Known: Draft, Tested, Production"):
        stocked.workflows.set_status(name, "fine")
    with pytest.raises(NotFoundError, match="It has 1 to 2"):
        stocked.workflows.set_status(name, "Draft", version=9)


def test_a_scene_type_changes_its_workflow_only_by_an_upgrade(stocked: Studio, tmp_path: Path) -> None:
    before = stocked.scene_types().set_index("scene_type").loc["sway"]
    name = second_version(stocked, tmp_path)
    assert list(stocked.workflows.list(name)["scene_types"]) == [1, 0]
    done = stocked.workflows.upgrade("sway")
    assert (done.before, done.after, done.version) == (1, 2, before["version"] + 1)
    assert list(stocked.workflows.list(name)["scene_types"]) == [0, 1]
    after = stocked.scene_types().set_index("scene_type").loc["sway"]
    assert before.drop("version").to_dict() == after.drop("version").to_dict()
    with pytest.raises(ConflictError, match="already"):
        stocked.workflows.upgrade("sway")
    assert stocked.workflows.upgrade("sway", version=1).after == 1


@pytest.mark.capability("PRD-75/version-management")
def test_two_versions_are_told_apart_by_nodes_values_links_and_slots(stocked: Studio, tmp_path: Path) -> None:
    name = "sway_graph"
    with pytest.raises(InvalidInputError, match="has no version before 1"):
        stocked.workflows.compare(name)
    graph = tiny_graph("slow")
    graph["9"]["inputs"]["fps"] = 30
    path = tmp_path / f"{name}.json"
    path.write_text(json.dumps(graph))
    stocked.workflows.import_file(path)
    found = stocked.workflows.compare(name)
    assert (found.before, found.after) == (f"{name}@1", f"{name}@2")
    assert [(c.input_name, c.before, c.after) for c in found.graph.changed] == [("fps", 24, 30)]
    assert {node.class_type for node in found.graph.added} >= {"ImageQuantize"}
    assert [c.node.id for c in found.graph.relinked] == ["7"]
    assert "seed_21" in found.slots_added
    assert "set: node 9 (CreateVideo), fps: 24 → 30" in found.lines()
    assert '+      "fps": 30' in found.text
    back = stocked.workflows.compare(f"{name}@2", f"{name}@1")
    assert back.graph.removed == found.graph.added
    assert back.slots_removed == found.slots_added
    shown = stocked.workflows.show(f"{name}@2")
    assert (shown["version"], shown["graph"]["9"]["inputs"]["fps"]) == (2, 30)
