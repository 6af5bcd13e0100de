"""Dry runs of workflows, as the façade offers them."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from x121lib.catalogue import trials
from x121lib.catalogue.trials import Began
from x121lib.pipeline.dry_run import carry_out
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import AttemptOutcome, WorkflowStatus

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

COLUMNS = [
    "trial_id", "workflow", "version", "worker", "status", "progress", "by", "started_at", "finished_at", "queue_s",
    "run_s", "codec", "width", "height", "n_frames", "first_frame_ssim", "next_status", "error_code",
    "error_message",
]  # fmt: skip


class Trials:
    """Tries a workflow with a neutral picture on one worker, outside of any project."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def run(
        self, name: str, *, version: int | None = None, worker: str | None = None,
        on_progress: Callable[[float], None] = lambda fraction: None,
    ) -> dict[str, Any]:  # fmt: skip
        """Try a workflow's version (default: the newest) and wait for the end; returns its row of `list`.

        Interrupting it (Ctrl-C) ends its prompt on the server, and no other. The picture is always one that is drawn:
        outside of a project nothing says whose likeness another one shows, and whether a release covers it.

        Args:
            name: the workflow.
            version: its version.
            worker: where; None for the least busy worker that has all that it needs.
            on_progress: called with 0 to 1, from another thread.

        Raises:
            NotFoundError: no such workflow, version or worker.
            ConflictError: it is being tried there already.
            RefusedError: the worker lacks something, or none has all.
        """
        began = self._begin(name, version, worker)
        carry_out(self._studio.house, began, on_progress)
        return self.show(began.trial_id)

    def start(self, name: str, *, version: int | None = None, worker: str | None = None) -> uuid.UUID:
        """Begin a dry run with the drawn picture in a thread of this process; returns its key. Raises as `run` does."""
        began = self._begin(name, version, worker)
        work = threading.Thread(
            target=carry_out, args=(self._studio.house, began, lambda fraction: None),
            name=f"trial-run-{began.trial_id}", daemon=True,
        )  # fmt: skip
        work.start()
        return began.trial_id

    def _begin(self, name: str, version: int | None, worker: str | None) -> Began:
        with self._studio.transaction() as session:
            now = self._studio.house.now()
            return trials.begin(session, self._studio.actor, name, now, number=version, worker=worker)

    def cancel(self, trial_id: uuid.UUID) -> None:
        """Ask a dry run to stop, whichever process runs it; raises `ConflictError` where it is over."""
        with self._studio.transaction() as session:
            trials.cancel(session, self._studio.actor, trial_id, self._studio.house.now())

    def list(self, name: str | None = None) -> pd.DataFrame:
        """Return one row per dry run, the newest first: where, how far, what came of it, which status is next."""
        self._studio.actor.require(Permission.VIEW)
        now = self._studio.house.now()
        with self._studio.transaction() as session:
            rows = [_row(row, now) for row in trials.listing(session, name)]
        return pd.DataFrame(rows, columns=COLUMNS).astype(object)

    def show(self, trial_id: uuid.UUID) -> dict[str, Any]:
        """Return one dry run; raises `NotFoundError`."""
        now = self._studio.house.now()
        with self._studio.transaction() as session:
            return _row(trials.one(session, trial_id), now)


def _row(row: Any, now: datetime) -> dict[str, Any]:
    trial, workflow, version, worker, who = row
    passed = trial.outcome_id is AttemptOutcome.COMPLETE
    offered = passed and version.status_id is WorkflowStatus.DRAFT
    return {
        **{name: getattr(trial, name) for name in COLUMNS if hasattr(trial, name)}, "trial_id": trial.id,
        "workflow": workflow, "version": version.number, "worker": worker, "by": who or "",
        "status": trials.word(trial, now), "next_status": WorkflowStatus.TESTED.value if offered else "",
    }  # fmt: skip
