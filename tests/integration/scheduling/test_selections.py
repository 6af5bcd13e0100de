"""Selections of waiting tasks: moved, edited, undone, by those who may."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.integration.scheduling.conftest import Queue
from tests.integration.scheduling.test_shares import creator
from x121lib import model as m
from x121lib.base.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, RefusedError, X121Error
from x121lib.studio import Studio
from x121lib.studio.selections import Edit, Tasks
from x121lib.terms.roles import Actor
from x121lib.terms.vocabulary import PriorityClass, TaskStatus
from x121lib.testing.small_studio import Clock


def listed(line: Queue) -> list[str]:
    """Return who is served in what order: a letter and the segment of each task."""
    frame = line.studio.queue()
    return [f"{row.character[0]}{row.segment:.0f}" for row in frame.itertuples()]


def part(line: Queue) -> None:
    """Let no task wait for another one, as takes of scenes of their own."""
    with line.studio.transaction() as session:
        session.execute(sa.update(m.GpuTask).values(after_task_id=None))


def served(line: Queue) -> list[uuid.UUID]:
    """Return the tasks in the order in which dispatch sends them, one worker at a time."""
    found = []
    while sent := line.dispatch():
        found += [one.task_id for one in sent]
        line.run(sent[0])
    return found


def test_tasks_are_moved_and_dispatch_follows(line: Queue) -> None:
    aiko, lena = line.chain("Aiko"), line.chain("Lena")
    assert listed(line) == ["A1", "A2", "A3", "L1", "L2", "L3"]
    moved = line.studio.selections.move(Tasks(character="Lena"), "front")
    assert (moved.n_tasks, moved.summary) == (3, "3 tasks moved to the front")
    assert listed(line) == ["L1", "L2", "L3", "A1", "A2", "A3"]
    line.studio.selections.move(Tasks((lena[2].id,)), "after", aiko[0].id)
    assert listed(line) == ["L1", "L2", "A1", "L3", "A2", "A3"]
    line.studio.selections.move(Tasks((aiko[1].id, aiko[2].id)), "before", lena[1].id)
    assert listed(line) == ["L1", "L2", "A1", "A2", "A3", "L3"], "what waits for a task is listed behind it"
    line.studio.selections.move(Tasks((lena[0].id,)), "back")
    assert listed(line) == ["A1", "A2", "A3", "L1", "L2", "L3"]
    line.add_worker("one")
    order = served(line)
    assert order[0] == aiko[0].id, "the first that is ready"
    assert order.index(lena[0].id) > order.index(aiko[2].id)


def test_what_is_new_and_normal_does_not_go_before_what_was_moved_back_only_by_its_age(
    line: Queue, clock: Clock
) -> None:
    line.studio.selections.move(Tasks(character="Aiko"), "back")
    clock.advance(60)
    assert listed(line) == ["L1", "L2", "L3", "A1", "A2", "A3"]


@pytest.mark.capability("PRD-08/priority-levels")
def test_tasks_are_edited_by_what_they_belong_to(line: Queue, clock: Clock) -> None:
    studio = line.studio
    (scene_type,) = set(studio.queue()["scene_type"])
    done = studio.selections.edit(
        Tasks(scene_type=scene_type, character="Lena"), Edit(priority_class=PriorityClass.URGENT)
    )
    assert done.summary == "3 tasks: Urgent"
    assert [(t.class_id, t.priority) for t in line.chain("Lena")] == [(PriorityClass.URGENT, 80)] * 3
    assert listed(line)[0] == "L1"
    studio.selections.edit(Tasks(priority_class=PriorityClass.URGENT), Edit(priority=10, off_peak=True))
    assert [(t.priority, t.is_off_peak) for t in line.chain("Lena")] == [(10, True)] * 3
    tonight = clock() + timedelta(hours=6)
    studio.selections.edit(Tasks(project="aurora"), Edit(not_before=tonight))
    assert set(line.states("Aiko") + line.states("Lena")) == {TaskStatus.SCHEDULED}
    line.add_worker("one")
    assert line.dispatch() == []
    studio.selections.edit(Tasks(character="Aiko"), Edit(at_once=True))
    assert line.states("Aiko") == [TaskStatus.QUEUED] * 3
    assert [one.task_id for one in line.dispatch()] == [line.chain("Aiko")[0].id]
    (batch,) = {t.batch_id for t in line.chain("Lena")}
    assert studio.selections.edit(Tasks(batch_id=batch), Edit(off_peak=False)).n_tasks == 3


def test_a_change_is_undone_and_kept(line: Queue) -> None:
    studio, before = line.studio, [(t.priority, t.turn_at, t.class_id) for t in line.chain("Lena")]
    studio.selections.edit(Tasks(character="Lena"), Edit(priority=70))
    studio.selections.move(Tasks(character="Lena"), "front")
    with pytest.raises(ConflictError, match="were changed since"):
        studio.selections.undo(studio.selections.list().iloc[1]["change_id"])
    assert studio.selections.undo().summary == "Undone: 3 tasks moved to the front"
    with pytest.raises(ConflictError, match="undone already"):
        studio.selections.undo(studio.selections.list().iloc[0]["change_id"])
    kept = studio.selections.list()
    assert list(kept["change"]) == ["3 tasks moved to the front", "3 tasks: priority 70"]
    assert list(kept["tasks"]) == [3, 3]
    assert kept["undone_at"].notna().tolist() == [True, False]
    assert [t.turn_at for t in line.chain("Lena")] == [turn for _, turn, _ in before]
    with studio.transaction() as session:
        actions = list(session.scalars(sa.select(m.AuditEntry.action).order_by(m.AuditEntry.id)))
    assert actions[-3:] == ["queue.change", "queue.change", "queue.undo"]


def test_what_has_started_since_stays_and_is_named_and_the_rest_is_undone(line: Queue) -> None:
    line.studio.selections.move(Tasks(character="Lena"), "front")
    line.add_worker("one")
    (sent,) = line.dispatch()
    assert sent.task_id == line.chain("Lena")[0].id
    done = line.studio.selections.undo()
    assert done.n_tasks == 2
    assert done.summary == "Undone: 3 tasks moved to the front; Lena · sway S1 has started or ended since and stays"
    assert [task.turn_at is None for task in line.chain("Lena")] == [False, True, True]


def test_where_all_has_started_nothing_is_undone(line: Queue) -> None:
    line.studio.selections.move(Tasks((line.chain("Lena")[0].id,)), "front")
    line.add_worker("one")
    assert len(line.dispatch()) == 1
    with pytest.raises(ConflictError, match=r"Lena · sway S1 has started or ended since\. Nothing was changed"):
        line.studio.selections.undo()


def test_all_or_nothing_and_clear_answers(line: Queue, clock: Clock) -> None:
    line.add_worker("one")
    (sent,) = line.dispatch()
    aiko = line.chain("Aiko")
    studio = line.studio
    wrong: list[tuple[type[X121Error], str, Tasks, Edit]] = [
        (RefusedError, "Aiko · sway S1 no longer waits", Tasks((sent.task_id, aiko[1].id)), Edit(priority=1)),
        (NotFoundError, "no GPU task", Tasks((uuid.uuid4(), aiko[1].id)), Edit(priority=1)),
        (NotFoundError, "no scene type 'dive'", Tasks(scene_type="dive"), Edit(priority=1)),
        (NotFoundError, "no batch", Tasks(batch_id=uuid.uuid4()), Edit(priority=1)),
        (RefusedError, "No waiting task matches", Tasks(priority_class=PriorityClass.URGENT), Edit(priority=1)),
        (InvalidInputError, "No task was chosen", Tasks(), Edit(priority=1)),
        (InvalidInputError, "0 to 100, not 101", Tasks((aiko[1].id,)), Edit(priority=101)),
        (InvalidInputError, "Nothing was to be changed", Tasks((aiko[1].id,)), Edit()),
        (InvalidInputError, "is over", Tasks((aiko[1].id,)), Edit(not_before=clock() - timedelta(seconds=1))),
        (InvalidInputError, "no time zone", Tasks((aiko[1].id,)), Edit(not_before=clock().replace(tzinfo=None))),
        (InvalidInputError, "not both", Tasks((aiko[1].id,)), Edit(not_before=clock() + timedelta(1), at_once=True)),
    ]  # fmt: skip
    for kind, words, tasks, given in wrong:
        with pytest.raises(kind, match=words):
            studio.selections.edit(tasks, given)
    with pytest.raises(InvalidInputError, match="before or after which"):
        studio.selections.move(Tasks((aiko[1].id,)), "before")
    with pytest.raises(RefusedError, match="has no place among"):
        studio.selections.move(Tasks((aiko[1].id,)), "before", sent.task_id)
    with pytest.raises(InvalidInputError, match="beside itself"):
        studio.selections.move(Tasks((aiko[1].id,)), "after", aiko[1].id)
    studio.pause([aiko[2].id])
    with pytest.raises(RefusedError, match="without a place"):
        studio.selections.move(Tasks((aiko[1].id, aiko[2].id)), "front")
    with pytest.raises(NotFoundError, match="nothing to undo"):
        studio.selections.undo()
    assert [t.priority for t in line.chain("Aiko")] == [50, 50, 50]


def test_people_order_their_own_work_and_admins_all(line: Queue, reviewer: Actor) -> None:
    part(line)
    ann = creator(line.studio, "Ann")
    theirs = Tasks(character="Aiko")
    with pytest.raises(ForbiddenError, match="submitted by somebody else"):
        ann.selections.edit(theirs, Edit(priority=60))
    with pytest.raises(ForbiddenError, match="submitted by somebody else"):
        ann.selections.move(theirs, "front")
    with line.studio.transaction() as session:
        ids = [t.id for t in line.chain("Lena")]
        session.execute(sa.update(m.GpuTask).where(m.GpuTask.id.in_(ids)).values(submitted_by_id=ann.actor.person_id))
    last = line.chain("Lena")[2].id
    assert listed(line) == ["A1", "L1", "A2", "L2", "A3", "L3"], "fair shares of two people"
    ann.selections.move(Tasks((last,)), "front")
    assert listed(line) == ["A1", "L3", "A2", "L1", "A3", "L2"], (
        "the places of her own work, and those of others as before"
    )
    with pytest.raises(ForbiddenError, match="somebody else"):
        ann.selections.move(Tasks((last,)), "before", line.chain("Aiko")[0].id)
    with pytest.raises(ForbiddenError, match="up to 80"):
        ann.selections.edit(Tasks((last,)), Edit(priority=81))
    ann.selections.edit(Tasks(person="ann@example.com"), Edit(priority=80))
    with pytest.raises(ForbiddenError):
        line.studio.as_actor(reviewer).selections.edit(theirs, Edit(priority=1))
    change = line.studio.selections.list().iloc[0]
    assert change["person"] == "Ann"
    ben = creator(line.studio, "Ben")
    with pytest.raises(ForbiddenError, match="somebody else's"):
        ben.selections.undo(change["change_id"])
    assert line.studio.selections.undo(change["change_id"]).n_tasks == 3


def own(line: Queue, name: str, character: str) -> tuple[Studio, list[uuid.UUID]]:
    """Return a Creator to whom the tasks of a character belong, and these tasks."""
    person = creator(line.studio, name)
    with line.studio.transaction() as session:
        ids = [t.id for t in line.chain(character)]
        session.execute(
            sa.update(m.GpuTask).where(m.GpuTask.id.in_(ids)).values(submitted_by_id=person.actor.person_id)
        )
    return person, ids


def spread(line: Queue) -> None:
    """Let the two scenes' tasks have come in turn, further apart than shares weigh: Aiko's, Lena's, Aiko's …"""
    part(line)
    with line.studio.transaction() as session:
        began = line.studio.house.now() - timedelta(hours=20)
        for n, pair in enumerate(zip(line.chain("Aiko"), line.chain("Lena"), strict=True)):
            for k, task in enumerate(pair):
                session.get_one(m.GpuTask, task.id).queued_at = began + timedelta(hours=4 * n + 2 * k)


def test_who_moves_their_own_work_never_overtakes_others(line: Queue) -> None:
    spread(line)
    ann, mine = own(line, "Ann", "Lena")
    assert listed(line) == ["A1", "L1", "A2", "L2", "A3", "L3"]
    ann.selections.move(Tasks((mine[2],)), "front")
    assert listed(line) == ["A1", "L3", "A2", "L1", "A3", "L2"]
    for _ in range(5):
        ann.selections.move(Tasks((mine[0],)), "front")
        ann.selections.move(Tasks((mine[1], mine[2])), "front")
    assert listed(line) == ["A1", "L3", "A2", "L2", "A3", "L1"], "her places, whatever is moved how often"
    ann.selections.move(Tasks((mine[2],)), "back")
    assert listed(line) == ["A1", "L2", "A2", "L1", "A3", "L3"]
    ann.selections.move(Tasks((mine[2], mine[0])), "before", mine[1])
    assert listed(line) == ["A1", "L1", "A2", "L3", "A3", "L2"]
    ann.selections.move(Tasks((mine[0],)), "after", mine[1])
    assert listed(line) == ["A1", "L3", "A2", "L2", "A3", "L1"]
    assert [t.turn_at for t in line.chain("Aiko")] == [None] * 3


def test_the_undo_of_a_move_among_ones_own_restores_all_of_it(line: Queue) -> None:
    spread(line)
    ann, mine = own(line, "Ann", "Lena")
    done = ann.selections.move(Tasks((mine[2],)), "front")
    assert (done.n_tasks, done.summary) == (3, "1 task moved to the front")
    ann.selections.undo()
    assert listed(line) == ["A1", "L1", "A2", "L2", "A3", "L3"]
    assert [t.turn_at for t in line.chain("Lena")] == [None] * 3


def _start(line: Queue, key: uuid.UUID) -> None:
    with line.studio.transaction() as session:
        session.get_one(m.GpuTask, key).status_id = TaskStatus.RUNNING


def test_the_undo_of_a_move_among_ones_own_of_which_one_has_started_keeps_the_places_that_are_left(
    line: Queue,
) -> None:
    """Else the place of the one that has started would be used twice, and others' work overtaken."""
    spread(line)
    ann, mine = own(line, "Ann", "Lena")
    ann.selections.move(Tasks((mine[2], mine[1])), "front")
    moved = listed(line)
    assert [name for name in moved if name[0] == "L"] == ["L2", "L3", "L1"]
    _start(line, mine[1])
    assert listed(line) == ["L2", "A1", "A2", "L3", "A3", "L1"]
    done = ann.selections.undo()
    assert listed(line) == ["L2", "A1", "A2", "L1", "A3", "L3"]
    assert (done.n_tasks, done.summary.split("; ")[1]) == (2, "Lena · sway S2 has started or ended since and stays")
    with pytest.raises(NotFoundError, match="nothing to undo"):
        ann.selections.undo()


