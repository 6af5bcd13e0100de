"""Power of workers in the database: what each may do, what is decided, and what came of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import InvalidInputError, RefusedError
from x121lib.scheduling import agents, reading, workers
from x121lib.scheduling.power import PowerView, Step, Window, decide, in_windows
from x121lib.scheduling.service import hold_dispatch, wake
from x121lib.scheduling.standing import move_worker, record_change
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.transitions import LEASED_STATUSES
from x121lib.terms.vocabulary import WakeKind, WorkerStatus

MOST_WAITING = 256
"""Waiting tasks that are counted to decide how many workers shall be awake."""
WAKE_S = 300.0
"""Seconds that a host may take to wake; after that it is woken again."""
FALLS_ASLEEP_S = 120.0
"""Seconds within which a host that was put to sleep may still answer."""


@dataclass(frozen=True)
class PowerSpec:
    """How a worker's power is switched."""

    idle_after_s: int | None = None
    """Idle seconds after which it sleeps; None: never."""
    wake_kind: WakeKind | None = None
    """How it is woken; None: not at all."""
    wake_target: str = ""
    """MAC address, name of a command, or URL."""
    windows: tuple[Window, ...] = ()
    """When it may be awake, in local time; empty: always."""


def configure(session: Session, actor: Actor, name: str, spec: PowerSpec, now: datetime) -> None:
    """Set how a worker's power is switched, instead of what was set before."""
    actor.require(Permission.MANAGE_WORKERS)
    if spec.idle_after_s is not None and not 60 <= spec.idle_after_s <= 7 * 86_400:
        raise InvalidInputError("The idle time is 1 minute to 7 days.")
    if (spec.idle_after_s is not None or spec.windows) and spec.wake_kind is None:
        raise InvalidInputError("A worker that sleeps needs a way to be woken.", hint="Add --wake.")
    worker = workers.find(session, name)
    row = session.get(m.WorkerPower, worker.id) or m.WorkerPower(worker_id=worker.id)
    row.idle_after_s, row.wake_kind_id, row.wake_target = spec.idle_after_s, spec.wake_kind, spec.wake_target
    row.configured_at = now
    session.add(row)
    session.flush()
    session.execute(sa.delete(m.PowerWindow).where(m.PowerWindow.worker_id == worker.id))
    session.add_all(
        m.PowerWindow(worker_id=worker.id, weekday=w.weekday, start_minute=w.start_minute, stop_minute=w.stop_minute)
        for w in sorted(set(spec.windows), key=lambda w: (w.weekday, w.start_minute, w.stop_minute))
    )
    facts = {"idle_after_s": spec.idle_after_s, "wake": spec.wake_kind.value if spec.wake_kind else None}
    audit.record(session, actor, "worker.power", ("worker", worker.id), after=facts)


def windows_of(session: Session, worker_id: uuid.UUID) -> list[Window]:
    """Return a worker's windows by day and time."""
    w = m.PowerWindow
    rows = session.scalars(sa.select(w).where(w.worker_id == worker_id).order_by(w.weekday, w.start_minute))
    return [Window(row.weekday, row.start_minute, row.stop_minute) for row in rows]


def decide_now(session: Session, now: datetime, minimum: int) -> list[Step]:
    """Decide, and mark who goes to sleep as asleep, so that dispatch sends it nothing from this moment on.

    Nothing while a dispatch is under way: what it assigns counts as busy, and is seen at the next look.
    """
    powers = {row.worker_id: row for row in session.scalars(sa.select(m.WorkerPower))}
    if not powers or not hold_dispatch(session):
        return []
    rows = [w for w in workers.list_workers(session) if w.status_id not in workers.HELD_BY_PERSON]
    _notice_woken(session, rows, powers)
    views = [_view(session, w, powers.get(w.id), now) for w in rows]
    steps = decide(views, waiting=reading.n_waiting(session, now, MOST_WAITING), minimum=minimum)
    by_id = {w.id: w for w in rows}
    for step in steps:
        if step.wake:
            _mark_waking(session, by_id[step.worker_id], powers[step.worker_id], step.reason, now)
        else:
            powers[step.worker_id].sleep_sent_at = now
            move_worker(session, by_id[step.worker_id], WorkerStatus.ASLEEP, step.reason)
    return steps


def wake_one(session: Session, actor: Actor, name: str, now: datetime) -> uuid.UUID:
    """Mark a worker as being woken because somebody asked for it; returns its key."""
    actor.require(Permission.MANAGE_WORKERS)
    worker = workers.find(session, name)
    row = session.get(m.WorkerPower, worker.id)
    if row is None or row.wake_kind_id is None:
        raise InvalidInputError(f"No way to wake '{worker.name}' is set.", hint="'x121 worker power NAME --wake …'.")
    audit.record(session, actor, "worker.wake", ("worker", worker.id))
    _mark_waking(session, worker, row, f"Woken by {actor.name}.", now)
    return worker.id


