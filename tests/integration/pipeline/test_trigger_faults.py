"""Triggers when something breaks: faults end their firing and nothing else, and nothing is done twice."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from tests.integration.pipeline.test_triggers import SUBMIT, TELL, add, only, settle
from x121lib import model as m
from x121lib.base.errors import InvalidInputError
from x121lib.events import outbox
from x121lib.pipeline import trigger_actions, triggers
from x121lib.studio import Studio
from x121lib.studio.trigger_runs import TriggerRuns
from x121lib.terms.automation import RunStatus
from x121lib.terms.vocabulary import EventKind
from x121lib.testing.small_studio import Clock

TELL_APPROVED = TELL | {"on": "variant.approved", "when": [{"field": "variant", "is": "clothed"}]}


def publish(studio: Studio, kind: EventKind, entity: str = "image_variant", **payload: Any) -> None:
    with studio.transaction() as session:
        outbox.publish(session, kind, entity=entity, entity_id=uuid.uuid4(), payload=payload)


def test_an_action_that_breaks_fails_and_the_next_firing_runs(stocked: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> str:
        raise ZeroDivisionError("so many frames, no second")

    add(stocked, TELL_APPROVED)
    stocked.project("Aurora").approve_variants("clothed", characters=["Aiko"])
    with monkeypatch.context() as faults:
        faults.setitem(trigger_actions.IN_ONE, "notify", breaks)
        settle(stocked)
    row = only(stocked, "tell")
    assert (row["status"], row["actions"][0]["status"]) == ("failed", "failed")
    assert row["message"] == "It broke: ZeroDivisionError: so many frames, no second."
    stocked.project("Aurora").approve_variants("clothed", characters=["Lena"])
    settle(stocked)
    assert [r["status"] for r in stocked.triggers.log("tell")] == ["done", "failed"]


def test_a_firing_whose_event_can_not_be_read_any_more_ends(stocked: Studio) -> None:
    add(stocked, TELL_APPROVED)
    stocked.project("Aurora").approve_variants("clothed", characters=["Aiko"])
    stocked.reactions.run()
    with stocked.transaction() as session:
        session.execute(
            sa.update(m.Event).where(m.Event.kind_id == EventKind.VARIANT_APPROVED).values(payload={"scene_id": "x"})
        )
    assert stocked.reactions.fire() is True
    assert stocked.reactions.fire() is False, "it does not come again"
    with stocked.transaction() as session:
        firing = session.scalars(sa.select(m.TriggerFiring)).one()
        assert firing.status_id == RunStatus.FAILED
        assert firing.message.startswith("It broke: ValueError")


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ({"action": "submit", "characters": "all", "variants": "all"}, "The project that variant.approved was about"),
        ({"action": "submit"}, "The project that variant.approved was about"),
        ({"action": "deliver", "characters": "all"}, "The project that variant.approved was about"),
        ({"action": "deliver"}, "The character that variant.approved was about"),
    ],
)
def test_what_is_gone_is_named(stocked: Studio, action: dict[str, Any], said: str) -> None:
    add(stocked, {"name": "go", "on": "variant.approved", "do": [action]})
    publish(stocked, EventKind.VARIANT_APPROVED)
    settle(stocked)
    row = only(stocked, "go")
    assert row["status"] == "failed"
    assert row["message"] == f"{said} is gone."
    assert stocked.triggers.dry_run("go")[0]["would"].startswith("would fail: The ")


def test_a_trigger_whose_rule_breaks_is_disabled_and_its_owner_told(stocked: Studio) -> None:
    add(stocked, TELL_APPROVED)
    add(stocked, TELL_APPROVED | {"name": "broken"})
    with stocked.transaction() as session:  # as a rule of a later version, whose field this one does not know
        rule = {"name": "broken", "on": "variant.approved", "do": [{"action": "sing"}]}
        session.execute(sa.update(m.Trigger).where(m.Trigger.name == "broken").values(rule=rule))
    stocked.project("Aurora").approve_variants("clothed")
    settle(stocked)
    assert len(stocked.triggers.log("tell")) == 2, "the others fire all the same"
    with stocked.transaction() as session:
        assert session.scalars(sa.select(m.Trigger.is_enabled).where(m.Trigger.name == "broken")).one() is False
        audited = session.scalars(sa.select(m.AuditEntry.action).where(m.AuditEntry.action == "trigger.disable"))
        assert len(audited.all()) == 1
    titles = [e.title for e in stocked.notifications.entries()]
    assert titles.count("The trigger 'broken' was disabled") == 1
    (entry,) = [e for e in stocked.notifications.entries() if "disabled" in e.title]
    assert "action must be one of" in entry.body


def test_people_are_told_although_a_trigger_can_not_be_matched(stocked: Studio) -> None:
    add(stocked, TELL_APPROVED | {"on": "scene.assembled", "when": []})
    publish(stocked, EventKind.SCENE_ASSEMBLED, scene_id="no key")
    with stocked.transaction() as session:
        outbox.publish(session, EventKind.WEBHOOK_FAILED, entity="webhook", entity_id=uuid.uuid4(),
                       payload={"name": "chat", "reason": "gone", "call": "1"})  # fmt: skip
    stocked.reactions.run()
    titles = {e.title for e in stocked.notifications.entries()}
    assert titles == {"The webhook chat does not get through", "The trigger 'tell' was disabled"}


def test_a_process_that_lost_its_lease_does_nothing_again(stocked: Studio, clock: Clock) -> None:
    """The first process hangs in the action that works on files; another takes the firing over and ends it."""
    add(stocked, SUBMIT | {"do": [{"action": "deliver", "partial": True}, {"action": "notify", "text": "once"}],
                           "together": True})  # fmt: skip
    stocked.project("Aurora").approve_variants("clothed", characters=["Aiko"])
    stocked.reactions.run()
    with stocked.transaction() as session:
        stale = triggers.claim(session, stocked.house.now())
    assert stale is not None
    clock.advance(61)
    assert stocked.reactions.fire() is True
    before = only(stocked, "go")
    told = [e.n_events for e in stocked.notifications.entries()]
    TriggerRuns(stocked).run(stale)  # what the first process does when it wakes up
    assert only(stocked, "go") == before
    assert [e.n_events for e in stocked.notifications.entries()] == told
    with stocked.transaction() as session:
        step = triggers.end_step(session, stale.id, 2, RunStatus.FAILED, "late", stocked.house.now())
        assert step == RunStatus.DONE
        assert triggers.finish(session, None, stale.id, stocked.house.now(), refused="late") != RunStatus.REFUSED


def test_an_action_is_done_once_however_many_processes_hold_the_firing(stocked: Studio) -> None:
    add(stocked, TELL_APPROVED)
    stocked.project("Aurora").approve_variants("clothed", characters=["Aiko"])
    stocked.reactions.run()
    with stocked.transaction() as session:
        firing = triggers.claim(session, stocked.house.now())
    assert firing is not None
    together = threading.Barrier(4)

    def run() -> None:
        together.wait()
        TriggerRuns(stocked).run(firing)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert only(stocked, "tell")["status"] == "done"
    assert [e.n_events for e in stocked.notifications.entries()] == [1]


def test_open_scenes_are_counted_once_per_look(stocked: Studio) -> None:
    for n in range(5):
        add(stocked, TELL_APPROVED | {"name": f"tell {n}", "when": [{"field": "open_scenes_project", "above": 10**6}]})
    statements: list[str] = []

    def seen(_c: object, _u: object, statement: str, *_: object) -> None:
        statements.append(statement)

    stocked.project("Aurora").approve_variants("clothed")
    sa.event.listen(stocked.house.database.engine, "before_cursor_execute", seen)
    try:
        stocked.reactions.run()
    finally:
        sa.event.remove(stocked.house.database.engine, "before_cursor_execute", seen)
    matrices = [s for s in statements if "FROM scene_type_variant_kind" in s]
    assert len(matrices) == 1, "five triggers look at two events"


def _spoil(studio: Studio, name: str, rule: Any) -> None:
    """Store a rule that this version does not know, as one of a later version."""
    with studio.transaction() as session:
        session.execute(sa.update(m.Trigger).where(m.Trigger.name == name).values(rule=rule))


@pytest.mark.capability("PRD-97/trigger-rules")
@pytest.mark.parametrize("rule", [{"name": "broken", "on": "variant.approved", "do": [{"action": "sing"}]}, ["sing"]])
def test_a_rule_that_can_not_be_read_is_listed_as_disabled_and_changed_or_removed(stocked: Studio, rule: Any) -> None:
    add(stocked, TELL_APPROVED)
    add(stocked, TELL_APPROVED | {"name": "broken"})
    _spoil(stocked, "broken", rule)
    broken, tell = stocked.triggers.list()
    assert (broken["trigger"], broken["enabled"], broken["acts_as"], broken["do"]) == ("broken", False, None, [])
    assert broken["unreadable"].startswith("The trigger 'broken': ")
    assert (tell["enabled"], tell["unreadable"]) == (True, "")
    assert stocked.triggers.show("broken")["rule"] == rule
    with pytest.raises(InvalidInputError, match="The trigger 'broken': "):
        stocked.triggers.enable("broken")
    add(stocked, TELL_APPROVED | {"name": "another"})  # looks for loops through all that are enabled
    changed = stocked.triggers.change("broken", TELL_APPROVED | {"name": "mended"})
    assert (changed["enabled"], changed["unreadable"]) == (False, ""), "it was shown as disabled and stays so"
    stocked.triggers.enable("mended")
    _spoil(stocked, "mended", rule)
    stocked.triggers.remove("mended")
    assert [row["trigger"] for row in stocked.triggers.list()] == ["another", "tell"]
