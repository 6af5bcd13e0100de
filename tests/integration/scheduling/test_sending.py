"""What is dispatched, to whom it is left, and who may start it."""

from __future__ import annotations

import sqlalchemy as sa

from tests.integration.scheduling.conftest import LEASE_S, Queue
from x121lib import model as m
from x121lib.pipeline import execution
from x121lib.scheduling import service as queue
from x121lib.scheduling.sending import Here
from x121lib.terms.roles import SYSTEM
from x121lib.terms.vocabulary import TaskStatus


def make_ready(line: Queue) -> None:
    """Let no task wait for the one before it."""
    with line.studio.transaction() as session:
        session.execute(sa.update(m.GpuTask).values(is_ready=True))


def test_dispatched_tasks_are_claimed_in_the_order_of_their_dispatch(line: Queue) -> None:
    make_ready(line)
    line.add_worker("one", slots=6)
    sent = [(each.task_id, each.attempt_number) for each in line.dispatch()]
    assert len(sent) == 6
    claimed = [token for most in (1, 3, 8, 8) for token in line.studio.house.claim(most)]
    assert claimed == sent
    assert {line.task(key).status_id for key, _ in sent} == {TaskStatus.RUNNING}
    assert all(line.attempts(key)[0].started_at for key, _ in sent)


def test_a_task_that_somebody_holds_is_left_out_and_its_slot_filled_next(line: Queue) -> None:
    make_ready(line)
    line.add_worker("one", slots=2)
    first, second, third = line.chain("Aiko")
    with line.studio.transaction() as holder:
        holder.execute(sa.select(m.GpuTask).where(m.GpuTask.id == first.id).with_for_update())
        assert [each.task_id for each in line.dispatch()] == [second.id], "nobody waits for the one who holds it"
        assert line.task(first.id).attempt_number == 0
    assert [each.task_id for each in line.dispatch()] == [first.id]
    assert line.task(third.id).status_id == TaskStatus.QUEUED


def test_the_process_that_dispatches_starts_the_first_ones_itself(line: Queue) -> None:
    make_ready(line)
    line.add_worker("one", slots=4)
    with line.studio.transaction() as session:
        sent = queue.dispatch(session, line.studio.house.now(), LEASE_S, here=Here(2, LEASE_S))
    assert [each.is_started for each in sent] == [True, True, False, False]
    statuses = [line.task(each.task_id).status_id for each in sent]
    assert statuses == [TaskStatus.RUNNING] * 2 + [TaskStatus.DISPATCHED] * 2
    assert line.studio.house.claim(8) == [(each.task_id, each.attempt_number) for each in sent[2:]]


def test_what_was_cancelled_after_its_claim_is_not_run(line: Queue) -> None:
    line.add_worker("one")
    line.dispatch()
    ((task_id, number),) = line.studio.house.claim(1)
    with line.studio.transaction() as session:
        queue.cancel(session, SYSTEM, [task_id], line.studio.house.now())
    assert not execution.execute(line.studio.house, task_id, number, is_started=True).recorded
    assert line.task(task_id).status_id == TaskStatus.CANCELLED


def test_what_was_claimed_and_not_begun_is_given_back_when_the_process_stops(line: Queue) -> None:
    line.add_worker("one", slots=2)
    line.dispatch()
    messages = line.studio.work.claim(8)
    assert [message.is_started for message in messages] == [True, True]
    assert line.studio.work.release_all() == 2
    for message in messages:
        line.studio.work.run_key(message.key, message.attempt_number, is_started=True)  # a thread that comes too late
    assert line.states("Aiko")[0] == line.states("Lena")[0] == TaskStatus.QUEUED
    assert line.chain("Aiko")[0].attempt_number == 1, "the attempt is in the history, and counts for nobody"
