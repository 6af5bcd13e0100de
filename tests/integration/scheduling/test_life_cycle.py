"""The life of tasks as a state machine: any order of steps on the real services, and what must hold after each."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.integration.scheduling.conftest import LEASE_S, Queue
from x121lib import model as m
from x121lib.base.ids import new_id
from x121lib.scheduling import auditing, budgets, pausing
from x121lib.scheduling import service as queue
from x121lib.scheduling.budgets import BudgetError
from x121lib.studio import Studio
from x121lib.terms.roles import SYSTEM
from x121lib.terms.transitions import ENDED_STATUSES, TASK_TRANSITIONS, TransitionError
from x121lib.terms.vocabulary import EventKind, TaskKind, TaskStatus
from x121lib.testing.small_studio import Clock

T = TaskStatus
LIMIT_H = 1.0
"""The project's budget in GPU hours: twelve tasks of five minutes."""
EMPTY = ("DELETE FROM event", "DELETE FROM budget", "DELETE FROM gpu_task", "DELETE FROM worker_speed",
         "UPDATE worker SET status_id = 1, error_streak = 0, set_aside_until = NULL")  # fmt: skip
picks = st.integers(0, 10_000)


def reachable(old: TaskStatus, new: TaskStatus) -> bool:
    """Return whether steps along the transition table lead from one status to another."""
    seen, todo = {old}, [old]
    while todo:
        for status in TASK_TRANSITIONS[todo.pop()] - seen:
            seen.add(status)
            todo.append(status)
    return new in seen


