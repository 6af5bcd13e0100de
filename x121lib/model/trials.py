"""Dry runs of workflows: what was tried where, outside of any project, and what came of it."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from x121lib.model.base import Base, fk, moment, now_column, pk, term, text
from x121lib.terms.vocabulary import AttemptOutcome


class WorkflowTrial(Base):
    """One dry run of a workflow version on a worker; the outcome is null while it goes on.

    ``seen_at`` is the last sign of life of the process that runs it. ``n_frames`` is 1 for a picture.
    ``first_frame_ssim`` says how like a video's first frame is to the picture
    that was given, 1 for equal; null for a picture.
    """

    __tablename__ = "workflow_trial"
    id: Mapped[uuid.UUID] = pk()
    workflow_version_id: Mapped[uuid.UUID] = fk("workflow_version.id", "CASCADE")
    worker_id: Mapped[uuid.UUID | None] = fk("worker.id", "SET NULL", nullable=True)
    started_by_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)
    prompt_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, nullable=False)
    outcome_id: Mapped[AttemptOutcome | None] = term(AttemptOutcome, nullable=True)
    progress: Mapped[float] = mapped_column(sa.Float, nullable=False, default=0.0)
    started_at: Mapped[datetime] = now_column()
    seen_at: Mapped[datetime] = moment(nullable=False)
    cancel_requested_at: Mapped[datetime | None] = moment()
    finished_at: Mapped[datetime | None] = moment()
    queue_s: Mapped[float | None]
    run_s: Mapped[float | None]
    codec: Mapped[str] = text(default="")
    width: Mapped[int | None]
    height: Mapped[int | None]
    n_frames: Mapped[int | None]
    first_frame_ssim: Mapped[float | None]
    error_code: Mapped[str] = text(default="")
    error_message: Mapped[str] = text(default="")
