"""The page of the models on a real studio with real files."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from dashboards import contracts as c
from tests.integration.door.conftest import person
from tests.integration.door.shapes import problems
from tests.integration.models.test_library import LORA, OTHER, lora_recipe, weights
from x121lib import model as m
from x121lib.base.errors import ForbiddenError, InvalidInputError, RefusedError
from x121lib.qa import service as qa
from x121lib.scheduling import workers
from x121lib.studio.door import Door
from x121lib.studio.pages import SessionPerson
from x121lib.terms.roles import SYSTEM
from x121lib.testing.file_site import FileSite, Page
from x121lib.testing.small_studio import LENIENT


def register_worker(door: Door) -> None:
    """Add the worker *far*, which has the one LoRA."""
    key = str(door.studio.workers.add("http://127.0.0.1:9", name="far"))
    with door.studio.transaction() as session:
        found = workers.find(session, key)
        workers.record_capabilities(session, found.id, {}, frozenset({("loras", "soft.safetensors")}),
                                    door.studio.house.now())  # fmt: skip


def refuse_a_reviewer(door: Door, key: str, root: Path) -> None:
    """Try everything as somebody who may only look."""
    viewer = person(door.studio, door, "Ben", "Reviewer")
    assert door.models(viewer, None, {})["may_manage"] is False
    for forbidden in (
        lambda: door.verify_models(viewer), lambda: door.repair_models(viewer), lambda: door.stop_model_work(viewer),
        lambda: door.rate_model(viewer, key, 1), lambda: door.remove_model(viewer, key, "keep"),
        lambda: door.scan_models(viewer, str(root)), lambda: door.note_model(viewer, key, "x", "", "no"),
    ):  # fmt: skip
        with pytest.raises(ForbiddenError):
            forbidden()


@pytest.mark.capability("PRD-17/asset-inventory", "PRD-17/dependency-graph", "PRD-43/model-integrity-scanner")
def test_the_library_is_scanned_filtered_verified_and_cleared(
    empty: tuple[Door, SessionPerson], tmp_path: Path
) -> None:
    door, admin = empty
    root = tmp_path / "models"
    weights(root / LORA)
    weights(root / OTHER, b"c" * 64)
    with pytest.raises(InvalidInputError, match="can not be scanned from a page"):
        door.scan_models(admin, str(root))
    door.studio.settings.models_dir = root
    assert problems(door.models(admin, None, {}), c.ModelsView) == []
    door.scan_models(admin, str(root))
    door.model_work.wait()
    view = door.models(admin, None, {})
    assert problems(view, c.ModelsView) == []
    assert (view["work"]["status"], view["work"]["text"]) == ("done", "2 files found, 2 read: 2 new.")
    with door.studio.transaction() as session:
        qa.store_profile(session, SYSTEM, LENIENT)
    lora_recipe(door.studio, tmp_path / "recipes")
    register_worker(door)
    (soft,) = door.models(admin, None, {"find": "SOFT", "kind": "loras", "state": "present"})["rows"]
    assert (soft["used"], soft["workers"]) == (1, 1)
    assert door.models(admin, None, {"find": "100%"})["rows"] == []
    door.rate_model(admin, soft["id"], 4)
    door.note_model(admin, soft["id"], "They clash.", OTHER, "yes")
    chosen = door.models(admin, None, {"model": soft["id"]})["chosen"]
    assert (chosen["rating"], chosen["have"], chosen["lack"]) == (4, ["far"], [])
    assert (chosen["notes"][0]["with"], chosen["notes"][0]["warning"]) == (OTHER, True)
    assert {use["what"] for use in chosen["uses"] if use["current"]} == {"workflow", "scene type"}
    with pytest.raises(RefusedError, match="in use by workflow"):
        door.remove_model(admin, soft["id"], "delete")
    (root / OTHER).unlink()
    assert door.verify_models(admin) == "Every file is read again"
    door.model_work.wait()
    assert door.models(admin, None, {})["work"]["text"] == "2 files verified: 1 missing."
    assert door.models(admin, None, {"state": "missing"})["rows"][0]["path"] == OTHER
    assert "no scan has found its content" in door.repair_models(admin)
    refuse_a_reviewer(door, soft["id"], root)


def test_a_stopped_scan_stores_nothing_and_only_one_goes_on(
    empty: tuple[Door, SessionPerson], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door, admin = empty
    root = tmp_path / "models"
    weights(root / LORA)
    weights(root / OTHER, b"c" * 64)
    door.studio.settings.models_dir = root
    reached, go_on, note = threading.Event(), threading.Event(), door.model_work._note

    def held(done: int, total: int) -> None:
        reached.set()
        assert go_on.wait(10)
        note(done, total)

    monkeypatch.setattr(door.model_work, "_note", held)
    door.scan_models(admin, str(root))
    assert reached.wait(10)
    with pytest.raises(RefusedError, match="read already"):
        door.verify_models(admin)
    door.stop_model_work(admin)
    go_on.set()
    door.model_work.wait()
    view = door.models(admin, None, {})
    assert (view["work"]["status"], view["total"]) == ("stopped", 0)
    with door.studio.transaction() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(m.LibraryModel)) == 0


@pytest.mark.capability("PRD-104/auto-registration")
def test_a_download_is_queued_steered_and_lands_in_the_library(
    empty: tuple[Door, SessionPerson], tmp_path: Path
) -> None:
    door, admin = empty
    site, settings = FileSite(), door.studio.settings
    (tmp_path / "models").mkdir()
    settings.models_dir, settings.disk_reserve_mb = tmp_path / "models", 0
    settings.download_private_hosts = [f"127.0.0.1:{site.port}"]
    site.pages["/soft.safetensors"] = Page(b"w" * 4096)
    with pytest.raises(InvalidInputError, match="needs an address"):
        door.add_download(admin, " ", "", "", "")
    with pytest.raises(InvalidInputError, match="64 hexadecimal digits"):
        door.add_download(admin, f"{site.url}/soft.safetensors", "loras", "", "abc")
    door.add_download(admin, f"{site.url}/soft.safetensors", "loras", "", "")
    view = door.models(admin, None, {"tab": "downloads"})
    assert problems(view, c.ModelsView) == []
    (row,) = view["downloads"]
    assert (row["path"], row["word"], row["can"]) == ("loras/soft.safetensors", "Queued", ["pause", "cancel"])
    assert "paused" in door.steer_download(admin, row["id"], "pause")
    with pytest.raises(InvalidInputError, match="can not be steered by 'stop'"):
        door.steer_download(admin, row["id"], "stop")
    door.steer_download(admin, row["id"], "resume")
    assert door.studio.downloads.run_next()
    site.stop()
    view = door.models(admin, None, {})
    assert [(d["word"], d["share"], d["can"]) for d in view["downloads"]] == [("Complete", 1.0, [])]
    assert [model["path"] for model in view["rows"]] == ["loras/soft.safetensors"]
    viewer = person(door.studio, door, "Ben", "Reviewer")
    with pytest.raises(ForbiddenError):
        door.add_download(viewer, f"{site.url}/soft.safetensors", "loras", "", "")
