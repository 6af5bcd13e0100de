"""What is missing where, before work begins: as the façade offers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from x121lib import model as m
from x121lib.catalogue import checks
from x121lib.catalogue.checks import WorkflowCheck
from x121lib.comfyui.checking import FindingKind
from x121lib.pipeline.preflight import Preflight, preflight
from x121lib.pipeline.submission import Selection
from x121lib.scheduling.workers import CAPABILITIES_MISSED_S
from x121lib.studio.mending import Done, Step, carry_out, plan

if TYPE_CHECKING:
    from x121lib.studio.core import Studio


class Checks:
    """Checks of workflows and of whole batches against the workers, and what mends them."""

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

    def workflow_of(self, scene_type: str) -> str:
        """Return the name of the workflow that a scene type's newest version uses; raises `NotFoundError`."""
        with self._studio.transaction() as session:
            return checks.workflow_of(session, scene_type)

    def project(self, name: str, selection: Selection | None = None, *, fresh: bool = False) -> Preflight:
        """Return which scenes of a project that are still to be made can run where, and what is missing.

        Args:
            name: the project.
            selection: only these scenes; None for all.
            fresh: ask the workers that answer again, where they were not asked in the last minute.
        """
        if fresh:
            self.refresh()
        key = self._studio.project(name).project_id
        with self._studio.transaction() as session:
            project = session.get_one(m.Project, key)
            return preflight(self._studio.house, session, self._studio.actor, project, selection or Selection())

    def plan(self, found: Preflight) -> tuple[Step, ...]:
        """Return what would let the scenes run that can run nowhere; agents are asked which packs they allow."""
        return plan(self._studio, found)

    def fix(self, steps: Sequence[Step]) -> list[Done]:
        """Do the steps of a plan, each by itself; what fails is told and keeps no other from being done.

        Raises:
            ForbiddenError: a step changes a worker's host, and the actor may not.
        """
        return carry_out(self._studio, steps)

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


def preflight_rows(found: Preflight, steps: Sequence[Step] = ()) -> dict[str, Any]:
    """Return a check of a batch with its plan as plain values: the form of JSON."""
    groups = [
        {
            "scene_type": g.scene_type, "workflow": g.workflow, "version": g.version, "scenes": list(g.scenes),
            "ready": list(g.ready), "away": list(g.away), "unknown": list(g.unknown), "reason": g.reason,
            "lacking": [{"worker": w.worker, "state": w.state, "lacks": [str(one) for one in w.lacks]}
                        for w in g.lacking],
        }
        for g in found.groups
    ]  # fmt: skip
    return {
        "project": found.project, "fine": found.fine, "groups": groups, "held": found.held,
        "blocked": [{"reason": b.reason, "scenes": list(b.scenes)} for b in found.blocked],
        "disk_bytes": found.disk_bytes, "steps": [{**asdict(step), "text": str(step)} for step in steps],
    }  # fmt: skip
