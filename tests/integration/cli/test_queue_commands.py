"""`x121 queue …`: what waits is moved, edited, put back."""

from __future__ import annotations

import json
from collections.abc import Callable

from typer.testing import Result

X121 = Callable[..., Result]


def test_tasks_are_moved_edited_and_put_back(x121: X121) -> None:
    x121("submit", "Aurora")
    first = json.loads(x121("queue", "--json").stdout)
    lena = [row["task_id"] for row in first if row["character"] == "Lena"]
    assert "3 tasks moved to the front." in x121("queue", "move", "--front", "--character", "Lena").stdout
    assert [r["task_id"] for r in json.loads(x121("queue", "--json").stdout)][:3] == lena
    assert "1 task: Urgent, off-peak only." in x121("queue", "edit", lena[0], "--class", "urgent", "--off-peak").stdout
    assert "2 tasks: no earlier than" in x121("queue", "edit", *lena[1:], "--at", "2099-01-01T22:00").stdout
    assert "Undone: 2 tasks" in x121("queue", "undo").stdout
    assert "Undone: 1 task: Urgent" in x121("queue", "undo").stdout
    assert "Undone: 3 tasks moved" in x121("queue", "undo").stdout
    assert json.loads(x121("queue", "--json").stdout)[0]["task_id"] == first[0]["task_id"]
    kept = json.loads(x121("queue", "changes", "--json").stdout)
    assert len(kept) == 3
    assert all(row["undone_at"] for row in kept)


def test_what_is_wrong_is_said(x121: X121) -> None:
    assert "Say where to" in x121("queue", "move", "--project", "Aurora", code=1).stderr
    assert "not both" in x121(
        "queue", "edit", "00000000-0000-0000-0000-000000000000", "--project", "Aurora", "--priority", "1", code=1
    ).stderr  # fmt: skip
    assert "no class 'soon'" in x121("queue", "edit", "--project", "Aurora", "--class", "soon", code=1).stderr
    assert "no project 'Nowhere'" in x121("queue", "edit", "--project", "Nowhere", "--priority", "1", code=1).stderr
    assert "nothing to undo" in x121("queue", "undo", code=1).stderr
