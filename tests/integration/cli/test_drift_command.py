"""`x121 drift`: what it says of a project in which nothing drifts, and of names that are no scene."""

from __future__ import annotations

import json
from collections.abc import Callable

from typer.testing import Result

X121 = Callable[..., Result]


def test_a_project_without_drift_says_so_and_half_a_name_is_refused(x121: X121) -> None:
    assert "No chain has passed a limit" in x121("drift", "Aurora").output
    assert json.loads(x121("drift", "Aurora", "--json").stdout) == []
    assert "three names" in x121("drift", "Aurora", "Aiko", code=1).stderr
    x121("submit", "Aurora")
    shown = x121("drift", "Aurora", "Aiko", "sway", "clothed", "--json").stdout
    assert {row["metric"]: row["segments"] for row in json.loads(shown)}["colour_drift"] == 0
