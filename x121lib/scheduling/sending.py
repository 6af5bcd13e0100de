"""Tasks handed to their workers: written in bulk."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from x121lib import model as m
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
    session.execute(
        sa.insert(m.GpuTaskAttempt),
        [
            {"task_id": key, "number": number, "worker_id": worker_id, "dispatched_at": now,
             "prompt_id": prompt_id_for(key, number)}
            for key, number, worker_id, _ in sent
        ],
    )  # fmt: skip
    facts = {"status": TaskStatus.DISPATCHED.value, "at": now.isoformat()}
    said = [(key, project_id, {**facts, "attempt": number}) for key, number, _, project_id in sent]
    outbox.publish_many(session, EventKind.TASK_DISPATCHED, "gpu_task", said)
    return [(key, number) for key, number, *_ in sent]
