"""The budgets' part of the web door."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from typing import Any

from x121lib.base.errors import InvalidInputError
from x121lib.studio.budgets import Terms
from x121lib.studio.door_base import DoorBase
from x121lib.studio.pages import SessionPerson
from x121lib.studio.pages import budgets as page
from x121lib.studio.pages.desk import View, key_of


class BudgetsDoor(DoorBase):
    """What the page of the budgets reads and does; each change answers with what takes it back."""

    def budgets(self, person: SessionPerson, project: str | None, params: Mapping[str, str]) -> View:
        """Return every budget with each holder's account."""
        return self._view(person, project, lambda desk: page.budgets(desk, params))

    def add_budget(
        self, person: SessionPerson, holder: str, hours: Any, period: str = "total",
        terms: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Set a budget where there is none; ``holder`` is a key of a project or person, or ``each``."""
        holder_id = None if holder == "each" else key_of(holder, "project or person")
        key = self._as(person).budgets.add(hours_of(hours), holder_id, period=period, terms=terms_of(terms))
        self._note_change()
        return {"text": "The budget is set", "budget_id": str(key), "row": f"{key}:{holder_id or ''}",
                "undo": {"name": "remove_budget", "args": {"budget_id": str(key)}}}  # fmt: skip

    def change_budget(
        self, person: SessionPerson, budget_id: str, hours: Any, version: int, terms: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Give a budget other hours, and other terms where they are given."""
        budgets = self._as(person).budgets
        old = next((line for line in budgets.lines() if str(line.budget_id) == budget_id), None)
        new = budgets.change(budget_id, hours_of(hours), terms=terms_of(terms), expected=int(version))
        self._note_change()
        before = None
        if old is not None:  # `change` refused any other version than the one that was read here
            kept = {"warn_at": list(old.warn_percents), "hard": old.is_hard, "rolls_over": old.rolls_over,
                    "exempt": list(old.exempt)}  # fmt: skip
            before = {"name": "change_budget", "args": {"budget_id": budget_id, "version": new, "terms": kept,
                                                        "hours": old.account.limit_s / 3600}}  # fmt: skip
        return {"text": f"The limit is {float(hours_of(hours)):g} GPU h", "version": new, "undo": before}

    def grant_hours(
        self, person: SessionPerson, budget_id: str, hours: Any, reason: str, holder_id: str | None = None
    ) -> dict[str, Any]:
        """Give more, or with less than 0 fewer, GPU hours in the present period only."""
        given = hours_of(hours)
        self._as(person).budgets.grant_to(budget_id, given, reason, _key_or_none(holder_id))
        self._note_change()
        back = {"budget_id": budget_id, "hours": -given, "reason": f"taken back: {reason}", "holder_id": holder_id}
        return {"text": f"{given:g} GPU h are granted for this period", "undo": {"name": "grant_hours", "args": back}}

    def remove_budget(self, person: SessionPerson, budget_id: str) -> dict[str, Any]:
        """Remove a budget with what was counted."""
        self._as(person).budgets.remove(budget_id)
        self._note_change()
        return {"text": "The budget is removed"}


def hours_of(given: Any) -> float:
    """Return GPU hours from what a page sends.

    Raises:
        InvalidInputError: it is no number.
    """
    try:
        hours = float(str(given).strip())
    except ValueError:
        hours = math.nan
    if not math.isfinite(hours):
        raise InvalidInputError(f"Hours: '{given}' is no number.", hint="Give GPU hours such as 40 or 7.5.")
    return hours


def terms_of(given: Mapping[str, Any] | None) -> Terms | None:
    """Return what holds beside the hours from what a page sends: lists, or text with commas.

    Raises:
        InvalidInputError: a warning is no whole number.
    """
    if given is None:
        return None
    warnings = []
    for text in _listed(given.get("warn_at", ())):
        try:
            warnings.append(int(text.removesuffix("%").strip()))
        except ValueError as error:
            raise InvalidInputError(
                f"Warnings: '{text}' is no whole percentage.", hint="Give numbers of 1 to 100 such as 75, 90."
            ) from error
    hard, rolls_over = (str(given.get(name, "")).lower() in ("true", "yes", "1") for name in ("hard", "rolls_over"))
    return Terms(tuple(warnings), hard, rolls_over, tuple(_listed(given.get("exempt", ()))))


def _listed(given: Any) -> list[str]:
    parts = given.split(",") if isinstance(given, str) else given
    return [text for text in (str(part).strip() for part in parts) if text]


def _key_or_none(text: str | None) -> uuid.UUID | None:
    return key_of(text, "person") if text else None
