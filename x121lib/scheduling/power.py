"""Which workers sleep and which are woken: pure functions over frozen values."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from x121lib.base.errors import InvalidInputError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WINDOW = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? (\d\d):(\d\d)-(\d\d):(\d\d)")
_MINUTES = 24 * 60


@dataclass(frozen=True)
class Window:
    """A part of a weekday, in local time, in which a worker may be awake."""

    weekday: int
    """0 is Monday."""
    start_minute: int
    """First minute of the day, 0 to 1439."""
    stop_minute: int
    """First minute after it, 1 to 1440."""


@dataclass(frozen=True)
class PowerView:
    """A worker whose power X121 may switch."""

    worker_id: uuid.UUID
    """Key of the worker."""
    slots: int
    """Takes that it runs at once."""
    busy: int
    """Takes that it runs now, sent ones included."""
    awake: bool
    """It answers, and takes work."""
    asleep: bool
    """X121 put it to sleep, or a wake-up did not reach it."""
    waking: bool
    """A wake-up was sent to it lately."""
    idle_s: float
    """Seconds since its last take ended, or since it woke."""
    idle_after_s: float | None = None
    """Idle seconds after which it goes to sleep; None: never."""
    can_sleep: bool = False
    """Whether an agent on its host is known."""
    can_wake: bool = False
    """Whether a way to wake it is known."""
    in_window: bool | None = None
    """Whether now lies in one of its windows; None: it has none."""


@dataclass(frozen=True)
class Step:
    """What to do with a worker now."""

    worker_id: uuid.UUID
    """The worker."""
    wake: bool
    """True: wake it. False: put it to sleep."""
    reason: str
    """Why, in a sentence."""


def parse_windows(text: str) -> list[Window]:
    """Read ``mon-fri 08:00-22:00`` (or ``sat 10:00-24:00``) into one window per day.

    Raises:
        InvalidInputError: another form, an unknown day, or an end that does not lie after the beginning.
    """
    found = _WINDOW.fullmatch(text.strip().lower())
    first, last, *times = found.groups() if found else ("", "", "0", "0", "0", "0")
    if first not in DAYS or (last and last not in DAYS):
        raise InvalidInputError(f"'{text}' is no weekly window.", hint="Write 'mon-fri 08:00-22:00'.")
    hour, minute, stop_hour, stop_minute = (int(t) for t in times)
    start, stop = hour * 60 + minute, stop_hour * 60 + stop_minute
    if minute > 59 or stop_minute > 59 or not 0 <= start < stop <= _MINUTES:
        raise InvalidInputError(
            f"The window '{text}' does not end after it begins on the same day.", hint="Split it at 24:00."
        )
    begin, end = DAYS.index(first), DAYS.index(last or first)
    return [Window((begin + n) % 7, start, stop) for n in range((end - begin) % 7 + 1)]


def in_windows(windows: Sequence[Window], now: datetime) -> bool | None:
    """Tell whether ``now`` (local time) lies in one of the windows; None where there are none."""
    if not windows:
        return None
    minute = now.hour * 60 + now.minute
    return any(w.weekday == now.weekday() and w.start_minute <= minute < w.stop_minute for w in windows)


def decide(workers: Sequence[PowerView], *, waiting: int, minimum: int) -> list[Step]:
    """Decide who is woken and who goes to sleep.

    Woken: for the minimum fleet; for waiting tasks that the awake and waking workers have no free slot for; and at
    the beginning of its window, unless it has an idle time after which it would sleep again. Outside its windows a
    worker is woken for the minimum fleet only. Put to sleep: who runs nothing, and is outside its windows or was idle
    for its time while nothing waits; never so many that fewer than the minimum stay awake.

    Args:
        workers: those that were not removed and are not held back by a person.
        waiting: tasks that could be sent now.
        minimum: workers that must be awake at all times.
    """
    steps: dict[uuid.UUID, Step] = {}
    up = sum(w.awake or w.waking for w in workers)
    free = sum(max(0, w.slots - w.busy) for w in workers if w.awake or w.waking)
    for w in sorted(workers, key=lambda w: (w.in_window is False, -w.slots, w.worker_id)):
        if not (w.asleep and w.can_wake) or w.waking:
            continue
        reason = _wake_reason(w, lacking=up < minimum, short=waiting > free)
        if reason:
            steps[w.worker_id] = Step(w.worker_id, True, reason)
            up, free = up + 1, free + w.slots
    for w in sorted(workers, key=lambda w: (-w.idle_s, w.worker_id)):
        if not (w.awake and w.can_sleep and w.busy == 0) or up <= minimum:
            continue
        reason = _sleep_reason(w, waiting)
        if reason:
            steps[w.worker_id] = Step(w.worker_id, False, reason)
            up -= 1
    return list(steps.values())


def _wake_reason(w: PowerView, *, lacking: bool, short: bool) -> str:
    if lacking:
        return "Woken for the minimum fleet."
    if w.in_window is False:
        return ""
    if short:
        return "Woken for waiting tasks."
    return "Woken at the beginning of its window." if w.in_window and w.idle_after_s is None else ""


def _sleep_reason(w: PowerView, waiting: int) -> str:
    if w.in_window is False:
        return "Put to sleep outside its windows."
    if waiting == 0 and w.idle_after_s is not None and w.idle_s >= w.idle_after_s:
        return f"Put to sleep after {w.idle_after_s / 60:.0f} min without work."
    return ""
