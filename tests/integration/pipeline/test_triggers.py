"""Triggers on a real studio: set off once, with a person's rights, along a chain that ends, and all of it logged."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.integration.events.test_notifications import as_new
from x121lib import model as m
from x121lib.base.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, RefusedError
from x121lib.events import outbox
from x121lib.pipeline import trigger_log
from x121lib.store import audit
from x121lib.studio import Studio
from x121lib.studio.door import Door
from x121lib.studio.people import ReleaseInput
from x121lib.terms.automation import RunStatus
from x121lib.terms.vocabulary import EventKind, RoleName
from x121lib.testing.receiver import Receiver
from x121lib.testing.small_studio import PORTRAITS, Clock, drive, write_recipe

SUBMIT = {"name": "go", "on": "variant.approved", "when": [{"field": "variant", "is": "clothed"}],
          "do": [{"action": "submit"}]}  # fmt: skip
TELL = {"name": "tell", "on": "scene.status_changed", "when": [{"field": "status", "is": "Review"}],
        "do": [{"action": "notify", "text": "{what} waits for review"}]}  # fmt: skip


def settle(studio: Studio, *, rounds: int = 40) -> None:
    """Do what a consumer does about events and tasks until nothing follows any more."""
    for _ in range(rounds):
        busy = studio.reactions.run()
        busy = studio.reactions.fire() or busy
        if not busy and not drive(studio):
            return
    raise AssertionError("the triggers do not come to rest")


def only(studio: Studio, name: str) -> dict[str, Any]:
    """Return the one firing of a trigger."""
    (row,) = studio.triggers.log(name)
    return row


def add(studio: Studio, rule: dict[str, Any], *, enable: bool = True) -> None:
    studio.triggers.add(rule)
    if enable:
        studio.triggers.enable(rule["name"])


@pytest.mark.capability("PRD-97/trigger-rules", "PRD-97/trigger-log")
def test_an_approved_variant_is_followed_by_its_scenes_and_the_chain_is_logged(equipped: Studio) -> None:
    add(equipped, SUBMIT)
    add(equipped, TELL)
    equipped.project("Aurora").approve_variants("clothed", characters=["Aiko"])
    settle(equipped)
    scenes = equipped.project("Aurora").scenes()
    assert [(r.character, r.scene_type, r.status) for r in scenes.itertuples()] == [("Aiko", "sway", "In review")]
    first, second = only(equipped, "go"), only(equipped, "tell")
    assert (first["status"], first["event"], first["about"], first["depth"]) == (
        "done", "variant.approved", "Aiko · clothed", 1
    )  # fmt: skip
    assert first["actions"] == [{"action": "submit", "status": "done", "said": "1 scene: Aiko / sway / clothed."}]
    assert "scene.status_changed to Generating: Aiko · sway · clothed" in first["effects"]
    assert "set off 'tell' (done)" in first["effects"]
    assert (second["after"], second["depth"], second["about"]) == ("go", 2, "Aiko · sway · clothed")
    told = [e.title for e in equipped.notifications.entries() if e.kind.value == "trigger"]
    assert told == ["Aiko · sway · clothed waits for review"]
    scene_id = scenes.iloc[0].scene_id
    assert [row["trigger"] for row in equipped.triggers.log(scene_id=scene_id)] == ["tell", "go"]
    with equipped.transaction() as session:
        task = session.scalars(sa.select(m.GpuTask.id).limit(1)).one()
        entry = session.scalars(sa.select(m.AuditEntry).where(m.AuditEntry.action == "trigger.fire")).first()
        assert audit.first_broken_entry(session) is None
    assert entry is not None
    assert entry.after is not None
    assert entry.after["event"] == first["event_id"]
    with equipped.transaction() as session:
        named = trigger_log.trigger_of(session, "gpu_task", task)
        of_scene = trigger_log.trigger_of(session, "scene", scene_id)
    assert (named or ("", ""))[1] == (of_scene or ("", ""))[1] == "go"
    noor = equipped.people.add("Noor", "noor@example.test", ["Creator"], "a quiet walk by the sea")
    door = Door(equipped)
    person = door.redeem_once(equipped.people.make_sign_in_link(noor))
    assert person is not None
    shown = door.review(person, "Aurora", str(scene_id))["scene"]["badges"]
    assert {"status": "info", "text": "Trigger: go"} in shown
    assert door.debugger(person, "Aurora", {"task": str(task)})["task"]["trigger"]["name"] == "go"
    assert door.triggers(person, "Aurora", {})["chain"]["steps"][2]["by"] == "trigger"
    assert [row["trigger"] for row in equipped.triggers.log(task_id=task)] == ["go"]


@pytest.mark.capability("PRD-97/safety-controls")
def test_what_costs_gpu_time_starts_disabled_and_only_an_admin_enables_it(stocked: Studio) -> None:
    kim = as_new(stocked, "Kim", "Creator")
    ben = as_new(stocked, "Ben", "Reviewer")
    assert kim.triggers.add(SUBMIT)["enabled"] is False
    with pytest.raises(ForbiddenError, match="enable_costly_triggers"):
        kim.triggers.enable("go")
    assert kim.triggers.add(TELL)["enabled"] is True
    for forbidden in (lambda: ben.triggers.add(SUBMIT), lambda: ben.triggers.disable("tell"),
                      lambda: ben.triggers.remove("tell")):  # fmt: skip
        with pytest.raises(ForbiddenError):
            forbidden()
    stocked.project("Aurora").approve_variants("clothed")
    settle(stocked)
    assert stocked.counts() == {}, "a disabled trigger does nothing"
    stocked.triggers.enable("go")
    assert next(r for r in kim.triggers.list() if r["trigger"] == "go")["acts_as"] == "Local administrator"
    settle(stocked)
    assert stocked.triggers.log("go") == [], "what happened before it was enabled is not its business"


@pytest.mark.capability("PRD-97/safety-controls")
def test_rights_are_those_of_whoever_enabled_it_at_each_firing(stocked: Studio) -> None:
    kim = as_new(stocked, "Kim", "Admin")
    add(kim, SUBMIT)
    with stocked.transaction() as session:  # demoted meanwhile
        session.execute(sa.update(m.PersonRole).where(m.PersonRole.person_id == kim.actor.person_id)
                        .values(role_id=RoleName.CREATOR))  # fmt: skip
    stocked.project("Aurora").approve_variants("clothed", characters=["Aiko"])
    settle(stocked)
    row = only(stocked, "go")
    assert (row["status"], row["by"]) == ("refused", "Kim")
    assert "enable_costly_triggers" in row["message"]
    assert row["actions"][0]["status"] == "skipped"
    assert stocked.counts() == {}
    assert kim.notifications.entries()[0].title == "The trigger 'go' was refused"
    stocked.triggers.enable("go")
    stocked.budgets.set(0.01, project="Aurora")
    stocked.project("Aurora").approve_variants("clothed", characters=["Aiko"])
    settle(stocked)
    row = stocked.triggers.log("go")[0]
    assert (row["status"], row["actions"][0]["status"]) == ("failed", "failed")
    assert "The budget of Aurora has" in row["message"]
    assert stocked.counts() == {}


@pytest.mark.capability("PRD-97/safety-controls")
def test_a_release_that_does_not_cover_it_stops_the_trigger(stocked: Studio, tmp_path: Path) -> None:
    document = tmp_path / "release.pdf"
    document.write_bytes(b"%PDF-1.4 signed")
    now = stocked.house.now()
    release = stocked.people.add_release(
        ReleaseInput("M. Example", document, now - timedelta(days=2), adult_verified_at=now - timedelta(days=3))
    )
    stocked.project("Aurora").import_folder(PORTRAITS, performer="M. Example", only=("Mara",))
    add(stocked, SUBMIT)
    stocked.people.revoke_release(release, "changed her mind")
    stocked.project("Aurora").approve_variants("clothed", characters=["Mara"])
    settle(stocked)
    row = only(stocked, "go")
    assert row["status"] == "failed"
    assert "blocked" in row["message"]
    assert stocked.counts() == {}


def test_an_event_sets_a_trigger_off_once_however_many_processes_look(stocked: Studio) -> None:
    add(stocked, TELL | {"on": "variant.approved", "when": []})
    for _ in range(5):
        stocked.project("Aurora").approve_variants("clothed")
    faults: list[BaseException] = []

    def consume() -> None:
        try:
            for _ in range(12):
                stocked.reactions.run()
                stocked.reactions.fire()
        except BaseException as error:  # shown by the test's thread
            faults.append(error)
            raise

    threads = [threading.Thread(target=consume) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    settle(stocked)
    assert faults == []
    rows = stocked.triggers.log("tell")
    assert len(rows) == len({row["event_id"] for row in rows}) == 10
    assert {row["status"] for row in rows} == {"done"}
    assert sum(e.n_events for e in stocked.notifications.entries()) == 10


def test_a_firing_of_a_killed_process_goes_on_and_repeats_nothing(stocked: Studio, clock: Clock) -> None:
    add(stocked, SUBMIT | {"do": [{"action": "submit"}, {"action": "notify", "text": "submitted"}]})
    stocked.project("Aurora").approve_variants("clothed", characters=["Aiko"])
    stocked.reactions.run()
    with stocked.transaction() as session:  # as a process leaves it that dies after its first action
        firing = session.scalars(sa.select(m.TriggerFiring)).one()
        firing.status_id, firing.lease_until = RunStatus.RUNNING, stocked.house.now() + timedelta(seconds=60)
        step = session.get_one(m.TriggerStep, (firing.id, 1))
        step.status_id, step.message = RunStatus.DONE, "1 scene."
    assert stocked.reactions.fire() is False, "it belongs to the other process"
    clock.advance(61)
    assert stocked.reactions.fire() is True
    row = only(stocked, "go")
    assert (row["status"], [a["status"] for a in row["actions"]]) == ("done", ["done", "done"])
    assert stocked.counts() == {}, "the first action was not done again"
    assert [e.title for e in stocked.notifications.entries()] == ["submitted"]


@pytest.mark.capability("PRD-97/safety-controls")
def test_loops_are_refused_by_name_and_bounded_ones_end(equipped: Studio, tmp_path: Path) -> None:
    again = {"name": "again", "on": "take.scored", "when": [{"field": "outcome", "is": "fail"}],
             "do": [{"action": "retake"}]}  # fmt: skip
    equipped.triggers.add(again)
    with pytest.raises(RefusedError, match="'again' could loop without end: again → again"):
        equipped.triggers.enable("again")
    equipped.triggers.remove("again")
    add(equipped, again | {"at_most": 2})
    equipped.load_scene_type(write_recipe(tmp_path / "r", "broken", segments=1, fault="black"))
    equipped.project("Aurora").submit(characters=["Aiko"], scene_types=["broken"])
    settle(equipped)
    rows = equipped.triggers.log("again")
    assert [(r["depth"], r["status"]) for r in reversed(rows)] == [(1, "done"), (2, "done"), (3, "stopped")]
    assert "no more than 2 may" in rows[0]["message"]
    assert len(equipped.project("Aurora").scene("Aiko", "broken", "clothed").takes()) == 3
    equipped.retake(equipped.project("Aurora").scene("Aiko", "broken", "clothed").scene_id, 1)
    settle(equipped)
    rows = equipped.triggers.log("again")
    assert (len(rows), rows[0]["status"], rows[2]["depth"]) == (6, "stopped", 1), "a person's retake begins anew"


@pytest.mark.capability("PRD-97/safety-controls")
def test_a_chain_is_stopped_at_its_greatest_depth(equipped: Studio, tmp_path: Path) -> None:
    equipped.settings.trigger_depth = 2
    add(equipped, {"name": "again", "on": "take.scored", "do": [{"action": "retake"}], "at_most": 50,
                   "when": [{"field": "outcome", "is": "fail"}]})  # fmt: skip
    equipped.load_scene_type(write_recipe(tmp_path / "r", "broken", segments=1, fault="black"))
    equipped.project("Aurora").submit(characters=["Aiko"], scene_types=["broken"])
    settle(equipped)
    rows = equipped.triggers.log("again")
    assert [r["status"] for r in rows] == ["stopped", "done", "done"]
    assert rows[0]["message"] == "Stopped: 2 triggers followed from each other already, and no more than 2 may."
    assert "was stopped" in equipped.notifications.entries()[0].title


@pytest.mark.capability("PRD-97/safety-controls")
def test_a_dry_run_says_what_would_happen_and_writes_nothing(stocked: Studio) -> None:
    stocked.triggers.add(SUBMIT)
    stocked.settings.webhook_private_hosts[:] = ["127.0.0.1:9"]
    stocked.webhooks.add("chat", "http://127.0.0.1:9/a-key-of-the-receiver")
    stocked.project("Aurora").approve_variants("clothed")

    def counts() -> list[int]:
        with stocked.transaction() as session:
            return [session.scalar(sa.select(sa.func.count()).select_from(t)) or 0
                    for t in m.Base.metadata.tables.values()]  # fmt: skip

    before = counts()
    rows = stocked.triggers.dry_run("go")
    assert sorted((r["about"], r["action"], r["branch"]) for r in rows) == [
        ("Aiko · clothed", "submit", "do"), ("Lena · clothed", "submit", "do")
    ]  # fmt: skip
    assert all(r["would"] == f"would submit 1 scene: {r['about'][:4]} / sway / clothed." for r in rows)
    assert stocked.triggers.dry_run(SUBMIT | {"name": "other"}, event_id=rows[0]["event_id"])[0]["would"]
    for action, words in (
        ({"action": "deliver"}, "would fail: 1 of 1 scenes of Lena are not approved"),
        ({"action": "notify", "to": ["Admin"], "text": "{what}!"}, "would tell 1 person: Lena · clothed!"),
        ({"action": "webhook", "name": "chat"}, "would send variant.approved to chat"),
    ):
        rule = {"name": "x", "on": "variant.approved", "do": [action], "when": [{"field": "character", "is": "Lena"},
                {"field": "variant", "is": "clothed"}]}  # fmt: skip
        assert [r["would"] for r in stocked.triggers.dry_run(rule)] == [words]
    assert counts() == before
    for wrong, reason in (({"event_id": 10**9}, "no event"), ({"last": 0}, "1 to 200")):
        with pytest.raises((NotFoundError, InvalidInputError), match=reason):
            stocked.triggers.dry_run("go", **wrong)
    with stocked.transaction() as session:
        other = session.scalars(sa.select(m.Event.id).where(m.Event.kind_id == EventKind.PROJECT_CREATED)).first()
    with pytest.raises(InvalidInputError, match=r"is project.created, not variant.approved"):
        stocked.triggers.dry_run("go", event_id=other)


def test_a_branch_submits_one_scene_type_or_the_other_by_how_many_faces_there_are(
    stocked: Studio, tmp_path: Path
) -> None:
    for name in ("solo", "group"):
        stocked.load_scene_type(write_recipe(tmp_path / "r", name))
    add(stocked, {
        "name": "by faces", "on": "variant.approved", "when": [{"field": "variant", "is": "clothed"}],
        "if": [{"field": "faces", "above": 1}], "do": [{"action": "submit", "scene_types": ["group"]}],
        "otherwise": [{"action": "submit", "scene_types": ["solo"]}],
    })  # fmt: skip
    with stocked.transaction() as session:  # Lena's picture shows two
        lena = sa.select(m.ImageVersion.id).join(m.ImageVariant, m.ImageVariant.id == m.ImageVersion.variant_id)
        lena = lena.join(m.Character, m.Character.id == m.ImageVariant.character_id).where(m.Character.name == "Lena")
        checks = sa.update(m.ImageCheck).where(
            m.ImageCheck.image_version_id.in_(lena), m.ImageCheck.name == "face_count"
        )
        session.execute(checks.values(value=2))
    stocked.project("Aurora").approve_variants("clothed")
    settle(stocked)
    scenes = stocked.project("Aurora").scenes()
    assert sorted((r.character, r.scene_type) for r in scenes.itertuples()) == [("Aiko", "solo"), ("Lena", "group")]
    assert {(r["about"], r["branch"]) for r in stocked.triggers.log()} == {
        ("Aiko · clothed", "otherwise"), ("Lena · clothed", "do")
    }  # fmt: skip


@pytest.mark.capability("PRD-97/action-types")
def test_every_action_works_in_order_and_a_failed_one_ends_it(reviewed: Studio, tmp_path: Path) -> None:
    receiver = Receiver()
    reviewed.settings.webhook_private_hosts[:] = [receiver.host]
    reviewed.webhooks.add("chat", receiver.url)
    actions = [{"action": "rerun_qa"}, {"action": "notify", "to": ["Admin"], "text": "{character} is {outcome}d"},
               {"action": "webhook", "name": "chat"}, {"action": "deliver", "partial": True}]  # fmt: skip
    add(reviewed, {"name": "all", "on": "decision.made", "project": "Aurora", "scene_type": "sway", "do": actions,
                   "when": [{"field": "outcome", "is": "approve"}]})  # fmt: skip
    add(reviewed, {"name": "fails", "on": "decision.made", "when": [{"field": "outcome", "is": "flag"}],
                   "do": [{"action": "assemble"}, {"action": "deliver"}, {"action": "notify"}]})  # fmt: skip
    scene = reviewed.project("Aurora").scene("Aiko", "sway", "clothed").scene_id
    reviewed.decide(scene, "flag", reason="look")
    settle(reviewed)
    row = only(reviewed, "fails")
    assert [a["status"] for a in row["actions"]] == ["done", "failed", "skipped"]
    reviewed.decide(scene, "approve")
    settle(reviewed)
    row = only(reviewed, "all")
    assert [a["status"] for a in row["actions"]] == ["done"] * 4, row
    assert row["actions"][0]["said"].startswith("3 of Aiko · sway · clothed examined: ")
    assert list(reviewed.project("Aurora").deliveries()["status"]) == ["complete"]
    assert "Aiko is approved" in [e.title for e in reviewed.notifications.entries()]
    assert reviewed.webhooks.send_due() == 1
    receiver.stop()
    assert '"trigger": "all"' in receiver.received[0].body
    assert '"character": "Aiko"' in receiver.received[0].body


@pytest.mark.capability("PRD-97/action-types")
def test_actions_together_do_not_wait_for_each_other(stocked: Studio) -> None:
    add(stocked, {"name": "both", "on": "variant.approved", "together": True, "do": [
        {"action": "deliver"}, {"action": "notify", "text": "one"}, {"action": "notify", "text": "two"}]})  # fmt: skip
    stocked.project("Aurora").approve_variants("clothed", characters=["Aiko"])
    settle(stocked)
    row = only(stocked, "both")
    assert (row["status"], [a["status"] for a in row["actions"]]) == ("failed", ["failed", "done", "done"])
    assert {"one", "two"} <= {e.title for e in stocked.notifications.entries()}


@pytest.mark.capability("PRD-97/trigger-rules")
def test_a_character_whose_scenes_are_all_approved_is_delivered(equipped: Studio, tmp_path: Path) -> None:
    equipped.load_scene_type(write_recipe(tmp_path / "r", "nod", segments=1))
    done = [{"field": "status", "is": "Approved"}, {"field": "open_scenes", "at_most": 0}]
    add(equipped, {"name": "out", "on": "scene.status_changed", "project": "Aurora", "when": done,
                   "do": [{"action": "deliver", "partial": True}]})  # fmt: skip
    aurora = equipped.project("Aurora")
    aurora.approve_variants("clothed")
    aurora.submit(characters=["Aiko"])
    settle(equipped)
    equipped.decide(aurora.scene("Aiko", "sway", "clothed").scene_id, "approve")
    settle(equipped)
    assert equipped.triggers.log("out") == [], "her other scene is open"
    equipped.decide(aurora.scene("Aiko", "nod", "clothed").scene_id, "approve")
    settle(equipped)
    row = only(equipped, "out")
    assert row["status"] == "done", row["message"]
    assert row["actions"][0]["said"].endswith(": Aiko.")
    assert list(aurora.deliveries()["status"]) == ["complete"]


def test_scopes_and_names_are_checked_when_a_trigger_is_added(stocked: Studio) -> None:
    stocked.create_project("Breeze")
    for change, error, reason in (
        ({"project": "Nowhere"}, NotFoundError, "no project 'Nowhere'"),
        ({"project": "Breeze", "character": "Aiko"}, NotFoundError, "no character 'Aiko' in this project"),
        ({"scene_type": "fly", "on": "scene.assembled"}, NotFoundError, "no scene type 'fly'"),
        ({"do": [{"action": "webhook", "name": "chat"}]}, NotFoundError, "no webhook 'chat'"),
        ({"do": [{"action": "notify", "to": ["x@example.com"]}]}, NotFoundError, "Nobody has the address"),
        ({"do": [{"action": "submit", "scene_types": ["fly"]}]}, NotFoundError, "no scene type 'fly'"),
        ({"do": [{"action": "submit", "tier": "Gold"}]}, NotFoundError, "Gold"),
        ({"do": [{"action": "submit", "characters": ["Aiko"]}]}, InvalidInputError, "Add project"),
        ({"do": [{"action": "submit", "characters": ["Zed"]}], "project": "Aurora"}, NotFoundError, "'Zed'"),
    ):
        with pytest.raises(error, match=reason):
            stocked.triggers.add(SUBMIT | change)
    assert stocked.triggers.list() == []
    stocked.triggers.add(SUBMIT)
    with pytest.raises(ConflictError):
        stocked.triggers.add(SUBMIT)
    stocked.triggers.remove("go")
    stocked.triggers.add(SUBMIT)
    with pytest.raises(NotFoundError, match="no trigger 'gone'"):
        stocked.triggers.enable("gone")
    assert uuid.UUID(str(stocked.triggers.show("go")["trigger_id"]))


def test_a_trigger_that_was_disabled_before_its_turn_does_nothing(stocked: Studio) -> None:
    add(stocked, SUBMIT | {"project": "Aurora"})
    stocked.project("Aurora").approve_variants("clothed", characters=["Aiko"])
    stocked.reactions.run()
    stocked.triggers.disable("go")
    settle(stocked)
    assert only(stocked, "go")["status"] == "refused"
    with stocked.transaction() as session:
        outbox.publish(session, EventKind.VARIANT_APPROVED, entity="image_variant", entity_id=uuid.uuid4())
    settle(stocked)
    assert len(stocked.triggers.log()) == 1
