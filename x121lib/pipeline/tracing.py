"""What is kept of an attempt's run on its server: written by who drives it, read by who looks on."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.comfyui.live import Look
from x121lib.scheduling import queries

KEEP_DAYS = 30
"""Age after which a trace is deleted; the receipt stays."""


def store(session: Session, task_id: uuid.UUID, attempt_number: int, look: Look, *, whole: bool) -> None:
    """Write one look over the attempt's last one; without effect where the attempt is gone.

    Unless ``whole``, only what is small and lives is written: node, step, nodes and a new picture. The raw request,
    messages and result, some hundred kilobytes, stay as they were written last.
    """
    attempt = queries.attempt(session, task_id, attempt_number)
    if attempt is None:
        return
    values: dict[str, Any] = {
        "node_id": look.node_id, "step": look.step, "n_steps": look.n_steps,
        "nodes": {"finished": list(look.finished), "cached": list(look.cached)},
        "updated_at": sa.func.now(),
    }  # fmt: skip
    if whole:
        values |= {
            "request": dict(look.request), "events": list(look.events),
            "result": dict(look.result) if look.result is not None else sa.null(),
        }  # fmt: skip
    if look.preview is not None:
        values |= {"preview": look.preview.content, "preview_node_id": look.preview.node_id}
    statement = insert(m.AttemptTrace).values(attempt_id=attempt.id, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["attempt_id"], set_=values))


def store_times(session: Session, task_id: uuid.UUID, attempt_number: int, look: Look) -> None:
    """Write how long each node of an attempt took, whether it succeeded or not; once, at its end."""
    attempt = queries.attempt(session, task_id, attempt_number)
    if attempt is None or not look.node_times_s:
        return
    rows = [
        {"attempt_id": attempt.id, "node_id": node, "node_class": str(look.request.get(node, {}).get("class_type", "")),
         "seconds": seconds, "is_cached": node in look.cached}
        for node, seconds in look.node_times_s.items()
    ]  # fmt: skip
    session.execute(insert(m.AttemptNodeTime).values(rows).on_conflict_do_nothing())


def latest(session: Session, task_id: uuid.UUID) -> tuple[m.GpuTaskAttempt, m.AttemptTrace] | None:
    """Return the task's newest attempt that has a trace, with it; None where nothing was sent yet."""
    row = session.execute(
        sa.select(m.GpuTaskAttempt, m.AttemptTrace)
        .join(m.AttemptTrace, m.AttemptTrace.attempt_id == m.GpuTaskAttempt.id)
        .where(m.GpuTaskAttempt.task_id == task_id)
        .order_by(m.GpuTaskAttempt.number.desc())
        .limit(1)
    ).one_or_none()
    return (row[0], row[1]) if row is not None else None


def newest(session: Session, task_id: uuid.UUID) -> tuple[m.GpuTaskAttempt | None, m.AttemptTrace]:
    """Return the task's newest attempt that was sent or that failed, with its trace; an empty one where it has none."""
    row = session.execute(
        sa.select(m.GpuTaskAttempt, m.AttemptTrace)
        .outerjoin(m.AttemptTrace, m.AttemptTrace.attempt_id == m.GpuTaskAttempt.id)
        .where(m.GpuTaskAttempt.task_id == task_id)
        .where(sa.or_(m.AttemptTrace.attempt_id.is_not(None), m.GpuTaskAttempt.error_code.is_not(None)))
        .order_by(m.GpuTaskAttempt.number.desc())
        .limit(1)
    ).one_or_none()
    return (row[0], row[1] or m.AttemptTrace()) if row is not None else (None, m.AttemptTrace())


def prune(session: Session, now: datetime) -> int:
    """Delete the traces that are older than `KEEP_DAYS`; returns how many."""
    old = sa.delete(m.AttemptTrace).where(m.AttemptTrace.updated_at < now - timedelta(days=KEEP_DAYS))
    return len(session.execute(old.returning(m.AttemptTrace.attempt_id)).all())
