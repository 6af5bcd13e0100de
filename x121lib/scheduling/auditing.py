"""An audit of the queue: what must hold at any moment, whatever happened to processes, servers and connections."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib.scheduling import budgets
from x121lib.terms.transitions import ENDED_STATUSES, LEASED_STATUSES, WAITING_STATUSES
from x121lib.terms.vocabulary import AttemptOutcome, TaskStatus

GRACE_S = 60.0
"""Seconds after which a lease that ran out should have been swept by some consumer."""
_LISTED = 20


def _numbers(statuses: frozenset[TaskStatus]) -> str:
    return ", ".join(str(status.number) for status in sorted(statuses, key=lambda status: status.number))


_LEASED, _WAITING, _ENDED = _numbers(LEASED_STATUSES), _numbers(WAITING_STATUSES), _numbers(ENDED_STATUSES)
CHECKS: dict[str, str] = {
    "worker {0} has {2} takes on {1} slots": f"""
        SELECT w.name, w.slots, count(*) FROM gpu_task t JOIN worker w ON w.id = t.worker_id
        WHERE t.status_id IN ({_LEASED}) GROUP BY w.id HAVING count(*) > w.slots""",
    "take {0} is made by {1} tasks at once": f"""
        SELECT take_id, count(*) FROM gpu_task WHERE status_id IN ({_LEASED}) AND take_id IS NOT NULL
        GROUP BY take_id HAVING count(*) > 1""",
    "task {0} holds a slot without a worker or a lease": f"""
        SELECT id FROM gpu_task WHERE status_id IN ({_LEASED}) AND (worker_id IS NULL OR lease_until IS NULL)""",
    "task {0} holds a slot, and its attempt {1} is over or missing": f"""
        SELECT t.id, t.attempt_number FROM gpu_task t
        LEFT JOIN gpu_task_attempt a ON a.task_id = t.id AND a.number = t.attempt_number
        WHERE t.status_id IN ({_LEASED}) AND (a.id IS NULL OR a.outcome_id IS NOT NULL)""",
    "attempt {1} of task {0} is open, and the task does not hold a slot by it": f"""
        SELECT t.id, a.number FROM gpu_task_attempt a JOIN gpu_task t ON t.id = a.task_id
        WHERE a.outcome_id IS NULL AND (a.number <> t.attempt_number OR t.status_id NOT IN ({_LEASED}))""",
    "task {0} is complete, with {1} complete attempts": f"""
        SELECT t.id, count(a.id) FROM gpu_task t
        LEFT JOIN gpu_task_attempt a ON a.task_id = t.id AND a.outcome_id = {AttemptOutcome.COMPLETE.number}
        WHERE t.status_id = {TaskStatus.COMPLETE.number} GROUP BY t.id HAVING count(a.id) <> 1""",
    "task {0} is not complete, and has a complete attempt": f"""
        SELECT t.id FROM gpu_task t JOIN gpu_task_attempt a ON a.task_id = t.id
        WHERE a.outcome_id = {AttemptOutcome.COMPLETE.number} AND t.status_id <> {TaskStatus.COMPLETE.number}""",
    "task {0} is over, and has a lease or no end": f"""
        SELECT id FROM gpu_task WHERE status_id IN ({_ENDED}) AND (lease_until IS NOT NULL OR finished_at IS NULL)""",
    "task {0} is over, and its reservation is not": f"""
        SELECT t.id FROM gpu_task t JOIN budget_reservation r ON r.task_id = t.id
        WHERE t.status_id IN ({_ENDED}) AND r.settled_at IS NULL""",
    "task {0} is not over, and its reservation is": f"""
        SELECT t.id FROM gpu_task t JOIN budget_reservation r ON r.task_id = t.id
        WHERE t.status_id NOT IN ({_ENDED}) AND r.settled_at IS NOT NULL""",
    "task {0} waits for task {1}, which ended without a take": f"""
        SELECT t.id, b.id FROM gpu_task t JOIN gpu_task b ON b.id = t.after_task_id
        WHERE t.status_id IN ({_WAITING}) AND NOT t.is_ready
          AND b.status_id IN ({TaskStatus.CANCELLED.number}, {TaskStatus.FAILED.number})""",
    "the hard budget of {0} from {1} was passed: {2} GPU s were let in, at most {3} were allowed": """
        SELECT coalesce(p.name, o.name, r.holder_id::text), r.admitted_start,
               round(sum(least(r.reserved_s, r.settled_s))::numeric, 1), round(max(r.allowed_s)::numeric, 1)
        FROM budget_reservation r LEFT JOIN project p ON p.id = r.holder_id LEFT JOIN person o ON o.id = r.holder_id
        WHERE r.allowed_s IS NOT NULL GROUP BY r.budget_id, r.holder_id, r.admitted_start, p.name, o.name
        HAVING sum(least(r.reserved_s, r.settled_s)) > max(r.allowed_s) + 0.001""",
}
"""What is wrong, in words with the query's columns, and the query that finds it.

The last one: at the latest admission of a period, all that the limit let in before stood in the counters with its
reservation or with what it needed, hence with no less than the smaller of both (``least`` passes over what is not
settled); so that sum stays within the largest allowance. What nothing held back, and what needed more than it
reserved, passes no cap.
"""
_SILENT = f"SELECT id, lease_until FROM gpu_task WHERE status_id IN ({_LEASED}) AND lease_until < :before"


def audit(session: Session, now: datetime) -> list[str]:
    """Return everything in the queue that can not be right, in words; none on a healthy studio, busy or not.

    Counters of budgets equal the sums of their reservations, and no hard limit let in more than it allowed; no worker
    has more takes than slots, no take is made twice at once; each slot is held by one open attempt and each open
    attempt holds one; what is over is over in every table; nothing waits for what will never come, and no lease ran
    out long ago.
    """
    found = [f"budget counter {line}" for line in budgets.audit_counters(session)]
    for words, query in CHECKS.items():
        found += _told(words, session.execute(sa.text(query)).all())
    late = session.execute(sa.text(_SILENT), {"before": now - timedelta(seconds=GRACE_S)}).all()
    return found + _told("task {0} holds a slot by a lease that ran out at {1}: does a consumer run?", late)


def _told(words: str, rows: Any) -> list[str]:
    told = [words.format(*row) for row in rows[:_LISTED]]
    return [*told, f"… and {len(rows) - _LISTED} more of these"] if len(rows) > _LISTED else told
