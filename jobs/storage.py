"""Huey's queue on PostgreSQL, in bulk: many messages go in with one statement, and one reader a process takes many out.

Huey's own storage has every worker thread listen on a connection of its own, so that one message wakes them all, and
takes out one message a statement. Here one thread of each process listens and fetches for all of its workers.
"""

from __future__ import annotations

import contextlib
import queue
import select
import threading
import time
from collections.abc import Sequence
from typing import Any

import psycopg
from huey import PostgresHuey
from huey.storage import PostgresStorage

from x121lib.base.log import get_logger

_log = get_logger(__name__)
AHEAD_S = 0.02
"""A process fetches ahead what its workers took lately in this time: nothing where takes are long."""
MOST_AHEAD = 64
AGAIN_S = 0.2
"""Pause before the database is tried again after it was away."""


class BulkPostgresStorage(PostgresStorage):
    """Huey's PostgreSQL storage; what it carries, and in which order, is the same."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._ready: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._count = threading.Lock()
        self._wanted = 0
        self._taken = 0
        self._asked = threading.Event()
        self._stopped = threading.Event()
        self._feeder: threading.Thread | None = None
        self._listening: Any = None

    def enqueue_many(self, messages: Sequence[bytes]) -> None:
        """Put messages in, in this order, and tell the consumers: one statement."""
        if messages:
            with self.db() as cursor:
                cursor.execute(
                    f"WITH sent AS (INSERT INTO {self.table_task} (queue, data) "
                    "SELECT %s, data FROM unnest(%s::bytea[]) WITH ORDINALITY AS m (data, n) ORDER BY n RETURNING 1) "
                    "SELECT count(*), pg_notify(%s, '') FROM sent",
                    (self.name, list(messages), self.channel),
                )

    def dequeue(self) -> bytes | None:
        """Return the next message; None where none came within `read_timeout` seconds."""
        with self._count:
            self._wanted += 1
            if self._feeder is None:
                self._feeder = threading.Thread(target=self._feed, name="huey-feeder", daemon=True)
                self._feeder.start()
        self._asked.set()
        try:
            data = self._ready.get(timeout=self.read_timeout)
        except queue.Empty:
            with self._count:
                self._wanted = max(0, self._wanted - 1)
            return None
        with self._count:
            self._taken += 1
        return data

    def give_back(self) -> int:
        """Stop fetching, and put back what was fetched and not taken; returns how many messages."""
        self._stopped.set()
        self._asked.set()
        if self._feeder is not None:
            self._feeder.join(timeout=2 * self.read_timeout)
        left = []
        with contextlib.suppress(queue.Empty):
            while True:
                left.append(self._ready.get_nowait())
        self.enqueue_many(left)
        self.close()
        return len(left)

    def _feed(self) -> None:
        connection, looked = None, time.monotonic()
        while not self._stopped.is_set():
            self._asked.wait(self.read_timeout)
            self._asked.clear()
            try:
                if connection is None:
                    connection = self._connect()
                looked, emptied = self._fetch(connection, looked)
                if emptied:
                    self._wait_for_more()
            except psycopg.Error as error:
                _log.warning("no messages for a moment: %s", str(error).splitlines()[0])
                for each in (connection, self._listening):
                    if each is not None:
                        self._close_quiet(each)
                connection = self._listening = None
                self._stopped.wait(AGAIN_S)
                self._asked.set()
        for each in (connection, self._listening):
            if each is not None:
                self._close_quiet(each)

    def _fetch(self, connection: Any, looked: float) -> tuple[float, bool]:
        """Fetch for those who wait, and a little ahead; returns when, and whether the queue was emptied by that."""
        now = time.monotonic()
        with self._count:
            wanted, self._wanted = self._wanted, 0
            ahead = min(MOST_AHEAD, int(self._taken * AHEAD_S / max(now - looked, AHEAD_S)))
            self._taken = 0
        n = wanted + ahead - self._ready.qsize()
        if wanted == 0 or n <= 0:
            return now, False
        try:
            rows = connection.execute(
                f"WITH first AS MATERIALIZED (SELECT id FROM {self.table_task} WHERE queue = %s "
                "ORDER BY priority DESC, id LIMIT %s FOR UPDATE SKIP LOCKED), "
                f"got AS (DELETE FROM {self.table_task} t USING first WHERE t.id = first.id "
                "RETURNING t.id, t.priority, t.data) SELECT data FROM got ORDER BY priority DESC, id",
                (self.name, n),
            ).fetchall()
        except psycopg.Error:
            with self._count:
                self._wanted += wanted
            raise
        for (data,) in rows:
            self._ready.put(bytes(data))
        with self._count:
            self._wanted += max(0, wanted - len(rows))
        return now, len(rows) < n

    def _wait_for_more(self) -> None:
        """Wait until a message comes in, at most `read_timeout` seconds; whoever asks is served after that."""
        if self._listening is None:
            self._listening = self._connect()
            self._listening.execute(f'LISTEN "{self.channel}"')
            self._asked.set()  # what came in before the LISTEN is fetched now
            return
        came = list(self._listening.notifies(timeout=0))
        if not came and select.select([self._listening.fileno()], [], [], self.read_timeout)[0]:
            came = list(self._listening.notifies(timeout=0))
        self._asked.set()


class BulkPostgresHuey(PostgresHuey):
    """Huey on `BulkPostgresStorage`."""

    storage_class = BulkPostgresStorage

    def is_revoked(self, *_arguments: Any, **_options: Any) -> bool:
        """Return False without asking the database: what is cancelled is so in the queue's table, where it counts."""
        return False

    def delete(self, key: str) -> bool:
        """Delete nothing: no result, lock or mark of a revoked message is ever stored."""
        del key
        return False
