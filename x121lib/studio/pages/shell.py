"""What stands around every page: projects, the job tray, the status bar, commands."""

from __future__ import annotations

import shutil
import time
from typing import Any

import sqlalchemy as sa

from x121lib import model as m
from x121lib.pipeline.hold import hold_reason
from x121lib.scheduling import on_hold
from x121lib.scheduling.policy import WorkerView
from x121lib.studio.pages import estimates, inbox, presence, queries, tasks
from x121lib.studio.pages.desk import Desk, View
from x121lib.studio.pages.words import initials
from x121lib.terms.transitions import LEASED_STATUSES, WAITING_STATUSES
from x121lib.terms.vocabulary import SceneStatus, TaskStatus

JOBS_SHOWN = 12
"""Rows of the tray."""


def shell(desk: Desk) -> View:
    """Return the shell."""
    projects = desk.session.execute(sa.select(m.Project.id, m.Project.name).order_by(m.Project.name)).all()
    chosen = desk.project
    return {
        "project": {"id": str(chosen.id), "name": chosen.name} if chosen else None,
        "projects": [{"id": str(key), "name": name} for key, name in projects],
        "person": {"name": desk.person.name, "initials": initials(desk.person.name), "role": desk.person.role},
        "jobs": _jobs(desk),
        "inbox": inbox.inbox(desk),
        "review_count": _review_count(desk),
        "status_items": _status_items(desk),
        "commands": _commands(desk),
    }


def _jobs(desk: Desk) -> dict[str, Any]:
    counts = queries.counts(desk.session)
    history = estimates.read_history(desk.session, desk)
    running = queries.running_tasks(desk.session)
    waiting = queries.waiting_tasks(desk.session, JOBS_SHOWN)
    left = sum(n - part for n, part in counts.values())
    held = on_hold.count(desk.session, desk.now)
    to_run = estimates.to_run(counts, held)
    n_open = sum(n for n, _ in counts.values())
    return {
        "running": sum(counts.get(s, (0, 0))[0] for s in LEASED_STATUSES),
        "queued": sum(counts.get(s, (0, 0))[0] for s in WAITING_STATUSES),
        "progress": _submitted_progress(desk, left) if n_open else 0.0,
        "held": held.n,
        "left_s": history.queue_s(to_run) if to_run else None,
        "items": [tasks.job(desk, row, history) for row in [*running, *waiting][:JOBS_SHOWN]],
        "workers": [_worker(view) for view in presence.worker_views(desk.session, desk.now)],
    }


def _worker(view: WorkerView) -> dict[str, Any]:
    if view.busy:
        return {"name": view.name, "status": "generating", "word": "Busy"}
    if view.available:
        return {"name": view.name, "status": "approved", "word": "Idle"}
    return {"name": view.name, "status": "none", "word": view.state.capitalize()}


def _submitted_progress(desk: Desk, left: float) -> float:
    """Return how much is done of what was submitted together with the tasks that are still open.

    That is the batches with open tasks, and of the tasks without a batch (retakes, image variants) those queued
    since the oldest open one of them.
    """
    open_ = m.GpuTask.status_id.in_(LEASED_STATUSES | WAITING_STATUSES)
    batches = sa.select(m.GpuTask.batch_id).where(open_)
    oldest = sa.select(sa.func.min(m.GpuTask.queued_at)).where(open_, m.GpuTask.batch_id.is_(None)).scalar_subquery()
    together = sa.or_(
        m.GpuTask.batch_id.in_(batches), sa.and_(m.GpuTask.batch_id.is_(None), m.GpuTask.queued_at >= oldest)
    )
    query = sa.select(sa.func.count()).select_from(m.GpuTask).where(together)
    total = desk.session.scalar(query.where(m.GpuTask.status_id.not_in([TaskStatus.CANCELLED, TaskStatus.FAILED])))
    return max(0.0, min(1.0, 1 - left / total)) if total else 0.0


def _review_count(desk: Desk) -> int:
    query = sa.select(sa.func.count()).select_from(m.Scene).where(m.Scene.status_id == SceneStatus.REVIEW)
    return int(desk.session.scalar(query.where(m.Scene.project_id == desk.project_id)) or 0)


def _status_items(desk: Desk) -> list[dict[str, Any]]:
    began = time.perf_counter()
    desk.session.scalar(sa.select(1))
    answer_ms = (time.perf_counter() - began) * 1000
    known = presence.worker_views(desk.session, desk.now)
    online = sum(v.available for v in known)
    disk = shutil.disk_usage(desk.studio.settings.home)
    share = disk.used / disk.total if disk.total else 0.0
    consumer = desk.session.scalar(
        sa.text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'x121-consumer'")
    )
    return [
        _health(bool(consumer), len(known), online, hold_reason(desk.studio.house)),
        {"label": "Database", "value": f"{answer_ms:.0f} ms" if answer_ms >= 1 else "< 1 ms"},
        {"label": "GPU workers", "value": f"{online} of {len(known)} online", "icon": "cpu"},
        {"label": "Disk", "value": f"{disk.used / 1e9:.0f} of {disk.total / 1e9:.0f} GB", "icon": "hard-drive",
         "share": share},
    ]  # fmt: skip


def _health(consumer: bool, known: int, online: int, held: str) -> dict[str, Any]:
    """Return the overall state: the strongest thing that is not well, else that all is."""
    if held:
        return {"label": "Held: the disk is full", "value": "", "status": "failed"}
    if not consumer:
        return {"label": "No consumer runs: 'x121 up' starts one", "value": "", "status": "warning"}
    if not known:
        return {"label": "No GPU worker is known", "value": "", "status": "warning"}
    if not online:
        return {"label": "No GPU worker is online", "value": "", "status": "failed"}
    return {"label": "All services well", "value": "", "status": "approved"}


def _commands(desk: Desk) -> list[dict[str, Any]]:
    if desk.project is None:
        return []
    rows = desk.session.execute(
        sa.select(m.Character.id, m.Character.name)
        .where(m.Character.project_id == desk.project.id)
        .order_by(m.Character.name)
        .limit(300)
    )
    return [
        {"group": "Characters", "label": name, "href": f"/character?character={key}", "icon": "users"}
        for key, name in rows
    ]
