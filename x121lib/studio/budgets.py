"""Budgets of GPU time, as the façade offers them: set, granted, removed, listed."""

from __future__ import annotations

import builtins
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from x121lib import model as m
from x121lib.access.queries import find_person_by_email
from x121lib.base.errors import InvalidInputError, NotFoundError
from x121lib.catalogue import queries as catalogue
from x121lib.scheduling import budgeting, budgets, spending
from x121lib.scheduling.budgeting import BudgetSpec, Line
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import BudgetPeriod, TaskKind

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from x121lib.studio.core import Studio

COLUMNS = [
    "budget_id", "holder", "scope", "period", "limit_h", "allowed_h", "used_h", "reserved_h", "left_h", "percent",
    "days_left", "hard", "rolls_over", "warn_at", "exempt",
]  # fmt: skip


@dataclass(frozen=True)
class Terms:
    """What holds beside the hours of a budget."""

    warn_at: tuple[int, ...] = (75, 90)
    """Percentages at which people are warned."""
    hard: bool = True
    """Whether new work beyond it is refused."""
    rolls_over: bool = False
    """Whether what is left goes into the next period, once."""
    exempt: tuple[str, ...] = ()
    """Names of tiers, or of kinds of tasks (``take``, ``variant``), that do not count."""


class Budgets:
    """GPU hours per project and per person: the limits, what is used and reserved, and when they run out."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def set(
        self, hours: float, *, period: str = "total", project: str | None = None, person: str | None = None,
        each_person: bool = False, terms: Terms | None = None,
    ) -> uuid.UUID:  # fmt: skip
        """Set a budget of GPU hours instead of the same holder's one of that period; returns its key.

        Args:
            hours: GPU hours per period.
            period: ``day``, ``week`` (from Monday), ``month`` or ``total``, in this machine's time zone.
            project: whose it is: a project by name,
            person: or a person by e-mail address,
            each_person: or each person by themselves.
            terms: warnings, hard or soft, rollover, exemptions.

        Raises:
            InvalidInputError: no or several holders, no such period, a negative budget, an unknown exemption.
            NotFoundError: no such project or person.
        """
        self._studio.actor.require(Permission.MANAGE_BUDGETS)
        if [project is not None, person is not None, each_person].count(True) != 1:
            raise InvalidInputError("Say whose budget it is.", hint="One of project, person, each person.")
        terms = terms or Terms()
        with self._studio.transaction() as session:
            tiers, kinds = _exemptions(session, terms.exempt)
            spec = BudgetSpec(
                _period(period), hours * spending.HOUR_S,
                catalogue.project(session, project).id if project is not None else None,
                _person(session, person).id if person is not None else None,
                terms.warn_at, terms.hard, terms.rolls_over, tiers, kinds,
            )  # fmt: skip
            return budgeting.set_budget(session, self._studio.actor, spec, self._studio.house.now())

    def grant(self, budget: str | uuid.UUID, hours: float, reason: str, *, person: str | None = None) -> None:
        """Give more GPU hours (below zero: fewer) in the present period only; audited with its reason."""
        with self._studio.transaction() as session:
            holder = _person(session, person).id if person is not None else None
            given = budgeting.Grant(_key(budget), hours * spending.HOUR_S, reason, holder)
            budgeting.grant_more(session, self._studio.actor, given, self._studio.house.now())

    def remove(self, budget: str | uuid.UUID) -> None:
        """Remove a budget with what was counted; what it held goes on."""
        with self._studio.transaction() as session:
            budgeting.remove(session, self._studio.actor, _key(budget))

    def lines(self) -> builtins.list[Line]:
        """Return every budget with each holder's account, with the use of the last 14 days."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            return budgeting.listing(session, self._studio.house.now())

    def list(self) -> pd.DataFrame:
        """Return one row per budget and holder: GPU hours allowed, used, reserved and left, and days until used up."""
        data = [
            {
                "budget_id": x.budget_id, "holder": x.holder, "scope": x.scope, "period": x.period.value,
                "limit_h": x.account.limit_s / 3600, "allowed_h": x.account.allowed_s / 3600,
                "used_h": x.account.settled_s / 3600, "reserved_h": x.account.reserved_s / 3600,
                "left_h": x.account.left_s / 3600, "percent": x.account.percent, "days_left": x.days_left,
                "hard": x.is_hard, "rolls_over": x.rolls_over,
                "warn_at": ", ".join(f"{p} %" for p in x.warn_percents), "exempt": ", ".join(x.exempt),
            }
            for x in self.lines()
        ]  # fmt: skip
        return pd.DataFrame(data, columns=COLUMNS).astype(object)

    def audit(self) -> builtins.list[str]:
        """Return each counter that differs from the sum of what it counts; none on a healthy studio."""
        self._studio.actor.require(Permission.MANAGE_BUDGETS)
        with self._studio.transaction() as session:
            return budgets.audit_counters(session)


def _period(word: str) -> BudgetPeriod:
    try:
        return BudgetPeriod(word.lower())
    except ValueError as error:
        raise InvalidInputError(f"There is no period '{word}'.", hint="day, week, month or total.") from error


def _key(budget: str | uuid.UUID) -> uuid.UUID:
    try:
        return budget if isinstance(budget, uuid.UUID) else uuid.UUID(budget)
    except ValueError as error:
        raise InvalidInputError(f"'{budget}' is no key of a budget.", hint="'x121 budget list'.") from error


def _person(session: Session, email: str) -> m.Person:
    row = find_person_by_email(session, email)
    if row is None:
        raise NotFoundError(f"Nobody has the address '{email}'.", hint="'x121 person list'.")
    return row


def _exemptions(session: Session, names: Sequence[str]) -> tuple[tuple[uuid.UUID, ...], tuple[TaskKind, ...]]:
    kinds = {kind.value: kind for kind in TaskKind}
    tiers = [catalogue.tier(session, name).id for name in names if name.lower() not in kinds]
    return tuple(tiers), tuple(kinds[name.lower()] for name in names if name.lower() in kinds)
