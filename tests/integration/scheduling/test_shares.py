"""Fair shares, off-peak work and readiness in a real queue."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.integration.scheduling.conftest import Queue
from x121lib import model as m
from x121lib.base.errors import ForbiddenError, InvalidInputError, NotFoundError
from x121lib.scheduling import window
from x121lib.scheduling.service import Dispatched
from x121lib.studio import Studio
from x121lib.terms.quality import Outcome
from x121lib.terms.roles import ROLE_PERMISSIONS, Actor
from x121lib.terms.vocabulary import RoleName, TaskStatus


def creator(studio: Studio, name: str) -> Studio:
    key = studio.people.add(name, f"{name.lower()}@example.com", ["Creator"], "a quiet walk by the sea")
    return studio.as_actor(Actor(key, name, ROLE_PERMISSIONS[RoleName.CREATOR]))


def whose(studio: Studio, sent: list[Dispatched]) -> list[str]:
    with studio.transaction() as session:
        query = sa.select(m.Person.name).join(m.GpuTask, m.GpuTask.submitted_by_id == m.Person.id)
        return [session.scalars(query.where(m.GpuTask.id == one.task_id)).one() for one in sent]


@pytest.mark.capability("PRD-08/fair-scheduling")
def test_the_second_person_goes_before_the_rest_of_the_first(stocked: Studio) -> None:
    queue, ann, ben = Queue(stocked), creator(stocked, "Ann"), creator(stocked, "Ben")
    queue.add_worker("one")
    ann.project("Aurora").submit(characters=["Aiko"])
    (first,) = queue.dispatch()
    queue.run(first)
    ben.project("Aurora").submit(characters=["Lena"])
    listed = stocked.queue()
    assert list(listed["character"][:2]) == ["Lena", "Aiko"], "by turns, the second one first"
    why = listed.set_index("character").loc["Aiko", "why"].iloc[0]
    assert "Ann used 100% of the last 24 hours' GPU time; 50% are fair, which it is again by " in why
    served = []
    while sent := queue.dispatch():
        served += [stocked_character(stocked, one.task_id) for one in sent]
        queue.run(sent[0])
    assert served == list(listed["character"]), "the list is what dispatch does"


def test_a_weight_gives_its_part(stocked: Studio) -> None:
    queue, ann, ben = Queue(stocked), creator(stocked, "Ann"), creator(stocked, "Ben")
    queue.add_worker("one")
    ann.project("Aurora").submit(characters=["Aiko"])
    (first,) = queue.dispatch()
    queue.run(first)
    ben.project("Aurora").submit(characters=["Lena"])
    (second,) = queue.dispatch()
    assert whose(stocked, [second]) == ["Ben"]
    queue.run(second)
    stocked.shares.set(9, person="ann@example.com")
    assert whose(stocked, queue.dispatch()) == ["Ann"]
    frame = stocked.shares.list().set_index(["scope", "name"])
    assert frame.loc[("person", "Ann"), "fair"] == pytest.approx(0.9)
    assert frame.loc[("project", "Aurora"), "used"] == 1.0


@pytest.mark.capability("PRD-08/off-peak-policy")
def test_off_peak_work_waits_for_everything_else_also_between_segments(stocked: Studio) -> None:
    queue, project = Queue(stocked), stocked.project("Aurora")
    queue.add_worker("one")
    project.submit(characters=["Aiko"], priority="Urgent", off_peak=True)
    (night,) = queue.dispatch()
    project.submit(characters=["Lena"], priority="Background")
    queue.run(night)
    seen = []
    while sent := queue.dispatch():
        seen += [stocked_character(stocked, one.task_id) for one in sent]
        queue.run(sent[0])
    assert seen == ["Lena", "Lena", "Lena", "Aiko", "Aiko"]


def stocked_character(studio: Studio, task_id: uuid.UUID) -> str:
    with studio.transaction() as session:
        query = (
            sa.select(m.Character.name)
            .join(m.Scene, m.Scene.character_id == m.Character.id)
            .join(m.Segment, m.Segment.scene_id == m.Scene.id)
            .join(m.Take, m.Take.segment_id == m.Segment.id)
            .join(m.GpuTask, m.GpuTask.take_id == m.Take.id)
        )
        return session.scalars(query.where(m.GpuTask.id == task_id)).one()


def test_a_task_is_ready_once_the_take_before_it_has_passed(line: Queue) -> None:
    line.add_worker("one", slots=2)
    assert [t.is_ready for t in line.chain("Aiko")] == [True, False, False]
    first, other = line.dispatch()
    line.run(first)
    assert [t.is_ready for t in line.chain("Aiko")] == [True, True, False]
    line.run(other, outcome=Outcome.FAIL)
    assert [t.is_ready for t in line.chain("Lena")] == [True, False, False]
    assert line.states("Lena")[1:] == [TaskStatus.CANCELLED] * 2


def test_the_window_is_the_beginning_of_the_whole_order(stocked: Studio) -> None:
    ann, ben = creator(stocked, "Ann"), creator(stocked, "Ben")
    ann.project("Aurora").submit(characters=["Aiko"])
    ben.project("Aurora").submit(characters=["Lena"])
    with stocked.transaction() as session:
        session.execute(sa.update(m.GpuTask).values(is_ready=True))
        now = stocked.house.now() + timedelta(seconds=1)
        everything = window.rows(session, now, 6)
        assert len(everything) == 6
        assert {row.person_id for row in everything[:2]} == {ann.actor.person_id, ben.actor.person_id}
        for n in range(1, 6):
            assert window.rows(session, now, n) == everything[:n]
        session.execute(sa.update(m.GpuTask).values(submitted_by_id=None))
        first = session.scalars(sa.select(m.GpuTask.id).order_by(m.GpuTask.queued_at, m.GpuTask.id).limit(2)).all()
        assert [row.task_id for row in window.rows(session, now, 2)] == list(first)


def test_a_share_that_was_read_to_its_end_is_read_further(stocked: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    stocked.project("Aurora").submit()
    with stocked.transaction() as session:
        session.execute(sa.update(m.GpuTask).values(is_ready=True))
        now = stocked.house.now() + timedelta(seconds=1)
        everything = window.rows(session, now, 100)
        monkeypatch.setattr(window, "LEAST_DEPTH", 1)
        assert window.rows(session, now, 5) == everything[:5]


def test_what_is_no_share_is_refused(stocked: Studio) -> None:
    with pytest.raises(ForbiddenError):
        creator(stocked, "Ann").shares.set(2, project="Aurora")
    for given in ({}, {"project": "Aurora", "person": "ann@example.com"}):
        with pytest.raises(InvalidInputError, match="whose"):
            stocked.shares.set(2, **given)
    for weight in (0, -1, 1001, float("nan")):
        with pytest.raises(InvalidInputError, match=r"0\.01 to 1000"):
            stocked.shares.set(weight, project="Aurora")
    with pytest.raises(NotFoundError, match="x@example"):
        stocked.shares.set(2, person="x@example.com")
    with pytest.raises(NotFoundError):
        stocked.shares.set(2, project="None")


def test_the_queue_says_when_each_task_is_expected_to_start(line: Queue) -> None:
    line.add_worker("one")
    assert all(at is None for at in line.studio.queue()["starts_at"]), "nothing was measured yet"
    (first,) = line.dispatch()
    line.run(first)
    frame, now = line.studio.queue(), line.studio.house.now()
    seconds = {(row.character, row.segment): (row.starts_at - now).total_seconds() for row in frame.itertuples()}
    order = [(row.character, row.segment) for row in frame.itertuples()]
    assert order[0] == ("Aiko", 2)
    assert [round(seconds[place]) for place in order] == [0, 1, 2, 3, 4]
    line.studio.workers.drain("one")
    assert all(at is None for at in line.studio.queue()["starts_at"])
