"""Recurring schedules, as the façade offers them."""

from __future__ import annotations

import builtins
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import pandas as pd
import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.log import get_logger
from x121lib.pipeline import schedules
from x121lib.pipeline.schedules import NewSchedule
from x121lib.scheduling import cron as reading
from x121lib.terms.roles import Permission

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from x121lib.studio.core import Studio

__all__ = ["NewSchedule", "Ran", "Schedules", "SetSchedule"]
_log = get_logger(__name__)
COLUMNS = [
    "schedule_id", "schedule", "cron", "zone", "project", "person", "chosen", "tier", "priority", "off_peak",
    "failed_only", "missed", "enabled", "next_due_at", "last_outcome", "last_due_at",
]  # fmt: skip
RUN_COLUMNS = ["due_at", "ran_at", "outcome", "scenes", "takes", "batch_id", "message"]


@dataclass(frozen=True)
class Ran:
    """What became of one due time."""

    due_at: datetime
    """The time."""
    outcome: str
    """``submitted``, ``nothing to do``, ``refused`` or ``skipped``."""
    n_scenes: int
    """Scenes that were queued."""
    n_takes: int
    """Takes that were queued."""
    batch_id: uuid.UUID | None
    """The batch."""
    message: str
    """What is to be said of it."""


@dataclass(frozen=True)
class SetSchedule:
    """A schedule as it is set."""

    schedule_id: uuid.UUID
    """Its key."""
    given: NewSchedule
    """What was asked for; of what it chose and was deleted since, what is left."""
    person: str
    """Whose rights it has."""
    is_enabled: bool
    """Whether it runs."""
    n_lost: int
    """How many of the characters, scene types and variant kinds that it chose were deleted since."""
    version: int
    """Number of its changes, for `Schedules.change`."""


class Schedules:
    """Submissions that come again and again: when, of what, as whom, and what became of each time."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def add(self, given: NewSchedule) -> uuid.UUID:
        """Set a schedule; it submits as the actor. Returns its key."""
        with self._studio.transaction() as session:
            return schedules.add(session, self._studio.actor, given, self._studio.house.now()).id

    def show(self, name: str) -> SetSchedule:
        """Return a schedule, by name or key, as it is set; raises `NotFoundError`."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            return _set(session, schedules.find(session, name))

    def change(self, name: str, given: NewSchedule, *, version: int | None = None) -> SetSchedule:
        """Change a schedule in place; where it then submits something else, it does so as the actor.

        Args:
            name: its name or key.
            given: what it is to be.
            version: the one that was looked at; None changes it whatever it is now.

        Raises:
            ConflictError: its new name is taken, or it was changed since ``version``.
            ForbiddenError, InvalidInputError, NotFoundError: it is left as it was.
        """
        with self._studio.transaction() as session:
            now = self._studio.house.now()
            return _set(session, schedules.change(session, self._studio.actor, name, given, now, version))

    def times(self, cron: str, zone: str, n: int = 5) -> builtins.list[datetime]:
        """Return the next ``n`` moments (UTC) at which a cron expression comes in a time zone; writes nothing.

        Raises:
            InvalidInputError: the expression or the zone is none.
        """
        self._studio.actor.require(Permission.VIEW)
        when, clock, at = reading.read(cron), schedules.zone_of(zone), self._studio.house.now()
        return [at := reading.next_after(when, clock, at) for _ in range(n)]

    def enable(self, name: str) -> datetime | None:
        """Let a schedule run from its next time on; returns that."""
        with self._studio.transaction() as session:
            now = self._studio.house.now()
            return schedules.set_enabled(session, self._studio.actor, name, is_enabled=True, now=now).next_due_at

    def disable(self, name: str) -> None:
        """Let a schedule run no more until it is enabled; times that pass meanwhile are not missed."""
        with self._studio.transaction() as session:
            now = self._studio.house.now()
            schedules.set_enabled(session, self._studio.actor, name, is_enabled=False, now=now)

    def remove(self, name: str) -> None:
        """Remove a schedule with its log; what it submitted stays."""
        with self._studio.transaction() as session:
            schedules.remove(session, self._studio.actor, name)

    def run_now(self, name: str) -> Ran:
        """Run a schedule at once, as its person, besides its times."""
        with self._studio.transaction() as session:
            return _ran(schedules.run_now(session, self._studio.actor, name, self._studio.house.now()))

    def run_due(self) -> builtins.list[Ran]:
        """Run every schedule whose time has come: what the consumers' tick calls; each time runs once."""
        found: builtins.list[Ran] = []
        while True:
            with self._studio.transaction() as session:
                run = schedules.run_due(session, self._studio.house.now())
                if run is None:
                    return found
                found.append(_ran(run))
            _log.info("a schedule ran: %s %s", found[-1].outcome, found[-1].message)

    def list(self) -> pd.DataFrame:
        """Return one row per schedule with its next time and what became of the last."""
        self._studio.actor.require(Permission.VIEW)
        s, r = m.Schedule, m.ScheduleRun
        last = sa.select(r).where(r.schedule_id == s.id).order_by(r.due_at.desc()).limit(1).lateral()
        query = (
            sa.select(s, m.Project.name, m.Person.name, m.Tier.name, last.c.outcome_id, last.c.due_at)
            .join(m.Project, m.Project.id == s.project_id)
            .join(m.Person, m.Person.id == s.person_id)
            .outerjoin(m.Tier, m.Tier.id == s.tier_id)
            .outerjoin(last, sa.true())
            .order_by(s.name)
        )
        with self._studio.transaction() as session:
            rows = session.execute(query).all()
            chosen = {row[0].id: schedules.chosen_words(session, row[0]) for row in rows}
        data = [
            (s.id, s.name, s.cron, s.zone, project, person, chosen[s.id], tier or "the project's", s.class_id.value,
             s.is_off_peak, s.is_failed_only, "run once" if s.runs_missed else "skip", s.is_enabled, s.next_due_at,
             outcome.label if outcome is not None else None, due)
            for s, project, person, tier, outcome, due in rows
        ]  # fmt: skip
        return pd.DataFrame(data, columns=COLUMNS, dtype=object)

    def runs(self, name: str, limit: int = 50) -> pd.DataFrame:
        """Return what became of a schedule's last times, newest first."""
        self._studio.actor.require(Permission.VIEW)
        r = m.ScheduleRun
        with self._studio.transaction() as session:
            row = schedules.find(session, name)
            query = sa.select(r).where(r.schedule_id == row.id).order_by(r.due_at.desc()).limit(limit)
            data = [
                (run.due_at, run.ran_at, run.outcome_id.label, run.n_scenes, run.n_takes, run.batch_id, run.message)
                for run in session.scalars(query)
            ]
        return pd.DataFrame(data, columns=RUN_COLUMNS, dtype=object)


def _set(session: Session, row: m.Schedule) -> SetSchedule:
    person = session.get_one(m.Person, row.person_id).name
    return SetSchedule(
        row.id, schedules.stored(session, row), person, row.is_enabled, schedules.lost(session, row), row.version
    )


def _ran(run: m.ScheduleRun) -> Ran:
    return Ran(run.due_at, run.outcome_id.label, run.n_scenes, run.n_takes, run.batch_id, run.message)
