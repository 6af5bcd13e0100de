"""A task's start and its success, each one statement: the token is checked, and everything that follows is written.

One statement is one round trip and one look at each row; takes by the thousand cost little more than their commits.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from x121lib.events.outbox import CHANNEL
from x121lib.terms.transitions import check_task_transition
from x121lib.terms.vocabulary import AttemptOutcome, EventKind, TaskStatus

MEAN_OVER = 20
"""Takes over which a worker's mean follows its newest ones."""
WAKE_CHANNEL = "x121_work"
"""NOTIFY channel that wakes the tick: there is work, or a worker for it."""
FREE_CHANNEL = "x121_free"
"""NOTIFY channel that says that a slot became free."""
_GIVEN = """
WITH given AS (SELECT * FROM unnest(%(task_ids)s::uuid[], %(numbers)s::int[]) AS g (task_id, number)),
     held AS MATERIALIZED (SELECT t.id, given.number, given.number AS turn FROM given CROSS JOIN LATERAL (
                               SELECT id FROM gpu_task WHERE id = given.task_id FOR UPDATE) AS t)"""
"""Locked one after the other in the order in which they are given, each by its key."""
FIRST = f"""
WITH held AS MATERIALIZED (SELECT id, attempt_number AS number, row_number() OVER () AS turn
                           FROM (SELECT id, attempt_number FROM gpu_task
                                 WHERE status_id = {TaskStatus.DISPATCHED.number}
                                 ORDER BY lease_until LIMIT %(most)s FOR UPDATE SKIP LOCKED) AS first)"""
_START = f""",
     moved AS (UPDATE gpu_task t SET status_id = %(to)s, version = version + 1, heartbeat_at = %(now)s,
                                     lease_until = %(until)s, started_at = coalesce(started_at, %(now)s)
               FROM held WHERE t.id = held.id AND t.attempt_number = held.number AND t.status_id + 0 = %(of)s
               RETURNING t.id, t.take_id, t.project_id, t.attempt_number, held.turn),
     begun AS (UPDATE gpu_task_attempt a SET started_at = %(now)s FROM moved
               WHERE a.task_id = moved.id AND a.number = moved.attempt_number){{also}},
     said AS (INSERT INTO event (kind_id, entity, entity_id, project_id, payload)
              SELECT %(kind)s, 'gpu_task', id, project_id,
                     jsonb_build_object('status', %(status)s::text, 'at', %(at)s::text, 'attempt', attempt_number)
              FROM moved)
SELECT array_agg(id ORDER BY turn), array_agg(attempt_number ORDER BY turn), pg_notify('{CHANNEL}', %(said)s)
FROM moved HAVING count(*) > 0"""
COMPLETE = f"""
WITH moved AS (UPDATE gpu_task SET status_id = %(to)s, version = version + 1, finished_at = %(now)s, progress = 1,
                                   lease_until = NULL, pause_requested_at = NULL, error_code = NULL,
                                   error_message = NULL
               WHERE id = %(task_id)s AND attempt_number = %(number)s AND status_id + 0 = %(of)s
               RETURNING id, take_id, image_variant_id, project_id, worker_id),
     ended AS (UPDATE gpu_task_attempt a SET outcome_id = %(outcome)s, finished_at = %(now)s, queue_s = %(queue_s)s,
                                             run_s = %(run_s)s, download_s = %(download_s)s
               FROM moved WHERE a.task_id = moved.id AND a.number = %(number)s),
     over AS (UPDATE budget_reservation r SET settled_at = %(now)s FROM moved
              WHERE r.task_id = moved.id AND r.settled_at IS NULL),
     forgiven AS (UPDATE worker w SET error_streak = 0, set_aside_until = NULL FROM moved
                  WHERE w.id = moved.worker_id AND w.error_streak > 0),
     made AS (SELECT v.id, v.workflow_id
              FROM moved
              LEFT JOIN take ON take.id = moved.take_id
              LEFT JOIN segment ON segment.id = take.segment_id
              LEFT JOIN scene ON scene.id = segment.scene_id
              LEFT JOIN scene_type_version t ON t.id = scene.scene_type_version_id
              LEFT JOIN image_variant i ON i.id = moved.image_variant_id
              LEFT JOIN variant_kind k ON k.id = i.kind_id
              JOIN workflow_version v ON v.id = coalesce(t.workflow_version_id, k.workflow_version_id)),
     speed AS (INSERT INTO worker_speed AS s (worker_id, workflow_id, mean_s, n_takes)
               SELECT moved.worker_id, made.workflow_id, %(run_s)s, 1 FROM moved, made
               WHERE moved.worker_id IS NOT NULL AND %(run_s)s > 0
               ON CONFLICT (worker_id, workflow_id) DO UPDATE
               SET mean_s = s.mean_s + (excluded.mean_s - s.mean_s) / least(s.n_takes + 1, {MEAN_OVER}),
                   n_takes = s.n_takes + 1),
     said AS (INSERT INTO event (kind_id, entity, entity_id, project_id, payload)
              SELECT %(kind)s, 'gpu_task', moved.id, moved.project_id, %(payload)s::jsonb FROM moved)
SELECT moved.worker_id, made.id AS version_id,
       ARRAY(SELECT name FROM worker_loaded_model l WHERE l.worker_id = moved.worker_id) AS loaded,
       pg_notify('{CHANNEL}', %(said)s), pg_notify('{FREE_CHANNEL}', %(slot)s)
FROM moved LEFT JOIN made ON true"""


