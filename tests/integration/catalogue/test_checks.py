"""A workflow checked against every worker, on what the workers' servers said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.errors import NotFoundError
from x121lib.comfyui.capabilities import trimmed
from x121lib.comfyui.engine.catalogue import NODES
from x121lib.comfyui.engine.folders import Folders
from x121lib.scheduling import workers
from x121lib.studio import Studio
from x121lib.studio.checks import worker_rows
from x121lib.testing.small_studio import tiny_graph, write_recipe

LORAS = ["COMBO", {"options": ["soft.safetensors"]}]


def specs(folder: Path) -> dict[str, Any]:
    """Return the local engine's classes as a worker's server describes them, with a LoRA loader of a pack."""
    loader = {"input": {"required": {"image": ["IMAGE"], "lora_name": LORAS}}, "output": ["IMAGE"],
              "python_module": "custom_nodes.Lora-Pack"}  # fmt: skip
    return {name: trimmed(node.info(Folders(folder))) for name, node in NODES.items()} | {"LoadStyle": loader}


def add_worker(studio: Studio, name: str, said: dict[str, Any] | None, *models: str) -> None:
    """Add a worker; what its server offers is told where it is not None."""
    key = studio.workers.add(f"http://127.0.0.1:9/{name}", name=name)
    with studio.transaction() as session:
        workers.record_health(session, workers.HealthReport(key, ok=True), studio.house.now())
        if said is not None:
            files = frozenset(("loras", name) for name in models)
            workers.record_capabilities(session, key, said, files, studio.house.now())


def load_styled(studio: Studio, folder: Path, **slots: str) -> None:
    """Load the scene type *styled*, whose workflow loads a LoRA that no worker has unless a slot names another."""
    write_recipe(folder, "styled")
    graph = tiny_graph()
    graph["11"] = {"class_type": "LoadStyle", "inputs": {"image": ["8", 0], "lora_name": "gone.safetensors"},
                   "_meta": {"title": "style"}}  # fmt: skip
    graph["9"]["inputs"]["images"] = ["11", 0]
    (folder / "styled_graph.json").write_text(json.dumps(graph))
    with (folder / "styled.toml").open("a") as file:
        file.write("\n[slots]\n" + "\n".join(f'{name} = "{value}"' for name, value in slots.items()))
    studio.load_scene_type(folder / "styled.toml")


@pytest.mark.capability("PRD-75/node-validation", "PRD-75/model-lora-validation")
def test_every_worker_is_told_with_all_that_it_lacks(stocked: Studio, tmp_path: Path) -> None:
    said = specs(tmp_path)
    add_worker(stocked, "full", said, "soft.safetensors", "gone.safetensors")
    few = {name: spec for name, spec in said.items() if name not in ("LoadStyle", "ImageBlend")}
    add_worker(stocked, "poor", few)
    add_worker(stocked, "mute", None)
    load_styled(stocked, tmp_path / "r")
    (tmp_path / "own" / "loras").mkdir(parents=True)
    (tmp_path / "own" / "loras" / "gone.safetensors").write_bytes(b"weights")
    stocked.models.scan(tmp_path / "own")
    full, mute, poor = worker_rows(stocked.checks.workflow("styled_graph"))
    assert (mute["result"], mute["known"], mute["findings"]) == ("not known", False, []), "never a false 'fine'"
    (found,) = full["findings"]
    assert (found["kind"], found["name"], found["folder"]) == ("model", "gone.safetensors", "loras")
    assert found["library"] == "loras/gone.safetensors"
    assert found["detail"] == "'gone.safetensors' lies there, but this node does not list it"
    assert poor["missing"] == "ImageBlend, LoadStyle"
    by_name = {f["name"]: (f["pack"], f["others"]) for f in poor["findings"]}
    assert by_name == {"ImageBlend": ("", ("full",)), "LoadStyle": ("Lora-Pack", ("full",))}
    assert [row["worker"] for row in worker_rows(stocked.checks.workflow("styled_graph", worker="poor"))] == ["poor"]
    with pytest.raises(NotFoundError, match="no version 7"):
        stocked.checks.workflow("styled_graph", version=7)


@pytest.mark.capability("PRD-75/model-lora-validation")
def test_a_model_that_a_scene_type_sets_counts_with_that_value(stocked: Studio, tmp_path: Path) -> None:
    add_worker(stocked, "full", specs(tmp_path), "soft.safetensors")
    load_styled(stocked, tmp_path / "r", lora_style="soft.safetensors")
    (row,) = worker_rows(stocked.checks.workflow("styled_graph"))
    assert row["result"] == "fine"
    load_styled(stocked, tmp_path / "s", lora_style="hard.safetensors")
    (row,) = worker_rows(stocked.checks.workflow("styled_graph"))
    assert [(f["name"], f["detail"]) for f in row["findings"]] == [
        ("hard.safetensors", "'hard.safetensors' is not there")
    ]


def test_packs_of_an_editor_s_file_are_kept_at_its_import(equipped: Studio, tmp_path: Path) -> None:
    classes = equipped.workers.describe_classes()
    path = tmp_path / "drawn.json"
    node = {"id": 1, "type": "LoadImage", "mode": 0, "inputs": [], "outputs": [{"type": "IMAGE", "links": [1]}],
            "widgets_values": ["seed.png", "image"], "properties": {"cnr_id": "image-pack", "ver": "2.1"}}  # fmt: skip
    save = {"id": 2, "type": "SaveImage", "mode": 0, "inputs": [{"name": "images", "type": "IMAGE", "link": 1}],
            "outputs": [], "widgets_values": ["x"], "properties": {"cnr_id": "comfy-core"}}  # fmt: skip
    path.write_text(json.dumps({"version": 0.4, "nodes": [node, save], "links": [[1, 1, 0, 2, 0, "IMAGE"]]}))
    assert "LoadImage" in classes
    for _ in range(2):
        equipped.import_workflow(path)
    with equipped.transaction() as session:
        rows = session.execute(sa.select(m.WorkflowNodePack.node_class, m.WorkflowNodePack.pack_version)).all()
    assert [tuple(row) for row in rows] == [("LoadImage", "2.1")]
    add_worker(equipped, "bare", {"SaveImage": None})
    (found,) = worker_rows(equipped.checks.workflow("drawn", worker="bare"))[0]["findings"]
    assert found["pack"] == "image-pack 2.1"
