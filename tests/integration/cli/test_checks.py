"""Checks before work, by command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from x121lib.testing.small_studio import write_recipe

if TYPE_CHECKING:
    from tests.integration.cli.conftest import X121


@pytest.mark.capability("PRD-75/node-validation")
def test_a_workflow_is_checked_on_what_the_workers_say_now(x121: X121, engine_url: str, tmp_path: Path) -> None:
    assert "x121 worker add" in x121("workflow", "check", "sway_graph").output
    x121("worker", "add", engine_url, "--name", "engine 1")
    loaded = x121("scene-type", "load", write_recipe(tmp_path, "broken", fault="unknown")).output.replace("\n", " ")
    assert "Warning: engine 1 can not run broken_graph. node class: NoServerHasThis" in loaded
    (row,) = json.loads(x121("workflow", "check", "broken_graph", "--json", code=1).stdout)
    assert (row["missing"], row["state"], row["known"]) == ("NoServerHasThis", "online", True)
    said = x121("workflow", "check", "broken_graph", code=1).output
    assert "node class" in said
    assert "NoServerHasThis" in said
    assert "fine" in x121("workflow", "check", "sway_graph", "--worker", "engine 1").output


def test_a_batch_is_checked_and_submit_warns_of_what_can_run_nowhere(
    x121: X121, engine_url: str, tmp_path: Path
) -> None:
    x121("worker", "add", engine_url, "--name", "engine 1")
    assert "engine 1" in x121("check", "Aurora").output
    x121("scene-type", "load", write_recipe(tmp_path, "broken", fault="unknown"))
    done = x121("check", "Aurora", "-s", "broken", "--json", code=1)
    (told,) = json.loads(done.stdout)
    assert [g["reason"] for g in told["groups"]] == ["No worker has node class NoServerHasThis."]
    assert told["steps"] == [
        {"kind": "read", "worker": "", "name": "", "text": "ask the workers again for what they have"}
    ]
    assert "The workers were asked again." in x121("check", "Aurora", "-s", "broken", "--fix", "--yes", code=1).output
    warned = x121("submit", "Aurora", "-s", "broken").output
    assert "2 scenes of broken can run nowhere now" in warned.replace("\n", " ")
    assert "Warning" not in x121("submit", "Aurora", "-s", "sway").output
    assert "No worker has node class" in x121("queue", "--json").output


def test_a_workflow_is_tried_listed_and_offered_its_next_status(x121: X121, engine_url: str) -> None:
    assert "x121 worker add" in x121("workflow", "try", "sway_graph", code=1).output.replace("\n", " ")
    x121("worker", "add", engine_url, "--name", "engine 1")
    said = x121("workflow", "try", "sway_graph").output.replace("\n", " ")
    assert "sway_graph 1 on engine 1: complete in" in said
    assert "13 frames" in said
    assert "x121 workflow status sway_graph Tested --version 1" in said
    (row,) = json.loads(x121("workflow", "tries", "sway_graph", "--json").stdout)
    assert (row["status"], row["codec"], row["next_status"]) == ("complete", "h264", "Tested")
    over = x121("workflow", "cancel-try", row["trial_id"], code=1).output
    assert "over already" in over
