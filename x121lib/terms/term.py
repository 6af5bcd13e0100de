"""What one row of a lookup table is."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Term(StrEnum):
    """One row of a lookup table: ``value`` is its name, ``number`` its key, ``label`` the word shown."""

    number: int
    label: str

    def __new__(cls, value: str, number: int = 0, label: str | None = None) -> Self:
        """Make a member from its stored name, its number and, where it differs, the word shown.

        The default number exists for type checkers only, which take ``SceneStatus("Pending")`` for this call.
        """
        member = str.__new__(cls, value)
        member._value_ = value
        member.number = number
        member.label = label or value
        return member

    @classmethod
    def from_number(cls, number: int) -> Self:
        """Return the member with that number; raises ``KeyError`` for an unknown one."""
        for member in cls:
            if member.number == number:
                return member
        raise KeyError(f"{cls.__name__} has no number {number}")
