"""Workflows from a folder and from a server: each file by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from x121lib.base.errors import ForbiddenError, InvalidInputError
from x121lib.comfyui.engine import start_engine
from x121lib.studio import Studio
from x121lib.terms.roles import ROLE_PERMISSIONS, Actor
from x121lib.terms.vocabulary import RoleName
from x121lib.testing import editor_files
from x121lib.testing.small_studio import tiny_graph


def results(found: Any) -> dict[str, tuple[str, str, int | None]]:
    """Return result, workflow and version by file."""
    return {one.file: (one.result, one.workflow, one.version) for one in found}


@pytest.mark.capability("PRD-75/workflow-import")
def test_every_file_of_a_folder_is_imported_or_refused_by_itself(stocked: Studio, tmp_path: Path) -> None:
    folder = tmp_path / "flows"
    folder.mkdir()
    (folder / "good.json").write_text(json.dumps(tiny_graph()))
    (folder / "sway_graph.json").write_text(json.dumps(tiny_graph()))
    (folder / "broken.json").write_text("{")
    (folder / "editor.json").write_text(json.dumps(editor_files.plain()))
    (folder / "note.txt").write_text("no workflow")
    found = stocked.workflows.import_folder(folder, repeats_seed_frame=True)
    assert results(found) == {
        "broken.json": ("refused", "", None), "editor.json": ("refused", "", None),
        "good.json": ("imported", "good", 1), "sway_graph.json": ("unchanged", "sway_graph", 1),
    }  # fmt: skip
    reasons = {one.file: one.reason for one in found}
    assert "broken.json cannot be read as a workflow" in reasons["broken.json"]
    assert "bring a worker online" in reasons["editor.json"]
    assert not {"broken", "editor"} & set(stocked.workflows.list()["workflow"])
    with pytest.raises(InvalidInputError, match=r"has 0 \.json files"):
        stocked.workflows.import_folder(tmp_path)
    reviewer = stocked.as_actor(Actor(None, "Rita", ROLE_PERMISSIONS[RoleName.REVIEWER]))
    with pytest.raises(ForbiddenError):
        reviewer.workflows.import_folder(folder)


def test_a_file_is_imported_under_another_name(stocked: Studio, tmp_path: Path) -> None:
    path = tmp_path / "export (3).json"
    path.write_text(json.dumps(tiny_graph()))
    assert stocked.workflows.import_file(path, name="walk cycle").name == "walk cycle"
    for name in ("a/b", "", ".x", "x@2", "x" * 201):
        with pytest.raises(InvalidInputError, match="can be no workflow's name"):
            stocked.workflows.import_file(path, name=name)


@pytest.fixture
def saving(stocked: Studio, tmp_path: Path) -> Iterator[Studio]:
    """The stocked studio with an engine on which people saved workflows."""
    engine = start_engine(tmp_path / "engine")
    stocked.workers.add(engine.url, name="saving", engine=True)
    stocked.work.check_workers()
    folder = tmp_path / "engine" / "user" / "default" / "workflows"
    (folder / "old").mkdir(parents=True)
    (folder / "scaled.json").write_text(json.dumps(editor_files.plain()))
    (folder / "tiny.json").write_text(json.dumps(tiny_graph()))
    (folder / "old" / "tiny.json").write_text(json.dumps(tiny_graph("slow")))
    yield stocked
    engine.stop()


@pytest.mark.capability("PRD-75/workflow-import")
def test_workflows_are_pulled_from_a_server(saving: Studio) -> None:
    flows = saving.workflows
    assert list(flows.worker_files("saving")["file"]) == ["old/tiny.json", "scaled.json", "tiny.json"]
    found = flows.import_from_worker("saving")
    assert results(found) == {
        "old/tiny.json": ("imported", "tiny", 1), "scaled.json": ("imported", "scaled", 1),
        "tiny.json": ("refused", "", None),
    }  # fmt: skip
    assert "old/tiny.json has the same name" in found[2].reason
    assert {n["class_type"] for n in flows.show("scaled")["graph"].values()} == {"LoadImage", "ImageScale", "SaveImage"}
    assert results(flows.import_from_worker("saving", ["tiny.json", "none.json", "../x.json"])) == {
        "tiny.json": ("imported", "tiny", 2), "none.json": ("refused", "", None), "../x.json": ("refused", "", None),
    }  # fmt: skip
    assert flows.import_worker_file("saving", "old/tiny.json", name="tiny_old").name == "tiny_old"
    reviewer = saving.as_actor(Actor(None, "Rita", ROLE_PERMISSIONS[RoleName.REVIEWER]))
    with pytest.raises(ForbiddenError):
        reviewer.workflows.worker_files("saving")
