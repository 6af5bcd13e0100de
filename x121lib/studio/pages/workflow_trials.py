"""The dry runs of a workflow's version, for its page."""

from __future__ import annotations

from typing import Any

from x121lib import model as m
from x121lib.catalogue import trials
from x121lib.studio.pages.desk import Desk
from x121lib.studio.pages.words import iso
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import AttemptOutcome

SHOWN = 5
_STATES = {AttemptOutcome.COMPLETE: "approved", AttemptOutcome.FAILED: "failed", None: "generating"}


def dry_runs(desk: Desk, name: str, version: m.WorkflowVersion) -> list[dict[str, Any]]:
    """Return the newest dry runs of a version."""
    rows = [row[:4] for row in trials.listing(desk.session, name) if row[2].id == version.id]
    return [_row(desk, trial, worker or "") for trial, _, _, worker in rows[:SHOWN]]


def _row(desk: Desk, trial: m.WorkflowTrial, worker: str) -> dict[str, Any]:
    word = trials.word(trial, desk.now)
    facts = f"{trial.width}×{trial.height} {trial.codec}" if trial.width else ""
    frames = f", {trial.n_frames} frames" if trial.n_frames and trial.n_frames > 1 else ""
    return {
        "id": str(trial.id), "status": "failed" if word == "lost" else _STATES.get(trial.outcome_id, "none"),
        "word": word.capitalize(), "worker": worker, "seconds": trial.run_s, "at": iso(trial.started_at),
        "text": trial.error_message or facts + frames,
        "may_cancel": word == "running" and desk.may(Permission.MANAGE_RECIPES),
    }  # fmt: skip
