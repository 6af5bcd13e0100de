"""`x121 workflow …`: versions, status, upgrade, slots."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from x121lib.testing.small_studio import tiny_graph, write_recipe

X121 = Callable[..., Result]


@pytest.mark.capability("PRD-75/version-management", "PRD-75/workflow-library")
def test_versions_status_and_upgrade(x121: X121, tmp_path: Path) -> None:
    graph = tiny_graph("slow")
    (tmp_path / "sway_graph.json").write_text(json.dumps(graph))
    done = x121("workflow", "import", tmp_path / "sway_graph.json", "--repeats-seed-frame")
    assert done.stdout.strip() == "Workflow sway_graph 2 is imported."
    again = x121("workflow", "import", tmp_path / "sway_graph.json", "--repeats-seed-frame")
    assert "2 is known already" in again.stdout
    rows = json.loads(x121("workflow", "versions", "sway_graph", "--json").stdout)
    assert [(r["version"], r["status"], r["scene_types"]) for r in rows] == [(1, "Draft", 1), (2, "Draft", 0)]
    assert "from Draft to Production" in x121("workflow", "status", "sway_graph", "Production", code=1).stderr
    assert "is Tested" in x121("workflow", "status", "sway_graph", "tested").stdout
    assert "sway 2: sway_graph 1 → 2." in x121("workflow", "upgrade", "sway").stdout
    assert "already" in x121("workflow", "upgrade", "sway", code=1).stderr
    assert "no scene type 'swing'" in x121("workflow", "upgrade", "swing", code=1).stderr
    assert "It has 1 to 2" in x121("workflow", "upgrade", "sway", "--to", "9", code=1).stderr
    rows = json.loads(x121("workflow", "versions", "sway_graph", "--json").stdout)
    assert [(r["status"], r["scene_types"]) for r in rows] == [("Draft", 0), ("Tested", 1)]


@pytest.mark.capability("PRD-75/parameter-discovery")
def test_slots_are_listed_and_changed(x121: X121, tmp_path: Path) -> None:
    assert "grain" in x121("workflow", "slot", "add", "sway_graph", "7", "blend_factor", "--name", "grain",
                           "--minimum", "0", "--maximum", "0.5").stdout  # fmt: skip
    x121("workflow", "slot", "set", "sway_graph", "grain", "--default", "0.1", "--label", "Film grain")
    refused = x121("workflow", "slot", "set", "sway_graph", "grain", "--default", "2", code=1)
    assert refused.stderr.strip() == "x121: Slot grain takes 0 to 0.5, not 2."
    x121("workflow", "slot", "set", "sway_graph", "grain", code=2)
    x121("workflow", "slot", "rename", "sway_graph@1", "grain", "noise")
    x121("workflow", "slot", "hide", "sway_graph", "noise")
    rows = {r["slot"]: r for r in json.loads(x121("workflow", "slots", "sway_graph", "--json").stdout)}
    noise = rows["noise"]
    assert (noise["default"], noise["label"], noise["is_hidden"]) == (0.1, "Film grain", True)
    assert (noise["minimum"], noise["node"], noise["input"]) == (0, "7", "blend_factor")
    assert rows["seed"]["maximum"] == 2**64 - 1
    assert {"added,", "hidden"} <= set(x121("workflow", "slots", "sway_graph").stdout.split())
    x121("workflow", "slot", "show", "sway_graph", "noise")
    x121("workflow", "slot", "set", "sway_graph", "noise", "--file-default")
    rows = {r["slot"]: r for r in json.loads(x121("workflow", "slots", "sway_graph", "--json").stdout)}
    assert (rows["noise"]["default"], rows["noise"]["is_hidden"]) == (0.08, False)
    path = write_recipe(tmp_path, "nod", slots="{noise = 0.9}", workflow='"sway_graph.json"')
    (tmp_path / "sway_graph.json").write_text(json.dumps(tiny_graph()))
    refused = x121("scene-type", "load", path, code=1)
    assert "nod.toml, [slots]: Slot noise takes 0 to 0.5, not 0.9." in refused.stderr
    x121("workflow", "slot", "remove", "sway_graph", "noise")
    assert "say nothing new" in x121("workflow", "slot", "describe", "sway_graph").stdout


def test_a_lost_slot_is_said_at_the_import_and_refuses_the_upgrade(x121: X121, tmp_path: Path) -> None:
    x121("scene-type", "load", write_recipe(tmp_path, "sway", slots="{frame_rate = 30}"))
    graph = tiny_graph()
    graph["90"] = {"class_type": "PrimitiveFloat", "inputs": {"value": 24.0}}
    graph["9"]["inputs"]["fps"] = ["90", 0]
    (tmp_path / "sway_graph.json").write_text(json.dumps(graph))
    done = x121("workflow", "import", tmp_path / "sway_graph.json", "--repeats-seed-frame")
    assert "Slot 'frame_rate' is lost: fps of node 9 (CreateVideo) comes by a link now." in done.stderr
    assert "scene type 'sway'" in done.stderr
    refused = x121("workflow", "upgrade", "sway", code=1)
    assert "has no slot frame_rate, which 'sway' sets (frame_rate: fps of node 9" in refused.stderr


@pytest.mark.capability("PRD-75/version-management")
def test_a_version_is_shown_exported_and_compared(x121: X121, tmp_path: Path) -> None:
    out = tmp_path / "sway_graph.json"
    x121("workflow", "export", "sway_graph@1", "--out", out)
    graph = json.loads(out.read_text())
    assert graph == json.loads(x121("workflow", "export", "sway_graph").stdout)
    assert "fps = 24" in x121("workflow", "show", "sway_graph").stdout
    graph["9"]["inputs"]["fps"] = 12
    del graph["5"]
    graph["7"]["inputs"]["image2"] = ["6", 0]
    graph["11"] = {"class_type": "PreviewImage", "inputs": {"images": ["8", 0]}}
    out.write_text(json.dumps(graph))
    x121("workflow", "import", out, "--repeats-seed-frame")
    lines = x121("workflow", "diff", "sway_graph@1", "sway_graph@2").stdout.splitlines()
    assert "added: node 11 (PreviewImage)" in lines
    assert "removed: node 5 (ImageScale)" in lines
    assert "set: node 9 (CreateVideo), fps: 24 → 12" in lines
    facts = json.loads(x121("workflow", "diff", "sway_graph", "--json").stdout)
    assert [c["after"] for c in facts["changed"]] == [12]
    assert [r["input"] for r in facts["relinked"]] == ["image2"]
    assert "@@" in x121("workflow", "diff", "sway_graph", "--text").stdout
    assert "do the same" in x121("workflow", "diff", "sway_graph@2", "sway_graph").stdout
    assert "has no version 9" in x121("workflow", "diff", "sway_graph@9", code=1).stderr


@pytest.mark.capability("PRD-75/workflow-import")
def test_a_folder_is_imported_with_a_table_and_a_status(x121: X121, tmp_path: Path) -> None:
    folder = tmp_path / "flows"
    folder.mkdir()
    (folder / "good.json").write_text(json.dumps(tiny_graph()))
    rows = json.loads(x121("workflow", "import", folder, "--json").stdout)
    assert [(r["file"], r["result"], r["version"]) for r in rows] == [("good.json", "imported", 1)]
    (folder / "bad.json").write_text("[]")
    rows = json.loads(x121("workflow", "import", folder, "--json", code=1).stdout)
    assert [(r["file"], r["result"]) for r in rows] == [("bad.json", "refused"), ("good.json", "unchanged")]
    assert "is not a workflow" in rows[0]["reason"]
    assert "better 1 is imported" in x121("workflow", "import", folder / "good.json", "--name", "better").stdout
    x121("workflow", "import", code=2)
    x121("workflow", "import", folder, "--worker", "w", code=2)
    x121("workflow", "import", "--worker", "w", "--name", "n", code=2)
    assert "'w'" in x121("workflow", "import", "--worker", "w", "--list", code=1).stderr
