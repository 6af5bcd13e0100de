"""`x121 queue pause | resume | pauses`."""

from __future__ import annotations

import json
from collections.abc import Callable

from typer.testing import Result

X121 = Callable[..., Result]


def test_a_project_is_paused_and_goes_on(x121: X121) -> None:
    assert "Nothing is paused." in x121("queue", "pauses").stdout
    assert "Paused: Aurora." in x121("queue", "pause", "--project", "Aurora", "--reason", "new brief").stdout
    submitted = x121("submit", "Aurora")
    assert "Paused with Aurora by" in submitted.stderr
    assert "new brief" in submitted.stderr
    rows = json.loads(x121("queue", "--json").stdout)
    assert {row["status"] for row in rows} == {"Paused"}
    (held,) = json.loads(x121("queue", "pauses", "--json").stdout)
    assert (held["target"], held["reason"]) == ("Aurora", "new brief")
    assert "paused already" in x121("queue", "pause", "--project", "Aurora", code=1).stderr
    assert "Goes on: Aurora." in x121("queue", "resume", "--project", "Aurora").stdout
    assert "Paused: Lena · sway · clothed." in x121(
        "queue", "pause", "--project", "Aurora", "--character", "Lena"
    ).stdout  # fmt: skip
    key = rows[0]["task_id"]
    assert "1 tasks are paused." in x121("queue", "pause", key, "--reason", "look first").stdout
    assert "1 tasks go on." in x121("queue", "resume", key).stdout
    assert "Paused: the whole studio." in x121("queue", "pause", "--all").stdout
    assert "Goes on: the whole studio." in x121("queue", "resume", "--all").stdout
    assert "Say what" in x121("queue", "pause", code=1).stderr
    assert "Say what" in x121("queue", "pause", "--all", "--project", "Aurora", code=1).stderr


def test_a_workflow_states_its_memory(x121: X121) -> None:
    name = json.loads(x121("workflow", "list", "--json").stdout)[0]["workflow"]
    assert f"Workflow {name} needs 24 GiB" in x121("workflow", "memory", name, "24").stdout
    assert "at most 4096 GiB" in x121("workflow", "memory", name, "5000", code=1).stderr
    assert "runs with any memory" in x121("workflow", "memory", name).stdout