@dataclass(frozen=True)
class Timing:
    """Where the time of an attempt went, in seconds."""

    queue_s: float = 0.0
    """Waiting in the server's own queue."""
    run_s: float = 0.0
    """Running on the server."""
    download_s: float = 0.0
    """Fetching and checking the outputs."""


@dataclass(frozen=True)
class Completed:
    """A task that is complete."""

    worker_id: uuid.UUID | None
    """The worker that ran it."""
    version_id: uuid.UUID | None
    """The workflow version that it ran."""
    loaded: frozenset[str]
    """Models that are stored as loaded there."""


Token = tuple[uuid.UUID, int]
"""A task and the number of its attempt."""
Run = Callable[[str, dict[str, Any]], Any]
"""Runs a statement and returns its row or None: `Database.at_once`, or `within` a session's transaction."""


def within(session: Session) -> Run:
    """Return what runs statements in a session's transaction."""

    def run(statement: str, values: dict[str, Any]) -> Any:
        return session.connection().exec_driver_sql(statement, values).one_or_none()

    return run


def start(run: Run, tokens: Sequence[Token], now: datetime, lease_s: float, also: str = "") -> set[uuid.UUID]:
    """Move dispatched tasks to Running under their tokens, with attempts and events; returns those that were that.

    Args:
        run: what runs the statement.
        tokens: the attempts.
        now: the present time.
        lease_s: seconds for which they are leased.
        also: further parts of the statement (each begins with a comma) that follow the rows ``moved`` (id, take_id,
            project_id).
    """
    row = run(*start_statement(tokens, now, lease_s, also))
    return set(row[0]) if row is not None else set()


def start_statement(
    tokens: Sequence[Token], now: datetime, lease_s: float, also: str = ""
) -> tuple[str, dict[str, Any]]:
    """Return the statement of `start`; its row holds the tasks and the numbers of what it started."""
    ordered = sorted(tokens)  # locked in the order in which everybody locks them
    given = {"task_ids": [key for key, _ in ordered], "numbers": [number for _, number in ordered]}
    return _GIVEN + _START.format(also=also), {**given, **_started(now, lease_s)}


def claim(run: Run, most: int, now: datetime, lease_s: float, also: str = "") -> list[Token]:
    """Move the first dispatched tasks, at most ``most``, to Running, as `start` does; returns their attempts in order.

    What somebody else claims at this moment is passed over: each attempt is claimed once, by whoever comes first.
    """
    row = run(claim_text(also), {"most": most, **_started(now, lease_s)})
    return list(zip(row[0], row[1], strict=True)) if row is not None else []


def claim_text(also: str = "") -> str:
    """Return the statement of `claim`."""
    return FIRST + _START.format(also=also)


def _started(now: datetime, lease_s: float) -> dict[str, Any]:
    of, to, said = TaskStatus.DISPATCHED, TaskStatus.RUNNING, EventKind.TASK_STARTED
    check_task_transition(of, to)
    return {
        "of": of.number, "to": to.number, "now": now, "until": now + timedelta(seconds=lease_s), "kind": said.number,
        "said": said.value, "status": to.value, "at": now.isoformat(),
    }  # fmt: skip


def complete(run: Run, token: Token, now: datetime, timing: Timing) -> Completed | None:
    """Move a running task to Complete under its token; None where it is not that, and then nothing is written.

    With it go its attempt, its reservations (over, to be settled), its event, its worker's streak of errors and speed.
    """
    of, to, said = TaskStatus.RUNNING, TaskStatus.COMPLETE, EventKind.TASK_COMPLETED
    check_task_transition(of, to)
    task_id, number = token
    facts = {"status": to.value, "at": now.isoformat(), "attempt": number}
    row = run(COMPLETE, {
        "task_id": task_id, "number": number, "of": of.number, "to": to.number, "now": now, "kind": said.number,
        "said": said.value, "payload": json.dumps(facts), "outcome": AttemptOutcome.COMPLETE.number,
        "queue_s": timing.queue_s, "run_s": timing.run_s, "download_s": timing.download_s, "slot": f"{task_id}",
    })  # fmt: skip
    return None if row is None else Completed(row[0], row[1], frozenset(row[2]))
