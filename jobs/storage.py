"""Huey's queue on PostgreSQL, in bulk: many messages go in with one statement, and one reader a process takes many out.

Huey's own storage has every worker thread listen on a connection of its own, so that one message wakes them all, and
takes out one message a statement. Here one thread of each process listens and fetches for all of its workers.

GPU tasks need no message at all: a dispatched row of the queue's table says the same, and is claimed with it. For each
thread that is free one is claimed, and started by that (`claims`).
"""

from __future__ import annotations

import select
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from huey import PostgresHuey
from huey.storage import PostgresStorage

from x121lib.base.errors import X121Error
from x121lib.base.log import get_logger

_log = get_logger(__name__)
AGAIN_S = 0.2
"""Pause before the database is tried again after it was away."""


class BulkPostgresStorage(PostgresStorage):
    """Huey's PostgreSQL storage; what it carries, and in which order, is the same."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._ready: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._waiting = 0
        self._coming = 0
        self._asked = threading.Event()
        self._stopped = threading.Event()
        self._feeder: threading.Thread | None = None
        self._listening: Any = None
        self._has_messages = True
        self._claim: Callable[[int], list[bytes]] | None = None
        self._channels = [self.channel]

    def claims(self, claim: Callable[[int], list[bytes]], channel: str) -> None:
        """Take messages from ``claim`` too, which makes at most so many, whenever ``channel`` says that it may."""
        self._claim = claim
        self._channels.append(channel)

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
        with self._changed:
            if self._feeder is None:
                self._feeder = threading.Thread(target=self._feed, name="huey-feeder", daemon=True)
                self._feeder.start()
            self._waiting += 1
            if not self._ready:
                self._asked.set()
                self._changed.wait_for(lambda: self._ready, self.read_timeout)
            self._waiting -= 1
            return self._ready.popleft() if self._ready else None

    def _free(self) -> int:
        """Return how many threads wait for which no message is there or on its way."""
        return max(0, self._waiting - len(self._ready) - self._coming)

    def reserve(self) -> int:
        """Keep half of the threads that wait for messages that `give` brings; returns how many."""
        with self._changed:
            n = self._free() // 2
            self._coming += n
        return n

    def give(self, n_reserved: int, messages: Sequence[bytes]) -> None:
        """Hand messages to threads that were reserved, and let go of the rest of these."""
        with self._changed:
            self._coming -= n_reserved
            self._ready.extend(messages)
            self._changed.notify(len(messages))
        if len(messages) < n_reserved:
            self._asked.set()

    def give_back(self) -> int:
        """Stop fetching, and put back what was fetched and not taken; returns how many messages."""
        self._stopped.set()
        self._asked.set()
        if self._feeder is not None:
            self._feeder.join(timeout=2 * self.read_timeout)
        with self._changed:
            left = list(self._ready)
            self._ready.clear()
        self.enqueue_many(left)
        self.close()
        return len(left)

    def _feed(self) -> None:
        connection = None
        while not self._stopped.is_set():
            self._asked.wait(self.read_timeout)
            self._asked.clear()
            try:
                if connection is None:
                    connection = self._connect()
                if self._fetch(connection):
                    self._wait_for_more()
            except (psycopg.Error, X121Error) as error:
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

    def _fetch(self, connection: Any) -> bool:
        """Bring messages for those who wait, and none ahead; returns whether there were fewer than that."""
        with self._changed:
            free = self._free()
            self._coming += free
        got: list[bytes] = []
        try:
            if free and self._claim is not None:
                got = self._claim(free)
            n = free - len(got)
            if n and self._has_messages:
                rows = self._take_out(connection, n)
                self._has_messages = len(rows) == n
                got = [*got, *rows]
        finally:
            with self._changed:
                self._coming -= free
                self._ready.extend(got)
                self._changed.notify(len(got))
        return len(got) < free

    def _take_out(self, connection: Any, n: int) -> list[bytes]:
        rows = connection.execute(
            f"WITH first AS MATERIALIZED (SELECT id FROM {self.table_task} WHERE queue = %s "
            "ORDER BY priority DESC, id LIMIT %s FOR UPDATE SKIP LOCKED), "
            f"got AS (DELETE FROM {self.table_task} t USING first WHERE t.id = first.id "
            "RETURNING t.id, t.priority, t.data) SELECT data FROM got ORDER BY priority DESC, id",
            (self.name, n),
        ).fetchall()
        return [bytes(data) for (data,) in rows]

    def _wait_for_more(self) -> None:
        """Wait until a message comes in, at most `read_timeout` seconds; whoever asks is served after that."""
        if self._listening is None:
            self._listening = self._connect()
            for channel in self._channels:
                self._listening.execute(f'LISTEN "{channel}"')
            self._has_messages = True
            self._asked.set()  # what came in before the LISTEN is fetched now
            return
        came = list(self._listening.notifies(timeout=0))
        if not came and select.select([self._listening.fileno()], [], [], self.read_timeout)[0]:
            came = list(self._listening.notifies(timeout=0))
        self._has_messages |= not came or any(notice.channel == self.channel for notice in came)
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
