"""Who is told what: once, at once, in words, and only what they want to hear."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
import sqlalchemy as sa

from x121lib import model as m
from x121lib.access.service import actor_for
from x121lib.base.errors import InvalidInputError
from x121lib.events import outbox
from x121lib.studio import Studio
from x121lib.studio.schedules import NewSchedule
from x121lib.terms.vocabulary import EventKind, TaskStatus
from x121lib.testing.small_studio import Clock, drive, write_recipe


def as_new(studio: Studio, name: str, role: str) -> Studio:
    """Return the studio as somebody new sees it."""
    key = studio.people.add(name, f"{name.lower()}@example.com", [role])
    with studio.transaction() as session:
        return studio.as_actor(actor_for(session, key))


def fail_a_task(studio: Studio, character: str = "Aiko", error: str = "The model is broken.") -> uuid.UUID:
    """Let the first open task of a character fail for good, as a fault of its own does."""
    with studio.transaction() as session:
        query = sa.select(m.GpuTask).join(m.Take, m.Take.id == m.GpuTask.take_id)
        query = query.join(m.Segment, m.Segment.id == m.Take.segment_id).join(m.Scene, m.Scene.id == m.Segment.scene_id)
        query = query.join(m.Character, m.Character.id == m.Scene.character_id).where(m.Character.name == character)
        task = session.scalars(query.where(m.GpuTask.status_id != TaskStatus.FAILED).limit(1)).one()
        task.status_id, task.error_code, task.error_message = TaskStatus.FAILED, "comfyui.error", error
        outbox.publish(session, EventKind.TASK_FAILED, entity="gpu_task", entity_id=task.id, project_id=task.project_id)
        return task.id


@pytest.mark.capability("OVR/direct-notification-of-execution-errors")
def test_a_real_failure_is_told_at_once_to_whoever_submitted_it_and_to_nobody_else(
    equipped: Studio, tmp_path: Path
) -> None:
    noor, kim = as_new(equipped, "Noor", "Creator"), as_new(equipped, "Kim", "Creator")
    with equipped.transaction() as session:  # a worker that never said what it has is believed
        session.execute(sa.update(m.Worker).values(capabilities_hash=None))
    equipped.load_scene_type(write_recipe(tmp_path / "broken", "broken", fault="unknown"))
    noor.project("Aurora").submit(characters=["Aiko"], scene_types=["broken"])
    drive(equipped)
    assert equipped.reactions.run() is True
    (entry,) = noor.notifications.entries()
    assert entry.kind.value == "task_failed"
    assert entry.title == "Aiko · broken · clothed, segment 1 failed"
    assert "NoServerHasThis" in entry.body
    assert entry.href.startswith("/debugger?task=")
    assert (entry.project, entry.read_at) == ("Aurora", None)
    assert (noor.notifications.unread(), kim.notifications.unread()) == (1, 0)
    assert "task_failed" not in [e.kind.value for e in equipped.notifications.entries()], "who did not submit it"
    assert equipped.reactions.run() is False, "an event is told once"


def test_many_failures_at_once_are_one_entry_until_it_is_read(stocked: Studio, clock: Clock) -> None:
    noor = as_new(stocked, "Noor", "Creator")
    noor.project("Aurora").submit(scene_types=["sway"])
    for _ in range(2):
        fail_a_task(stocked)
    stocked.reactions.run()
    fail_a_task(stocked, "Lena", "Another reason.")
    stocked.reactions.run()
    (entry,) = noor.notifications.entries()
    assert (entry.title, entry.n_events) == ("3 tasks failed in Aurora", 3)
    assert (entry.body, entry.href) == ("Another reason.", "/queue")
    assert noor.notifications.mark_read([entry.notification_id]) == 1
    assert noor.notifications.mark_read([entry.notification_id]) == 0
    fail_a_task(stocked, "Lena")
    stocked.reactions.run()
    assert [e.n_events for e in noor.notifications.entries()] == [1, 3]
    clock.advance(120)
    fail_a_task(stocked, "Lena")
    stocked.reactions.run()
    assert [e.n_events for e in noor.notifications.entries()] == [1, 1, 3]


def test_everybody_chooses_what_they_are_told(stocked: Studio) -> None:
    noor, kim = as_new(stocked, "Noor", "Creator"), as_new(stocked, "Kim", "Reviewer")
    noor.project("Aurora").submit(scene_types=["sway"])
    kim.notifications.prefer("task_failed", "all")
    noor.notifications.prefer("task_failed", "none")
    fail_a_task(stocked)
    stocked.reactions.run()
    assert (noor.notifications.unread(), kim.notifications.unread()) == (0, 1)
    chosen = {row["kind"]: row["told"] for row in kim.notifications.preferences() if row["chosen"]}
    assert chosen == {"task_failed": "all"}
    for kind, scope, reason in (("weather", "all", "no kind of notification"), ("budget", "some", "no choice")):
        with pytest.raises(InvalidInputError, match=reason):
            kim.notifications.prefer(kind, scope)
    with pytest.raises(InvalidInputError, match="no key of a notification"):
        kim.notifications.mark_read(["x"])


def test_nobody_reads_or_marks_the_inbox_of_another(stocked: Studio) -> None:
    noor, kim = as_new(stocked, "Noor", "Creator"), as_new(stocked, "Kim", "Admin")
    noor.project("Aurora").submit(scene_types=["sway"])
    fail_a_task(stocked)
    stocked.reactions.run()
    (entry,) = noor.notifications.entries()
    assert kim.notifications.entries() == []
    assert kim.notifications.mark_read([entry.notification_id]) == 0
    assert kim.notifications.mark_read() == 0
    assert noor.notifications.unread() == 1


def test_budgets_and_workers_are_told_to_those_who_can_do_something(stocked: Studio) -> None:
    noor, kim = as_new(stocked, "Noor", "Creator"), as_new(stocked, "Kim", "Admin")
    stocked.budgets.set(0.5, project="Aurora")
    stocked.workers.add("http://127.0.0.1:9", name="far")
    noor.project("Aurora").submit(characters=["Aiko"], scene_types=["sway"])
    stocked.reactions.run()
    assert kim.notifications.entries() == [], "a worker that was just added is no news"
    with stocked.transaction() as session:
        worker = session.scalars(sa.select(m.Worker)).one()
        outbox.publish(session, EventKind.WORKER_CHANGED, entity="worker", entity_id=worker.id,
                       payload={"name": "far", "status": "offline", "reason": "It does not answer."})  # fmt: skip
        outbox.publish(session, EventKind.BUDGET_WARNED, entity="budget", entity_id=uuid.uuid4(),
                       project_id=stocked.project("Aurora").project_id,
                       payload={"message": "Aurora has used 80 %.", "percent": 80, "holder": ""})  # fmt: skip
    stocked.reactions.run()
    assert {e.title for e in noor.notifications.entries()} >= {"A budget is running out"}
    assert "far is offline" not in {e.title for e in noor.notifications.entries()}
    assert {e.title for e in kim.notifications.entries()} >= {"A budget is running out", "far is offline"}


def test_old_read_entries_are_cleared_away(stocked: Studio, clock: Clock) -> None:
    noor = as_new(stocked, "Noor", "Creator")
    noor.project("Aurora").submit(scene_types=["sway"])
    fail_a_task(stocked)
    stocked.reactions.run()
    clock.advance(100 * 86400)
    assert stocked.notifications.prune() == 0, "what was not read stays"
    noor.notifications.mark_read()
    assert stocked.notifications.prune() == 1


def test_a_schedule_that_missed_its_time_or_was_refused_is_told_to_who_set_it(stocked: Studio, clock: Clock) -> None:
    noor, kim = as_new(stocked, "Noor", "Creator"), as_new(stocked, "Kim", "Creator")
    noor.schedules.add(NewSchedule("nightly", "Aurora", "0 2 * * *", "UTC"))
    clock.advance(3 * 86400 + 5 * 3600)
    stocked.schedules.run_due()
    stocked.reactions.run()
    (entry,) = [e for e in noor.notifications.entries() if e.kind.value == "schedule"]
    assert entry.title == "The schedule 'nightly' missed its time"
    assert "due times were missed, as no consumer ran" in entry.body
    assert kim.notifications.entries() == []
