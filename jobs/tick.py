"""The tick: asks the queue what to do, and delivers it; woken by NOTIFY, else twice a second. Upkeep runs beside it.

Of several processes one leads. The others look every other second: leading only saves work, what keeps two from
assigning at once is the lock inside `scheduling.service.dispatch`.
"""

from __future__ import annotations

import threading
import time
from typing import Any, Protocol

from psycopg import Error as DatabaseDriverError

from x121lib.base.errors import X121Error
from x121lib.base.log import get_logger
from x121lib.store.session import wait_for_any

_log = get_logger(__name__)


class Delivers(Protocol):
    """What `jobs.delivery.Delivery` does."""

    def reserve(self) -> int:
        """Keep some free threads of this process for what `deliver` brings; returns how many."""
        ...

    def deliver(self, n_reserved: int, messages: list[Any]) -> None:
        """Deliver messages, the started ones to the threads that were reserved."""
        ...


TICK_S = 0.5
"""Longest pause between two ticks."""
FOLLOW_S = 2.0
"""Pause between two ticks of a process that does not lead: enough where the one that leads hangs."""
PACE_S = 0.15
"""Longest pause in which slots that became free are gathered before they are filled."""
LEADER_LOCK = 0x58313234
"""Advisory lock of the process whose tick assigns; when it ends, another one's takes over within `TICK_S`."""
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

    def __init__(self, studio: Any, work: Any, delivery: Delivers) -> None:
        self._studio = studio
        self._work = work
        self._delivery = delivery
        self._stop = threading.Event()
        self._sent: dict[str, float] = {}
        self._leads = False
        self._threads = [
            threading.Thread(target=self._assign, name="tick", daemon=True),
            threading.Thread(target=self._keep_up, name="upkeep", daemon=True),
            threading.Thread(target=self._look_after, args=("health", "check_workers"), name="health", daemon=True),
            threading.Thread(target=self._look_after, args=("hosts", "look_after_hosts"), name="hosts", daemon=True),
            threading.Thread(target=self._transfer, args=("downloads",), name="downloads", daemon=True),
            threading.Thread(target=self._transfer, args=("placements",), name="placements", daemon=True),
            threading.Thread(target=self._react, name="reactions", daemon=True),
            threading.Thread(target=self._fire, name="triggers", daemon=True),
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
        listener, freed = self._work.listener(), self._work.freed()
        follows_at = time.monotonic()
        while not self._stop.is_set():
            self._leads = listener.holds(LEADER_LOCK)
            try:
                if self._leads or time.monotonic() >= follows_at:
                    follows_at = time.monotonic() + FOLLOW_S
                    self._dispatch()
            except (X121Error, DatabaseDriverError) as error:  # Huey talks to the database without our mapping
                _log.warning("tick: %s", error)
                self._stop.wait(0.5)
            if self._leads:
                self._wait(listener, freed, time.monotonic() + TICK_S)
            else:
                self._stop.wait(TICK_S)
        listener.close()
        freed.close()

    def _dispatch(self) -> None:
        """Assign tasks, some to free threads of this process, and deliver them."""
        n_here, messages = self._delivery.reserve(), []
        try:
            messages = self._work.dispatch(n_here)
        finally:
            self._delivery.deliver(n_here, messages)

    def _keep_up(self) -> None:
        """Do beside the dispatch what may take longer: a task that comes in waits for none of it."""
        while not self._stop.is_set():
            try:
                found = [m for m in self._work.upkeep() if m.kind == "task" or self._is_due(m.key)]
                self._delivery.deliver(0, found)
            except (X121Error, DatabaseDriverError) as error:
                _log.warning("upkeep: %s", error)
            self._stop.wait(TICK_S if self._leads else FOLLOW_S)

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
                self._wait_to_react(listener)
            self._stop.wait(REACT_S / (10 if again else 3))  # a thousand tasks a second shall not be a thousand looks
        listener.close()

    def _wait_to_react(self, listener: Any) -> None:
        """Wait until something happened; a process that does not lead leaves it to the one that does for `FOLLOW_S`."""
        until = time.monotonic() + FOLLOW_S
        while not self._leads and time.monotonic() < until and not self._stop.wait(TICK_S):
            pass
        if self._leads:
            listener.wait(REACT_S)

    def _fire(self) -> None:
        """Run what triggers were set off to do; apart from telling people, because an action may take minutes."""
        while not self._stop.is_set():
            try:
                found = self._studio.reactions.fire()
            except X121Error as error:
                _log.warning("triggers: %s", error)
                found = False
            if not found:
                self._stop.wait(REACT_S / 2)

    def _wait(self, listener: Any, freed: Any, until: float) -> None:
        """Wait until work came in that a slot is free for, enough slots became free, or ``until``.

        Slots that become free by the hundred are filled together: each dispatch costs something whatever it sends.
        """
        recall, n_free, has_work = self._work.recall, 0, False
        while not self._stop.is_set() and (left_s := until - time.monotonic()) > 0:
            if n_free:
                has_work |= bool(listener.wait(min(left_s, PACE_S / 10)))
                n_free += len(freed.wait(0.0))
            else:
                woken = wait_for_any([listener, freed], left_s)
                has_work |= bool(woken[0])
                n_free = len(woken[1])
                until = min(until, time.monotonic() + PACE_S) if n_free else until
            if (has_work and (recall.free or n_free)) or n_free >= recall.refill:
                return

    def _is_due(self, scene_id: str) -> bool:
        now = time.monotonic()
        if now - self._sent.get(scene_id, -ASSEMBLE_AGAIN_S) < ASSEMBLE_AGAIN_S:
            return False
        self._sent[scene_id] = now
        return True

    def _look_after(self, what: str, look: str) -> None:
        while not self._stop.is_set():
            try:
                getattr(self._work, look)()
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
