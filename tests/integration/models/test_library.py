"""The library of models: scan, versions, integrity, uses, warnings, staleness, removal."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.errors import ForbiddenError, InvalidInputError, NotFoundError, RefusedError
from x121lib.models.headers import LARGEST_HEADER_BYTES, read_header
from x121lib.pipeline.submission import Selection
from x121lib.studio import Studio
from x121lib.terms.roles import Actor
from x121lib.terms.vocabulary import EventKind, ModelStatus, SceneStatus, TaskStatus
from x121lib.testing.small_studio import drive, tiny_graph, write_recipe

LORA, OTHER = "loras/soft.safetensors", "checkpoints/base.safetensors"


def weights(path: Path, body: bytes = b"w" * 64, **meta: str) -> Path:
    """Write a file in safetensors' form."""
    header = json.dumps({"__metadata__": meta}).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(header).to_bytes(8, "little") + header + body)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    tags = json.dumps({"10_soft": {"soft light": 9, "portrait": 30}})
    weights(tmp_path / "models" / LORA, b"w" * 64, **{"modelspec.architecture": "sdxl", "ss_tag_frequency": tags})
    weights(tmp_path / "models" / OTHER, b"c" * 64)
    (tmp_path / "models" / "loras" / "readme.txt").write_text("no model")
    return tmp_path / "models"


def lora_recipe(studio: Studio, folder: Path, name: str = "sway") -> None:
    """Load a scene type whose workflow names the two models in text inputs that every server ignores."""
    path = write_recipe(folder, name, segments=2)
    graph = tiny_graph()
    graph["4"]["inputs"] |= {"lora_name": "soft.safetensors", "strength_model": 0.6, "ckpt_name": "base.safetensors"}
    (folder / f"{name}_graph.json").write_text(json.dumps(graph))
    studio.load_scene_type(path)


def events(studio: Studio, kind: EventKind) -> list[dict[str, Any]]:
    with studio.transaction() as session:
        return list(session.scalars(sa.select(m.Event.payload).where(m.Event.kind_id == kind).order_by(m.Event.id)))


@pytest.mark.capability("PRD-17/asset-inventory")
def test_a_scan_reads_each_file_once_and_a_change_is_a_version(stocked: Studio, root: Path) -> None:
    first = stocked.models.scan(root)
    assert (first.n_files, first.n_hashed, first.added) == (2, 2, (OTHER, LORA))
    again = stocked.models.scan(root)
    assert (again.n_hashed, again.added, again.updated, again.missing) == (0, (), (), ())
    shown = stocked.models.show("soft.safetensors")
    assert (shown["kind"], shown["base_model"], shown["trigger_words"]) == ("LoRA", "sdxl", ["portrait", "soft light"])
    weights(root / LORA, b"n" * 65)
    assert stocked.models.scan(root).updated == (LORA,)
    assert [v["number"] for v in stocked.models.show(LORA)["versions"]] == [2, 1]
    assert events(stocked, EventKind.MODEL_UPDATED) == [{"path": LORA, "version": 2}]
    frame = stocked.models.list("loras")
    assert list(frame["version"]) == [2]


@pytest.mark.capability("PRD-43/model-integrity-scanner")
def test_altered_and_missing_files_are_found_and_a_moved_one_is_repaired(stocked: Studio, root: Path) -> None:
    stocked.models.scan(root)
    stocked.models.rate(LORA, 4)
    lora_recipe(stocked, root.parent / "recipes")
    status = (root / OTHER).stat()
    body = bytearray((root / OTHER).read_bytes())
    body[-1] ^= 1
    (root / OTHER).write_bytes(bytes(body))
    os.utime(root / OTHER, ns=(status.st_atime_ns, status.st_mtime_ns))
    (root / "loras" / "kept").mkdir()
    (root / LORA).rename(root / "loras" / "kept" / "soft.safetensors")
    assert stocked.models.verify() == [(OTHER, ModelStatus.ALTERED), (LORA, ModelStatus.MISSING)]
    assert events(stocked, EventKind.MODEL_ALTERED) == [{"path": OTHER}]
    assert [r.found for r in stocked.models.repair()] == [None]
    stocked.models.scan(root)
    (done,) = stocked.models.repair()
    assert (done.path, done.found) == (LORA, "loras/kept/soft.safetensors")
    assert set(done.still_named) == {"workflow sway_graph", "scene type sway"}
    assert stocked.models.show("kept/soft.safetensors")["rating"] == 4
    assert len(stocked.models.list()) == 2


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"", ""),
        ((LARGEST_HEADER_BYTES + 1).to_bytes(8, "little") + b"{}", ""),
        ((2**62).to_bytes(8, "little") + b"{}", ""),
        ((9).to_bytes(8, "little") + b'["__meta"', ""),
        ((6000).to_bytes(8, "little") + b"[" * 6000, ""),
        ((64).to_bytes(8, "little") + b'{"__metadata__": {"ss_base_model_version": "sd\\u0000xl"}}'.ljust(64), "sdxl"),
    ],
)
def test_a_broken_header_says_nothing(tmp_path: Path, raw: bytes, word: str) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(raw)
    assert read_header(path).base_model == word


