"""Tasks handed to their workers: written in bulk."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.ids import new_id
from x121lib.events import outbox
from x121lib.scheduling import policy
from x121lib.terms.transitions import TASK_TRANSITIONS
from x121lib.terms.vocabulary import EventKind, TaskStatus

_SENDABLE = [status for status, allowed in TASK_TRANSITIONS.items() if TaskStatus.DISPATCHED in allowed]
_PROMPT_NAMESPACE = uuid.UUID("7b0cf9e4-2a1f-4c6e-9d0a-6d1f5c2f1210")


def prompt_id_for(task_id: uuid.UUID, attempt_number: int) -> uuid.UUID:
    """Return the attempt's prompt id: a UUID that depends on both and nothing else.

    ComfyUI wants a canonical UUID; the version bits are set to 4, as its own clients send.
    """
    digest = uuid.uuid5(_PROMPT_NAMESPACE, f"{task_id}/{attempt_number}")
    return uuid.UUID(bytes=digest.bytes, version=4)


def send(
    session: Session, chosen: Sequence[policy.Assignment], now: datetime, lease_s: float
) -> list[tuple[uuid.UUID, int]]:
    """Write assignments, their attempts and events in three statements; returns (task, attempt number) of each."""
    if not chosen:
        return []
    t = m.GpuTask
    tasks, workers = [a.task_id for a in chosen], [a.worker_id for a in chosen]
    pairs = sa.func.unnest(sa.literal(tasks, ARRAY(sa.Uuid)), sa.literal(workers, ARRAY(sa.Uuid)))
    given = pairs.table_valued(sa.column("task_id", sa.Uuid), sa.column("worker_id", sa.Uuid)).render_derived("given")
    sent = session.execute(
        sa.update(t)
        .where(t.id == given.c.task_id, t.status_id.in_(_SENDABLE))
        .values(
            status_id=TaskStatus.DISPATCHED, version=t.version + 1, attempt_number=t.attempt_number + 1,
            worker_id=given.c.worker_id, lease_until=now + timedelta(seconds=lease_s), progress=0.0,
        )
        .returning(t.id, t.attempt_number, t.worker_id, t.project_id)
        .execution_options(synchronize_session=False)
    ).all()  # fmt: skip
    if sent:
        _write_attempts(session, sent, now)
    return [(key, number) for key, number, *_ in sent]


_ATTEMPTS = sa.text(f"""
WITH given AS (SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:tasks AS uuid[]), CAST(:numbers AS int[]),
                                    CAST(:workers AS uuid[]), CAST(:prompts AS uuid[]), CAST(:projects AS uuid[]))
               AS g (id, task_id, number, worker_id, prompt_id, project_id)),
     begun AS (INSERT INTO gpu_task_attempt (id, task_id, number, worker_id, dispatched_at, prompt_id)
               SELECT id, task_id, number, worker_id, :now, prompt_id FROM given),
     said AS (INSERT INTO event (kind_id, entity, entity_id, project_id, payload)
              SELECT :kind, 'gpu_task', task_id, project_id,
                     jsonb_build_object('status', CAST(:status AS text), 'at', CAST(:at AS text), 'attempt', number)
              FROM given)
SELECT pg_notify('{outbox.CHANNEL}', :said)""")


def _write_attempts(session: Session, sent: Sequence[sa.Row[*tuple[Any, ...]]], now: datetime) -> None:
    """Write the attempts of sent tasks and their events in one statement."""
    facts: dict[str, Any] = {
        "ids": [new_id() for _ in sent], "tasks": [key for key, *_ in sent], "numbers": [row[1] for row in sent],
        "workers": [row[2] for row in sent], "prompts": [prompt_id_for(key, number) for key, number, *_ in sent],
        "projects": [row[3] for row in sent],
    }  # fmt: skip
    kind = EventKind.TASK_DISPATCHED
    said = {"kind": kind.number, "said": kind.value, "status": TaskStatus.DISPATCHED.value, "at": now.isoformat()}
    session.execute(_ATTEMPTS, facts | said | {"now": now})
