"""Which GPU workers are there: what the last health check said, as long as there are health checks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.scheduling import queries
from x121lib.scheduling.policy import WorkerView
from x121lib.scheduling.workers import OFFLINE_AFTER_S
from x121lib.terms.vocabulary import WorkerStatus


def is_gone(worker: m.Worker, now: datetime) -> bool:
    """Return whether a worker is offline, or nobody has heard of it for so long that its status says nothing."""
    seen = worker.last_seen_at
    silent = seen is not None and now - seen > timedelta(seconds=OFFLINE_AFTER_S)
    return silent or worker.status_id == WorkerStatus.OFFLINE


def worker_rows(session: Session) -> list[m.Worker]:
    """Return the workers that were not removed, by name."""
    query = sa.select(m.Worker).where(m.Worker.status_id != WorkerStatus.REMOVED).order_by(m.Worker.name)
    return list(session.scalars(query))


def worker_views(session: Session, now: datetime) -> list[WorkerView]:
    """Return the workers as the scheduler sees them; who is gone is not available."""
    gone = {w.id for w in worker_rows(session) if is_gone(w, now)}
    views = queries.worker_views(session, now)
    return [replace(v, available=False, state="offline") if v.available and v.worker_id in gone else v for v in views]
