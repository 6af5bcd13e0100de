"""Budgets of GPU time, as the façade offers them: set, granted, removed, listed."""

from __future__ import annotations

import builtins
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from x121lib import model as m
from x121lib.access.queries import find_person_by_email
from x121lib.base.errors import InvalidInputError, NotFoundError
from x121lib.catalogue import queries as catalogue
from x121lib.scheduling import balances, budgeting, budgets, spending
from x121lib.scheduling.balances import Line, Unlimited
from x121lib.scheduling.budgeting import BudgetSpec
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import BudgetPeriod, TaskKind

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from x121lib.studio.core import Studio

COLUMNS = [
    "budget_id", "holder", "scope", "period", "limit_h", "allowed_h", "used_h", "reserved_h", "left_h", "percent",
    "days_left", "runs_out_on", "resets_on", "hard", "rolls_over", "warn_at", "exempt",
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

    def add(
        self, hours: float, holder_id: uuid.UUID | None, *, period: str = "total", terms: Terms | None = None
    ) -> uuid.UUID:
        """Set a budget where there is none yet; returns its key.

        Args:
            hours: GPU hours per period.
            holder_id: key of the project or person; None for each person by themselves.
            period: as in `set`.
            terms: warnings, hard or soft, rollover, exemptions.

        Raises:
            InvalidInputError: no such period, a negative budget, an unknown exemption.
            NotFoundError: no such project or person.
            ConflictError: the holder has a budget of that period.
        """
        self._studio.actor.require(Permission.MANAGE_BUDGETS)
        terms = terms or Terms()
        with self._studio.transaction() as session:
            project = session.get(m.Project, holder_id) if holder_id is not None else None
            person = session.get(m.Person, holder_id) if holder_id is not None and project is None else None
            if holder_id is not None and project is None and person is None:
                raise NotFoundError("There is no such project or person.", hint="Choose one from the list.")
            tiers, kinds = _exemptions(session, terms.exempt)
            spec = BudgetSpec(
                _period(period), hours * spending.HOUR_S, project.id if project is not None else None,
                person.id if person is not None else None, terms.warn_at, terms.hard, terms.rolls_over, tiers, kinds,
            )  # fmt: skip
            return budgeting.set_budget(session, self._studio.actor, spec, self._studio.house.now(), expected=0)

    def change(
        self, budget: str | uuid.UUID, hours: float, *, terms: Terms | None = None, expected: int | None = None
    ) -> int:
        """Give a budget other hours, and other terms where they are given; returns its new version.

        Args:
            budget: its key.
            hours: GPU hours per period.
            terms: warnings, hard or soft, rollover, exemptions; None leaves them.
            expected: the version that the person saw; None changes whatever there is.

        Raises:
            InvalidInputError: a negative budget, an unknown exemption.
            NotFoundError: no such budget.
            ConflictError: it is of another version than expected.
        """
        self._studio.actor.require(Permission.MANAGE_BUDGETS)
        with self._studio.transaction() as session:
            row = budgeting.find(session, _key(budget))
            spec = replace(budgeting.spec_of(session, row), limit_s=hours * spending.HOUR_S)
            if terms is not None:
                tiers, kinds = _exemptions(session, terms.exempt)
                spec = replace(spec, warn_percents=terms.warn_at, is_hard=terms.hard, rolls_over=terms.rolls_over,
                               exempt_tier_ids=tiers, exempt_kinds=kinds)  # fmt: skip
            budgeting.set_budget(session, self._studio.actor, spec, self._studio.house.now(), expected=expected)
            return row.version

    def grant(self, budget: str | uuid.UUID, hours: float, reason: str, *, person: str | None = None) -> None:
        """Give more GPU hours (below zero: fewer) in the present period only; audited with its reason."""
        self._studio.actor.require(Permission.MANAGE_BUDGETS)
        with self._studio.transaction() as session:
            holder = _person(session, person).id if person is not None else None
        self.grant_to(budget, hours, reason, holder)

    def grant_to(self, budget: str | uuid.UUID, hours: float, reason: str, person_id: uuid.UUID | None = None) -> None:
        """Grant as `grant` does, to a person by key."""
        with self._studio.transaction() as session:
            given = budgeting.Grant(_key(budget), hours * spending.HOUR_S, reason, person_id)
            budgeting.grant_more(session, self._studio.actor, given, self._studio.house.now())

    def remove(self, budget: str | uuid.UUID) -> None:
        """Remove a budget with what was counted; what it held goes on."""
        with self._studio.transaction() as session:
            budgeting.remove(session, self._studio.actor, _key(budget))

    def lines(self) -> builtins.list[Line]:
        """Return every budget with each holder's account, with the use of the last 14 days."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            return balances.listing(session, self._studio.house.now())

    def unlimited(self) -> builtins.list[Unlimited]:
        """Return the projects and people without a budget of their own, with what they used in the last 14 days."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            return balances.unlimited(session, self._studio.house.now())

    def list(self) -> pd.DataFrame:
        """Return one row per budget and holder: GPU hours allowed, used, reserved and left, and days until used up."""
        data = [
            {
                "budget_id": x.budget_id, "holder": x.holder, "scope": x.scope, "period": x.period.value,
                "limit_h": x.account.limit_s / 3600, "allowed_h": x.account.allowed_s / 3600,
                "used_h": x.account.settled_s / 3600, "reserved_h": x.account.reserved_s / 3600,
                "left_h": x.account.left_s / 3600, "percent": x.account.percent, "days_left": x.days_left,
                "runs_out_on": x.runs_out_on, "resets_on": x.resets_on, "hard": x.is_hard, "rolls_over": x.rolls_over,
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
