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
