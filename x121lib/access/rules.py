"""What a password, an e-mail address and a rate of failed sign-ins must be. Pure but for its own memory."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from x121lib.base.clock import system_now, type_now
from x121lib.base.errors import InvalidInputError, RefusedError

MINIMUM_PASSWORD = 12
"""Characters; NIST SP 800-63B-4 asks for 15 where a password is the only factor and 8 otherwise, and for no
rules on its composition. 12 is the studio's middle way."""
MAXIMUM_PASSWORD = 256
"""Characters; a bound on the work that one sign-in can ask for."""

_EMAIL = re.compile(r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+")


class TooManyAttemptsError(RefusedError):
    """Sign-in failed too often; waiting helps."""

    code = "access.too_many_attempts"
    retryable = True


def clean_email(email: str) -> str:
    """Return the address as it is stored: trimmed and in lower case.

    Raises:
        InvalidInputError: not of the form name@host.
    """
    cleaned = email.strip().lower()
    if not _EMAIL.fullmatch(cleaned) or len(cleaned) > 254:
        raise InvalidInputError(f"'{email}' is no e-mail address.", hint="Expected name@host.")
    return cleaned


def clean_name(name: str, *, what: str) -> str:
    """Return a name trimmed; raises `InvalidInputError` when empty, over 200 characters or not printable."""
    cleaned = name.strip()
    if not cleaned or len(cleaned) > 200 or not cleaned.isprintable():
        raise InvalidInputError(f"The {what}'s name must be 1 to 200 printable characters.")
    return cleaned


def check_password(password: str, *, email: str) -> None:
    """Raise `InvalidInputError` unless the password is long enough and not trivially guessed."""
    if len(password) < MINIMUM_PASSWORD:
        raise InvalidInputError(f"The password is too short: at least {MINIMUM_PASSWORD} characters.")
    if len(password) > MAXIMUM_PASSWORD:
        raise InvalidInputError(f"The password is too long: at most {MAXIMUM_PASSWORD} characters.")
    if len(set(password)) < 5 or password.lower() == email:
        raise InvalidInputError("The password is too easy to guess.", hint="Use a phrase of several words.")


def aware(moment: datetime) -> datetime:
    """Return the moment; raises `InvalidInputError` when it has no time zone."""
    if moment.tzinfo is None:
        raise InvalidInputError("A moment needs a time zone.")
    return moment


@dataclass
class _Record:
    n_failures: int = 0
    blocked_until: datetime | None = None
    last_at: datetime | None = None


@dataclass
class Throttle:
    """Slows down repeated failures under one key: after ``free`` of them each more doubles the wait.

    The memory is this process's own: with several web processes an attacker gets as many tries in each. It
    holds at most ``capacity`` keys and forgets a key an hour after its last failure.
    """

    free: int = 5
    """Failures without any wait."""
    first_wait_s: float = 2.0
    """Seconds of the first wait."""
    longest_wait_s: float = 300.0
    """Seconds of the longest wait, so that nobody can lock a person out for good."""
    capacity: int = 10_000
    """Keys remembered."""
    now: type_now = system_now
    """Clock."""
    _records: dict[str, _Record] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, key: str) -> None:
        """Raise `TooManyAttemptsError` while ``key`` has to wait."""
        with self._lock:
            record = self._records.get(key)
            until = record.blocked_until if record else None
            if until is not None and (wait := (until - self.now()).total_seconds()) > 0:
                raise TooManyAttemptsError("Sign-in failed too often.", hint=f"Try again in {int(wait) + 1} seconds.")

    def fail(self, key: str) -> None:
        """Count a failure under ``key``."""
        with self._lock:
            now = self.now()
            self._forget(now)
            record = self._records.setdefault(key, _Record())
            record.n_failures += 1
            record.last_at = now
            excess = record.n_failures - self.free
            if excess >= 0:
                wait_s = min(self.first_wait_s * 2 ** min(excess, 20), self.longest_wait_s)
                record.blocked_until = now + timedelta(seconds=wait_s)

    def clear(self, key: str) -> None:
        """Forget the failures of ``key`` after a success."""
        with self._lock:
            self._records.pop(key, None)

    def _forget(self, now: datetime) -> None:
        if len(self._records) < self.capacity:
            return
        old = now - timedelta(hours=1)
        stale = [key for key, record in self._records.items() if record.last_at is None or record.last_at < old]
        for key in stale or [next(iter(self._records))]:
            del self._records[key]
