"""`x121 schedule …`."""

from __future__ import annotations

import json
from collections.abc import Callable

import sqlalchemy as sa
from typer.testing import Result

from x121lib import model as m
from x121lib.studio import Studio

X121 = Callable[..., Result]


def test_a_schedule_is_set_shown_run_and_removed(x121: X121) -> None:
    assert "No schedule yet" in x121("schedule", "list").stdout
    made = x121(
        "schedule", "add", "Nightly", "Aurora", "--cron", "30 22 * * mon-fri", "--zone", "Europe/Berlin", "-c", "Aiko",
        "--run-missed",
    )  # fmt: skip
    assert "Schedule Nightly is set; next 2" in made.stdout
    (row,) = json.loads(x121("schedule", "list", "--json").stdout)
    assert (row["cron"], row["zone"], row["chosen"], row["missed"]) == (
        "30 22 * * mon-fri", "Europe/Berlin", "Aiko", "run once",
    )  # fmt: skip
    assert "Europe/Berlin" in x121("schedule", "show", "nightly").stdout
    assert "It has not run yet." in x121("schedule", "runs", "Nightly").stdout
    assert "submitted: 1 scenes, 3 takes." in x121("schedule", "run-now", "Nightly").stdout
    assert "nothing to do: 0 scenes" in x121("schedule", "run-now", "Nightly").stdout
    runs = json.loads(x121("schedule", "runs", "Nightly", "--json").stdout)
    assert [run["outcome"] for run in runs] == ["nothing to do", "submitted"]
    assert "is changed." in x121("schedule", "change", "nightly", "--name", "Late", "-c", "", "-s", "sway").stdout
    (row,) = json.loads(x121("schedule", "list", "--json").stdout)
    assert (row["schedule"], row["cron"], row["chosen"], row["missed"]) == (
        "Late", "30 22 * * mon-fri", "sway", "run once",
    )  # fmt: skip
    assert "Nothing was given to change" in x121("schedule", "change", "Late", code=1).stderr
    assert "no class 'soon'" in x121("schedule", "change", "Late", "--priority", "soon", code=1).stderr
    x121("schedule", "change", "Late", "--name", "Nightly", "--cron", "@daily", "--zone", "UTC", "--skip-missed")
    with Studio.open() as studio, studio.transaction() as session:
        session.execute(sa.update(m.Schedule).values(n_chosen=2))
    refused = x121("schedule", "change", "Nightly", "--cron", "@weekly", code=1).stderr.replace("\n", " ")
    assert "1 of what 'Nightly' chooses was deleted since" in refused
    assert "is changed." in x121("schedule", "change", "Nightly", "-s", "", "--tier", "", "--all-open").stdout
    assert "is disabled" in x121("schedule", "disable", "Nightly").stdout
    assert "is enabled; next" in x121("schedule", "enable", "Nightly").stdout
    assert "is removed" in x121("schedule", "remove", "Nightly").stdout
    assert json.loads(x121("schedule", "list", "--json").stdout) == []


def test_what_is_wrong_is_said(x121: X121) -> None:
    add = ("schedule", "add", "Never", "Aurora", "--cron")
    assert "February has no day 30" in x121(*add, "0 0 30 2 *", code=1).stderr
    assert "has 6 fields; a schedule has five" in x121(*add, "0 0 0 * * *", code=1).stderr
    assert "no time zone 'Mars'" in x121(*add, "@daily", "--zone", "Mars", code=1).stderr
    assert "no class 'soon'" in x121(*add, "@daily", "--priority", "soon", code=1).stderr
    for command in ("show", "runs", "enable", "remove", "run-now"):
        assert "no schedule 'Never'" in x121("schedule", command, "Never", code=1).stderr
