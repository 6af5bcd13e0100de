"""A stored rule that this version can not read: the page shows it, and it is changed and removed there."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from dashboards import contracts as c
from tests.integration.door.conftest import Stage
from tests.integration.door.shapes import problems
from x121lib import model as m
from x121lib.base.errors import ConflictError, InvalidInputError

RULE: dict[str, Any] = {"name": "tell", "on": "scene.assembled", "do": [{"action": "notify"}]}


@pytest.mark.capability("PRD-97/trigger-rules")
def test_it_is_shown_with_what_is_wrong_and_changed_in_place(stage: Stage) -> None:
    door, admin = stage.door, stage.admin
    key = door.add_trigger(admin, RULE)["trigger_id"]
    with stage.studio.transaction() as session:
        session.execute(sa.update(m.Trigger).values(rule=RULE | {"do": [{"action": "sing"}]}))
    view = door.triggers(admin, None, {"trigger": key})
    assert problems(view, c.TriggersView) == []
    (row,) = view["rows"]
    assert row["unreadable"].startswith("The trigger 'tell': do.1: action must be one of submit, ")
    assert (row["enabled"], row["do"], view["chain"]["triggers"][0]["enabled"]) == (False, [], False)
    with pytest.raises(InvalidInputError, match=r"The trigger 'tell': do\.1"):
        door.switch_trigger(admin, key, True)
    with pytest.raises(ConflictError, match="changed meanwhile"):
        door.change_trigger(admin, key, RULE, row["version"] - 1)
    assert door.change_trigger(admin, key, RULE, row["version"])["text"] == "tell is changed"
    (row,) = door.triggers(admin, None, {})["rows"]
    assert (row["unreadable"], row["enabled"]) == ("", False)
    door.remove_trigger(admin, key)
    assert door.triggers(admin, None, {})["rows"] == []