def sleep_one(session: Session, actor: Actor, name: str, now: datetime) -> uuid.UUID:
    """Mark an idle worker as asleep because somebody asked for it, so that it is sent nothing more; returns its key.

    Raises:
        RefusedError: it is in mid-take, takes no work anyway, or dispatch is under way.
        InvalidInputError: no way to wake it is set.
        NotFoundError: it has no agent that could put its host to sleep.
    """
    actor.require(Permission.MANAGE_WORKERS)
    if not hold_dispatch(session):
        raise RefusedError("Work is being handed out at this moment.", hint="Try again.")
    worker = workers.find(session, name)
    agents.agent_of(session, name)
    row = session.get(m.WorkerPower, worker.id)
    if row is None or row.wake_kind_id is None:
        raise InvalidInputError(f"No way to wake '{worker.name}' is set.", hint="Set one before it sleeps.")
    if worker.status_id not in (WorkerStatus.ONLINE, WorkerStatus.DEGRADED):
        state = worker.status_id.label.lower()
        raise RefusedError(f"'{worker.name}' is {state}.", hint="Only what is awake can go to sleep.")
    leased = sa.select(m.GpuTask.id).where(m.GpuTask.worker_id == worker.id, m.GpuTask.status_id.in_(LEASED_STATUSES))
    if session.scalars(leased.limit(1)).first() is not None:
        raise RefusedError(f"'{worker.name}' is in mid-take.", hint="Drain it, and let it sleep when it is done.")
    audit.record(session, actor, "worker.sleep", ("worker", worker.id))
    row.sleep_sent_at = now
    move_worker(session, worker, WorkerStatus.ASLEEP, f"Put to sleep by {actor.name}.", actor.person_id)
    return worker.id


def record_failed(session: Session, worker_id: uuid.UUID, *, was_wake: bool, why: str) -> None:
    """Write that a step could not be carried out; a worker that did not go to sleep takes work again."""
    worker = session.get(m.Worker, worker_id, with_for_update=True)
    if worker is None:
        return
    if was_wake:
        record_change(session, worker, worker.status_id, f"Could not be woken: {why}")
    else:
        move_worker(session, worker, WorkerStatus.OFFLINE, f"Could not be put to sleep: {why}")
        row = session.get_one(m.WorkerPower, worker_id)
        row.configured_at = row.sleep_sent_at or row.configured_at  # its idle time begins anew
        wake(session)


def _mark_waking(session: Session, worker: m.Worker, row: m.WorkerPower, reason: str, now: datetime) -> None:
    row.wake_sent_at = now
    if worker.status_id == WorkerStatus.ASLEEP:
        move_worker(session, worker, WorkerStatus.OFFLINE, reason)
    else:
        record_change(session, worker, worker.status_id, reason)


def _notice_woken(session: Session, rows: list[m.Worker], powers: dict[uuid.UUID, m.WorkerPower]) -> None:
    for w in rows:
        sent = powers[w.id].sleep_sent_at if w.id in powers else None
        late = timedelta(seconds=FALLS_ASLEEP_S)
        if w.status_id == WorkerStatus.ASLEEP and (sent is None or (w.last_seen_at and w.last_seen_at > sent + late)):
            move_worker(session, w, WorkerStatus.OFFLINE, "It answers though it was put to sleep: somebody woke it.")


def _view(session: Session, w: m.Worker, power: m.WorkerPower | None, now: datetime) -> PowerView:
    busy = session.scalar(
        sa.select(sa.func.count()).where(m.GpuTask.worker_id == w.id, m.GpuTask.status_id.in_(LEASED_STATUSES))
    )
    awake = w.status_id in (WorkerStatus.ONLINE, WorkerStatus.DEGRADED)
    if power is None:
        return PowerView(w.id, w.slots, int(busy or 0), awake, asleep=False, waking=False, idle_s=0.0)
    last = session.scalar(
        sa.select(sa.func.max(m.GpuTaskAttempt.finished_at)).where(m.GpuTaskAttempt.worker_id == w.id)
    )
    sent = power.wake_sent_at
    since = max(t for t in (last, sent, power.configured_at) if t is not None)
    down = w.status_id == WorkerStatus.OFFLINE and sent is not None
    waking = down and sent is not None and now - sent < timedelta(seconds=WAKE_S)
    return PowerView(
        w.id, w.slots, int(busy or 0), awake, asleep=w.status_id == WorkerStatus.ASLEEP or (down and not waking),
        waking=waking, idle_s=(now - since).total_seconds(), idle_after_s=power.idle_after_s,
        can_sleep=session.get(m.WorkerAgent, w.id) is not None, can_wake=power.wake_kind_id is not None,
        in_window=in_windows(windows_of(session, w.id), now.astimezone()),
    )  # fmt: skip
