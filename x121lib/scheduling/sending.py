"""Tasks handed to their workers: written in bulk, and claimed from there by whoever has a thread free."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from x121lib.base.ids import new_id
from x121lib.events import outbox
from x121lib.scheduling import policy
from x121lib.scheduling.recording import Token, start_statement
from x121lib.store.direct import fetch_kept
from x121lib.terms.transitions import TASK_TRANSITIONS
from x121lib.terms.vocabulary import EventKind, TaskStatus

SENT_CHANNEL = "x121_sent"
"""NOTIFY channel that says that dispatched tasks wait for a consumer's thread."""
_SENDABLE = [status.number for status, allowed in TASK_TRANSITIONS.items() if TaskStatus.DISPATCHED in allowed]
_PROMPT_NAMESPACE = uuid.UUID("7b0cf9e4-2a1f-4c6e-9d0a-6d1f5c2f1210")


@dataclass(frozen=True)
class Here:
    """The process that dispatches, where it can run some of the tasks itself at once."""

    n: int
    """How many."""
    lease_s: float
    """Seconds for which they are leased."""
    also: str = ""
    """As `recording.start`."""


def prompt_id_for(task_id: uuid.UUID, attempt_number: int) -> uuid.UUID:
    """Return the attempt's prompt id: a UUID that depends on both and nothing else.

    ComfyUI wants a canonical UUID; the version bits are set to 4, as its own clients send.
    """
    digest = uuid.uuid5(_PROMPT_NAMESPACE, f"{task_id}/{attempt_number}")
    return uuid.UUID(bytes=digest.bytes, version=4)


SEND = f"""
WITH given AS (SELECT * FROM unnest(%(tasks)s::uuid[], %(workers)s::uuid[], %(numbers)s::int[], %(attempts)s::uuid[],
                                    %(prompts)s::uuid[])
               WITH ORDINALITY AS g (task_id, worker_id, number, attempt_id, prompt_id, turn)),
     held AS MATERIALIZED (SELECT given.* FROM given CROSS JOIN LATERAL (
                               SELECT FROM gpu_task t WHERE t.id = given.task_id AND t.status_id + 0 = ANY (%(of)s)
                               AND t.attempt_number = given.number - 1 FOR UPDATE SKIP LOCKED) AS t),
     moved AS (UPDATE gpu_task t SET status_id = %(to)s, version = version + 1, attempt_number = held.number,
                                     worker_id = held.worker_id, progress = 0,
                                     lease_until = %(until)s::timestamptz + held.turn * interval '1 microsecond'
               FROM held WHERE t.id = held.task_id
               RETURNING t.id, t.project_id, held.number, held.worker_id, held.attempt_id, held.prompt_id, held.turn),
     begun AS (INSERT INTO gpu_task_attempt (id, task_id, number, worker_id, dispatched_at, prompt_id)
               SELECT attempt_id, id, number, worker_id, %(now)s, prompt_id FROM moved),
     said AS (INSERT INTO event (kind_id, entity, entity_id, project_id, payload)
              SELECT %(kind)s, 'gpu_task', id, project_id,
                     jsonb_build_object('status', %(status)s::text, 'at', %(at)s::text, 'attempt', number)
              FROM moved)
SELECT array_agg(id ORDER BY turn), array_agg(number ORDER BY turn), pg_notify('{outbox.CHANNEL}', %(said)s),
       set_config('synchronous_commit',
                  CASE WHEN %(waits)s THEN current_setting('synchronous_commit') ELSE 'off' END, true),
       CASE WHEN count(*) > %(n_here)s THEN pg_notify('{SENT_CHANNEL}', '') END
FROM moved HAVING count(*) > 0"""


def send(
    session: Session, chosen: Sequence[tuple[policy.Candidate, policy.Assignment]], now: datetime, lease_s: float,
    here: Here | None = None,
) -> tuple[list[Token], list[Token]]:  # fmt: skip
    """Write assignments, their attempts and events in one statement; returns what was sent, and what was started.

    A task that somebody holds at this moment (to cancel it, say) or that went on meanwhile is left out. Leases end in
    the order of the assignments, a microsecond apart: in this order they are claimed. With ``here`` the first ones are
    started at once, in the same round trip.

    The commit waits for the disk only where something is started: a start by anybody else comes later in the log, and
    waits for all before it; what a crash of the server takes back before that is still waiting, and nobody runs it.
    """
    if not chosen:
        return [], []
    n_here = here.n if here is not None else 0
    of, to, said = _SENDABLE, TaskStatus.DISPATCHED, EventKind.TASK_DISPATCHED
    numbers = [task.attempt_number + 1 for task, _ in chosen]
    facts: dict[str, Any] = {
        "tasks": [a.task_id for _, a in chosen], "workers": [a.worker_id for _, a in chosen], "numbers": numbers,
        "attempts": [new_id() for _ in chosen], "of": of, "to": to.number, "now": now, "kind": said.number,
        "prompts": [prompt_id_for(a.task_id, n) for (_, a), n in zip(chosen, numbers, strict=True)],
        "until": now + timedelta(seconds=lease_s), "said": said.value, "status": to.value, "at": now.isoformat(),
        "waits": n_here > 0, "n_here": n_here,
    }  # fmt: skip
    if here is None or not n_here:
        return _tokens(fetch_kept(session, (SEND, facts))[0]), []
    first = [(task.task_id, n) for (task, _), n in zip(chosen[:n_here], numbers, strict=False)]
    sent, started = fetch_kept(session, (SEND, facts), start_statement(first, now, here.lease_s, here.also))
    return _tokens(sent), _tokens(started)


def _tokens(rows: Sequence[tuple[Any, ...]]) -> list[Token]:
    return [pair for keys, numbers, *_ in rows for pair in zip(keys, numbers, strict=True)]
