"""One connection and one thread that wake any number of asyncio readers when an event commits."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from x121lib.base.errors import RefusedError
from x121lib.events.outbox import CHANNEL
from x121lib.store.session import Listener

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

MOST_READERS = 256
"""Readers at once in one process; each holds a socket and asks the database when woken."""
_LOOK_EVERY_S = 1.0


class TooManyReadersError(RefusedError):
    """Too many programs listen already."""

    code = "studio.too_many_readers"
    retryable = True


class Feed:
    """Wakes readers; the thread lives while there is one."""

    def __init__(self, studio: Studio, *, most: int = MOST_READERS) -> None:
        self._url = studio.house.database.url
        self._most = most
        self._lock = threading.Lock()
        self._readers: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._thread: threading.Thread | None = None

    @property
    def n_readers(self) -> int:
        """Readers now."""
        return len(self._readers)

    def require_room(self) -> None:
        """Raise `TooManyReadersError` when nobody more may listen."""
        if self.n_readers >= self._most:
            raise TooManyReadersError("Too many programs listen to events.", hint="Try again in a while.")

    @contextlib.contextmanager
    def listening(self) -> Iterator[asyncio.Event]:
        """Yield an event of the running loop that is set whenever something may have happened."""
        woken = asyncio.Event()
        with self._lock:
            self._readers[woken] = asyncio.get_running_loop()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="x121-feed", daemon=True)
                self._thread.start()
        try:
            yield woken
        finally:
            with self._lock:
                del self._readers[woken]

    def _run(self) -> None:
        listener = Listener(self._url, [CHANNEL], name="x121-feed")
        try:
            while self._goes_on():
                if listener.wait(_LOOK_EVERY_S):
                    self._wake()
        finally:
            listener.close()

    def _goes_on(self) -> bool:
        with self._lock:
            if not self._readers:
                self._thread = None
            return bool(self._readers)

    def _wake(self) -> None:
        with self._lock:
            readers = list(self._readers.items())
        for woken, loop in readers:
            with contextlib.suppress(RuntimeError):  # a loop that has ended needs no waking
                loop.call_soon_threadsafe(woken.set)
