"""Power of GPU workers, as the façade offers it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from x121lib import model as m
from x121lib.base.errors import InvalidInputError, X121Error
from x121lib.base.log import get_logger
from x121lib.scheduling import agents, powering, waking, workers
from x121lib.scheduling.power import DAYS, Window, parse_windows
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import WakeKind

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

_log = get_logger(__name__)
EVERY_S = 10.0
"""Seconds between two looks at who should sleep or wake."""


class Power:
    """Power of GPU workers: idle time, wake-up, weekly windows, minimum fleet."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._next_look = 0.0

    def configure(
        self, worker: str, *, idle_minutes: float | None = None, wake: str | None = None, target: str = "",
        windows: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """Set how a worker's power is switched, instead of what was set before.

        Args:
            worker: name, address or key.
            idle_minutes: minutes without work after which it sleeps; None: never.
            wake: ``lan``, ``command`` or ``http``; None: it is not woken.
            target: MAC address, name of a command in the settings, or URL.
            windows: when it may be awake, e.g. ``mon-fri 08:00-22:00``, in local time; empty: always.
        """
        self._studio.actor.require(Permission.MANAGE_WORKERS)
        kind = _kind(wake)
        if kind is not None:
            settings = self._studio.settings
            waking.check_target(kind, target, settings.wake_commands, settings.allow_private_addresses)
        found = tuple(window for text in windows for window in parse_windows(text))
        idle_s = None if idle_minutes is None else round(idle_minutes * 60)
        spec = powering.PowerSpec(idle_s, kind, target if kind else "", found)
        with self._studio.transaction() as session:
            powering.configure(session, self._studio.actor, worker, spec, self._studio.house.now())

    def show(self, worker: str) -> dict[str, Any]:
        """Return how a worker's power is switched, and when it was last woken and put to sleep."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            row = workers.find(session, worker)
            power = session.get(m.WorkerPower, row.id)
            found = powering.windows_of(session, row.id)
        return {
            "worker": row.name, "status": row.status_id.value,
            "idle_minutes": power.idle_after_s / 60 if power and power.idle_after_s else None,
            "wake": power.wake_kind_id.value if power and power.wake_kind_id else None,
            "target": power.wake_target if power else "", "windows": windows_in_words(found),
            "woken_at": power.wake_sent_at if power else None,
            "put_to_sleep_at": power.sleep_sent_at if power else None,
            "minimum_fleet": self._studio.settings.minimum_fleet,
        }  # fmt: skip

    def wake(self, worker: str) -> None:
        """Wake a worker now; raises `WakeError` where the wake-up could not be sent."""
        with self._studio.transaction() as session:
            key = powering.wake_one(session, self._studio.actor, worker, self._studio.house.now())
        self._carry_out(key, wake=True)

    def sleep(self, worker: str) -> None:
        """Put an idle worker's host to sleep now, through its agent.

        Raises:
            RefusedError: it is in mid-take, or takes no work anyway.
            WakeError, AgentError: the host did not go to sleep; the worker takes work again.
        """
        with self._studio.transaction() as session:
            key = powering.sleep_one(session, self._studio.actor, worker, self._studio.house.now())
        try:
            self._carry_out(key, wake=False)
        except X121Error as error:
            with self._studio.transaction() as session:
                powering.record_failed(session, key, was_wake=False, why=str(error))
            raise

    def look_sometimes(self) -> None:
        """Look, unless that was done in the last seconds."""
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + EVERY_S
            self.look()

    def look(self) -> int:
        """Decide who sleeps and who wakes, and do it; returns how many. A step that fails is in the history."""
        with self._studio.transaction() as session:
            steps = powering.decide_now(session, self._studio.house.now(), self._studio.settings.minimum_fleet)
        for step in steps:
            try:
                self._carry_out(step.worker_id, wake=step.wake)
            except X121Error as error:
                _log.warning("power of worker %s: %s", step.worker_id, error)
                with self._studio.transaction() as session:
                    powering.record_failed(session, step.worker_id, was_wake=step.wake, why=str(error))
        return len(steps)

    def _carry_out(self, worker_id: uuid.UUID, *, wake: bool) -> None:
        settings = self._studio.settings
        with self._studio.transaction() as session:
            power = session.get_one(m.WorkerPower, worker_id)
            agent = None if wake else agents.agent_of(session, str(worker_id))
        if agent is not None:
            code, words = self._studio.agents.client(agent).power_off()
            if code:
                raise waking.WakeError(f"The host's command ended with exit code {code}: {words.strip()}")
        elif power.wake_kind_id is not None:
            waking.send(power.wake_kind_id, power.wake_target, settings.wake_commands, settings.allow_private_addresses)


def windows_in_words(windows: Sequence[Window]) -> str:
    """Return windows as `configure` takes them."""
    return ", ".join(_written(window) for window in windows)


def _kind(word: str | None) -> WakeKind | None:
    if word is None:
        return None
    if word not in [kind.value for kind in WakeKind]:
        raise InvalidInputError(f"'{word}' is no way to wake.", hint="There are lan, command and http.")
    return WakeKind(word)


def _written(window: Window) -> str:
    start, stop = (f"{minute // 60:02}:{minute % 60:02}" for minute in (window.start_minute, window.stop_minute))
    return f"{DAYS[window.weekday]} {start}-{stop}"
