"""Simulations of the queue, as the façade offers them: a week that might be, or the last days again."""

from __future__ import annotations

import html
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.errors import InvalidInputError, NotFoundError
from x121lib.scheduling import queries, scenarios, shares, simulation
from x121lib.scheduling.scenarios import Week
from x121lib.studio.display import bars
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import AttemptOutcome

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

NOBODY = uuid.UUID(int=0)
MOST_DAYS = 31
"""Days that are replayed at most."""
CLASS_COLUMNS = [
    "class",
    "scenes",
    "wait_median_min",
    "wait_p95_min",
    "wait_max_min",
    "done_median_min",
    "done_p95_min",
]


class SimulationResult:
    """What became of the submissions: waiting times, use of the workers, fairness.

    Attributes:
        title: what was simulated.
        outcome: every take that ran.
        unfinished: takes that no worker can run.
    """

    def __init__(self, title: str, outcome: simulation.Outcome, names: Mapping[uuid.UUID, str]) -> None:
        self.title, self.outcome, self._names = title, outcome, names
        self.unfinished = outcome.unfinished

    def classes(self) -> pd.DataFrame:
        """Return one row per priority: scenes, and minutes from submission to the first take and to the last one's end.

        Medians, 95th percentiles and the longest.
        """
        waits: dict[str, list[float]] = defaultdict(list)
        ends: dict[str, list[float]] = defaultdict(list)
        for scene, runs in self.outcome.scenes().items():
            submission = self.outcome.submissions[scene]
            name = _class_of(submission)
            waits[name].append((runs[0].start - submission.at).total_seconds() / 60)
            ends[name].append((runs[-1].end - submission.at).total_seconds() / 60)
        q = simulation.quantile
        rows = [
            (name, len(w), q(w, 0.5), q(w, 0.95), max(w), q(ends[name], 0.5), q(ends[name], 0.95))
            for name, w in sorted(waits.items())
        ]
        return pd.DataFrame(rows, columns=CLASS_COLUMNS).round(1)

    def people(self) -> pd.DataFrame:
        """Return one row per person: GPU hours, and their part of the time in which everybody had work waiting."""
        used: dict[uuid.UUID, float] = defaultdict(float)
        for run in self.outcome.runs:
            used[self.outcome.submissions[run.scene].person_id] += run.run_s
        contended = self.outcome.contended()
        total = sum(contended.values())
        rows = [
            (self._names.get(key, str(key)), seconds / 3600, contended.get(key, 0.0) / total if total else float("nan"))
            for key, seconds in used.items()
        ]
        return pd.DataFrame(rows, columns=["person", "gpu_h", "part_when_all_wait"]).sort_values("person").round(3)

    def workers(self) -> pd.DataFrame:
        """Return one row per worker: which part of the time from the first start to the last end it was busy."""
        return pd.DataFrame(sorted(self.outcome.utilisation().items()), columns=["worker", "busy"]).round(3)

    def takes(self) -> pd.DataFrame:
        """Return one row per take: scene, segment, person, when it was ready, its start, its end, its worker."""
        rows = [
            (r.scene, r.segment, self._names.get(self.outcome.submissions[r.scene].person_id, ""), r.ready, r.start,
             r.end, r.worker)
            for r in self.outcome.runs
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=["scene", "segment", "person", "ready", "start", "end", "worker"])

    @property
    def fairness(self) -> float:
        """Jain's index over the GPU time that people got while all of them had work waiting; 1 is fair, 1/n is not."""
        return simulation.jain(self.outcome.contended().values())

    def _repr_html_(self) -> str:
        tables = [frame.to_html(index=False, border=0) for frame in (self.classes(), self.people())]
        busy = bars(self.workers(), "worker", ["busy"])._repr_html_()
        fair = f"<p>Fairness while everybody waits (Jain): {self.fairness:.3f}</p>"
        return f"<h4>{html.escape(self.title)}</h4>{''.join(tables)}{busy}{fair}"

    def __repr__(self) -> str:
        tables = [frame.to_string(index=False) for frame in (self.classes(), self.people(), self.workers())]
        return "\n\n".join([self.title, *tables, f"Fairness while everybody waits (Jain): {self.fairness:.3f}"])


