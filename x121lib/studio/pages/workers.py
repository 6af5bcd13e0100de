"""The fleet: every GPU worker with what it does, and one of them with all that is known of it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from x121lib import model as m
from x121lib.scheduling import powering
from x121lib.studio.pages import estimates, fleet, queries, tasks
from x121lib.studio.pages.desk import Desk, View
from x121lib.studio.pages.vitals import MEASURES, Vitals, VitalsLog, newest
from x121lib.studio.pages.words import iso
from x121lib.studio.power import windows_in_words
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import AttemptOutcome, WorkerKind, WorkerStatus

HISTORY = 40
"""Changes of status shown."""
FAULTS = 6
"""Failed takes shown."""


def workers(desk: Desk, worker_id: str | None, log: VitalsLog) -> View:
    """Return the fleet, and the worker asked for, else the first."""
    rows = fleet.worker_rows(desk)
    running = queries.running_tasks(desk.session)
    past = queries.past_attempts(desk.session, desk.now - timedelta(minutes=30))
    told = {each["id"]: each for each in fleet.workers(desk, rows, running, past)}
    vitals, alerts, tags = newest(desk.session), _alerts(desk), _tags(desk)
    history = estimates.read_history(desk.session, desk)
    listed = []
    for row in rows:
        doing = [tasks.active(desk, t, history) for t in running if t["worker_id"] == row.id]
        facts = (vitals.get(row.id), alerts.get(row.id, []), tags.get(row.id, []))
        listed.append(_row(desk, row, told[str(row.id)], doing, facts) | {"load": _load(row, told, log)})
    chosen = next((row for row in rows if str(row.id) == worker_id), rows[0] if rows else None)
    return {
        "workers": listed, "chosen": _detail(desk, chosen, log) if chosen is not None else None,
        "slots": sum(row.slots for row in rows if told[str(row.id)]["status"] in ("approved", "generating", "warning")),
        "busy": len(running), "minimum_fleet": desk.studio.settings.minimum_fleet,
        "wake_commands": sorted(desk.studio.settings.wake_commands), "may_manage": desk.may(Permission.MANAGE_WORKERS),
        "kwh_today": _energy(desk, None),
    }  # fmt: skip


def _row(
    desk: Desk, row: m.Worker, told: dict[str, Any], doing: list[dict[str, Any]],
    facts: tuple[Vitals | None, list[dict[str, str]], list[str]],
) -> dict[str, Any]:  # fmt: skip
    vitals, alerts, tags = facts
    return {
        "id": str(row.id), "name": row.name, "url": row.url, "kind": row.kind_id.label, "device": row.device,
        "version": row.server_version, "status": told["status"], "word": told["word"], "doing": told["doing"],
        "tasks": doing, "slots": row.slots, "busy": len(doing), "tags": tags, "error_streak": row.error_streak,
        "seen_at": iso(row.last_seen_at) if row.last_seen_at else None, "alerts": alerts,
        "aside_until": _aside(desk, row), "vram_bytes": row.vram_bytes, "gpu": _gpu(vitals),
    }  # fmt: skip


def _aside(desk: Desk, row: m.Worker) -> str | None:
    until = row.set_aside_until
    return iso(until) if until is not None and until > desk.now else None


def _gpu(vitals: Vitals | None) -> dict[str, Any] | None:
    if vitals is None:
        return None
    return {
        "utilisation": vitals.utilisation, "vram_used_bytes": vitals.vram_used_bytes,
        "vram_total_bytes": vitals.vram_total_bytes, "temperature_c": vitals.temperature_c, "power_w": vitals.power_w,
        "throttled": vitals.throttled, "n_gpus": vitals.n_gpus, "measured_at": iso(vitals.measured_at),
    }  # fmt: skip


def _load(row: m.Worker, told: dict[str, dict[str, Any]], log: VitalsLog) -> dict[str, Any]:
    measured = log.series(row.id, "utilisation")
    if len(measured) > 1:
        return {"of": "GPU, last 10 min", "values": measured}
    return {"of": "slots, last 30 min", "values": told[str(row.id)]["load"]}


def _alerts(desk: Desk) -> dict[uuid.UUID, list[dict[str, str]]]:
    found: dict[uuid.UUID, list[dict[str, str]]] = {}
    for row in desk.session.scalars(sa.select(m.WorkerAlert).order_by(m.WorkerAlert.raised_at)):
        found.setdefault(row.worker_id, []).append({"text": row.message, "at": iso(row.raised_at)})
    return found


def _tags(desk: Desk) -> dict[uuid.UUID, list[str]]:
    found: dict[uuid.UUID, list[str]] = {}
    for key, tag in desk.session.execute(sa.select(m.WorkerTag.worker_id, m.WorkerTag.tag).order_by(m.WorkerTag.tag)):
        found.setdefault(key, []).append(tag)
    return found


# One worker


def _detail(desk: Desk, row: m.Worker, log: VitalsLog) -> dict[str, Any]:
    count = sa.select(sa.func.count())
    nodes = desk.session.scalar(count.where(m.WorkerNodeClass.worker_id == row.id))
    models = desk.session.execute(
        sa.select(m.WorkerModel.folder, m.WorkerModel.name)
        .where(m.WorkerModel.worker_id == row.id)
        .order_by(m.WorkerModel.folder, m.WorkerModel.name)
    )
    warm = desk.session.scalars(
        sa.select(m.WorkerLoadedModel.name).where(m.WorkerLoadedModel.worker_id == row.id).order_by("name")
    )
    return {
        "id": str(row.id), "n_nodes": int(nodes or 0), "models": [{"folder": f, "name": n} for f, n in models],
        "asked_at": iso(row.capabilities_at) if row.capabilities_at else None, "warm": list(warm),
        "speed": _speed(desk, row), "series": {name: log.series(row.id, name) for name in MEASURES},
        "agent": _agent(desk, row), "power": _power(desk, row), "history": _history(desk, row),
        "faults": _faults(desk, row), "kwh_today": _energy(desk, row.id), "can": _can(desk, row),
    }  # fmt: skip


def _speed(desk: Desk, row: m.Worker) -> list[dict[str, Any]]:
    found = desk.session.execute(
        sa.select(m.Workflow.name, m.WorkerSpeed.mean_s, m.WorkerSpeed.n_takes)
        .join(m.WorkerSpeed, m.WorkerSpeed.workflow_id == m.Workflow.id)
        .where(m.WorkerSpeed.worker_id == row.id)
        .order_by(m.WorkerSpeed.n_takes.desc(), m.Workflow.name)
    )
    return [{"workflow": name, "mean_s": mean_s, "takes": n} for name, mean_s, n in found]


def _agent(desk: Desk, row: m.Worker) -> dict[str, Any] | None:
    agent = desk.session.get(m.WorkerAgent, row.id)
    if agent is None:
        return None
    answered = iso(agent.answered_at) if agent.answered_at else None
    return {"url": agent.url, "answered_at": answered, "trouble": agent.trouble, "no_gpu": agent.no_gpu_reason}


def _power(desk: Desk, row: m.Worker) -> dict[str, Any] | None:
    power = desk.session.get(m.WorkerPower, row.id)
    if power is None or (power.wake_kind_id is None and power.idle_after_s is None):
        return None
    return {
        "idle_minutes": power.idle_after_s / 60 if power.idle_after_s else None,
        "wake": power.wake_kind_id.value if power.wake_kind_id else None,
        "wake_word": power.wake_kind_id.label if power.wake_kind_id else "", "target": power.wake_target,
        "windows": windows_in_words(powering.windows_of(desk.session, row.id)),
        "woken_at": iso(power.wake_sent_at) if power.wake_sent_at else None,
        "slept_at": iso(power.sleep_sent_at) if power.sleep_sent_at else None,
    }  # fmt: skip


def _history(desk: Desk, row: m.Worker) -> list[dict[str, Any]]:
    change = m.WorkerStatusChange
    found = desk.session.execute(
        sa.select(change, m.Person.name)
        .outerjoin(m.Person, m.Person.id == change.person_id)
        .where(change.worker_id == row.id)
        .order_by(change.id.desc())
        .limit(HISTORY)
    )
    return [
        {
            "id": str(c.id), "at": iso(c.created_at), "to": c.to_status_id.label.capitalize(),
            "status": _SHAPES[c.to_status_id], "reason": c.reason, "who": who or "X121",
        }
        for c, who in found
    ]  # fmt: skip


_SHAPES = {
    WorkerStatus.ONLINE: "approved", WorkerStatus.DEGRADED: "warning", WorkerStatus.OFFLINE: "failed",
    WorkerStatus.DRAINING: "pending", WorkerStatus.REMOVED: "none", WorkerStatus.MAINTENANCE: "blocked",
    WorkerStatus.ASLEEP: "none",
}  # fmt: skip


def _faults(desk: Desk, row: m.Worker) -> list[dict[str, Any]]:
    """Return the newest failed attempts on a worker."""
    attempt = m.GpuTaskAttempt
    found = desk.session.scalars(
        sa.select(attempt)
        .where(attempt.worker_id == row.id, attempt.outcome_id.in_([AttemptOutcome.FAILED, AttemptOutcome.LOST]))
        .order_by(attempt.finished_at.desc().nulls_last())
        .limit(FAULTS)
    )
    return [
        {
            "id": str(a.id), "task_id": str(a.task_id), "at": iso(a.finished_at or a.dispatched_at),
            "text": (a.error_message or "The worker was lost in mid-take.")[:300],
        }
        for a in found
    ]  # fmt: skip


def _energy(desk: Desk, worker_id: uuid.UUID | None) -> float | None:
    """Return the kilowatt-hours that were measured today (UTC), of one worker or of all; None: nothing was measured."""
    query = sa.select(sa.func.sum(m.WorkerEnergy.joules)).where(m.WorkerEnergy.day == desk.now.date())
    if worker_id is not None:
        query = query.where(m.WorkerEnergy.worker_id == worker_id)
    joules = desk.session.scalar(query)
    return None if joules is None else float(joules) / 3.6e6


def _can(desk: Desk, row: m.Worker) -> Sequence[str]:
    """Return what may be asked of a worker now."""
    if not desk.may(Permission.MANAGE_WORKERS):
        return []
    status = row.status_id
    held = status in (WorkerStatus.DRAINING, WorkerStatus.MAINTENANCE) or _aside(desk, row) is not None
    power = desk.session.get(m.WorkerPower, row.id)
    agent = desk.session.get(m.WorkerAgent, row.id) is not None
    wakes = power is not None and power.wake_kind_id is not None
    awake = status in (WorkerStatus.ONLINE, WorkerStatus.DEGRADED)
    return [
        name
        for name, possible in (
            ("return", held), ("drain", status not in (WorkerStatus.DRAINING, WorkerStatus.MAINTENANCE)),
            ("maintenance", status != WorkerStatus.MAINTENANCE), ("restart", agent),
            ("wake", wakes and status in (WorkerStatus.ASLEEP, WorkerStatus.OFFLINE)),
            ("sleep", wakes and agent and awake), ("edit", True), ("power", True),
            ("agent", row.kind_id == WorkerKind.COMFYUI), ("remove", True),
        )
        if possible
    ]  # fmt: skip
