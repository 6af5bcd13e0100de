"""Changes that wait for a running take's next safe point: kept by the web door until the take has stopped there."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from x121lib.base.errors import X121Error
from x121lib.base.log import get_logger
from x121lib.studio.core import Studio
from x121lib.terms.vocabulary import TaskStatus

_log = get_logger(__name__)


@dataclass(frozen=True)
class Pending:
    """A change that waits."""

    studio: Studio
    """The studio as whoever asked for it."""
    values: Mapping[str, Any]
    """Slot values."""


class Steering:
    """Pauses a running take, changes it when it has stopped, and lets it go on; one change per take."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: dict[uuid.UUID, Pending] = {}
        self._said: dict[uuid.UUID, tuple[str, str]] = {}

    def begin(self, studio: Studio, task_id: uuid.UUID, values: Mapping[str, Any]) -> str:
        """Ask a running take to stop at its next safe point for a change; returns where that is, in words.

        Raises:
            SlotError, InvalidInputError: a value is refused; the take runs on as it is.
            RefusedError, ForbiddenError: it does not run, or the actor may not.
        """
        studio.debugger.check(task_id, values)
        stops = studio.debugger.pause(task_id)
        with self._lock:
            self._said.pop(task_id, None)
            self._pending[task_id] = Pending(studio, values)
        return stops

    def pending(self, task_id: uuid.UUID) -> Mapping[str, Any] | None:
        """Return the values that wait for a take to stop."""
        with self._lock:
            found = self._pending.get(task_id)
        return None if found is None else found.values

    def said(self, task_id: uuid.UUID) -> tuple[str, str] | None:
        """Return (status, sentence) of what became of the last change of a take; None where there was none."""
        with self._lock:
            return self._said.get(task_id)

    def work_off(self) -> None:
        """Carry out what can be carried out now: takes that have stopped are changed and go on."""
        with self._lock:
            waiting = list(self._pending.items())
        for task_id, change in waiting:
            try:
                said = _carried_out(task_id, change)
            except X121Error as error:
                _log.warning("the change of task %s was not made: %s", task_id, error)
                said = ("failed", f"The change was not made: {error.message} {error.hint}".strip())
            if said is not None:
                with self._lock:
                    if self._pending.get(task_id) is change:
                        del self._pending[task_id]
                        self._said[task_id] = said


def _carried_out(task_id: uuid.UUID, change: Pending) -> tuple[str, str] | None:
    """Return what was done, or None where the take has not stopped yet."""
    now = change.studio.debugger.look(task_id)
    if now.status == TaskStatus.PAUSED.label:
        change.studio.debugger.change(task_id, change.values)
        change.studio.debugger.resume(task_id)
        return "approved", f"{', '.join(change.values)} changed; the take goes on from its finished nodes."
    if now.status == TaskStatus.RUNNING.label and now.pausing:
        return None
    return "warning", f"The take is {now.status.lower()}: it reached its end before the change, which was not made."
