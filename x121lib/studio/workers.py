"""GPU workers, as the façade offers them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.errors import NotFoundError
from x121lib.comfyui.addresses import check_worker_url
from x121lib.comfyui.client import ComfyClient
from x121lib.comfyui.graph import node_classes
from x121lib.scheduling import queries, workers
from x121lib.terms.vocabulary import WorkerKind, WorkerStatus

if TYPE_CHECKING:
    from x121lib.studio.core import Studio


class Workers:
    """GPU workers: add, list, drain, remove."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def add(
        self, url: str, *, name: str | None = None, slots: int = 1, tags: tuple[str, ...] = (), engine: bool = False
    ) -> uuid.UUID:
        """Add a ComfyUI server (or local engine) by its address; returns the worker's key.

        Raises:
            BadAddressError: not http(s), with credentials in it, or private where that is not allowed.
        """
        url = url.rstrip("/")
        check_worker_url(url, allow_private=self._studio.settings.allow_private_addresses)
        kind = WorkerKind.LOCAL_ENGINE if engine else WorkerKind.COMFYUI
        spec = workers.WorkerSpec(name or url.split("//")[-1], url, kind, slots, tags)
        with self._studio.transaction() as session:
            return workers.add(session, self._studio.actor, spec)

    def list(self) -> pd.DataFrame:
        """Return one row per worker: name, address, kind, status, slots, busy, version, device, last seen."""
        with self._studio.transaction() as session:
            busy = {v.worker_id: v.busy for v in queries.worker_views(session, self._studio.house.now())}
            rows = workers.list_workers(session)
        data = [
            {
                "name": w.name, "url": w.url, "kind": w.kind_id.label, "status": w.status_id.value, "slots": w.slots,
                "busy": busy.get(w.id, 0), "version": w.server_version, "device": w.device,
                "last_seen_at": w.last_seen_at, "error_streak": w.error_streak, "worker_id": w.id,
            }
            for w in rows
        ]  # fmt: skip
        columns = [
            "name", "url", "kind", "status", "slots", "busy", "version", "device", "last_seen_at", "error_streak",
            "worker_id",
        ]  # fmt: skip
        return pd.DataFrame(data, columns=columns)

    def check_workflow(self, name: str) -> Sequence[dict[str, object]]:
        """Return one row per online worker: which node classes of a workflow's newest version it lacks."""
        with self._studio.transaction() as session:
            version = session.scalars(
                sa.select(m.WorkflowVersion)
                .join(m.Workflow, m.Workflow.id == m.WorkflowVersion.workflow_id)
                .where(m.Workflow.name == name)
                .order_by(m.WorkflowVersion.number.desc())
                .limit(1)
            ).one_or_none()
        if version is None:
            raise NotFoundError(f"There is no workflow '{name}'.", hint="'x121 workflow list' shows them.")
        needed = node_classes(version.graph)
        self._studio.work.check_workers()
        frame = self.list()
        online = frame[frame["status"] == "online"]
        return [
            {"worker": row.name_, "workflow": name, "missing": ", ".join(sorted(needed - _classes(row.url)))}
            for row in online.rename(columns={"name": "name_"}).itertuples()
        ]

    def drain(self, name: str) -> None:
        """Let a worker finish what it runs and send it nothing more."""
        self._set(name, WorkerStatus.DRAINING)

    def reopen(self, name: str) -> None:
        """Take a drained worker back."""
        self._set(name, WorkerStatus.OFFLINE)

    def remove(self, name: str) -> None:
        """Remove a worker; its history stays."""
        self._set(name, WorkerStatus.REMOVED)

    def _set(self, name: str, status: WorkerStatus) -> None:
        with self._studio.transaction() as session:
            rows = workers.list_workers(session)
            found = next((w for w in rows if name in (w.name, w.url, str(w.id))), None)
            if found is None:
                known = ", ".join(w.name for w in rows) or "none"
                raise NotFoundError(f"There is no worker '{name}'.", hint=f"Workers: {known}.")
            workers.set_status(session, self._studio.actor, found.id, status)


def _classes(url: str) -> frozenset[str]:
    async def ask() -> frozenset[str]:
        async with ComfyClient(url) as client:
            return frozenset(await client.object_info())

    return asyncio.run(ask())
