"""Estimates before submission, as the façade offers them, and how they stood the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from x121lib import model as m
from x121lib.pipeline import estimating, histories
from x121lib.pipeline.estimating import Estimate
from x121lib.pipeline.submission import Selection
from x121lib.terms.roles import Permission

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

SPEEDS = ["workflow", "version", "tier", "width", "height", "worker", "takes", "mean_s", "deviation_s"]
COLUMNS = ["project", "at", "takes", "past_takes", "low_s", "expected_s", "high_s", "actual_s", "inside"]


class Estimates:
    """What a selection would cost, from past takes of the same workflow version, tier and resolution."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def of(self, project: str, selection: Selection | None = None) -> Estimate:
        """Return GPU time with an 80 % interval, wall clock with this fleet and queue, and disk; changes nothing."""
        key = self._studio.project(project).project_id
        with self._studio.transaction() as session:
            row = session.get_one(m.Project, key)
            now = self._studio.house.now()
            return estimating.estimate(session, self._studio.actor, row, selection or Selection(), now)

    def speeds(self) -> pd.DataFrame:
        """Return one row per workflow version, tier, size and worker: takes, mean and deviation of GPU seconds."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            return pd.DataFrame(histories.speeds(session), columns=SPEEDS)

    def calibration(self) -> pd.DataFrame:
        """Return one row per estimated batch that is over: what was expected, what it needed, whether it was inside."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            return pd.DataFrame(histories.calibration(session), columns=COLUMNS)
