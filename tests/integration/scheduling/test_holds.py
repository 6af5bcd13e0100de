"""Pauses of scenes, batches, projects and the studio; GPU memory that recipes state."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from tests.integration.scheduling.conftest import Queue
from x121lib import model as m
from x121lib.base.errors import ForbiddenError, InvalidInputError, NotFoundError, RefusedError
from x121lib.scheduling import holds, standing, workers
from x121lib.studio import Studio
from x121lib.studio.batch import progress_of
from x121lib.studio.door import Door
from x121lib.studio.holds import Scope
from x121lib.terms.roles import Actor
from x121lib.terms.vocabulary import TaskStatus
from x121lib.testing.real_studio import wait_until

GIB = 2**30


def sent(line: Queue) -> list[uuid.UUID]:
    return [one.task_id for one in line.dispatch()]


def test_a_paused_project_finishes_its_takes_and_starts_no_other(line: Queue) -> None:
    studio, project = line.studio, line.studio.project("Aurora")
    line.add_worker("one")
    (running,) = line.dispatch()
    (hold,) = studio.pauses.pause(Scope(project="Aurora"), "the client changed the brief.")
    line.run(running)
    assert line.states("Aiko")[0] == TaskStatus.COMPLETE, "what ran is finished"
    assert line.dispatch() == []
    project.submit(characters=["Aiko", "Lena"], variants=["clothed"])
    assert line.dispatch() == []
    frame = studio.queue()
    assert set(frame["status"]) == {"Paused"}
    assert set(frame["why"]) == {hold.words}
    assert hold.words.startswith("Paused with Aurora by ")
    assert hold.words.endswith(": the client changed the brief.")
    assert progress_of(studio, project).held == hold.words
    assert frame["starts_at"].isna().all()
    studio.pauses.resume(Scope(project="Aurora"))
    assert sent(line) == [line.chain("Aiko")[1].id]


def test_what_is_submitted_into_a_pause_waits_too(line: Queue) -> None:
    studio = line.studio
    studio.pauses.pause(Scope(project="Aurora"))
    studio.create_project("Borealis")
    line.add_worker("one")
    studio.cancel([t.id for t in line.chain("Aiko")])
    studio.project("Aurora").submit(characters=["Aiko"])
    assert line.dispatch() == []
    assert studio.queue()["why"].str.startswith("Paused with Aurora").all()


def test_a_scene_and_a_batch_are_paused_alone(line: Queue) -> None:
    studio = line.studio
    line.add_worker("one", slots=2)
    (scene,) = studio.pauses.pause(Scope(project="Aurora", character="Aiko"))
    assert scene.target == "Aiko · sway · clothed"
    assert sent(line) == [line.chain("Lena")[0].id]
    (batch,) = {t.batch_id for t in line.chain("Lena")}
    studio.pauses.pause(Scope(batch_id=batch), "later")
    with pytest.raises(RefusedError, match="paused already"):
        studio.pauses.pause(Scope(batch_id=batch))
    assert line.dispatch() == []
    assert list(studio.pauses.list()["reason"]) == ["later", ""]
    studio.pauses.resume(Scope(scene_ids=(line_scene(line, "Aiko"),)))
    assert sent(line) == [line.chain("Aiko")[0].id]
    with pytest.raises(RefusedError, match="not paused"):
        studio.pauses.resume(Scope(project="Aurora"))


def test_who_pauses_the_same_at_the_same_time_is_told(line: Queue) -> None:
    studio, said = line.studio, []

    def second() -> None:
        try:
            studio.pauses.pause(Scope(project="Aurora"), "mine")
        except RefusedError as error:
            said.append(str(error))

    other = threading.Thread(target=second)
    with studio.transaction() as session:
        holds.pause(session, studio.actor, Scope(project="Aurora"), "first", studio.house.now())
        other.start()
        wait_until(lambda: waits_for_a_lock(studio), "the second waits for the first")
    other.join()
    assert said == ["This is paused already. 'x121 queue pauses' says by whom and why."]
    assert list(studio.pauses.list()["reason"]) == ["first"]


def waits_for_a_lock(studio: Studio) -> bool:
    waiting = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'queue_hold'")
    with studio.transaction() as session:
        return bool(session.scalar(waiting))


def test_many_pauses_are_counted_and_hold_all_their_scenes(line: Queue) -> None:
    studio = line.studio
    line.add_worker("one")
    with studio.transaction() as session:
        project = session.scalars(sa.select(m.Project.id)).one()
        tier = session.scalars(sa.select(m.Tier.id)).first()
        batches = [m.Batch(id=uuid.uuid4(), project_id=project, tier_id=tier) for _ in range(25)]
        session.add_all(batches)
        session.flush()
        session.add_all(m.QueueHold(id=uuid.uuid4(), batch_id=b.id, reason="", made_at=b.created_at) for b in batches)
    studio.pauses.pause(Scope(project="Aurora", character="Aiko"))
    assert sent(line) == [line.chain("Lena")[0].id]
    shown = queue_page(studio)
    assert (len(shown["pauses"]), shown["more_pauses"]) == (20, 6)


def queue_page(studio: Studio) -> dict[str, Any]:
    noor = studio.people.add("Noor", "noor@example.test", ["Creator"], "a quiet walk by the sea")
    door = Door(studio)
    person = door.redeem_once(studio.people.make_sign_in_link(noor))
    assert person is not None
    return door.queue(person, "Aurora")


def line_scene(line: Queue, character: str) -> uuid.UUID:
    query = sa.select(m.Scene.id).join(m.Character, m.Character.id == m.Scene.character_id)
    with line.studio.transaction() as session:
        return session.scalars(query.where(m.Character.name == character)).one()


def test_the_studio_and_single_tasks_say_who_paused_them(line: Queue) -> None:
    studio, first = line.studio, line.chain("Aiko")[0]
    line.add_worker("one")
    studio.pause([first.id], "wrong pose")
    assert studio.queue().set_index("task_id").loc[first.id, "why"].endswith(": wrong pose.")
    studio.pauses.pause(reason="power works")
    assert line.dispatch() == []
    assert set(studio.queue()["why"].str.contains("with the whole studio")) == {True}
    studio.pauses.resume()
    assert sent(line) == [line.chain("Lena")[0].id], "the task stays paused by itself"
    studio.resume([first.id])
    assert studio.pauses.every() == ()
    with studio.transaction() as session:
        actions = set(session.scalars(sa.select(m.AuditEntry.action)))
    assert {"queue.hold", "queue.go_on", "queue.pause", "queue.resume"} <= actions


def test_what_is_wrong_with_a_pause_is_said(line: Queue, reviewer: Actor) -> None:
    pauses = line.studio.pauses
    for scope, words in (
        (Scope(project="Nowhere"), "no project 'Nowhere'"), (Scope(batch_id=uuid.uuid4()), "no batch"),
        (Scope(scene_ids=(uuid.uuid4(),)), "no scene"), (Scope(project="Aurora", variant="x"), "no scene of x"),
    ):  # fmt: skip
        with pytest.raises(NotFoundError, match=words):
            pauses.pause(scope)
    with pytest.raises(InvalidInputError, match="Say of which project"):
        pauses.pause(Scope(character="Aiko"))
    with pytest.raises(InvalidInputError, match="500 characters"):
        pauses.pause(reason="x" * 501)
    with pytest.raises(ForbiddenError):
        line.studio.as_actor(reviewer).pauses.pause()
    assert pauses.every() == ()


def test_a_take_goes_where_there_is_memory_enough(line: Queue) -> None:
    studio = line.studio
    for name, gib in (("small", 12), ("large", 23.6)):
        line.add_worker(name)
        report = workers.HealthReport(line.workers[name], ok=True, vram_bytes=int(gib * GIB))
        with studio.transaction() as session:
            workers.record_health(session, report, studio.house.now())
    with studio.transaction() as session:
        (used,) = {workflow for workflow, _ in standing.versions_of(session, [line.chain("Aiko")[0].id]).values()}
        workflow = session.get_one(m.Workflow, used).name
    studio.workflows.set_memory(workflow, 24)
    first, *rest = line.dispatch()
    assert rest == []
    assert line.task(first.task_id).worker_id == line.workers["large"]
    studio.workflows.set_memory(workflow, 48)
    waiting = studio.queue()
    assert set(waiting[waiting["waits_for"].isna() & (waiting["status"] == "Queued")]["why"]) == {
        "No worker has 48 GiB of GPU memory."
    }
    studio.workflows.set_memory(workflow, None)
    assert len(line.dispatch()) == 1
    for wrong in (0, -1, 1e6):
        with pytest.raises(InvalidInputError, match="above 0"):
            studio.workflows.set_memory(workflow, wrong)
