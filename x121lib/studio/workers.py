"""GPU workers, as the façade offers them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from x121lib import model as m
from x121lib.comfyui.addresses import check_worker_url
from x121lib.comfyui.capabilities import Capabilities, read_capabilities
from x121lib.comfyui.client import ComfyClient
from x121lib.comfyui.errors import ComfyError, ServerUnreachableError
from x121lib.scheduling import queries, workers
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import WorkerKind, WorkerStatus

if TYPE_CHECKING:
    from x121lib.studio.core import Studio


_ANSWERING = (WorkerStatus.ONLINE, WorkerStatus.DEGRADED)


class Workers:
    """GPU workers: add, list, show, change, drain, take into maintenance, remove."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def add(
        self, url: str, *, name: str | None = None, slots: int = 1, tags: tuple[str, ...] = (), engine: bool = False
    ) -> uuid.UUID:
        """Add a ComfyUI server (or local engine) by its address; returns the worker's key.

        What answers there is asked for its capabilities; a server that does not answer yet is added as offline.

        Raises:
            BadAddressError: not http(s), with credentials in it, private where that is not allowed, not a ComfyUI
                server, or with a TLS certificate that this machine does not trust. Nothing is changed.
        """
        self._studio.actor.require(Permission.MANAGE_WORKERS)
        url = check_worker_url(url, allow_private=self._studio.settings.allow_private_addresses)
        kind = WorkerKind.LOCAL_ENGINE if engine else WorkerKind.COMFYUI
        found = None if engine else _capabilities(url)
        spec = workers.WorkerSpec(name or url.split("//")[-1], url, kind, slots, tags)
        with self._studio.transaction() as session:
            key = workers.add(session, self._studio.actor, spec)
            if found is not None:
                now = self._studio.house.now()
                workers.record_capabilities(session, key, found.specs, found.models, now)
        return key

    def list(self) -> pd.DataFrame:
        """Return one row per worker: name, address, kind, status, slots, busy, tags, version, device, last seen, …."""
        with self._studio.transaction() as session:
            views = {v.worker_id: v for v in queries.worker_views(session, self._studio.house.now())}
            rows = workers.list_workers(session)
        data = [
            {
                "name": w.name, "url": w.url, "kind": w.kind_id.label, "status": w.status_id.value, "slots": w.slots,
                "busy": views[w.id].busy if w.id in views else 0,
                "tags": ", ".join(sorted(views[w.id].tags)) if w.id in views else "", "version": w.server_version,
                "device": w.device, "last_seen_at": w.last_seen_at, "error_streak": w.error_streak,
                "set_aside_until": w.set_aside_until, "worker_id": w.id,
            }
            for w in rows
        ]  # fmt: skip
        columns = [
            "name", "url", "kind", "status", "slots", "busy", "tags", "version", "device", "last_seen_at",
            "error_streak", "set_aside_until", "worker_id",
        ]  # fmt: skip
        return pd.DataFrame(data, columns=columns)

    def show(self, name: str) -> dict[str, Any]:
        """Return all that is known of a worker: its row of `list`, its node classes, models and mean seconds."""
        with self._studio.transaction() as session:
            key = workers.find(session, name).id
            classes = session.scalars(sa.select(m.WorkerNodeClass.name).where(m.WorkerNodeClass.worker_id == key))
            models = session.execute(
                sa.select(m.WorkerModel.folder, m.WorkerModel.name).where(m.WorkerModel.worker_id == key)
            )
            loaded = session.scalars(sa.select(m.WorkerLoadedModel.name).where(m.WorkerLoadedModel.worker_id == key))
            speed = session.execute(
                sa.select(m.Workflow.name, m.WorkerSpeed.mean_s, m.WorkerSpeed.n_takes)
                .join(m.WorkerSpeed, m.WorkerSpeed.workflow_id == m.Workflow.id)
                .where(m.WorkerSpeed.worker_id == key)
            )
            row = session.get_one(m.Worker, key)
            known = {
                "vram_bytes": row.vram_bytes, "capabilities_at": row.capabilities_at,
                "node_classes": sorted(classes), "loaded": sorted(loaded),
                "models": [{"folder": f, "name": n} for f, n in sorted(tuple(row) for row in models)],
                "speed": [{"workflow": w, "mean_s": s, "takes": n} for w, s, n in speed],
            }  # fmt: skip
        frame = self.list().astype(object)
        frame = frame.where(frame.notna(), None)
        return {**frame[frame["worker_id"] == key].iloc[0].to_dict(), **known}

    def change(
        self, name: str, *, rename: str | None = None, slots: int | None = None, tags: tuple[str, ...] | None = None
    ) -> None:
        """Give a worker another name, other slots or other tags."""
        with self._studio.transaction() as session:
            workers.change(session, self._studio.actor, name, workers.Change(rename, slots, tags))

    def history(self, name: str, limit: int = 100) -> pd.DataFrame:
        """Return a worker's changes of status, newest first: when, from, to, why, who."""
        with self._studio.transaction() as session:
            change = m.WorkerStatusChange
            rows = session.execute(
                sa.select(change, m.Person.name)
                .outerjoin(m.Person, m.Person.id == change.person_id)
                .where(change.worker_id == workers.find(session, name).id)
                .order_by(change.id.desc())
                .limit(limit)
            ).all()
        data = [
            {
                "at": c.created_at, "from": c.from_status_id.value if c.from_status_id else None,
                "to": c.to_status_id.value, "reason": c.reason, "who": who or "X121",
            }
            for c, who in rows
        ]  # fmt: skip
        return pd.DataFrame(data, columns=["at", "from", "to", "reason", "who"])

    def require_tags(self, workflow: str, tags: tuple[str, ...]) -> None:
        """Let a workflow run only on workers that have all of these tags; none lifts the restriction."""
        with self._studio.transaction() as session:
            workers.require_tags(session, self._studio.actor, workflow, tags)

    def describe_classes(self) -> dict[str, Any]:
        """Return what the workers that are online say of their node classes, by class; empty where none answers.

        Where several have a class, the first by name is believed.
        """
        with self._studio.transaction() as session:
            urls = [w.url for w in workers.list_workers(session) if w.status_id in _ANSWERING]
        found: dict[str, Any] = {}
        for described in asyncio.run(_descriptions(urls)):
            found = {**described, **found}
        return found

    def drain(self, name: str) -> None:
        """Let a worker finish what it runs and send it nothing more."""
        self._set(name, WorkerStatus.DRAINING)

    def maintenance(self, name: str, reason: str = "") -> None:
        """Take a worker out for work on it: it finishes what it runs, and its silence is no alarm."""
        self._set(name, WorkerStatus.MAINTENANCE, reason)

    def reopen(self, name: str) -> None:
        """Take a worker back that was drained, in maintenance or set aside."""
        self._set(name, WorkerStatus.OFFLINE, "Taken back; the next health check says how it is.")

    def remove(self, name: str) -> None:
        """Remove a worker; its history stays."""
        self._set(name, WorkerStatus.REMOVED)

    def _set(self, name: str, status: WorkerStatus, reason: str = "") -> None:
        with self._studio.transaction() as session:
            found = workers.find(session, name)
            workers.set_status(session, self._studio.actor, found.id, status, reason)


def _capabilities(url: str) -> Capabilities | None:
    try:
        return asyncio.run(read_capabilities(url))
    except ServerUnreachableError:
        return None


async def _descriptions(urls: Sequence[str]) -> Sequence[dict[str, Any]]:
    async def ask(url: str) -> dict[str, Any]:
        try:
            async with ComfyClient(url) as client:
                return await client.object_info()
        except ComfyError:
            return {}

    return await asyncio.gather(*(ask(url) for url in urls))
