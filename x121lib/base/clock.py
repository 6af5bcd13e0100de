"""Time as an injected value, so that tests decide what now is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

type_now = Callable[[], datetime]


def system_now() -> datetime:
    """Return the current time, timezone-aware in UTC."""
    return datetime.now(UTC)


class ManualClock:
    """A clock that moves only when told to; call it to read it."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the time that it shows."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move the clock forward by ``seconds``."""
        self._now += timedelta(seconds=seconds)
