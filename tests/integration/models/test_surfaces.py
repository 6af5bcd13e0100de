"""`x121 model …` and the routes of the library."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.cli.conftest import X121, _runner
from tests.integration.models.test_library import LORA, OTHER, weights
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
