"""`x121 model …` and the routes of the library."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.cli.conftest import X121, _runner
from tests.integration.models.test_library import LORA, OTHER, weights
from x121lib.testing.file_site import FileSite, Page
from x121lib.testing.small_studio import Kept

__all__ = ["_runner"]


@pytest.fixture
def x121(stocked_studio: Kept, server_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    yield from _runner(stocked_studio, server_url, tmp_path / "home", monkeypatch)


def test_the_commands_scan_list_show_note_verify_and_remove(x121: X121, tmp_path: Path) -> None:
    root = tmp_path / "models"
    weights(root / LORA)
    weights(root / OTHER, b"c")
    assert "X121_MODELS_DIR" in x121("model", "scan", code=1).stderr
    assert LORA in x121("model", "scan", root).stdout
    assert "Nothing has changed." in x121("model", "scan", root).stdout
    x121("model", "rate", LORA, 5)
    x121("model", "note", LORA, "CFG below 7.", "--with", OTHER, "--warn")
    rows = json.loads(x121("model", "list", "--json").stdout)
    assert [(r["kind"], r["rating"], r["status"]) for r in rows] == [
        ("Checkpoint", None, "present"), ("LoRA", 5, "present")
    ]  # fmt: skip
    assert "CFG below 7." in x121("model", "show", LORA).stdout
    assert "2 models are as the inventory says" in x121("model", "verify").stdout
    (root / LORA).unlink()
    assert "1 of 2 models are missing or altered" in x121("model", "verify", code=1).stderr
    assert "Some files lie nowhere" in x121("model", "repair", code=1).stderr
    assert "--delete-file or --keep-file" in x121("model", "remove", OTHER, code=1).stderr
    x121("model", "remove", OTHER, "--keep-file")
    assert (root / OTHER).is_file()
    assert "Nothing uses it." in x121("model", "uses", LORA).stdout
    assert "No take is stale." in x121("model", "stale").stdout


def test_the_commands_download_pause_resume_and_cancel(
    x121: X121, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = FileSite()
    site.pages["/soft.pt"] = Page(b"w" * 100)
    (tmp_path / "models").mkdir()
    monkeypatch.setenv("X121_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("X121_DISK_RESERVE_MB", "0")
    address = f"{site.url}/soft.pt"
    assert "not a public address" in x121("model", "download", address, "--kind", "loras", code=1).stderr
    monkeypatch.setenv("X121_DOWNLOAD_PRIVATE_HOSTS", f'["127.0.0.1:{site.port}"]')
    made = x121("model", "download", address, "--kind", "loras")
    assert "no consumer runs" in made.stderr
    x121("model", "pause", "soft.pt")
    x121("model", "resume", made.stdout.strip())
    x121("model", "cancel", "loras/soft.pt")
    assert "no download 'soft.pt'" in x121("model", "pause", "soft.pt", code=1).stderr
    wrong = x121("model", "download", address, "--kind", "loras", "--sha256", "0" * 64, "--now", code=1)
    assert "not kept" in wrong.stderr
    x121("model", "cancel", "soft.pt")
    x121("model", "download", address, "--kind", "loras", "--now")
    rows = json.loads(x121("model", "downloads", "--json").stdout)
    assert [r["status"] for r in rows] == ["complete", "cancelled", "cancelled"]
    assert "soft.pt" in x121("model", "list").stdout
    site.stop()
