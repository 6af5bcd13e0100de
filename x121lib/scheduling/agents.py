"""Agents of GPU hosts: which worker has which, and what they reported: vitals, alerts, energy."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.agent.vitals import Alert, Report
from x121lib.base.errors import NotFoundError
from x121lib.events import outbox
from x121lib.scheduling import workers
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import EventKind, WorkerStatus

LONGEST_GAP_S = 30.0
"""Longest pause between two reports over which measured power is counted on."""


def attach(session: Session, actor: Actor, name: str, url: str, key_encrypted: bytes) -> None:
    """Tell which agent runs on a worker's host; its key comes sealed. Replaces an earlier one."""
    actor.require(Permission.MANAGE_WORKERS)
    worker = workers.find(session, name)
    row = session.get(m.WorkerAgent, worker.id) or m.WorkerAgent(worker_id=worker.id, trouble="", no_gpu_reason="")
    row.url, row.key_encrypted = url, key_encrypted
    session.add(row)
    audit.record(session, actor, "worker.attach_agent", ("worker", worker.id), after={"url": url})


def agent_of(session: Session, name: str) -> m.WorkerAgent:
    """Return a worker's agent; raises `NotFoundError`."""
    worker = workers.find(session, name)
    row = session.get(m.WorkerAgent, worker.id)
    if row is None:
        raise NotFoundError(
            f"No agent of worker '{worker.name}' is known.", hint="'x121 worker agent NAME URL --key-file FILE'."
        )
    return row


def all_agents(session: Session) -> list[m.WorkerAgent]:
    """Return the agents of all workers that were not removed."""
    query = sa.select(m.WorkerAgent).join(m.Worker, m.Worker.id == m.WorkerAgent.worker_id)
    return list(session.scalars(query.where(m.Worker.status_id != WorkerStatus.REMOVED)))


def record(session: Session, worker_id: uuid.UUID, report: Report, now: datetime) -> None:
    """Store a report instead of the last one, add the energy since then, and tell of new and ended alerts."""
    row = session.get(m.WorkerAgent, worker_id, with_for_update=True)
    if row is None:
        return
    _add_energy(session, row, report, now)
    row.answered_at, row.trouble, row.no_gpu_reason = now, "", report.no_gpu_reason
    session.execute(sa.delete(m.GpuVital).where(m.GpuVital.worker_id == worker_id))
    session.add_all(
        m.GpuVital(
            worker_id=worker_id, device_index=g.index, name=g.name, utilisation=g.utilisation,
            vram_used_bytes=g.vram_used_bytes, vram_total_bytes=g.vram_total_bytes, temperature_c=g.temperature_c,
            power_w=g.power_w, throttled=", ".join(g.throttled), measured_at=now,
        )
        for g in report.gpus
    )  # fmt: skip
    _keep_alerts(session, worker_id, report.alerts, now)


def record_trouble(session: Session, worker_id: uuid.UUID, trouble: str) -> None:
    """Store why an agent could not be asked; its last vitals are gone, for they say nothing any more."""
    row = session.get(m.WorkerAgent, worker_id, with_for_update=True)
    if row is not None:
        row.trouble = trouble
        session.execute(sa.delete(m.GpuVital).where(m.GpuVital.worker_id == worker_id))


def record_restart(session: Session, actor: Actor, worker_id: uuid.UUID, service: str, exit_code: int) -> None:
    """Write that a service was restarted through the agent."""
    facts = {"service": service, "exit_code": exit_code}
    audit.record(session, actor, "worker.restart_service", ("worker", worker_id), after=facts)
    outbox.publish(
        session, EventKind.WORKER_SERVICE_RESTARTED, entity="worker", entity_id=worker_id, payload=dict(facts)
    )


def record_pack(session: Session, actor: Actor, worker_id: uuid.UUID, pack: str, outcome: dict[str, str]) -> None:
    """Write that a node pack was installed through the agent, or why it was not; publishes what was installed."""
    facts = {"pack": pack, **outcome}
    audit.record(session, actor, "worker.install_pack", ("worker", worker_id), after=facts)
    if "trouble" not in outcome:
        outbox.publish(
            session, EventKind.NODE_PACK_INSTALLED, entity="worker", entity_id=worker_id, payload=dict(facts)
        )


def _add_energy(session: Session, row: m.WorkerAgent, report: Report, now: datetime) -> None:
    watts = [g.power_w for g in report.gpus if g.power_w is not None]
    seconds = (now - row.answered_at).total_seconds() if row.answered_at is not None else 0.0
    if not watts or not 0.0 < seconds <= LONGEST_GAP_S:
        return
    energy = m.WorkerEnergy
    new = insert(energy).values(
        worker_id=row.worker_id, day=now.date(), joules=sum(watts) * seconds, measured_s=seconds
    )
    update = {
        "joules": energy.joules + new.excluded.joules, "measured_s": energy.measured_s + new.excluded.measured_s
    }  # fmt: skip
    session.execute(new.on_conflict_do_update(index_elements=["worker_id", "day"], set_=update))


def _keep_alerts(session: Session, worker_id: uuid.UUID, alerts: tuple[Alert, ...], now: datetime) -> None:
    rows = session.scalars(sa.select(m.WorkerAlert).where(m.WorkerAlert.worker_id == worker_id)).all()
    known, given = {row.name: row for row in rows}, {alert.name: alert for alert in alerts}
    for name, alert in given.items():
        if name in known:
            known[name].message = alert.message
            continue
        session.add(m.WorkerAlert(worker_id=worker_id, name=name, message=alert.message, raised_at=now))
        _tell(session, EventKind.WORKER_ALERTED, worker_id, name, alert.message)
    for name, row in known.items():
        if name not in given:
            session.delete(row)
            _tell(session, EventKind.WORKER_ALERT_ENDED, worker_id, name, row.message)


def _tell(session: Session, kind: EventKind, worker_id: uuid.UUID, name: str, message: str) -> None:
    payload = {"alert": name, "message": message}
    outbox.publish(session, kind, entity="worker", entity_id=worker_id, payload=payload)
