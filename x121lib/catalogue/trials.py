"""Dry runs of workflow versions: begun, told of progress, cancelled, ended, listed; and what they prove."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import ConflictError, NotFoundError, RefusedError
from x121lib.base.ids import new_id
from x121lib.catalogue import workflows
from x121lib.catalogue.slots import slots_of
from x121lib.comfyui.slots import Slot
from x121lib.events import outbox
from x121lib.scheduling import fitness, queries
from x121lib.scheduling.fitness import Demand
from x121lib.scheduling.workers import find
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import AttemptOutcome, EventKind

SILENT_AFTER_S = 60.0
"""Seconds without a sign of life after which a dry run counts as lost."""


@dataclass(frozen=True)
class Began:
    """A dry run that this process is to carry out."""

    trial_id: uuid.UUID
    """Its key."""
    version_id: uuid.UUID
    """The workflow version."""
    prompt_id: uuid.UUID
    """The prompt's id on the server."""
    url: str
    """Address of the worker."""
    graph: dict[str, Any]
    """The workflow in API form."""
    slots: tuple[Slot, ...]
    """Its slots."""


@dataclass(frozen=True)
class Outcome:
    """How a dry run ended."""

    outcome: AttemptOutcome
    """Complete, Failed or Cancelled."""
    queue_s: float | None = None
    """Seconds in the server's queue."""
    run_s: float | None = None
    """Seconds of execution."""
    codec: str = ""
    """Coding of the output, e.g. ``h264`` or ``png``."""
    size: tuple[int, int] | None = None
    """Width and height in pixels."""
    n_frames: int | None = None
    """Frames that decode; 1 for a picture."""
    first_frame_ssim: float | None = None
    """SSIM of a video's first frame with the picture that was given, 1 for equal; None for a picture."""
    error_code: str = ""
    """Code of the error."""
    error_message: str = ""
    """What went wrong and what to do."""


def begin(
    session: Session, actor: Actor, name: str, now: datetime, *, number: int | None = None, worker: str | None = None
) -> Began:
    """Write a dry run of a workflow's version (default: the newest) on a worker.

    Without a worker it is the least busy one that is available and lacks nothing.

    Raises:
        NotFoundError: no such workflow, version or worker.
        ConflictError: a dry run of this version goes on there.
        RefusedError: the worker lacks something, or none has all that is needed.
    """
    actor.require(Permission.MANAGE_RECIPES)
    version = workflows.version(session, name, number)
    row = session.get_one(m.Worker, _place(session, version, now, worker))
    trial = m.WorkflowTrial
    open_ = sa.select(trial.id).where(
        trial.workflow_version_id == version.id, trial.worker_id == row.id, trial.outcome_id.is_(None),
        trial.seen_at > now - timedelta(seconds=SILENT_AFTER_S),
    )  # fmt: skip
    if session.scalars(open_).first() is not None:
        raise ConflictError(f"'{name}' version {version.number} is being tried on {row.name} already.")
    key = new_id()
    began = Began(key, version.id, uuid.uuid4(), row.url, version.graph, slots_of(session, version.id))
    session.add(
        m.WorkflowTrial(id=key, workflow_version_id=version.id, worker_id=row.id, started_by_id=actor.person_id,
                        prompt_id=began.prompt_id, seen_at=now, started_at=now)
    )  # fmt: skip
    facts = {"version": version.number, "worker": row.name}
    audit.record(session, actor, "workflow.try", ("workflow", version.workflow_id), after=facts)
    return began


def _place(session: Session, version: m.WorkflowVersion, now: datetime, worker: str | None) -> uuid.UUID:
    views = {view.worker_id: view for view in queries.worker_views(session, now)}
    own = fitness.default_overrides(session, [version.id]).get(version.id, {})
    demand = Demand(version.id, fitness.packed(own))
    found = fitness.lacks(session, [demand], {key: view.offer for key, view in views.items()})
    lacking = fitness.with_packs(session, found).get(demand, {})
    if worker is not None:
        key = find(session, worker).id
        if key in lacking:
            what = ", ".join(str(one) for one in lacking[key])
            raise RefusedError(f"{views[key].name} lacks {what}.", hint="'x121 workflow check' tells all.")
        return key
    fit = [view for key, view in views.items() if view.available and key not in lacking]
    if not fit:
        hint = "'x121 workflow check' tells all." if views else "'x121 worker add URL' adds one."
        raise RefusedError("No worker that is online has all that this workflow needs.", hint=hint)
    return min(fit, key=lambda view: (view.busy / view.slots, view.name)).worker_id


