"""`x121 simulate`."""

from __future__ import annotations

import json
from collections.abc import Callable

from typer.testing import Result

X121 = Callable[..., Result]


def test_a_week_is_simulated_and_nonsense_is_refused(x121: X121) -> None:
    facts = json.loads(x121("simulate", "--characters", "2", "--workers", "2", "--json").stdout)
    assert facts["unfinished"] == 0
    assert [row["worker"] for row in facts["workers"]] == ["gpu 1", "gpu 2"]
    assert "Fairness while everybody waits" in x121("simulate", "--characters", "2").stdout
    assert "workers is at least 1" in x121("simulate", "--workers", "-1", code=1).stderr
    assert "No take was completed" in x121("simulate", "--replay", "7", code=1).stderr