class Life(RuleBasedStateMachine):
    """Steps that people, processes and clocks take, in any order."""

    line: Queue
    clock: Clock
    takes: list[uuid.UUID]

    def __init__(self) -> None:
        super().__init__()
        self.studio = self.line.studio
        self.tokens: list[queue.Dispatched] = []
        self.known: dict[uuid.UUID, TaskStatus] = {}

    @initialize()
    def begin(self) -> None:
        with self.studio.transaction() as session:
            for statement in EMPTY:
                session.execute(sa.text(statement))
        self.studio.budgets.set(LIMIT_H, project="Aurora")
        for name in self.line.workers:
            self.line.report(name, ok=True)

    def _pick(self, n: int) -> queue.Dispatched:
        return self.tokens[n % len(self.tokens)]

    def _task(self, n: int) -> uuid.UUID:
        return list(self.known)[n % len(self.known)]

    @rule(n=st.integers(1, 4), priority=st.sampled_from([20, 50, 80]), later=st.booleans(), off_peak=st.booleans())
    def submit(self, n: int, priority: int, later: bool, off_peak: bool) -> None:
        now = self.studio.house.now()
        free = [take for take in self.takes if take not in self._taken()][:n]
        with contextlib.suppress(BudgetError), self.studio.transaction() as session:
            project = session.scalars(sa.select(m.Project.id).where(m.Project.name == "Aurora")).one()
            tasks = [
                m.GpuTask(
                    id=new_id(), kind_id=TaskKind.TAKE, take_id=take, project_id=project, priority=priority,
                    status_id=T.SCHEDULED if later else T.QUEUED, not_before=now if later else None,
                    is_off_peak=off_peak,
                )
                for take in free
            ]  # fmt: skip
            session.add_all(tasks)
            session.flush()
            budgets.reserve(session, SYSTEM, [task.id for task in tasks], now, enforce=True)
            queue.wake(session)

    def _taken(self) -> set[uuid.UUID]:
        with self.studio.transaction() as session:
            query = sa.select(m.GpuTask.take_id).where(m.GpuTask.status_id.not_in(ENDED_STATUSES))
            return {take for take in session.scalars(query) if take is not None}

    @rule()
    def dispatch(self) -> None:
        self.tokens += self.line.dispatch()

    @precondition(lambda self: self.tokens)
    @rule(n=picks)
    def start(self, n: int) -> None:
        with contextlib.suppress(queue.LeaseLostError):
            self.line.start(self._pick(n))

    @precondition(lambda self: self.tokens)
    @rule(n=picks, progress=st.floats(0, 1))
    def progress(self, n: int, progress: float) -> None:
        self.line.beat(self._pick(n), progress)

    @precondition(lambda self: self.tokens)
    @rule(n=picks)
    def finish(self, n: int) -> None:
        sent = self._pick(n)
        with contextlib.suppress(queue.LeaseLostError), self.studio.transaction() as session:
            timing = queue.Timing(run_s=200.0)
            queue.complete(session, sent.task_id, sent.attempt_number, self.studio.house.now(), timing)

    @precondition(lambda self: self.tokens)
    @rule(n=picks, machine=st.booleans())
    def fail(self, n: int, machine: bool) -> None:
        sent = self._pick(n)
        with contextlib.suppress(queue.LeaseLostError), self.studio.transaction() as session:
            failure = queue.Failure("test.code", "It fell over.", machine=machine)
            queue.fail(session, sent.task_id, sent.attempt_number, self.studio.house.now(), failure)

    @rule(seconds=st.sampled_from([1.0, LEASE_S / 2, LEASE_S * 2, 200.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        with self.studio.transaction() as session:
            queue.sweep(session, self.studio.house.now(), 5.0)

    @rule(name=st.sampled_from(["one", "two"]), ok=st.booleans())
    def worker_is_seen(self, name: str, ok: bool) -> None:
        self.line.report(name, ok=ok)

    @precondition(lambda self: self.known)
    @rule(n=picks, step=st.sampled_from(["pause", "resume", "cancel"]))
    def control(self, n: int, step: str) -> None:
        steps: dict[str, Callable[..., Any]] = {"pause": queue.pause, "resume": queue.resume, "cancel": queue.cancel}
        with self.studio.transaction() as session:
            steps[step](session, self.studio.actor, [self._task(n)], self.studio.house.now())

    @precondition(lambda self: self.known)
    @rule(n=picks, at_once=st.booleans())
    def pause_running(self, n: int, at_once: bool) -> None:
        with contextlib.suppress(Exception), self.studio.transaction() as session:
            pausing.pause_running(session, self.studio.actor, self._task(n), self.studio.house.now(), at_once=at_once)

    @precondition(lambda self: self.known)
    @rule(n=picks, priority=st.integers(0, 100))
    def prioritise(self, n: int, priority: int) -> None:
        with self.studio.transaction() as session:
            queue.set_priority(session, self.studio.actor, [self._task(n)], priority)

    @invariant()
    def all_is_right(self) -> None:
        with self.studio.transaction() as session:
            assert auditing.audit(session, self.studio.house.now()) == []
            found = {key: status for key, status in session.execute(sa.select(m.GpuTask.id, m.GpuTask.status_id))}
        for key, status in found.items():
            assert reachable(self.known.get(key, T.SCHEDULED), status), (self.known.get(key), status)
            assert self.known.get(key) not in ENDED_STATUSES or self.known[key] == status, "what is over stays so"
        self.known = found
        frame = self.studio.budgets.list()
        if len(frame):
            line = frame.iloc[0]
            assert float(line["reserved_h"]) <= LIMIT_H + 1e-6, "never more reserved than allowed"


@pytest.fixture
def machine(line: Queue, clock: Clock) -> type[Life]:
    """Return the machine on a studio with two workers, of one and of three slots, and takes to make."""
    line.add_worker("one")
    line.add_worker("two", slots=3)
    with line.studio.transaction() as session:
        takes = list(session.scalars(sa.select(m.Take.id).order_by(m.Take.id)))
    return type("Life", (Life,), {"line": line, "clock": clock, "takes": takes})


@pytest.mark.capability("PRD-08/job-lifecycle")
def test_a_step_that_the_table_does_not_allow_is_refused(line: Queue) -> None:
    line.add_worker("one")
    (sent,) = line.dispatch()
    assert line.task(sent.task_id).status_id == T.DISPATCHED
    line.run(sent)
    for to in (T.RUNNING, T.QUEUED, T.PAUSED, T.CANCELLED):
        with line.studio.transaction() as session, pytest.raises(TransitionError, match="Complete"):
            queue.move(session, line.task(sent.task_id), to, line.studio.house.now(), EventKind.TASK_RESUMED)
    with pytest.raises(queue.LeaseLostError):
        line.start(sent)
    studio = line.studio
    steps = (studio.pause, studio.resume, lambda ids: studio.set_priority(ids, 1))
    assert [step([sent.task_id]) for step in steps] == [0, 0, 0]
    studio.cancel([sent.task_id])  # what waits for it is cancelled; it is over
    assert line.task(sent.task_id).status_id == T.COMPLETE


@pytest.mark.capability("PRD-08/job-lifecycle")
@pytest.mark.timeout(300)
def test_any_order_of_steps_keeps_the_accounts_right(machine: type[Life], stocked: Studio) -> None:
    profile = settings(
        max_examples=8, stateful_step_count=25, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate],
    )  # fmt: skip
    run_state_machine_as_test(machine, settings=profile)
