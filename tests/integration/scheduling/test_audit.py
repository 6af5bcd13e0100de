"""The queue's audit: silent on a healthy queue in every state, and each fault that it looks for is named."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.integration.scheduling.conftest import Queue
from x121lib.scheduling import auditing

FAULTS = {
    "takes on 1 slots": "UPDATE gpu_task SET worker_id = (SELECT min(id::text)::uuid FROM worker)",
    "holds a slot without": "UPDATE gpu_task SET lease_until = NULL WHERE status_id = 4",
    "is over or missing": "UPDATE gpu_task_attempt SET outcome_id = 2",
    "does not hold a slot by it": "UPDATE gpu_task SET status_id = 3, worker_id = NULL WHERE status_id = 4",
    "with 0 complete attempts": "UPDATE gpu_task SET status_id = 9, finished_at = now(), lease_until = NULL",
    "has a complete attempt": "UPDATE gpu_task_attempt SET outcome_id = 1",
    "has a lease or no end": "UPDATE gpu_task SET status_id = 7 WHERE status_id = 4",
    "its reservation is not": "UPDATE gpu_task SET status_id = 7, finished_at = now() WHERE status_id = 3",
    "its reservation is": "UPDATE budget_reservation SET settled_at = now()",
    "which ended without a take": "UPDATE gpu_task SET status_id = 7, finished_at = now() WHERE after_task_id IS NULL",
    "is made by 2 tasks": "UPDATE gpu_task SET take_id = (SELECT take_id FROM gpu_task ORDER BY id LIMIT 1)",
    "ran out at": "UPDATE gpu_task SET lease_until = now() - interval '1 hour' WHERE status_id = 4",
    "budget counter": "UPDATE budget_use SET reserved_s = reserved_s + 1",
    "Aurora from 1970-01-01 was passed: 1800.0 GPU s were let in, at most 1799.0": (
        "UPDATE budget_reservation SET allowed_s = 1799, admitted_start = period_start"
    ),
}


@pytest.fixture
def busy(line: Queue) -> Queue:
    """Return the queue with a budget, two workers and two takes on them."""
    line.studio.budgets.set(100, project="Aurora")
    line.add_worker("one")
    line.add_worker("two")
    assert len(line.dispatch()) == 2
    return line


def audit(line: Queue) -> list[str]:
    with line.studio.transaction() as session:
        return auditing.audit(session, line.studio.house.now())


@pytest.mark.parametrize("said", FAULTS)
def test_each_fault_is_named(busy: Queue, said: str) -> None:
    assert audit(busy) == []
    with busy.studio.transaction() as session:
        session.execute(sa.text(FAULTS[said]))
    assert [fault for fault in audit(busy) if said in fault], audit(busy)


def test_many_faults_of_a_kind_are_listed_in_part(busy: Queue) -> None:
    with busy.studio.transaction() as session:
        session.execute(sa.text("UPDATE gpu_task_attempt SET outcome_id = 2"))
        rows = [(n,) for n in range(25)]
    told = auditing._told("task {0}", rows)
    assert (len(told), told[-1]) == (21, "… and 5 more of these")
