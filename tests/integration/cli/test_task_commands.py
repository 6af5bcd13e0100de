"""`x121 task …` on a waiting take."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable

from typer.testing import Result

X121 = Callable[..., Result]


def test_a_task_is_shown_changed_and_cancelled(x121: X121) -> None:
    x121("submit", "Aurora", "--characters", "Aiko")
    task = json.loads(x121("queue", "--json").stdout)[0]["task_id"]
    assert x121("task", "show", task).stdout.startswith("Queued, attempt 0: nothing yet.")
    assert "4242" in x121("task", "set", task, "seed=4242").stdout
    shown = json.loads(x121("task", "show", task, "--raw").stdout)
    assert (shown["parameters"]["seed"], shown["request"], shown["events"]) == (4242, {}, [])
    assert "takes a number" in x121("task", "set", task, "seed=many", code=1).stderr
    assert "is not slot=value" in x121("task", "set", task, "seed", code=1).stderr
    assert "only a running one" in x121("task", "pause", task, code=1).stderr
    assert x121("task", "resume", task).stdout.strip() == "The task is not paused."
    assert "3 tasks are cancelled" in x121("task", "cancel", task).stdout
    assert "There is no GPU task" in x121("task", "show", uuid.UUID(int=7), code=1).stderr
