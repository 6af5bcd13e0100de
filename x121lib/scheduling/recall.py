"""What one dispatch may remember of the one before: slow facts for a moment, so that a new task starts at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")
STEADY_S = 1.0
"""Seconds for which weights, GPU time used, needed tags, measured speeds and recipes' models are remembered."""
BRISK_S = 0.5
"""Seconds for which loaded models and held budgets are remembered, and budgets are settled only once."""
LONG_S = 60.0
"""Seconds for which it is remembered what was asked for, so that all of it is read again at once."""
WORTH = 20
"""What found nothing is not tried again for so many times as long as it took: a twentieth of the time goes there."""
LEAST = 64
"""Slots for which work is looked for at least."""
_MOST = 256


class Recall:
    """Remembers what was read, for one process's dispatches; the tasks and the workers' slots are never remembered.

    Attributes:
        slots: slots of the available workers at the last dispatch.
        free: of these, how many it left free.
        left: whether tasks were left waiting that it looked at.
        sent: how many tasks it sent, or half of what an earlier one sent.
        depths: how many tasks of each share to read, after what was looked at last.
    """

    def __init__(self, *, at_all: bool = True) -> None:
        self._at_all = at_all
        self._kept: dict[Hashable, tuple[float, Any]] = {}
        self.slots = 0
        self.free = 0
        self.left = False
        self.sent = 0
        self.depths: dict[Any, int] = {}

    def __call__(self, key: Hashable, for_s: float, read: Callable[[], T]) -> T:
        """Return what ``read`` returned in the last ``for_s`` seconds, else read it."""
        if not self._at_all:
            return read()
        now = time.monotonic()
        kept = self._kept.get(key)
        if kept is not None and now - kept[0] < for_s:
            found: T = kept[1]
            return found
        if len(self._kept) >= _MOST:
            self._kept.clear()
        found = read()
        self._kept[key] = (now, found)
        return found

    def expected(self, free: int) -> int:
        """Return for how many of so many free slots there is probably work: half as many again as lately."""
        return min(free, max(LEAST, self.sent + self.sent // 2))

    @property
    def refill(self) -> int:
        """How many slots that became free are worth a dispatch: half of the busy ones where tasks wait."""
        busy = self.slots - self.free
        return max(1, min(self.slots // 4, busy // 2)) if self.left else max(1, self.slots // 4)

    def note(self, key: Hashable, cost_s: float) -> None:
        """Remember that something was so just now, for `has`, and how long it took to find that out."""
        if self._at_all:
            self._kept[key] = (time.monotonic(), cost_s)

    def has(self, key: Hashable, for_s: float) -> bool:
        """Return whether something was noted in the last ``for_s`` seconds, or `WORTH` times what it had cost."""
        kept = self._kept.get(key)
        return kept is not None and time.monotonic() - kept[0] < max(for_s, WORTH * kept[1])

    def expect(self, depths: dict[Any, int]) -> None:
        """Remember how many tasks of each share to read next."""
        if self._at_all:
            self.depths = depths


FRESH = Recall(at_all=False)
"""Remembers nothing."""
