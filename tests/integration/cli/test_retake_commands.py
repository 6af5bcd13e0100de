"""`x121 retake`, `retakes` and `retake-policy`."""

from __future__ import annotations

import json
from collections.abc import Callable

from typer.testing import Result

X121 = Callable[..., Result]


def test_a_policy_is_set_listed_and_removed(x121: X121) -> None:
    assert "a failed gate always waits for a person" in x121("retake-policy", "list").output
    x121("retake-policy", "set", "--project", "Aurora", "--most", "4", "--gate", "motion_energy", "--vary", "cfg=0.5")
    (found,) = json.loads(x121("retake-policy", "list", "--json").stdout)
    assert (found["name"], found["most_retakes"], found["gates"], found["vary"]) == (
        "Aurora", 4, "motion_energy", "cfg ±0.5",
    )  # fmt: skip
    assert (
        "'cfg' is not slot=RANGE" in x121("retake-policy", "set", "--project", "Aurora", "--vary", "cfg", code=1).stderr
    )
    assert "Say whose takes" in x121("retake-policy", "set", code=1).stderr
    x121("retake-policy", "remove", "--project", "Aurora")
    assert json.loads(x121("retake-policy", "list", "--json").stdout) == []
    assert "Nothing was retaken by itself" in x121("retakes", "Aurora").output


def test_a_retake_names_what_is_wrong_with_it(x121: X121) -> None:
    said = x121("retake", "Aurora", "Aiko", "sway", "clothed", code=1).stderr
    assert "was never submitted" in said
    assert "is not slot=value" in x121("retake", "Aurora", "Aiko", "sway", "clothed", "--set", "cfg", code=1).stderr


def test_tiers_are_listed_set_and_removed(x121: X121) -> None:
    x121("tier", "set", "Festival", "--resolution", "1.5", "--deliverable")
    found = {row["tier"]: row for row in json.loads(x121("tier", "list", "--json").stdout)}
    assert found["Festival"] == {"tier": "Festival", "rank": 4, "resolution": 1.5, "steps": 1.0, "deliverable": True}
    assert "0.1 to 4, not 9" in x121("tier", "set", "Festival", "--steps", "9", code=1).stderr
    x121("tier", "remove", "Festival")
    assert "Festival" not in x121("tier", "list").output
    assert "no tier 'Festival'" in x121("tier", "raise", "Aurora", "--tier", "Festival", code=1).stderr
    assert "Nothing of this failed" in x121("redo", "Aurora", "--cell", "Aiko/sway", code=1).stderr
    assert "names no cell" in x121("redo", "Aurora", "--cell", "Aiko", code=1).stderr
    assert "Nothing of this is queued" in x121("cancel", "Aurora", code=1).stderr


def test_an_estimate_without_history_says_so_and_queues_nothing(x121: X121) -> None:
    said = x121("estimate", "Aurora").stdout
    assert "no history" in said
    assert "Wall clock" in said
    assert json.loads(x121("estimate", "Aurora", "--json").stdout)["gpu"] is None
    assert "No estimated batch is over yet" in x121("estimate", "--calibration").output
    assert "Name a project" in x121("estimate", code=1).stderr
    assert "queue is empty" in x121("queue").output
