"""Models on the hosts of workers, as the façade offers them: sent by the consumer process through the agents."""

from __future__ import annotations

import builtins
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from x121lib import model as m
from x121lib.agent.client import AgentError
from x121lib.base.errors import InvalidInputError, RefusedError
from x121lib.base.ids import new_id
from x121lib.base.log import get_logger
from x121lib.models import placements, queries
from x121lib.models.placements import Sending
from x121lib.scheduling import agents, warmth, workers
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import DownloadStatus

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

_log = get_logger(__name__)
BLOCK_BYTES = 1024 * 1024
TELL_S = 1.0
"""Seconds between two reports of a running transfer."""
MOST_ATTEMPTS = 4
"""Attempts in a row that may bring nothing."""
FORGET_ATTEMPTS = 4
"""Attempts to delete what a host has of a cancelled transfer."""
COLUMNS = ["path", "worker", "status", "sent_bytes", "n_bytes", "is_newest", "trouble", "finished_at"]


class Placements:
    """Which model lies on which worker's host: ask, list, and send the next one."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def add(
        self, name: str, workers_: builtins.list[str] | None = None, *, tag: str | None = None
    ) -> builtins.list[str]:
        """Queue a model for workers (None: for all that have an agent); returns those that it now goes to.

        Args:
            name: the model's path, name or key.
            workers_: names, addresses or keys of workers.
            tag: only workers with this tag.

        Raises:
            InvalidInputError: no worker has an agent, or none with that tag.
            NotFoundError: no such model or worker, or a worker without an agent.
            RefusedError: the studio's own file is missing or altered.
        """
        self._studio.actor.require(Permission.MANAGE_WORKERS)
        with self._studio.transaction() as session:
            rows = [agents.agent_of(session, one) for one in workers_ or ()]
            if workers_ is None:
                rows = agents.all_agents(session)
            if not rows:
                raise InvalidInputError("No worker has an agent.", hint="'x121 worker agent NAME URL --key-file FILE'.")
            tagged = warmth.tags(session)
            found = [session.get_one(m.Worker, row.worker_id) for row in rows]
            named = [(worker.id, worker.name) for worker in found if tag is None or tag in tagged.get(worker.id, ())]
            if not named:
                raise InvalidInputError(f"No worker with an agent has the tag '{tag}'.", hint="'x121 worker list'.")
            return placements.add(session, self._studio.actor, name, named)

    def pause(self, name: str, worker: str) -> None:
        """Pause a model's way to a worker; what its host has of it stays."""
        self._steer(name, worker, DownloadStatus.PAUSED)

    def resume(self, name: str, worker: str) -> None:
        """Go on with a paused or failed transfer from the byte that the host has."""
        self._steer(name, worker, DownloadStatus.QUEUED)

    def cancel(self, name: str, worker: str) -> None:
        """End a transfer and delete what the host has of it; a host that does not answer keeps the hidden part."""
        steered = self._steer(name, worker, DownloadStatus.CANCELLED)
        if steered.was_running:
            return  # who sends it deletes it
        with self._studio.transaction() as session:
            agent = agents.agent_of(session, worker)
        self._forget(agent, steered.path, steered.sha256)

    def _steer(self, name: str, worker: str, to: DownloadStatus) -> placements.Steered:
        with self._studio.transaction() as session:
            key = workers.find(session, worker).id
            return placements.steer(session, self._studio.actor, name, key, to)

    def _forget(self, agent: m.WorkerAgent, path: str, sha256: str) -> None:
        for attempt in range(FORGET_ATTEMPTS):  # the host notices a moment later that a connection was closed
            try:
                self._studio.agents.client(agent).forget_file(path, sha256)
            except (AgentError, RefusedError) as error:
                _log.info("the part of %s is still on its host: %s", path, error)
                time.sleep(0.1 * 2.0**attempt)
            else:
                return
        _log.warning("the part of %s stays on its host", path)

    def list(self, name: str | None = None) -> pd.DataFrame:
        """Return one row per model and worker: status, bytes, whether it is the newest version, trouble."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            key = queries.model(session, name).id if name is not None else None
            data = [
                {
                    "path": path, "worker": worker, "status": row.status_id.value, "sent_bytes": row.sent_bytes,
                    "n_bytes": row.n_bytes, "is_newest": row.sha256 == newest, "trouble": row.trouble,
                    "finished_at": row.finished_at,
                }
                for row, path, worker, newest in placements.listing(session, key)
            ]  # fmt: skip
        return pd.DataFrame(data, columns=COLUMNS).astype(object)

    def run_next(self, stop: threading.Event | None = None) -> bool:
        """Send the model that waits longest, to its end; False where none waits.

        A transfer whose process was killed is taken over once its lease is over, from the byte that the host has.
        """
        stop = stop or threading.Event()
        with self._studio.transaction() as session:
            sending = placements.claim(session, new_id(), self._studio.house.now())
            agent = session.get(m.WorkerAgent, sending.worker_id) if sending is not None else None
        if sending is None:
            return False
        try:
            if agent is None:
                raise AgentError("The worker has no agent any more.", hint="'x121 worker agent NAME URL'.")
            self._send(agent, sending, stop)
        except (AgentError, RefusedError, OSError) as error:
            _log.warning("%s was not sent: %s", sending.path, error)
            with self._studio.transaction() as session:
                placements.fail(session, sending, str(error))
        return True

    def _send(self, agent: m.WorkerAgent, sending: Sending, stop: threading.Event) -> None:
        """Send until the host says that it has the whole file; what it has of it is never sent again."""
        client = self._studio.agents.client(agent)
        failures, before = 0, -1
        while True:
            state = client.file_state(sending.path, sending.sha256)
            if state["state"] == "present":
                with self._studio.transaction() as session:
                    placements.complete(session, sending, self._studio.house.now())
                return
            if state["state"] == "other" and state["sha256"] not in sending.older:
                raise AgentError(f"Another file lies at '{sending.path}' there.", hint="Move it away on the host.")
            at = int(state["part_bytes"])
            failures, before = (failures + 1 if at <= before else 0), at
            try:
                body = self._blocks(sending, at, stop)
                client.send_file(sending.path, sending.sha256, (at, sending.n_bytes), body, str(state["sha256"]))
            except _StoppedError:
                with self._studio.transaction() as session:
                    placements.give_back(session, sending)
                    cancelled = placements.is_cancelled(session, sending)
                if cancelled:
                    self._forget(agent, sending.path, sending.sha256)
                return
            except AgentError:
                if failures + 1 >= MOST_ATTEMPTS or stop.wait(0.2 * 2.0**failures):
                    raise

    def _blocks(self, sending: Sending, at: int, stop: threading.Event) -> Iterator[bytes]:
        told_at = 0.0
        with sending.file.open("rb") as file:
            file.seek(at)
            while block := file.read(min(BLOCK_BYTES, sending.n_bytes - at)):
                at += len(block)
                if time.monotonic() - told_at >= TELL_S:
                    told_at = time.monotonic()
                    if stop.is_set() or not self._report(sending, at):
                        raise _StoppedError
                yield block

    def _report(self, sending: Sending, at: int) -> bool:
        with self._studio.transaction() as session:
            return placements.report(session, sending, at, self._studio.house.now())


class _StoppedError(Exception):
    """This process ends, or another holds the transfer."""
