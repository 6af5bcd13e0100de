"""The queue on the real database: order, chains, leases, fencing, cancelling."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from x121lib import model as m
from x121lib.scheduling import service as queue
from x121lib.terms.quality import Outcome
from x121lib.terms.vocabulary import AttemptOutcome, SceneStatus, TakeStatus, TaskStatus

if TYPE_CHECKING:
    from tests.integration.scheduling.conftest import Queue
    from x121lib.testing.small_studio import Clock

T = TaskStatus


def test_age_decides_and_a_higher_priority_overtakes(line: Queue) -> None:
    line.add_worker("one")
    aiko, lena = line.chain("Aiko")[0], line.chain("Lena")[0]
    assert line.studio.set_priority([lena.id], 80) == 1
    (first,) = line.dispatch()
    assert first.task_id == lena.id
    assert line.dispatch() == []
    line.run(first, outcome=Outcome.FAIL)
    (second,) = line.dispatch()
    assert second.task_id == aiko.id


@pytest.mark.capability("PRD-07/several-jobs-in-parallel", "PRD-46/load-balancing")
def test_each_slot_gets_one_task_and_scenes_run_side_by_side(line: Queue) -> None:
    one, two = line.add_worker("one"), line.add_worker("two")
    sent = line.dispatch()
    assert {s.task_id for s in sent} == {line.chain("Aiko")[0].id, line.chain("Lena")[0].id}
    assert {line.task(s.task_id).worker_id for s in sent} == {one, two}
    busy = line.studio.workers.list().set_index("name")["busy"]
    assert list(busy) == [1, 1]


def test_a_segment_is_never_sent_before_the_one_before_has_passed(line: Queue) -> None:
    line.add_worker("wide", slots=8)
    for place in range(3):
        sent = {s.task_id: s for s in line.dispatch()}
        assert set(sent) == {line.chain("Aiko")[place].id, line.chain("Lena")[place].id}
        for one in sent.values():
            line.start(one)
        assert line.dispatch() == []
        for one in sent.values():
            line.complete(one)
    assert line.dispatch() == []


def test_a_failed_gate_ends_the_chain_and_says_why(line: Queue) -> None:
    line.add_worker("one", slots=2)
    first = {s.task_id: s for s in line.dispatch()}[line.chain("Aiko")[0].id]
    line.run(first, outcome=Outcome.FAIL)
    assert line.states("Aiko") == [T.COMPLETE, T.CANCELLED, T.CANCELLED]
    assert line.takes("Aiko") == [TakeStatus.FAILED_QA, TakeStatus.CANCELLED, TakeStatus.CANCELLED]
    head = line.studio.project("Aurora").scene("Aiko", "sway", "clothed").head()
    assert head["status"] == "Failed"
    assert head["failure_reason"] == "Segment 1, take 1: Frames 3 to 9 are black."
    assert line.states("Lena")[1:] == [T.QUEUED, T.QUEUED]


@pytest.mark.capability("PRD-46/auto-failover")
def test_a_silent_process_loses_its_lease_and_its_late_result_changes_nothing(line: Queue, clock: Clock) -> None:
    line.add_worker("one")
    (first,) = line.dispatch()
    line.start(first)
    clock.advance(14)
    assert line.beat(first)
    clock.advance(14)
    line.sweep()
    assert line.task(first.task_id).status_id == T.RUNNING
    clock.advance(2)
    line.sweep()
    lost = line.task(first.task_id)
    assert (lost.status_id, lost.worker_id, lost.failed_attempts) == (T.QUEUED, None, 1)
    assert lost.error_code == "scheduling.lease_expired"

    (again,) = line.dispatch()
    assert again == queue.Dispatched(first.task_id, 2)
    with pytest.raises(queue.LeaseLostError, match="superseded by 2"):
        line.complete(first)
    with pytest.raises(queue.LeaseLostError):
        line.fail(first, machine=False)
    assert not line.beat(first)
    line.run(again)
    assert [a.outcome_id for a in line.attempts(first.task_id)] == [AttemptOutcome.LOST, AttemptOutcome.COMPLETE]
    assert len({a.prompt_id for a in line.attempts(first.task_id)}) == 2


def test_an_attempt_is_started_and_recorded_once(line: Queue) -> None:
    line.add_worker("one")
    (first,) = line.dispatch()
    line.start(first)
    with pytest.raises(queue.LeaseLostError, match="Running already"):
        line.start(first)
    line.complete(first)
    with pytest.raises(queue.LeaseLostError, match="too late"):
        line.complete(first)
    with pytest.raises(queue.LeaseLostError, match="too late"):
        line.fail(first, machine=True)
    assert line.task(first.task_id).status_id == T.COMPLETE


def test_a_machine_error_runs_again_elsewhere_and_counts_against_the_worker(line: Queue) -> None:
    one = line.add_worker("one")
    (first,) = line.dispatch()
    line.start(first)
    line.fail(first, machine=True)
    assert line.status("one") == "degraded"
    two = line.add_worker("two")
    line.report("one", ok=True)
    line.studio.set_priority([first.task_id], 90)
    sent = {s.task_id: s for s in line.dispatch()}
    assert line.task(first.task_id).worker_id == two
    assert line.task(line.chain("Lena")[0].id).worker_id == one
    assert sent[first.task_id].attempt_number == 2


def test_a_task_that_every_machine_loses_fails_in_the_end(line: Queue, clock: Clock) -> None:
    line.add_worker("one")
    task = line.chain("Aiko")[0]
    line.studio.set_priority([task.id], 90)
    for number in range(1, 6):
        clock.advance(3600)
        line.report("one", ok=True)
        (sent,) = line.dispatch()
        assert sent == queue.Dispatched(task.id, number)
        line.start(sent)
        line.fail(sent, machine=True)
    assert line.states("Aiko") == [T.FAILED, T.CANCELLED, T.CANCELLED]
    assert line.studio.project("Aurora").summary() == {"Failed": 1, "Generating": 1}


@pytest.mark.capability("PRD-07/no-silent-retries", "PRD-28/failure-diagnostics")
def test_a_tasks_own_error_fails_it_at_once_with_its_context(line: Queue) -> None:
    line.add_worker("one")
    (first,) = line.dispatch()
    line.start(first)
    line.fail(first, machine=False)
    assert line.task(first.task_id).status_id == T.FAILED
    (attempt,) = line.attempts(first.task_id)
    assert (attempt.outcome_id, attempt.error_message) == (AttemptOutcome.FAILED, "The node fell over.")
    assert attempt.error_context == {"node": "7"}
    assert line.status("one") == "online"
    assert {s.task_id for s in line.dispatch()} == {line.chain("Lena")[0].id}


def test_a_task_that_nobody_picked_up_was_not_tried(line: Queue, clock: Clock) -> None:
    line.add_worker("one")
    (first,) = line.dispatch()
    clock.advance(6)
    assert line.sweep() == [first]
    for _ in range(6):
        clock.advance(queue.PICKUP_S + 1)
        line.sweep()
        (first,) = line.dispatch()
    task = line.task(first.task_id)
    assert (task.failed_attempts, task.attempt_number) == (0, 7)
    line.run(first)


@pytest.mark.capability("PRD-08/cancellation")
def test_cancelling_in_the_middle_keeps_what_is_done_and_stops_what_follows(line: Queue) -> None:
    line.add_worker("one", slots=1)
    line.studio.set_priority([t.id for t in line.chain("Aiko")], 90)
    (first,) = line.dispatch()
    line.run(first)
    (second,) = line.dispatch()
    line.start(second)
    assert line.studio.cancel([second.task_id]) == 2
    assert not line.beat(second)
    with pytest.raises(queue.LeaseLostError):
        line.complete(second)
    assert line.states("Aiko") == [T.COMPLETE, T.CANCELLED, T.CANCELLED]
    assert line.takes("Aiko") == [TakeStatus.PASSED, TakeStatus.CANCELLED, TakeStatus.CANCELLED]
    assert line.studio.project("Aurora").scene("Aiko", "sway", "clothed").head()["status"] == "Not started"
    assert [a.outcome_id for a in line.attempts(second.task_id)] == [AttemptOutcome.CANCELLED]


def test_cancelling_later_takes_while_one_runs_leaves_no_scene_hanging(line: Queue) -> None:
    line.add_worker("one")
    (first,) = line.dispatch()
    line.start(first)
    assert line.studio.cancel([line.chain("Aiko")[1].id]) == 2
    scene = line.studio.project("Aurora").scene("Aiko", "sway", "clothed")
    assert scene.head()["status"] == "Generating"
    line.complete(first)
    assert scene.head()["status"] == SceneStatus.PENDING.label


def test_paused_takes_wait_and_come_back_to_their_place(line: Queue) -> None:
    line.add_worker("one")
    aiko, lena = line.chain("Aiko")[0], line.chain("Lena")[0]
    assert line.studio.pause([aiko.id]) == 1
    (sent,) = line.dispatch()
    assert sent.task_id == lena.id
    line.run(sent, outcome=Outcome.FAIL)
    assert line.dispatch() == []
    assert line.studio.resume([aiko.id]) == 1
    assert [s.task_id for s in line.dispatch()] == [aiko.id]
    assert line.studio.pause([aiko.id]) == 0, "a task that reached a worker is not paused"


def test_a_clean_stop_gives_the_take_back_without_blame(line: Queue) -> None:
    line.add_worker("one")
    (first,) = line.dispatch()
    line.start(first)
    with line.studio.transaction() as session:
        assert queue.release(session, first.task_id, 1, line.studio.house.now())
        assert not queue.release(session, first.task_id, 7, line.studio.house.now())
    task = line.task(first.task_id)
    assert (task.status_id, task.failed_attempts) == (T.QUEUED, 0)
    line.add_worker("two")
    line.studio.workers.drain("two")
    assert line.dispatch() == [queue.Dispatched(first.task_id, 2)]
    assert line.status("one") == "online"


@pytest.mark.capability("PRD-07/background-execution-of-jobs")
def test_many_dispatchers_at_once_assign_each_task_once(line: Queue) -> None:
    line.add_worker("wide", slots=8)
    gate, sent = threading.Barrier(6), []

    def tick() -> None:
        gate.wait()
        for _ in range(5):
            sent.extend(line.dispatch())

    threads = [threading.Thread(target=tick) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(s.attempt_number for s in sent) == [1, 1]
    assert len({s.task_id for s in sent}) == 2
    with line.studio.transaction() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(m.GpuTaskAttempt)) == 2