class Simulations:
    """What the queue would do: the policy that dispatches, over submissions that were or that might be."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def week(self, given: Week | None = None) -> SimulationResult:
        """Simulate a week as three people might make it.

        Raises:
            InvalidInputError: a number that no studio can have.
        """
        chosen = given or Week()
        submissions, machines = scenarios.week(chosen)
        names = {key: name for name, key in scenarios.PEOPLE.items()}
        return SimulationResult(
            f"{len(submissions)} scenes of {chosen.segments} takes in a week on {chosen.workers} GPUs",
            simulation.simulate(submissions, machines), names,
        )  # fmt: skip

    def replay(self, days: int = 7, workers: int | None = None) -> SimulationResult:
        """Simulate the takes that were completed of what was submitted in the last days, with the times that they took.

        Args:
            days: 1 to 31.
            workers: so many workers of one slot each; None: the fleet as it is, as if it were always online.

        Raises:
            InvalidInputError: days or workers out of range.
            NotFoundError: nothing was completed in that time, or there is no worker.
        """
        self._studio.actor.require(Permission.VIEW)
        if not 1 <= days <= MOST_DAYS:
            raise InvalidInputError(f"1 to {MOST_DAYS} days can be replayed, not {days}.")
        if workers is not None and not 1 <= workers <= 10_000:
            raise InvalidInputError(f"A fleet has 1 to 10,000 workers, not {workers}.")
        now = self._studio.house.now()
        with self._studio.transaction() as session:
            rows = session.execute(_history().where(m.GpuTask.queued_at > now - timedelta(days=days))).all()
            views = queries.worker_views(session, now)
            people = dict(session.execute(sa.select(m.Person.id, m.Person.name)).all())
            weights = shares.weights(session)
        if not rows:
            raise NotFoundError(f"No take was completed of what was submitted in the last {days} days.")
        if not views and workers is None:
            raise NotFoundError("There is no worker.", hint="Say how many: --workers 4.")
        machines = (
            scenarios.fleet([f"gpu {n}" for n in range(1, workers + 1)])
            if workers is not None
            else [simulation.Machine(replace(view, available=True)) for view in views]
        )
        submissions = _submissions(rows)
        title = f"{len(submissions)} scenes and images of the last {days} days on {len(machines)} workers"
        outcome = simulation.simulate(submissions, machines, weights)
        return SimulationResult(title, outcome, {**people, NOBODY: "X121"})


def _class_of(submission: simulation.Submission) -> str:
    name = next((n for n, p in scenarios.CLASSES.items() if p == submission.priority), str(submission.priority))
    return f"{name}, off-peak" if submission.off_peak else name


def _history() -> sa.Select[*tuple[Any, ...]]:
    t, a = m.GpuTask, m.GpuTaskAttempt
    return (
        sa.select(m.Segment.scene_id, t.batch_id, t.id, m.Segment.sequence_index, t.queued_at, t.priority,
                  t.submitted_by_id, t.project_id, t.is_off_peak, a.run_s)
        .join(a, sa.and_(a.task_id == t.id, a.outcome_id == AttemptOutcome.COMPLETE))
        .outerjoin(m.Take, m.Take.id == t.take_id)
        .outerjoin(m.Segment, m.Segment.id == m.Take.segment_id)
        .where(a.run_s.is_not(None))
        .order_by(t.queued_at, m.Segment.scene_id, m.Segment.sequence_index, t.id)
    )  # fmt: skip


def _submissions(rows: Sequence[Any]) -> list[simulation.Submission]:
    chains: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
    for row in rows:
        key = (row.scene_id, row.queued_at, row.batch_id) if row.scene_id is not None else (row.id,)
        chains[key].append(row)
    return [
        simulation.Submission(
            each[0].queued_at, [max(0.001, row.run_s) for row in each], each[0].priority,
            each[0].submitted_by_id or NOBODY, each[0].project_id, each[0].is_off_peak,
        )
        for each in chains.values()
    ]  # fmt: skip
