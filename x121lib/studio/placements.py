"""Models on the hosts of workers, as the façade offers them: sent by the consumer process through the agents."""

from __future__ import annotations

import builtins
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from x121lib import model as m
from x121lib.agent.client import AgentClient, AgentError
from x121lib.base.errors import InvalidInputError, RefusedError
from x121lib.base.ids import new_id
from x121lib.base.log import get_logger
from x121lib.models import placements, queries
from x121lib.models.placements import Sending
from x121lib.scheduling import agents
from x121lib.terms.roles import Permission

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

_log = get_logger(__name__)
BLOCK_BYTES = 1024 * 1024
TELL_S = 1.0
"""Seconds between two reports of a running transfer."""
MOST_ATTEMPTS = 4
"""Attempts in a row that may bring nothing."""
COLUMNS = ["path", "worker", "status", "sent_bytes", "n_bytes", "is_newest", "trouble", "finished_at"]


class Placements:
    """Which model lies on which worker's host: ask, list, and send the next one."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def add(self, name: str, workers_: builtins.list[str] | None = None) -> builtins.list[str]:
        """Queue a model for workers (None: for all that have an agent); returns those that it now goes to.

        Raises:
            InvalidInputError: no worker has an agent.
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
            named = [(row.worker_id, session.get_one(m.Worker, row.worker_id).name) for row in rows]
            return placements.add(session, self._studio.actor, name, named)

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
            self._send(self._studio.agents.client(agent), sending, stop)
        except (AgentError, RefusedError, OSError) as error:
            _log.warning("%s was not sent: %s", sending.path, error)
            with self._studio.transaction() as session:
                placements.fail(session, sending, str(error))
        return True

    def _send(self, client: AgentClient, sending: Sending, stop: threading.Event) -> None:
        """Send until the host says that it has the whole file; what it has of it is never sent again."""
        failures, before = 0, -1
        while True:
            state = client.file_state(sending.path, sending.sha256)
            if state["state"] == "present":
                with self._studio.transaction() as session:
                    placements.complete(session, sending, self._studio.house.now())
                return
            if state["state"] == "other":
                raise AgentError(f"Another file lies at '{sending.path}' there.", hint="Move it away on the host.")
            at = int(state["n_bytes"])
            failures, before = (failures + 1 if at <= before else 0), at
            try:
                client.send_file(sending.path, sending.sha256, (at, sending.n_bytes), self._blocks(sending, at, stop))
            except _StoppedError:
                with self._studio.transaction() as session:
                    placements.give_back(session, sending)
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
