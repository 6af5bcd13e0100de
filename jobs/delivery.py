"""How what the tick decided reaches the threads that run it: as messages, or as rows that they claim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from huey import Huey

from jobs.app import enqueue_all
from jobs.storage import BulkPostgresStorage
from x121lib.scheduling.sending import SENT_CHANNEL
from x121lib.studio.work import Message


class Delivery:
    """Delivers by way of a Huey.

    On PostgreSQL the tick's process starts the first tasks itself, for its own free threads; every other dispatched
    row is claimed by a process with a free thread, and needs no message. On Redis each is a message.
    """

    def __init__(self, huey: Huey, work: Any, tasks: tuple[Any, Any]) -> None:
        """Take Huey's tasks for an attempt and for a scene to assemble, as `jobs.app.register` returns them."""
        self._huey = huey
        self._run_attempt, self._assemble_scene = tasks
        self._direct: BulkPostgresStorage | None = None
        if isinstance(huey.storage, BulkPostgresStorage):
            self._direct = huey.storage
            self._direct.claims(lambda most: self._packed(work.claim(most)), SENT_CHANNEL)

    def reserve(self) -> int:
        """Keep some free threads of this process for what `deliver` brings; returns how many."""
        return self._direct.reserve() if self._direct is not None else 0

    def deliver(self, n_reserved: int, messages: Sequence[Message]) -> None:
        """Deliver messages, the started ones to the threads that were reserved."""
        here = [each for each in messages if each.is_started]
        away = [each for each in messages if not each.is_started]
        if self._direct is not None:
            self._direct.give(n_reserved, self._packed(here))
            away = [each for each in away if each.kind != "task"]
        enqueue_all(self._huey, [self._task_of(each) for each in away])

    def _packed(self, messages: Sequence[Message]) -> list[bytes]:
        return [self._huey.serialize_task(self._task_of(each)) for each in messages]

    def _task_of(self, message: Message) -> Any:
        if message.kind == "task":
            return self._run_attempt.s(message.key, message.attempt_number, message.is_started)
        return self._assemble_scene.s(message.key)
