"""What follows from events: triggers fire, people are told. The consumer calls this as soon as something committed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x121lib.events import webhooks
from x121lib.events.outbox import CHANNEL
from x121lib.store.session import Listener
from x121lib.studio.trigger_runs import TriggerRuns

if TYPE_CHECKING:
    from x121lib.studio.core import Studio


class Reactions:
    """Reads the outbox from each reader's own position; every method is safe to call again, from any process."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._runs = TriggerRuns(studio)

    def run(self) -> bool:
        """Do what new events call for; returns whether there may be more at once."""
        told = self._studio.notifications.announce()  # first: a trigger that breaks keeps nobody's news back
        matched = self._runs.match()
        return bool(matched) or bool(told)

    def fire(self) -> bool:
        """Run one firing of a trigger to its end; False where none waits. May take as long as its actions."""
        return self._runs.run_next()

    def prune(self) -> int:
        """Delete read notifications and finished webhook messages of more than three months ago; returns how many."""
        with self._studio.transaction() as session:
            old = webhooks.prune(session, self._studio.house.now())
        return old + self._studio.notifications.prune()

    def listener(self) -> Listener:
        """Return a listener that wakes when an event was committed."""
        return Listener(self._studio.house.database.url, [CHANNEL], name="x121-reactions")
