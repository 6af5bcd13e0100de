"""Agents of GPU hosts, as the façade offers them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa
from cryptography.fernet import InvalidToken

from x121lib import model as m
from x121lib.agent.client import AgentClient, AgentError
from x121lib.agent.vitals import Report
from x121lib.base.errors import InvalidInputError, RefusedError
from x121lib.base.log import get_logger
from x121lib.base.secrets import vault
from x121lib.comfyui.addresses import check_worker_url
from x121lib.scheduling import agents, workers
from x121lib.terms.roles import Permission

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

_log = get_logger(__name__)
_COLUMNS = (
    "worker", "gpu", "name", "utilisation", "vram_used_bytes", "vram_total_bytes", "temperature_c", "power_w",
    "throttled", "measured_at",
)  # fmt: skip


class Agents:
    """Agents of GPU hosts: attach, vitals, alerts, energy, restarts."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def attach(self, worker: str, url: str, key: str) -> Report:
        """Tell which agent runs on a worker's host; it is asked at once, and its report returned.

        Raises:
            BadAddressError: the address is not allowed.
            AgentError: nothing answers there, the key is wrong, or it is no agent. Nothing is changed.
        """
        self._studio.actor.require(Permission.MANAGE_WORKERS)
        if not key.strip().isascii() or not key.strip().isprintable() or not key.strip():
            raise InvalidInputError("An agent's key is one line of ASCII characters.")
        url = check_worker_url(url, allow_private=self._studio.settings.allow_private_addresses)
        report = AgentClient(url, key.strip()).vitals()
        sealed = vault(self._studio.settings.secrets_dir).encrypt(key.strip().encode())
        with self._studio.transaction() as session:
            agents.attach(session, self._studio.actor, worker, url, sealed)
            agents.record(session, workers.find(session, worker).id, report, self._studio.house.now())
        return report

    def look(self) -> None:
        """Ask every agent for its vitals, all at once, and store what they say."""
        with self._studio.transaction() as session:
            rows = agents.all_agents(session)
        if not rows:
            return
        with ThreadPoolExecutor(min(16, len(rows))) as pool:
            answers = list(pool.map(self._asked, rows))
        for row, answer in zip(rows, answers, strict=True):
            with self._studio.transaction() as session:
                if isinstance(answer, Report):
                    agents.record(session, row.worker_id, answer, self._studio.house.now())
                else:
                    agents.record_trouble(session, row.worker_id, answer)

    def _asked(self, row: m.WorkerAgent) -> Report | str:
        try:
            return self.client(row).vitals()
        except (AgentError, RefusedError) as error:
            _log.info("agent %s: %s", row.url, error)
            return str(error)

    def vitals(self) -> pd.DataFrame:
        """Return the newest vitals, one row per GPU: shares 0 to 1, bytes, °C, W."""
        with self._studio.transaction() as session:
            g = m.GpuVital
            rows = session.execute(
                sa.select(m.Worker.name, g.device_index, g.name, g.utilisation, g.vram_used_bytes, g.vram_total_bytes,
                          g.temperature_c, g.power_w, g.throttled, g.measured_at)
                .join(m.Worker, m.Worker.id == g.worker_id).order_by(m.Worker.name, g.device_index)
            ).all()  # fmt: skip
        return pd.DataFrame([tuple(row) for row in rows], columns=list(_COLUMNS))

    def list(self) -> pd.DataFrame:
        """Return one row per agent: worker, address, when it last answered, what is the matter."""
        with self._studio.transaction() as session:
            a = m.WorkerAgent
            rows = session.execute(
                sa.select(m.Worker.name, a.url, a.answered_at, a.trouble, a.no_gpu_reason)
                .join(m.Worker, m.Worker.id == a.worker_id).order_by(m.Worker.name)
            ).all()  # fmt: skip
        columns = ["worker", "url", "answered_at", "trouble", "no_gpu_reason"]
        return pd.DataFrame([tuple(row) for row in rows], columns=columns)

    def alerts(self) -> pd.DataFrame:
        """Return the open alerts: worker, name, message, since when."""
        with self._studio.transaction() as session:
            a = m.WorkerAlert
            rows = session.execute(
                sa.select(m.Worker.name, a.name, a.message, a.raised_at)
                .join(m.Worker, m.Worker.id == a.worker_id).order_by(a.raised_at)
            ).all()  # fmt: skip
        return pd.DataFrame([tuple(row) for row in rows], columns=["worker", "alert", "message", "raised_at"])

    def energy(self) -> pd.DataFrame:
        """Return the measured energy per worker and day (UTC): kilowatt-hours, and hours measured."""
        with self._studio.transaction() as session:
            e = m.WorkerEnergy
            rows = session.execute(
                sa.select(m.Worker.name, e.day, e.joules / 3.6e6, e.measured_s / 3600.0)
                .join(m.Worker, m.Worker.id == e.worker_id).order_by(e.day.desc(), m.Worker.name)
            ).all()  # fmt: skip
        return pd.DataFrame([tuple(row) for row in rows], columns=["worker", "day", "kwh", "measured_h"])

    def restart(self, worker: str, service: str) -> tuple[int, str]:
        """Restart a service that the worker's agent has configured; returns exit code and last words."""
        self._studio.actor.require(Permission.MANAGE_WORKERS)
        with self._studio.transaction() as session:
            row = agents.agent_of(session, worker)
        code, output = self.client(row).restart(service)
        with self._studio.transaction() as session:
            agents.record_restart(session, self._studio.actor, row.worker_id, service, code)
            workers.ask_again(session, row.worker_id)
        return code, output

    def services(self, worker: str) -> Sequence[str]:
        """Return the names of the services that the host's agent may restart."""
        self._studio.actor.require(Permission.MANAGE_WORKERS)
        with self._studio.transaction() as session:
            row = agents.agent_of(session, worker)
        return self.client(row).vitals().services

    def models(self, worker: str) -> Sequence[dict[str, Any]]:
        """Return path and bytes of each file in the host's folder of models."""
        with self._studio.transaction() as session:
            row = agents.agent_of(session, worker)
        return self.client(row).models()

    def node_packs(self, worker: str) -> Sequence[str]:
        """Return the names of the host's node packs."""
        with self._studio.transaction() as session:
            row = agents.agent_of(session, worker)
        return self.client(row).node_packs()

    def packs(self, worker: str) -> pd.DataFrame:
        """Return the packs that the worker's host allows: name, repo, commit, and the commit that is installed."""
        self._studio.actor.require(Permission.MANAGE_WORKERS)
        with self._studio.transaction() as session:
            row = agents.agent_of(session, worker)
        return pd.DataFrame(self.client(row).packs(), columns=["name", "repo", "commit", "installed"])

    def install_pack(self, worker: str, pack: str) -> dict[str, Any]:
        """Bring a pack that the worker's host allows to the commit pinned there; success and failure are logged.

        Raises:
            AgentError: the host does not allow that pack, or git failed; the folder of packs is as it was.
        """
        self._studio.actor.require(Permission.MANAGE_WORKERS)
        with self._studio.transaction() as session:
            row = agents.agent_of(session, worker)
        try:
            done = self.client(row).install_pack(pack)
        except AgentError as error:
            with self._studio.transaction() as session:
                agents.record_pack(session, self._studio.actor, row.worker_id, pack, {"trouble": str(error)})
            raise
        with self._studio.transaction() as session:
            facts = {"commit": str(done["commit"]), "before": str(done["before"])}
            agents.record_pack(session, self._studio.actor, row.worker_id, pack, facts)
            workers.ask_again(session, row.worker_id)
        return done

    def client(self, row: m.WorkerAgent) -> AgentClient:
        """Return a client of an agent; raises `RefusedError` where its key cannot be read."""
        try:
            key = vault(self._studio.settings.secrets_dir).decrypt(row.key_encrypted).decode()
        except InvalidToken as error:
            raise RefusedError(
                "The agent's key can not be read with this studio's data key.",
                hint="Restore the file 'data-key' in the folder of secrets, or attach the agent again.",
            ) from error
        return AgentClient(row.url, key)
