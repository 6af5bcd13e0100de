"""Checks before work, by command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from x121lib.testing.small_studio import write_recipe

if TYPE_CHECKING:
    from tests.integration.cli.conftest import X121


def test_a_workflow_is_checked_on_what_the_workers_say_now(x121: X121, engine_url: str, tmp_path: Path) -> None:
    assert "x121 worker add" in x121("workflow", "check", "sway_graph").output
    x121("worker", "add", engine_url, "--name", "engine 1")
    x121("scene-type", "load", write_recipe(tmp_path, "broken", fault="unknown"))
    (row,) = json.loads(x121("workflow", "check", "broken_graph", "--json", code=1).stdout)
    assert (row["missing"], row["state"], row["known"]) == ("NoServerHasThis", "online", True)
    said = x121("workflow", "check", "broken_graph", code=1).output
    assert "node class" in said
    assert "NoServerHasThis" in said
    assert "fine" in x121("workflow", "check", "sway_graph", "--worker", "engine 1").output
