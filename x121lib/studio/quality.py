"""Thresholds tried on takes that were measured already, and how far gates and reviewers agree."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from x121lib.base.errors import InvalidInputError, NotFoundError
from x121lib.qa import agreement, queries, trying
from x121lib.qa.metrics import metric
from x121lib.qa.profiles import Profile, load_profile
from x121lib.terms.quality import Outcome
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import DecisionOutcome

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

MOST_DAYS = 3650.0
"""Longest time that is looked back, in days."""


class Quality:
    """`studio.quality`."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def what_if(
        self, profile: Profile | Path | str, *, of: str | None = None, days: float = 7, project: str | None = None
    ) -> trying.WhatIf:
        """Return what a proposed profile would have said of the takes of the last days; nothing is changed.

        Args:
            profile: the profile, or its TOML file.
            of: name of the profile whose takes are looked at, and whose newest version it is compared with; None: the
                proposed one's own name.
            days: how far back.
            project: look at one project only.

        Raises:
            NotFoundError: there is no profile or project of that name.
            InvalidInputError: the file is no profile, or ``days`` makes no sense.
        """
        self._studio.actor.require(Permission.VIEW)
        proposed = profile if isinstance(profile, Profile) else load_profile(Path(profile))
        name = of or proposed.name
        project_id = self._studio.project(project).project_id if project is not None else None
        since = self._studio.house.now() - _days(days)
        with self._studio.transaction() as session:
            now = queries.newest_gates(session, name)
            if now is None:
                raise NotFoundError(f"There is no QA profile named {name}.", hint="Name the one to compare with.")
            rows = queries.scored_takes(session, name, since, project_id)
        return trying.what_if(list(_measured(rows)), list(now.values()), list(proposed.gates))

    def agreement(self, *, days: float = 90, project: str | None = None) -> pd.DataFrame:
        """Return one row per gate: how far it and the reviewers agreed on the cuts decided in the last days.

        ``precision``: of the cuts that it marked, the share that was rejected; ``recall``: of those rejected, the share
        that it had marked; ``false_alarms``: of those approved, the share that it had marked. Each with a 95 %
        interval (``_low``, ``_high``); empty without a case.

        Raises:
            InvalidInputError: ``days`` makes no sense.
        """
        self._studio.actor.require(Permission.VIEW)
        project_id = self._studio.project(project).project_id if project is not None else None
        since = self._studio.house.now() - _days(days)
        with self._studio.transaction() as session:
            rows = queries.decided_verdicts(session, since, project_id)
        verdicts: dict[tuple[uuid.UUID, bool], dict[str, Outcome]] = {}
        for cut, what, name, outcome in rows:
            if what is not DecisionOutcome.FLAG:
                verdicts.setdefault((cut, what is DecisionOutcome.REJECT), {})[name] = outcome
        cuts = [agreement.Decided(is_rejected, found) for (_, is_rejected), found in verdicts.items()]
        shares = ("precision", "recall", "false_alarms")
        columns = ["metric", "label", "decided", *(f"{s}{end}" for s in shares for end in ("", "_low", "_high"))]
        data = []
        for each in agreement.agreement(cuts):
            numbers = [n for s in shares for n in (getattr(each, s).value, *getattr(each, s).interval)]
            data.append((each.metric, metric(each.metric).label, each.decided, *numbers))
        return pd.DataFrame(data, columns=columns)


def effects(found: trying.WhatIf) -> pd.DataFrame:
    """Return one row per gate: takes passed, borderline and failed, now and with the proposed thresholds."""
    sides, outcomes = ("now", "then"), (Outcome.PASS, Outcome.WARN, Outcome.FAIL)
    columns = ["metric", *(f"{o.label}_{side}" for o in outcomes for side in sides), "unmeasured"]
    rows = [(e.metric, *(getattr(e, side)[o] for o in outcomes for side in sides), e.unmeasured) for e in found.effects]
    return pd.DataFrame(rows, columns=columns)


def in_words(found: trying.WhatIf, days: float) -> str:
    """Return the whole in a sentence."""
    if not found.takes:
        return f"No take was finished under this profile in the last {days:g} days."
    now, then = (found.count(Outcome.FAIL, then=side) for side in (False, True))
    more = sum(len(takes) for (a, b), takes in found.changes.items() if b is Outcome.FAIL and a is not Outcome.FAIL)
    fewer = sum(len(takes) for (a, b), takes in found.changes.items() if a is Outcome.FAIL and b is not Outcome.FAIL)
    return (
        f"Of {found.takes} takes of the last {days:g} days {now} fail now and {then} would: "
        f"{more} that pass now would fail, {fewer} that fail now would pass."
    )


def _days(days: float) -> timedelta:
    if not 0 < days <= MOST_DAYS:
        raise InvalidInputError(
            f"{days:g} days can not be looked back.", hint=f"Give more than 0, up to {MOST_DAYS:g}."
        )
    return timedelta(days=days)


def _measured(rows: Sequence[tuple[uuid.UUID, int, str, float]]) -> Iterator[trying.Measured]:
    for take, own in groupby(rows, key=lambda row: row[0]):
        scores = list(own)
        yield trying.Measured(take, scores[0][1] == 1, {name: value for _, _, name, value in scores})
