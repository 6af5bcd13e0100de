"""What proves that a workflow version runs to its end."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import ConflictError
from x121lib.terms.vocabulary import AttemptOutcome


def is_proved(session: Session, version_id: uuid.UUID) -> bool:
    """Return whether a version ran to its end once: in a dry run, or for a take or an image."""
    trial, receipt = m.WorkflowTrial, m.Receipt
    tried = sa.exists().where(trial.workflow_version_id == version_id, trial.outcome_id == AttemptOutcome.COMPLETE)
    used = sa.exists().where(receipt.workflow_version_id == version_id)
    return bool(session.scalar(sa.select(sa.or_(tried, used))))


def require_proof(session: Session, name: str, version: m.WorkflowVersion) -> None:
    """Refuse a version that has never run to its end; raises `ConflictError` that names the command."""
    if not is_proved(session, version.id):
        raise ConflictError(
            f"Version {version.number} of '{name}' has never run to its end.",
            hint=f"'x121 workflow try {name} --version {version.number}' runs it with a drawn picture.",
        )