def progress(session: Session, trial_id: uuid.UUID, fraction: float, now: datetime) -> bool:
    """Write how far a dry run is, 0 to 1; False where it is to stop."""
    trial = m.WorkflowTrial
    statement = (
        sa.update(trial)
        .where(trial.id == trial_id, trial.outcome_id.is_(None), trial.cancel_requested_at.is_(None))
        .values(progress=fraction, seen_at=now)
        .returning(trial.id)
    )
    return session.scalars(statement).one_or_none() is not None


def cancel(session: Session, actor: Actor, trial_id: uuid.UUID, now: datetime) -> None:
    """Ask a dry run to stop; the process that runs it ends its prompt, and no other, within a second.

    Raises:
        NotFoundError: there is none.
        ConflictError: it is over.
    """
    actor.require(Permission.MANAGE_RECIPES)
    row = session.get(m.WorkflowTrial, trial_id, with_for_update=True)
    if row is None:
        raise _unknown(trial_id)
    if row.outcome_id is not None:
        raise ConflictError("This dry run is over already.")
    row.cancel_requested_at = now


def finish(session: Session, trial_id: uuid.UUID, ended: Outcome, now: datetime) -> None:
    """Write how a dry run ended; publishes the event. Without effect where it is over already."""
    row = session.get_one(m.WorkflowTrial, trial_id, with_for_update=True)
    if row.outcome_id is not None:
        return
    row.outcome_id, row.finished_at, row.seen_at = ended.outcome, now, now
    row.progress = 1.0 if ended.outcome is AttemptOutcome.COMPLETE else row.progress
    row.queue_s, row.run_s, row.codec, row.n_frames = ended.queue_s, ended.run_s, ended.codec, ended.n_frames
    row.width, row.height = ended.size or (None, None)
    row.first_frame_ssim = ended.first_frame_ssim
    row.error_code, row.error_message = ended.error_code, ended.error_message
    version = session.get_one(m.WorkflowVersion, row.workflow_version_id)
    workflow = session.get_one(m.Workflow, version.workflow_id)
    facts = {"name": workflow.name, "version": version.number, "outcome": ended.outcome.value}
    outbox.publish(session, EventKind.WORKFLOW_TRIED, entity="workflow", entity_id=workflow.id, payload=facts)


def listing(session: Session, name: str | None = None, limit: int = 100) -> Sequence[Any]:
    """Return (trial, workflow's name, version, worker's name, who) of a workflow's or of all, the newest first."""
    query = _rows().order_by(m.WorkflowTrial.id.desc()).limit(limit)
    return session.execute(query.where(m.Workflow.name == name) if name is not None else query).all()


def one(session: Session, trial_id: uuid.UUID) -> Any:
    """Return one dry run as `listing` does; raises `NotFoundError`."""
    row = session.execute(_rows().where(m.WorkflowTrial.id == trial_id)).one_or_none()
    if row is None:
        raise _unknown(trial_id)
    return row


def _rows() -> sa.Select[*tuple[Any, ...]]:
    trial = m.WorkflowTrial
    return (
        sa.select(trial, m.Workflow.name, m.WorkflowVersion, m.Worker.name, m.Person.name)
        .join(m.WorkflowVersion, m.WorkflowVersion.id == trial.workflow_version_id)
        .join(m.Workflow, m.Workflow.id == m.WorkflowVersion.workflow_id)
        .outerjoin(m.Worker, m.Worker.id == trial.worker_id)
        .outerjoin(m.Person, m.Person.id == trial.started_by_id)
    )


def _unknown(trial_id: uuid.UUID) -> NotFoundError:
    return NotFoundError(f"There is no dry run {trial_id}.", hint="'x121 workflow tries' lists them.")


def word(row: m.WorkflowTrial, now: datetime) -> str:
    """Return where a dry run stands, in a word."""
    if row.outcome_id is not None:
        return row.outcome_id.value
    return "lost" if now - row.seen_at > timedelta(seconds=SILENT_AFTER_S) else "running"
