"""`x121 trigger …`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import Result

from x121lib import model as m
from x121lib.studio import Studio

X121 = Callable[..., Result]
RULE = """
name = "clothed scenes"
on = "variant.approved"
project = "Aurora"
[[when]]
field = "variant"
is = "clothed"
[[do]]
action = "submit"
scene_types = ["sway"]
"""


@pytest.mark.capability("PRD-97/trigger-rules", "PRD-97/trigger-log", "PRD-97/safety-controls")
def test_a_trigger_from_a_file_is_tried_enabled_followed_and_removed(x121: X121, tmp_path: Path) -> None:
    file = tmp_path / "clothed.toml"
    file.write_text(RULE)
    assert "No trigger yet" in x121("trigger", "list").output
    x121("variant", "approve", "Aurora", "--kind", "clothed", "--characters", "Aiko")
    (tried,) = json.loads(x121("trigger", "dry-run", file, "--json").stdout)
    assert tried["would"] == "would submit 1 scene: Aiko / sway / clothed."
    added = x121("trigger", "add", file)
    assert "is added." in added.stdout
    assert "x121 trigger enable" in added.stderr
    assert "Enabled" not in x121("trigger", "list").output
    x121("trigger", "enable", "clothed scenes")
    x121("variant", "approve", "Aurora", "--kind", "clothed", "--characters", "Aiko")
    with Studio.open() as studio:
        studio.reactions.run()
        studio.reactions.fire()
    logged = x121("trigger", "log").output
    assert "clothed scenes: done" in logged
    assert "submit: done  1 scene: Aiko / sway / clothed." in logged
    assert "→ scene.status_changed to Generating" in logged
    assert "variant is clothed" in x121("trigger", "show", "clothed scenes").output
    file.write_text(RULE.replace('is = "clothed"', 'is = "evening"'))
    assert "is changed." in x121("trigger", "change", "clothed scenes", file).stdout
    assert "variant is evening" in x121("trigger", "show", "clothed scenes").output
    file.write_text(RULE)
    x121("trigger", "change", "clothed scenes", file)
    (listed,) = json.loads(x121("trigger", "list", "--json").stdout)
    assert (listed["fired"], listed["scope"], listed["enabled"]) == (1, "Aurora", True)
    with Studio.open() as studio, studio.transaction() as session:
        session.execute(sa.update(m.Trigger).values(rule={"name": "clothed scenes", "on": "variant.approved"}))
    shown = x121("trigger", "list")
    assert "clothed" in shown.stdout
    assert "'clothed scenes': it does nothing" in shown.stderr.replace("\n", " ")
    x121("trigger", "change", "clothed scenes", file)
    x121("trigger", "disable", "clothed scenes")
    x121("trigger", "remove", "clothed scenes")
    assert "no trigger 'clothed scenes'" in x121("trigger", "show", "clothed scenes", code=1).stderr
    assert json.loads(x121("trigger", "log", "--json").stdout)[0]["trigger"] == "clothed scenes"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (RULE.replace("variant.approved", "variant.eaten"), "no trigger can listen to 'variant.eaten'; known: "),
        (RULE.replace('field = "variant"', 'field = "mood"'), "when.1.field: there is no field 'mood'"),
        (RULE.replace("Aurora", "Nowhere"), "There is no project 'Nowhere'"),
        (RULE.replace("[[do]]", "[[do"), "is no TOML"),
        ("x" * 70000, "larger than"),
    ],
)
def test_a_bad_file_is_refused_with_its_place(x121: X121, tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text)
    assert said in x121("trigger", "add", file, code=1).stderr.replace("\n", " ")
    assert "No trigger yet" in x121("trigger", "list").output
    assert "can not be read" in x121("trigger", "add", tmp_path / "none.toml", code=1).stderr
