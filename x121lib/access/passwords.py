"""Argon2id hashes of passwords (RFC 9106), with the same work for an unknown address as for a known one."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher()
"""argon2-cffi's defaults: RFC 9106's second recommendation (64 MiB, 3 passes, 4 lanes)."""


def hash_password(password: str) -> str:
    """Return the encoded Argon2id hash, with its own salt."""
    return _HASHER.hash(password)


@cache
def _dummy() -> str:
    return _HASHER.hash("nobody's password")


def matches(stored: str | None, password: str) -> bool:
    """Return whether ``password`` made ``stored``.

    Without a stored hash a dummy one is verified and the answer is False, so that the time taken does not
    tell whether the address is known.
    """
    try:
        return _HASHER.verify(stored if stored is not None else _dummy(), password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(stored: str) -> bool:
    """Return whether the hash was made with weaker parameters than today's."""
    return _HASHER.check_needs_rehash(stored)
