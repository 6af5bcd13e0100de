"""Scene types, workflows and variant kinds: versions, checks, names that must parse back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.errors import ConflictError, InvalidInputError, NotFoundError
from x121lib.comfyui.errors import GraphError
from x121lib.studio import Studio
from x121lib.testing import editor_files
from x121lib.testing.small_studio import DATA, write_recipe


@pytest.mark.capability("PRD-23/scene-type-registry", "PRD-23/workflow-assignment", "PRD-23/duration-configuration",
                        "PRD-01/scene-type", "PRD-01/workflow", "PRD-01/segment-duration")  # fmt: skip
def test_a_changed_file_is_a_new_version_and_the_same_one_is_not(stocked: Studio, tmp_path: Path) -> None:
    assert stocked.load_scene_type(write_recipe(tmp_path, "nod")) == "nod"
    stocked.load_scene_type(write_recipe(tmp_path, "nod"))
    frame = stocked.scene_types().set_index("scene_type")
    assert (frame.loc["nod", "version"], frame.loc["nod", "target_s"], frame.loc["nod", "size"]) == (1, 1.5, "256×320")
    stocked.load_scene_type(write_recipe(tmp_path, "nod", segments=4))
    assert stocked.scene_types().set_index("scene_type").loc["nod", "version"] == 2
    with stocked.transaction() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(m.SceneTypeVersion)) == 3


def test_scenes_that_were_planned_keep_their_version(stocked: Studio, tmp_path: Path) -> None:
    project = stocked.project("Aurora")
    project.submit(characters=["Aiko"])
    stocked.load_scene_type(write_recipe(tmp_path, "sway", segments=2))
    assert project.submit(characters=["Lena"]).submission.n_takes == 2
    project.cancel()
    assert project.submit(characters=["Aiko"]).submission.n_takes == 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"width": "0"}, "'width' must be a number above 0"),
        ({"segment_duration_s": '"two"'}, "'segment_duration_s' must be a number"),
        ({"frame_rate": '"0/1"'}, "frame_rate"),
        ({"frame_rate": '"-24/1"'}, "frame_rate"),
        ({"frame_rate": '"fast"'}, "frame_rate"),
        ({"target_duration_s": "inf"}, "target_duration_s"),
        ({"qa_profile": '"nothing"'}, "no QA profile 'nothing'"),
        ({"variants": "[]"}, "names no variant kind"),
        ({"colour": '"red"'}, "unknown key 'colour'"),
        ({"workflow": '"gone.json"'}, "no workflow file 'gone.json'"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name_and_key(
    stocked: Studio, tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        stocked.load_scene_type(write_recipe(tmp_path, "nod", **changes))
    assert "nod.toml" in str(refusal.value)
    assert words in str(refusal.value)
    assert "nod" not in set(stocked.scene_types()["scene_type"])


def test_a_workflow_of_the_editor_is_refused(stocked: Studio, tmp_path: Path) -> None:
    path = write_recipe(tmp_path, "nod")
    (tmp_path / "nod_graph.json").write_text('{"nodes": [], "links": [], "version": 0.4}')
    with pytest.raises(GraphError):
        stocked.load_scene_type(path)


@pytest.mark.capability("PRD-75/workflow-import")
def test_the_editors_form_is_converted_while_a_worker_is_online(equipped: Studio, tmp_path: Path) -> None:
    path = tmp_path / "scaled.json"
    path.write_text(json.dumps(editor_files.plain()))
    key = equipped.import_workflow(path)
    with equipped.transaction() as session:
        graph = session.get_one(m.WorkflowVersion, key).graph
        slots = session.scalars(sa.select(m.WorkflowSlot.name).where(m.WorkflowSlot.workflow_version_id == key)).all()
    assert {node["class_type"] for node in graph.values()} == {"LoadImage", "ImageScale", "SaveImage"}
    size = {"upscale_method": "lanczos", "width": 640, "height": 480, "crop": "center"}
    assert graph["2"]["inputs"] == {**size, "image": ["1", 0]}
    assert "seed_image" in slots
    strange = editor_files.plain()
    strange["nodes"][1]["type"] = "FromSomePack"
    path.write_text(json.dumps(strange))
    with pytest.raises(GraphError, match=r"node 2 \(FromSomePack\): the worker that was asked has no such class"):
        equipped.import_workflow(path)
    with equipped.transaction() as session:
        assert session.scalar(sa.select(sa.func.count()).where(m.Workflow.name == "scaled")) == 1


@pytest.mark.capability("PRD-01/naming-convention")
def test_names_that_could_be_read_in_two_ways_are_refused_whichever_comes_second(
    stocked: Studio, tmp_path: Path
) -> None:
    for name in ("evening_dance", "dance_2", "Dance"):
        with pytest.raises((ConflictError, InvalidInputError)):
            stocked.load_scene_type(write_recipe(tmp_path, name))
    stocked.add_variant_kind("noir", prefix="noir_")
    with pytest.raises(ConflictError):
        stocked.load_scene_type(write_recipe(tmp_path, "noir_walk"))
    stocked.load_scene_type(write_recipe(tmp_path, "dusk_walk"))
    with pytest.raises(ConflictError):
        stocked.add_variant_kind("dusk", prefix="dusk_")
    with pytest.raises(ConflictError, match="exists with the prefix 'evening_'"):
        stocked.add_variant_kind("evening", prefix="night_")


def test_a_kind_that_is_unknown_is_named(stocked: Studio, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="Known: clothed, evening"):
        stocked.load_scene_type(write_recipe(tmp_path, "nod", variants='["noir"]'))


def test_the_sample_recipes_load(stocked: Studio) -> None:
    for path in sorted((DATA / "scene_types").glob("*.toml")):
        stocked.load_scene_type(path)
    assert set(stocked.scene_types()["scene_type"]) == {"dance", "idle", "sway", "walk", "wave"}
    assert "seed_image" in stocked.workflows.list().set_index("workflow").loc["idle", "slots"]