def test_the_undo_that_would_change_nothing_any_more_says_so(line: Queue) -> None:
    spread(line)
    ann, mine = own(line, "Ann", "Lena")
    ann.selections.move(Tasks((mine[2],)), "front")
    _start(line, mine[2])
    before = listed(line)
    with pytest.raises(ConflictError, match="S3 has started or ended since and stays, and the others stand in their"):
        ann.selections.undo()
    assert listed(line) == before == ["L3", "A1", "A2", "L1", "A3", "L2"]


def test_moves_and_priorities_in_turn_win_nothing(line: Queue) -> None:
    """Swap an urgent task with a background one, then the priorities: neither stands before where it began."""
    ann, (first, second, _) = own(line, "Ann", "Lena")
    with line.studio.transaction() as session:  # it waits a week, as does the studio's most urgent work
        session.execute(sa.update(m.GpuTask).where(m.GpuTask.id == line.chain("Aiko")[0].id).values(priority=81))
    for _ in range(4):
        ann.selections.edit(Tasks((first,)), Edit(priority_class=PriorityClass.URGENT))
        ann.selections.edit(Tasks((second,)), Edit(priority_class=PriorityClass.BACKGROUND))
        ann.selections.move(Tasks((second,)), "front")
        first, second = second, first
    ann.selections.edit(Tasks((first, second)), Edit(priority_class=PriorityClass.URGENT))
    assert listed(line)[0] == "A1"
    assert ann.set_priority([first, second], 79) == 2
    assert listed(line)[0] == "A1"


def test_priorities_above_urgent_are_for_who_orders_the_queue(line: Queue) -> None:
    ann, mine = own(line, "Ann", "Lena")
    with pytest.raises(ForbiddenError, match="up to 80"):
        ann.set_priority(mine, 100)
    assert ann.set_priority(mine, 80) == 3
    assert line.studio.set_priority(mine, 100) == 3


def test_what_was_put_off_by_mistake_keeps_how_long_it_has_waited(line: Queue, clock: Clock) -> None:
    since = [t.queued_at for t in line.chain("Aiko")]
    clock.advance(60)
    line.studio.selections.edit(Tasks(character="Aiko"), Edit(not_before=clock() + timedelta(hours=1)))
    clock.advance(60)
    line.studio.selections.undo()
    assert line.states("Aiko") == [TaskStatus.QUEUED] * 3
    assert [t.queued_at for t in line.chain("Aiko")] == since
    line.studio.selections.edit(Tasks(character="Aiko"), Edit(not_before=clock() + timedelta(hours=1)))
    line.studio.selections.edit(Tasks(character="Aiko"), Edit(at_once=True))
    assert min(t.queued_at for t in line.chain("Aiko")) > max(since) + timedelta(minutes=2), (
        "who chose to wait begins anew"
    )
