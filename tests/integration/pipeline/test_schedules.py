"""Recurring schedules: run at their times, once, as their person; missed times; refusals."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from tests.integration.scheduling.test_shares import creator
from x121lib import model as m
from x121lib.access import service as people
from x121lib.base.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, RefusedError, X121Error
from x121lib.studio import Studio
from x121lib.studio.pages import queue_schedules
from x121lib.studio.schedules import NewSchedule
from x121lib.terms.roles import Actor
from x121lib.terms.vocabulary import PriorityClass, RoleName, SceneStatus
from x121lib.testing.small_studio import Clock

NIGHTLY = NewSchedule("Nightly", "Aurora", "30 22 * * *", "Europe/Berlin")


def due(studio: Studio) -> datetime:
    at = studio.schedules.list()["next_due_at"].iloc[0]
    assert isinstance(at, datetime)
    return at


def set_roles(studio: Studio, person: Actor, role: RoleName) -> None:
    assert person.person_id is not None
    with studio.transaction() as session:
        people.set_roles(session, studio.actor, person.person_id, [role])


def go_to(clock: Clock, at: datetime) -> None:
    clock.advance((at - clock()).total_seconds())


@pytest.mark.capability("PRD-08/recurring-schedules")
def test_a_schedule_submits_at_its_time_and_says_what_became_of_it(stocked: Studio, clock: Clock) -> None:
    stocked.schedules.add(replace(NIGHTLY, characters=("Aiko",), priority_class=PriorityClass.BACKGROUND))
    at = due(stocked)
    assert f"{at.astimezone(UTC):%M}" == "30"
    go_to(clock, at - timedelta(seconds=1))
    assert stocked.schedules.run_due() == []
    clock.advance(1)
    stocked.work.tick()
    (ran,) = stocked.schedules.runs("nightly").to_dict("records")
    assert (ran["due_at"], ran["outcome"], ran["scenes"], ran["takes"]) == (at, "submitted", 1, 3)
    assert set(stocked.queue()["character"]) == {"Aiko"}
    assert set(stocked.queue()["priority"]) == {20}
    row = stocked.schedules.list().iloc[0]
    assert (row["next_due_at"], row["last_outcome"]) == (at + timedelta(days=1), "submitted")
    go_to(clock, at + timedelta(days=1))
    (again,) = stocked.schedules.run_due()
    assert (again.outcome, again.message) == ("nothing to do", "1 scenes were there already.")


def test_each_time_runs_once_however_many_look(stocked: Studio, clock: Clock) -> None:
    stocked.schedules.add(NIGHTLY)
    stocked.schedules.add(replace(NIGHTLY, name="Also", characters=("Lena",)))
    go_to(clock, due(stocked))
    with ThreadPoolExecutor(8) as pool:
        found = [run for runs in pool.map(lambda _: stocked.schedules.run_due(), range(16)) for run in runs]
    assert len(found) == 2
    with stocked.transaction() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(m.ScheduleRun)) == 2
        assert session.scalar(sa.select(sa.func.count()).select_from(m.GpuTask)) == 6


def test_missed_times_are_said_and_run_once_or_skipped(stocked: Studio, clock: Clock) -> None:
    stocked.schedules.add(NIGHTLY)
    stocked.schedules.add(replace(NIGHTLY, name="Catches up", runs_missed=True))
    go_to(clock, due(stocked) + timedelta(days=2, hours=3))
    skipped, made_up = sorted(stocked.schedules.run_due(), key=lambda run: run.outcome)
    assert skipped.message == "3 due times were missed, as no consumer ran; skipped."
    assert (made_up.outcome, made_up.n_scenes) == ("submitted", 2)
    assert made_up.message == "3 due times were missed, as no consumer ran; run once for all of them."
    assert stocked.schedules.run_due() == []
    assert (due(stocked) - clock()) < timedelta(days=1)


def test_it_submits_as_its_person_with_what_they_may_do_then(stocked: Studio, clock: Clock) -> None:
    ann = creator(stocked, "Ann")
    ann.schedules.add(NIGHTLY)
    at = due(stocked)
    set_roles(stocked, ann.actor, RoleName.REVIEWER)
    go_to(clock, at)
    (refused,) = stocked.schedules.run_due()
    assert refused.outcome == "refused"
    assert "Ann may not do this" in refused.message
    assert stocked.queue().empty
    set_roles(stocked, ann.actor, RoleName.CREATOR)
    stocked.budgets.set(0, person="ann@example.com")
    go_to(clock, at + timedelta(days=1))
    (refused,) = stocked.schedules.run_due()
    assert "budget" in refused.message
    assert stocked.queue().empty, "a refused submission leaves nothing behind"
    with stocked.transaction() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(m.Batch)) == 0


def test_what_was_chosen_and_deleted_is_not_taken_for_all(stocked: Studio, clock: Clock) -> None:
    stocked.schedules.add(replace(NIGHTLY, characters=("Aiko",)))
    with stocked.transaction() as session:
        session.execute(sa.delete(m.ScheduleCharacter))
    go_to(clock, due(stocked))
    (refused,) = stocked.schedules.run_due()
    assert "deleted since" in refused.message


def test_only_what_failed_is_submitted_where_asked(stocked: Studio, clock: Clock) -> None:
    stocked.schedules.add(replace(NIGHTLY, failed_only=True))
    go_to(clock, due(stocked))
    assert [run.message for run in stocked.schedules.run_due()] == ["There was nothing to do."]
    stocked.project("Aurora").submit()
    stocked.cancel(list(stocked.queue()["task_id"]))
    with stocked.transaction() as session:
        one = session.scalars(sa.select(m.Scene.id).limit(1)).one()
        session.execute(sa.update(m.Scene).where(m.Scene.id == one).values(status_id=SceneStatus.FAILED))
    assert stocked.schedules.run_now("Nightly").n_scenes == 1


def test_it_is_disabled_enabled_removed_by_who_may(stocked: Studio, clock: Clock, reviewer: Actor) -> None:
    ann, ben = creator(stocked, "Ann"), creator(stocked, "Ben")
    ann.schedules.add(NIGHTLY)
    with pytest.raises(ForbiddenError, match="somebody else's"):
        ben.schedules.remove("Nightly")
    ann.schedules.disable("nightly")
    with pytest.raises(RefusedError, match="disabled already"):
        ann.schedules.disable("nightly")
    clock.advance(3 * 86_400)
    assert stocked.schedules.run_due() == []
    assert stocked.schedules.enable("Nightly") is not None, "an Admin may"
    assert stocked.schedules.run_due() == [], "what passed meanwhile is not missed"
    with pytest.raises(ForbiddenError):
        stocked.as_actor(reviewer).schedules.add(replace(NIGHTLY, name="Mine"))
    ann.schedules.remove("Nightly")
    assert stocked.schedules.list().empty


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"cron": "0 0 30 2 *"}, InvalidInputError, "February has no day 30"),
        ({"cron": "0 0 0 * * *"}, InvalidInputError, "has 6 fields"),
        ({"zone": "Europe/Atlantis"}, InvalidInputError, "no time zone 'Europe/Atlantis'"),
        ({"zone": "../etc/passwd"}, InvalidInputError, "no time zone"),
        ({"name": " "}, InvalidInputError, "1 to 100 characters"), ({"project": "Nowhere"}, NotFoundError, "Nowhere"),
        ({"characters": ("Nobody",)}, NotFoundError, "Nobody"), ({"tier": "Gold"}, NotFoundError, "Gold"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(stocked: Studio, change: dict[str, str], kind: type[X121Error], words: str) -> None:
    with pytest.raises(kind, match=words):
        stocked.schedules.add(replace(NIGHTLY, **change))  # type: ignore[arg-type]
    assert stocked.schedules.list().empty


def test_a_name_is_taken_once(stocked: Studio) -> None:
    stocked.schedules.add(NIGHTLY)
    with pytest.raises(ConflictError, match="already"):
        stocked.schedules.add(replace(NIGHTLY, name="nightly"))
    with pytest.raises(NotFoundError, match="Known: Nightly"):
        stocked.schedules.runs("Weekly")


def test_the_form_offers_what_there_is_and_shows_the_next_times(stocked: Studio, reviewer: Actor) -> None:
    offered = queue_schedules.offers(stocked)
    assert offered["projects"] == [{"name": "Aurora", "characters": ["Aiko", "Lena"]}]
    assert "sway" in offered["scene_types"]
    assert {"Europe/Berlin", "UTC"} <= set(offered["zones"])
    times = stocked.schedules.times("30 22 * * mon", "Europe/Berlin")
    assert len(times) == 5
    assert times == sorted(set(times))
    assert times[0] > stocked.house.now()
    assert {f"{at.astimezone(ZoneInfo('Europe/Berlin')):%a %H:%M}" for at in times} == {"Mon 22:30"}
    shown = queue_schedules.times(stocked, "30 22 * * mon", "Europe/Berlin")["times"]
    assert all(one["words"].startswith("Mon ") and " 22:30 CE" in one["words"] for one in shown)
    ann = creator(stocked, "Ann")
    for given, words in (
        ({"name": "x", "colour": "red"}, "no schedule"), ({"name": "x", "priority": "Soon"}, "no class 'Soon'"),
        ({"name": "x", "project": "Aurora", "cron": "soon", "zone": "UTC"}, "has 1 fields"),
    ):  # fmt: skip
        with pytest.raises(InvalidInputError, match=words):
            queue_schedules.add(ann, given)
    wanted = {"name": "Mine", "project": "Aurora", "cron": "@daily", "zone": "UTC", "variants": ["clothed"],
              "priority": "Background", "off_peak": True}  # fmt: skip
    with pytest.raises(ForbiddenError):
        queue_schedules.add(stocked.as_actor(reviewer), wanted)
    assert queue_schedules.add(ann, wanted)["text"] == "Mine is set"
    (row,) = stocked.schedules.list().to_dict("records")
    assert [row[c] for c in ("person", "chosen", "priority", "off_peak", "failed_only", "missed")] == [
        "Ann", "clothed", "Background", True, False, "skip"
    ]  # fmt: skip


@pytest.mark.capability("PRD-08/recurring-schedules")
def test_a_schedule_is_changed_in_place(stocked: Studio, clock: Clock) -> None:
    key = stocked.schedules.add(replace(NIGHTLY, characters=("Aiko",)))
    stocked.schedules.run_now("Nightly")
    at, other = due(stocked), replace(NIGHTLY, name="Weekly", characters=("Aiko", "Lena"), runs_missed=True)
    changed = stocked.schedules.change(str(key), other, version=1)
    assert (changed.given, changed.version, changed.n_lost) == (other, 2, 0)
    assert due(stocked) == at, "the same times are kept"
    changed = stocked.schedules.change("weekly", replace(other, cron="0 6 * * mon", zone="UTC", scene_types=("sway",)))
    assert f"{due(stocked):%a %H:%M}" == "Mon 06:00"
    assert len(stocked.schedules.runs("Weekly")) == 1, "its log stays"
    go_to(clock, due(stocked))
    (ran,) = stocked.schedules.run_due()
    assert ran.n_scenes == 1
    assert set(stocked.queue()["character"]) == {"Aiko", "Lena"}
    stocked.schedules.disable("Weekly")
    assert stocked.schedules.change("Weekly", NIGHTLY).is_enabled is False
    assert stocked.schedules.list()["next_due_at"].iloc[0] is None
    with stocked.transaction() as session:
        entries = session.scalars(
            sa.select(m.AuditEntry).where(m.AuditEntry.action == "schedule.changed").order_by(m.AuditEntry.id)
        ).all()
        first = entries[0]
        assert len(entries) == 3
        assert first.before is not None
        assert first.after is not None
        assert (first.before["characters"], first.after["characters"]) == (["Aiko"], ["Aiko", "Lena"])
        assert (first.before["name"], first.after["name"]) == ("Nightly", "Weekly")


def test_who_changes_what_is_submitted_lends_their_own_rights(stocked: Studio) -> None:
    ann, ben = creator(stocked, "Ann"), creator(stocked, "Ben")
    ann.schedules.add(NIGHTLY)
    with pytest.raises(ForbiddenError, match="somebody else's"):
        ben.schedules.change("Nightly", replace(NIGHTLY, name="Mine"))
    later = replace(NIGHTLY, cron="0 6 * * *", runs_missed=True)
    assert stocked.schedules.change("Nightly", later).person == "Ann", "other times alone leave it hers"
    admin = stocked.schedules.change("Nightly", replace(later, priority_class=PriorityClass.URGENT)).person
    assert admin != "Ann"


def test_a_change_that_somebody_made_meanwhile_is_not_written_over(stocked: Studio) -> None:
    stocked.schedules.add(NIGHTLY)
    stocked.schedules.add(replace(NIGHTLY, name="Other"))
    seen = stocked.schedules.show("Nightly")
    stocked.schedules.change("Nightly", replace(NIGHTLY, cron="@daily"), version=seen.version)
    for change, kind, words in (
        ({"cron": "@weekly"}, ConflictError, "'Nightly' was changed meanwhile"),
        ({"name": "other"}, ConflictError, "There is a schedule 'other' already"),
        ({"cron": "0 0 30 2 *"}, InvalidInputError, "no day 30"),
        ({"characters": ("Nobody",)}, NotFoundError, "Nobody"),
    ):  # fmt: skip
        version = seen.version if words.endswith("meanwhile") else None
        with pytest.raises(kind, match=words):
            stocked.schedules.change("Nightly", replace(NIGHTLY, **change), version=version)
    assert stocked.schedules.show("Nightly").given == replace(NIGHTLY, cron="@daily")
    with stocked.transaction() as session:
        session.execute(sa.update(m.Schedule).where(m.Schedule.name == "Nightly").values(n_chosen=1))
    assert stocked.schedules.show("Nightly").n_lost == 1
    assert stocked.schedules.change("Nightly", NIGHTLY).n_lost == 0, "who saves it has chosen anew"


def test_the_form_is_filled_and_its_change_taken_back(stocked: Studio) -> None:
    key = str(stocked.schedules.add(replace(NIGHTLY, variants=("clothed",))))
    shown = queue_schedules.show(stocked, key)
    assert (shown["given"]["cron"], shown["given"]["variants"], shown["version"]) == ("30 22 * * *", ["clothed"], 1)
    done = queue_schedules.change(stocked, key, shown["given"] | {"name": "Late", "off_peak": True}, shown["version"])
    assert (done["text"], done["before"]) == ("Late is changed", shown["given"])
    queue_schedules.change(stocked, key, done["before"], done["version"])
    assert stocked.schedules.show(key).given == replace(NIGHTLY, variants=("clothed",))
    ann = creator(stocked, "Ann")
    hers = str(ann.schedules.add(replace(NIGHTLY, name="Hers")))
    given = queue_schedules.show(stocked, hers)["given"] | {"off_peak": True}
    done = queue_schedules.change(stocked, hers, given, None)
    assert "; it submits as " in done["text"]
    assert done["before"] is None
