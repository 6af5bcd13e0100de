"""Keep an attempt's lease alive beside its work, and learn that it must stop."""

from __future__ import annotations

import threading
import time
import uuid
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from x121lib.base.log import get_logger
from x121lib.comfyui.live import LiveRun
from x121lib.pipeline import tracing
from x121lib.pipeline.house import House
from x121lib.scheduling import pausing
from x121lib.scheduling import service as queue
from x121lib.store.session import DatabaseError

_log = get_logger(__name__)
LONGEST_S = 1.0
"""Seconds between beats at most: progress, a pause and a cancellation travel with them."""
WHOLE_EVERY_S = 5.0
"""Seconds between two writings of the raw messages while a take runs; the first ones are written at once."""


class Heartbeat:
    """A thread that extends the lease every `heartbeat_s` seconds while the block runs.

    Attributes:
        lost: set when the attempt was cancelled, paused or superseded; the work must stop.
        pause: set while somebody wants it to stop after the node that runs.
        live: what is heard of its prompt; written beside each beat, for those who look on.
        progress: 0 to 1, written with the next beat.
        server: how the server stood after a failure.
    """

    def __init__(self, house: House, task_id: uuid.UUID, attempt_number: int) -> None:
        self._house = house
        self._key = (task_id, attempt_number)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"heartbeat-{task_id}", daemon=True)
        self.lost = threading.Event()
        self.pause = threading.Event()
        self.live = LiveRun()
        self.server: dict[str, Any] = {}
        self._written = 0
        self._whole = 0
        self._heard = False
        self._next_whole_s = 0.0
        self.progress = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        try:
            self._write_trace(at_end=True)
            with self._house.database.transaction() as session:
                tracing.store_times(session, *self._key, self.live.look())
        except DatabaseError as failure:
            _log.warning("the trace of task %s is not whole: %s", self._key[0], failure)

    def _write_trace(self, *, at_end: bool = False) -> None:
        changes = self.live.changes
        if changes == (self._whole if at_end else self._written):
            return
        look = self.live.look()
        first = bool(look.events) and not self._heard  # an onlooker sees the first messages at once
        whole = at_end or first or time.monotonic() >= self._next_whole_s
        with self._house.database.transaction() as session:
            tracing.store(session, *self._key, look, whole=whole)
        self._written, self._heard = changes, bool(look.events)
        if whole:
            self._whole = changes
            self._next_whole_s = time.monotonic() + WHOLE_EVERY_S

    def _run(self) -> None:
        settings = self._house.settings
        while not self._done.wait(min(settings.heartbeat_s, LONGEST_S)):
            try:
                with self._house.database.transaction() as session:
                    until = self._house.now() + timedelta(seconds=settings.lease_s)
                    alive = queue.heartbeat(session, *self._key, until=until, progress=self.progress)
                    wanted = alive and pausing.pause_wanted(session, *self._key)
                (self.pause.set if wanted else self.pause.clear)()
                self._write_trace()
            except DatabaseError as error:
                _log.warning("no heartbeat for task %s: %s", self._key[0], error)
                continue
            if not alive:
                self.lost.set()
                return
