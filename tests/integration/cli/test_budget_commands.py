"""`x121 budget …` and what a submission says of budgets."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from typer.testing import Result

X121 = Callable[..., Result]


@pytest.mark.capability("PRD-61/budget-alerts")
def test_a_budget_is_set_listed_met_granted_and_removed(x121: X121) -> None:
    assert "No budget yet" in x121("budget", "list").output
    key = x121("budget", "set", "0.1", "--project", "Aurora", "--warn-at", "50", "--exempt", "Draft").stdout.strip()
    (found,) = json.loads(x121("budget", "list", "--json").stdout)
    assert (found["budget_id"], found["limit_h"], found["warn_at"]) == (key, 0.1, "50 %")
    asked = x121("submit", "Aurora", "--characters", "Aiko", "--dry-run")
    assert "Budget: The budget of Aurora has 0.1 GPU h of 0.1 GPU h left" in asked.stderr
    refused = x121("submit", "Aurora", "--characters", "Aiko", code=1)
    assert "Nothing was submitted." in refused.stderr
    assert "Say whose" in x121("budget", "set", "1", code=1).stderr
    assert "granted" in x121("budget", "grant", key, "0.2", "--reason", "late change").stdout
    assert "Budget: Aurora has used or reserved" in x121("submit", "Aurora", "--characters", "Aiko").stderr
    assert "over-budget" in x121("submit", "--help").stdout
    x121("submit", "Aurora", "--over-budget")
    assert "Every counter equals its sum." in x121("budget", "audit").stdout
    assert "removed" in x121("budget", "remove", key).stdout
    assert json.loads(x121("budget", "list", "--json").stdout) == []


def test_shares_are_weighted_and_work_goes_off_peak(x121: X121) -> None:
    assert "Nobody used GPU time" in x121("share", "list").output
    x121("submit", "Aurora", "--off-peak")
    assert "weight 2" in x121("share", "set", "2", "--project", "Aurora").stdout
    rows = json.loads(x121("share", "list", "--json").stdout)
    assert ("project", "Aurora", 2.0) in [(r["scope"], r["name"], r["weight"]) for r in rows]
    assert "Say whose" in x121("share", "set", "2", code=1).stderr