@pytest.mark.capability("PRD-17/dependency-graph", "PRD-69/provenance-query", "OVR/asset-dependency-graph-drawn")
def test_a_used_model_is_not_removed_and_an_unused_one_is(stocked: Studio, root: Path) -> None:
    stocked.models.scan(root)
    lora_recipe(stocked, root.parent / "recipes")
    stocked.project("Aurora").submit(characters=["Aiko"])
    uses = stocked.models.uses(LORA)
    assert list(uses["what"]) == ["workflow", "scene type", "scene"]
    assert (uses["weight"][0], uses["name"][2]) == (0.6, "Aiko / sway / clothed")
    drawn = stocked.models.graph(LORA)
    assert drawn.startswith("<svg")
    assert all(name in drawn for name in (LORA, "sway_graph", "sway v", "Aiko / sway / clothed"))
    with pytest.raises(RefusedError, match="workflow 'sway_graph', scene type 'sway', scene 'Aiko / sway / clothed'"):
        stocked.models.remove(LORA)
    assert (root / LORA).is_file()
    for tasks, needed in ((TaskStatus.QUEUED, True), (TaskStatus.CANCELLED, False)):
        with stocked.transaction() as session:
            session.execute(sa.update(m.Scene).values(status_id=SceneStatus.FAILED))
            session.execute(sa.update(m.GpuTask).values(status_id=tasks))
        uses = stocked.models.uses(LORA)
        assert bool(uses.set_index("what")["is_current"]["scene"]) is needed
    weights(root / "vae" / "idle.safetensors", b"v")
    stocked.models.scan(root)
    stocked.models.remove("idle.safetensors")
    assert not (root / "vae" / "idle.safetensors").exists()
    with pytest.raises(NotFoundError):
        stocked.models.show("idle.safetensors")


@pytest.mark.capability("PRD-17/compatibility-notes", "PRD-17/quality-ratings")
def test_a_warned_pair_is_said_at_submission_and_a_rating_is_kept(stocked: Studio, root: Path) -> None:
    stocked.models.scan(root)
    stocked.models.note(LORA, "Melts faces after segment 5.", other=OTHER, is_warning=True)
    stocked.models.note(LORA, "A quiet remark.")
    stocked.models.rate(LORA, 2)
    assert stocked.project("Aurora").submit_selection(Selection(), dry_run=True).warnings == ()
    lora_recipe(stocked, root.parent / "recipes")
    (warned,) = stocked.project("Aurora").submit_selection(Selection(), dry_run=True).warnings
    assert str(warned) == "sway loads soft.safetensors with base.safetensors: Melts faces after segment 5."
    assert list(stocked.models.warnings("sway")) == [warned]
    assert {n["with"] for n in stocked.models.show(LORA)["notes"]} == {OTHER, None}
    for wrong in (0, 6):
        with pytest.raises(InvalidInputError):
            stocked.models.rate(LORA, wrong)
    with pytest.raises(InvalidInputError, match="paired with itself"):
        stocked.models.note(LORA, "x", other="soft.safetensors")


@pytest.mark.capability("PRD-17/dependency-aware-updates")
def test_an_update_makes_the_takes_of_the_old_version_stale(equipped: Studio, root: Path) -> None:
    equipped.models.scan(root)
    lora_recipe(equipped, root.parent / "recipes")
    equipped.project("Aurora").submit(characters=["Aiko"])
    drive(equipped)
    takes = equipped.models.uses(LORA)
    assert list(takes[takes["what"] == "take"]["name"]) == ["Aiko / sway / clothed S1", "Aiko / sway / clothed S2"]
    assert equipped.models.stale().empty
    weights(root / LORA, b"second")
    equipped.models.scan(root)
    stale = equipped.models.stale(LORA)
    assert list(stale["segment"]) == [1, 2]
    assert stale["reason"][0] == f"made with version 1 of {LORA}, which is at version 2"
    assert equipped.models.stale(OTHER).empty


def test_a_reviewer_looks_and_changes_nothing(stocked: Studio, root: Path, reviewer: Actor) -> None:
    stocked.models.scan(root)
    seen = stocked.as_actor(reviewer).models
    assert len(seen.list()) == 2
    for change in (lambda: seen.scan(root), lambda: seen.rate(LORA, 1), lambda: seen.note(LORA, "x"), seen.repair,
                   seen.verify, lambda: seen.remove(LORA)):  # fmt: skip
        with pytest.raises(ForbiddenError):
            change()
