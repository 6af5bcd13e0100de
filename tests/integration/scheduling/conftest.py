"""A queue with tasks of two scenes and workers that exist as rows only: nothing here calls a server."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import sqlalchemy as sa

from x121lib import model as m
from x121lib.pipeline import flow
from x121lib.scheduling import service as queue
from x121lib.scheduling import workers
from x121lib.studio import Studio
from x121lib.terms.quality import Outcome
from x121lib.terms.vocabulary import TakeStatus, TaskStatus

LEASE_S = 15.0


@dataclass
class Queue:
    """Steps of the queue as the consumer takes them, each in its own transaction."""

    studio: Studio
    workers: dict[str, uuid.UUID] = field(default_factory=dict)

    def add_worker(self, name: str, slots: int = 1) -> uuid.UUID:
        """Add a worker and report it healthy."""
        key = self.studio.workers.add(f"http://127.0.0.1:1/{name}", name=name, slots=slots)
        self.workers[name] = key
        self.report(name, ok=True)
        return key

    def report(self, name: str, *, ok: bool) -> None:
        """Store what a health check found."""
        with self.studio.transaction() as session:
            workers.record_health(session, workers.HealthReport(self.workers[name], ok), self.studio.house.now())

    def status(self, name: str) -> str:
        """Return a worker's status."""
        frame = self.studio.workers.list().set_index("name")
        return str(frame.loc[name, "status"])

    def dispatch(self) -> list[queue.Dispatched]:
        """Dispatch once."""
        with self.studio.transaction() as session:
            return queue.dispatch(session, self.studio.house.now(), LEASE_S)

    def start(self, sent: queue.Dispatched) -> None:
        """Start an attempt."""
        house = self.studio.house
        (refused,) = queue.start(house.database, [(sent.task_id, sent.attempt_number)], house.now(), LEASE_S)
        if refused is not None:
            raise refused

    def run(self, sent: queue.Dispatched, *, outcome: Outcome = Outcome.PASS) -> None:
        """Start an attempt and complete it with a take that passed (or failed) its gates."""
        self.start(sent)
        self.complete(sent, outcome)

    def complete(self, sent: queue.Dispatched, outcome: Outcome = Outcome.PASS) -> None:
        """Complete a started attempt."""
        with self.studio.transaction() as session:
            now = self.studio.house.now()
            queue.complete(session, sent.task_id, sent.attempt_number, now, queue.Timing(run_s=1.0))
            task = session.get_one(m.GpuTask, sent.task_id)
            flow.take_judged(session, task, outcome, "Frames 3 to 9 are black.", now)

    def fail(self, sent: queue.Dispatched, *, machine: bool) -> None:
        """Fail an attempt."""
        failure = queue.Failure("test.code", "The node fell over.", machine=machine, context={"node": "7"})
        with self.studio.transaction() as session:
            flow.fail_attempt(session, sent.task_id, sent.attempt_number, self.studio.house.now(), failure)

    def sweep(self) -> list[queue.Dispatched]:
        """Sweep lost leases."""
        with self.studio.transaction() as session:
            return flow.sweep(session, self.studio.house.now(), 5.0)

    def beat(self, sent: queue.Dispatched, progress: float = 0.5) -> bool:
        """Send a heartbeat."""
        until = self.studio.house.now() + timedelta(seconds=LEASE_S)
        with self.studio.transaction() as session:
            return queue.heartbeat(session, sent.task_id, sent.attempt_number, until=until, progress=progress)

    def task(self, task_id: uuid.UUID) -> m.GpuTask:
        """Return a task as it is now."""
        with self.studio.transaction() as session:
            return session.get_one(m.GpuTask, task_id)

    def attempts(self, task_id: uuid.UUID) -> Sequence[m.GpuTaskAttempt]:
        """Return a task's attempts in order."""
        query = sa.select(m.GpuTaskAttempt).where(m.GpuTaskAttempt.task_id == task_id)
        with self.studio.transaction() as session:
            return session.scalars(query.order_by(m.GpuTaskAttempt.number)).all()

    def chain(self, character: str) -> list[m.GpuTask]:
        """Return the tasks of a character's scene in the order of their segments."""
        query = (
            sa.select(m.GpuTask)
            .join(m.Take, m.Take.id == m.GpuTask.take_id)
            .join(m.Segment, m.Segment.id == m.Take.segment_id)
            .join(m.Scene, m.Scene.id == m.Segment.scene_id)
            .join(m.Character, m.Character.id == m.Scene.character_id)
            .where(m.Character.name == character)
            .order_by(m.Segment.sequence_index, m.Take.number)
        )
        with self.studio.transaction() as session:
            return list(session.scalars(query))

    def states(self, character: str) -> list[TaskStatus]:
        """Return the statuses of a character's tasks."""
        return [t.status_id for t in self.chain(character)]

    def takes(self, character: str) -> list[TakeStatus]:
        """Return the statuses of a character's takes."""
        with self.studio.transaction() as session:
            return [session.get_one(m.Take, t.take_id).status_id for t in self.chain(character)]


@pytest.fixture
def line(stocked: Studio) -> Queue:
    """Return a queue with the three takes of Aiko's and then of Lena's scene, and no worker."""
    project = stocked.project("Aurora")
    project.submit(characters=["Aiko"])
    project.submit(characters=["Lena"])
    return Queue(stocked)
