"""The tick: asks the queue what to do, and enqueues the ids; woken by NOTIFY, else twice a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from psycopg import Error as DatabaseDriverError

from x121lib.base.errors import X121Error
from x121lib.base.log import get_logger

_log = get_logger(__name__)
TICK_S = 0.5
"""Longest pause between two ticks."""
DOWNLOADS_S = 2.0
"""Pause after which a queue of transfers is looked at again while it is empty."""
REACT_S = 1.0
"""Longest pause between two looks for what happened; an open transaction may hide what a NOTIFY told of."""
HEALTH_S = 3.0
"""Pause between two looks at the workers, and at their hosts."""
ASSEMBLE_AGAIN_S = 60.0
"""Seconds after which a scene that is still not assembled is sent again."""


class Tick:
    """Work, the workers' health, their hosts' vitals and power, models that are fetched and sent, and what is told."""

    def __init__(self, studio: Any, enqueue: Callable[[str, str, int], None]) -> None:
        self._studio = studio
        self._enqueue = enqueue
        self._stop = threading.Event()
        self._sent: dict[str, float] = {}
        self._threads = [
            threading.Thread(target=self._assign, name="tick", daemon=True),
            threading.Thread(target=self._look_after, args=("health", "check_workers"), name="health", daemon=True),
            threading.Thread(target=self._look_after, args=("hosts", "look_after_hosts"), name="hosts", daemon=True),
            threading.Thread(target=self._transfer, args=("downloads",), name="downloads", daemon=True),
            threading.Thread(target=self._transfer, args=("placements",), name="placements", daemon=True),
            threading.Thread(target=self._react, name="reactions", daemon=True),
            threading.Thread(target=studio.webhooks.run, args=(self._stop,), name="webhooks", daemon=True),
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask the threads to end and wait for them a moment."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=3.0)

    def _assign(self) -> None:
        listener = self._studio.work.listener()
        while not self._stop.is_set():
            try:
                for message in self._studio.work.tick():
                    if message.kind == "task" or self._is_due(message.key):
                        self._enqueue(message.kind, message.key, message.attempt_number)
            except (X121Error, DatabaseDriverError) as error:  # Huey talks to the database without our mapping
                _log.warning("tick: %s", error)
                self._stop.wait(0.5)
            listener.wait(TICK_S)
        listener.close()

    def _react(self) -> None:
        """Tell people and triggers what happened, as soon as it is committed."""
        listener = self._studio.reactions.listener()
        while not self._stop.is_set():
            try:
                again = self._studio.reactions.run()
            except X121Error as error:
                _log.warning("reactions: %s", error)
                again = False
                self._stop.wait(0.5)
            if not again:
                listener.wait(REACT_S)
        listener.close()

    def _is_due(self, scene_id: str) -> bool:
        now = time.monotonic()
        if now - self._sent.get(scene_id, -ASSEMBLE_AGAIN_S) < ASSEMBLE_AGAIN_S:
            return False
        self._sent[scene_id] = now
        return True

    def _look_after(self, what: str, look: str) -> None:
        while not self._stop.is_set():
            try:
                getattr(self._studio.work, look)()
            except X121Error as error:
                _log.warning("%s: %s", what, error)
            self._stop.wait(HEALTH_S)

    def _transfer(self, queue: str) -> None:
        while not self._stop.is_set():
            try:
                found = getattr(self._studio, queue).run_next(self._stop)
            except X121Error as error:
                _log.warning("%s: %s", queue, error)
                found = False
            if not found:
                self._stop.wait(DOWNLOADS_S)
