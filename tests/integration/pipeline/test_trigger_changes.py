"""Triggers changed in place: whose rights they have then, what waits meanwhile, and what is refused."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.integration.events.test_notifications import as_new
from tests.integration.pipeline.test_triggers import SUBMIT, TELL, add, only, settle
from x121lib import model as m
from x121lib.base.errors import ConflictError, ForbiddenError, NotFoundError, RefusedError
from x121lib.pipeline import triggers
from x121lib.studio import Studio
from x121lib.studio.trigger_runs import TriggerRuns
from x121lib.terms.vocabulary import EventKind

HELLO = {"name": "hello", "on": "variant.approved", "do": [{"action": "notify", "text": "old"}]}


def test_a_changed_trigger_acts_by_its_new_rule_alone(stocked: Studio) -> None:
    add(stocked, HELLO)
    row = stocked.triggers.change("hello", HELLO | {"name": "hello again", "project": "Aurora",
                                                    "when": [{"field": "variant", "is": "clothed"}],
                                                    "do": [{"action": "notify", "text": "new"}]})  # fmt: skip
    assert (row["trigger"], row["enabled"], row["scope"], row["when"]) == (
        "hello again", True, "Aurora", ["variant is clothed"]
    )  # fmt: skip
    stocked.project("Aurora").approve_variants("clothed", characters=["Aiko"])
    settle(stocked)
    assert [e.title for e in stocked.notifications.entries()] == ["new"]
    with pytest.raises(NotFoundError):
        stocked.triggers.show("hello")
    with stocked.transaction() as session:
        entry = session.scalars(sa.select(m.AuditEntry).where(m.AuditEntry.action == "trigger.change")).one()
    assert entry.before is not None
    assert entry.after is not None
    assert (entry.before["name"], entry.after["name"]) == ("hello", "hello again")


def test_what_waits_under_the_old_rule_is_refused(stocked: Studio) -> None:
    add(stocked, HELLO)
    stocked.project("Aurora").approve_variants("clothed", characters=["Aiko"])
    stocked.reactions.run()
    stocked.triggers.change("hello", HELLO | {"do": [{"action": "notify", "text": "new"}]})
    assert stocked.reactions.fire() is False
    row = only(stocked, "hello")
    assert (row["status"], row["message"]) == ("refused", "The trigger was changed before its turn came.")
    assert row["actions"][0]["status"] == "skipped"


def test_a_firing_that_was_claimed_before_the_change_does_nothing_of_the_new_rule(stocked: Studio) -> None:
    add(stocked, HELLO)
    stocked.project("Aurora").approve_variants("clothed", characters=["Aiko"])
    stocked.reactions.run()
    with stocked.transaction() as session:
        claimed = triggers.claim(session, stocked.house.now())
    assert claimed is not None
    stocked.triggers.change("hello", HELLO | {"do": [{"action": "deliver"}, {"action": "notify", "text": "new"}]})
    TriggerRuns(stocked).run(claimed)
    assert only(stocked, "hello")["message"] == "The trigger was changed before its turn came."
    assert [e.title for e in stocked.notifications.entries()] == []


def test_who_changes_a_trigger_lends_it_no_rights_of_others(stocked: Studio) -> None:
    kim = as_new(stocked, "Kim", "Creator")
    add(stocked, SUBMIT)
    add(stocked, TELL)
    changed = kim.triggers.change("go", SUBMIT | {"do": [{"action": "submit", "priority": "Urgent"}]})
    assert (changed["enabled"], changed["acts_as"]) == (False, None), "an Admin looks at it again"
    assert kim.triggers.change("tell", TELL | {"description": "mine"})["acts_as"] == "Kim"
    assert stocked.triggers.change("go", SUBMIT)["enabled"] is False, "what is off stays off"
    stocked.triggers.disable("tell")
    assert kim.triggers.change("tell", TELL)["enabled"] is False
    with pytest.raises(ForbiddenError):
        as_new(stocked, "Ben", "Reviewer").triggers.change("tell", TELL)


def test_what_is_wrong_with_a_change_leaves_the_trigger_as_it_was(stocked: Studio) -> None:
    add(stocked, TELL)
    add(stocked, HELLO)
    again = {"name": "tell", "on": "take.scored", "do": [{"action": "retake"}]}
    with pytest.raises(RefusedError, match="'tell' could loop without end"):
        stocked.triggers.change("tell", again)
    with pytest.raises(ConflictError, match="There is a trigger 'hello' already"):
        stocked.triggers.change("tell", TELL | {"name": "hello"})
    with pytest.raises(NotFoundError, match="no webhook 'chat'"):
        stocked.triggers.change("tell", TELL | {"do": [{"action": "webhook", "name": "chat"}]})
    shown = stocked.triggers.show("tell")
    assert (shown["enabled"], shown["event"], shown["rule"]["when"]) == (
        True, EventKind.SCENE_STATUS_CHANGED.value, TELL["when"]
    )  # fmt: skip
    with stocked.transaction() as session:
        version = session.scalars(sa.select(m.Trigger.version).where(m.Trigger.name == "tell")).one()
    stocked.triggers.change("tell", TELL | {"description": "one"}, version=version)
    with pytest.raises(ConflictError, match="'tell' was changed meanwhile"):
        stocked.triggers.change("tell", TELL | {"description": "two"}, version=version)
    assert stocked.triggers.show("tell")["description"] == "one"
