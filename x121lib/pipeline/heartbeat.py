"""Keep an attempt's lease alive beside its work, and learn that it must stop."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta
from types import TracebackType
from typing import Self

from x121lib.base.log import get_logger
from x121lib.pipeline.house import House
from x121lib.scheduling import service as queue
from x121lib.store.session import DatabaseError

_log = get_logger(__name__)


class Heartbeat:
    """A thread that extends the lease every `heartbeat_s` seconds while the block runs.

    Attributes:
        lost: set when the attempt was cancelled or superseded; the work must stop.
        progress: 0 to 1, written with the next beat.
    """

    def __init__(self, house: House, task_id: uuid.UUID, attempt_number: int) -> None:
        self._house = house
        self._key = (task_id, attempt_number)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"heartbeat-{task_id}", daemon=True)
        self.lost = threading.Event()
        self.progress = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        settings = self._house.settings
        while not self._done.wait(min(settings.heartbeat_s, 1.0)):
            try:
                with self._house.database.transaction() as session:
                    until = self._house.now() + timedelta(seconds=settings.lease_s)
                    alive = queue.heartbeat(session, *self._key, until=until, progress=self.progress)
            except DatabaseError as error:
                _log.warning("no heartbeat for task %s: %s", self._key[0], error)
                continue
            if not alive:
                self.lost.set()
                return
