"""What is missing where, before work begins: as the façade offers it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from x121lib.catalogue import checks
from x121lib.catalogue.checks import WorkflowCheck
from x121lib.comfyui.checking import FindingKind
from x121lib.scheduling.workers import CAPABILITIES_MISSED_S

if TYPE_CHECKING:
    from x121lib.studio.core import Studio


class Checks:
    """Checks of workflows against the workers."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def workflow(
        self, name: str, *, version: int | None = None, worker: str | None = None, fresh: bool = False
    ) -> WorkflowCheck:
        """Return all that would keep a workflow's version (default: the newest) from running on each worker.

        Args:
            name: the workflow.
            version: its version.
            worker: only this worker.
            fresh: ask the workers that answer again, where they were not asked in the last minute.

        Raises:
            NotFoundError: no such workflow, version or worker.
        """
        if fresh:
            self.refresh()
        with self._studio.transaction() as session:
            now = self._studio.house.now()
            return checks.check(session, self._studio.actor, name, now, number=version, worker=worker)

    def refresh(self, again_s: float = CAPABILITIES_MISSED_S) -> None:
        """Ask the workers how they are, and those for what they have that were not asked in the last ``again_s``."""
        self._studio.work.check_workers()
        self._studio.work.read_capabilities(again_s)


def worker_rows(check: WorkflowCheck) -> list[dict[str, Any]]:
    """Return one row per worker with its findings: the form of JSON."""
    return [
        {
            "worker": one.worker, "workflow": check.workflow, "version": check.version, "state": one.state,
            "result": one.word, "known": one.known, "read_at": one.read_at,
            "missing": ", ".join(f.name for f in one.findings if f.kind == FindingKind.NODE_CLASS),
            "findings": [asdict(finding) for finding in one.findings],
        }
        for one in check.workers
    ]  # fmt: skip
