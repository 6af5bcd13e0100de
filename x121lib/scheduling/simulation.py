"""A studio's days in seconds: the same policy that dispatches, over submissions that were or that might be. Pure."""

from __future__ import annotations

import bisect
import heapq
import math
import random
import uuid
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from x121lib.scheduling import policy
from x121lib.scheduling.fairness import WINDOW_S, Shares, order

SPARE = 8
"""Tasks that a dispatch looks at beyond the free slots; fewer than `matching`'s, since the first ones of each share
suffice (see `fairness`) and what no free worker can run is looked past."""


@dataclass(frozen=True)
class Submission:
    """A scene that is submitted: a chain of takes, each after the one before."""

    at: datetime
    """When it is submitted."""
    seconds: Sequence[float]
    """GPU seconds of each take on a worker of speed 1, in order."""
    priority: int
    """0 to 100."""
    person_id: uuid.UUID
    """Who submits it."""
    project_id: uuid.UUID
    """Its project."""
    off_peak: bool = False
    """Whether it waits for everything else."""
    needs: frozenset[str] = frozenset()
    """Tags that its worker must have."""
    models: frozenset[str] = frozenset()
    """Model files that it loads."""


@dataclass(frozen=True)
class Machine:
    """A worker of the simulated fleet."""

    view: policy.WorkerView
    """Name, slots, tags; its load is the simulation's own."""
    speed: float = 1.0
    """Takes' seconds are divided by it."""


@dataclass(frozen=True)
class Run:
    """A take that ran."""

    scene: int
    """Number of its submission, from 0."""
    segment: int
    """1-based."""
    ready: datetime
    """When it could have run: submitted, and the take before it over."""
    start: datetime
    """When it began."""
    end: datetime
    """When it was over."""
    worker: str
    """Where it ran."""

    @property
    def wait_s(self) -> float:
        """Seconds that it was ready and did not run."""
        return (self.start - self.ready).total_seconds()

    @property
    def run_s(self) -> float:
        """Seconds that it ran."""
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True)
class Outcome:
    """What became of the submissions."""

    submissions: tuple[Submission, ...]
    """What was submitted, in order of time."""
    runs: tuple[Run, ...]
    """Every take that ran, by start."""
    machines: tuple[Machine, ...]
    """The fleet."""
    unfinished: int
    """Takes that were not over when the simulation ended, or that no worker can run."""

    def scenes(self) -> dict[int, list[Run]]:
        """Return the runs of each scene, in order."""
        found: dict[int, list[Run]] = defaultdict(list)
        for run in self.runs:
            found[run.scene].append(run)
        return found

    def utilisation(self) -> dict[str, float]:
        """Return by worker which part of the time from the first start to the last end it was busy, 0 to 1."""
        if not self.runs:
            return {machine.view.name: 0.0 for machine in self.machines}
        span = (max(r.end for r in self.runs) - self.runs[0].start).total_seconds()
        busy: dict[str, float] = defaultdict(float)
        for run in self.runs:
            busy[run.worker] += run.run_s
        return {m.view.name: busy[m.view.name] / (span * m.view.slots) if span else 0.0 for m in self.machines}

    def contended(self) -> dict[uuid.UUID, float]:
        """Return by person the GPU seconds of the time in which everybody who ever submits had a take ready.

        Only then can a share be unfair: at other times somebody wants less than the share. Empty where that never was.
        """
        people = {s.person_id for s in self.submissions}
        changes: list[tuple[datetime, uuid.UUID, int]] = []
        for run in self.runs:
            person = self.submissions[run.scene].person_id
            changes += [(run.ready, person, 1), (run.start, person, -1)]
        waiting: dict[uuid.UUID, int] = defaultdict(int)
        spans: list[tuple[datetime, datetime]] = []
        began: datetime | None = None
        for at, person, change in sorted(changes, key=lambda c: (c[0], c[2])):
            waiting[person] += change
            everybody = all(waiting[p] > 0 for p in people)
            if everybody and began is None:
                began = at
            elif not everybody and began is not None:
                spans.append((began, at))
                began = None
        used: dict[uuid.UUID, float] = defaultdict(float)
        for run in self.runs:
            person = self.submissions[run.scene].person_id
            used[person] += sum(_overlap_s(run, a, b) for a, b in spans if a < run.end and b > run.start)
        return dict(used) if spans else {}


def _overlap_s(run: Run, start: datetime, end: datetime) -> float:
    return max(0.0, (min(run.end, end) - max(run.start, start)).total_seconds())


def jain(values: Iterable[float]) -> float:
    """Return Jain's index of fairness, 1/n to 1: (sum x)² / (n · sum x²) (Jain, Chiu, Hawe 1984); 1 for nothing."""
    given = list(values)
    squares = sum(v * v for v in given)
    return sum(given) ** 2 / (len(given) * squares) if squares else 1.0


def simulate(
    submissions: Sequence[Submission], machines: Sequence[Machine], weights: Mapping[uuid.UUID, float] | None = None,
    until: datetime | None = None,
) -> Outcome:  # fmt: skip
    """Run the submissions through `policy.assign` as dispatch does: at each submission and each end of a take.

    Args:
        submissions: the scenes.
        machines: the fleet; ``busy`` and ``loaded`` of the views are ignored.
        weights: weights of shares, by person and project.
        until: end; None: until nothing is left that can run.
    """
    return _Run(submissions, machines, weights or {}).go(until)


@dataclass
class _Waiting:
    candidate: policy.Candidate
    scene: int
    segment: int
    ready: datetime

    @property
    def task_id(self) -> uuid.UUID:
        return self.candidate.task_id

    @property
    def priority(self) -> int:
        return self.candidate.priority

    @property
    def queued_at(self) -> datetime:
        return self.candidate.queued_at

    @property
    def project_id(self) -> uuid.UUID | None:
        return self.candidate.project_id

    @property
    def person_id(self) -> uuid.UUID | None:
        return self.candidate.person_id


_Kind = tuple[bool, uuid.UUID | None, uuid.UUID | None, int, frozenset[str], frozenset[str]]
"""Off-peak, project, person, priority, tags, models: tasks that are alike for the policy but for their age."""


@dataclass
class _Run:
    given: Sequence[Submission]
    machines: Sequence[Machine]
    weights: Mapping[uuid.UUID, float]
    waiting: dict[uuid.UUID, _Waiting] = field(default_factory=dict)
    shares_of: dict[_Kind, list[_Waiting]] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.given = sorted(self.given, key=lambda s: s.at)
        self.views = {m.view.worker_id: replace(m.view, busy=0, loaded=frozenset()) for m in self.machines}
        self.speed = {m.view.worker_id: m.speed for m in self.machines}
        self.events: list[tuple[datetime, int, int, int, uuid.UUID | None]] = []
        self.used: deque[tuple[datetime, float, uuid.UUID, uuid.UUID]] = deque()
        self.sums: dict[uuid.UUID, float] = defaultdict(float)
        self.running: dict[tuple[int, int], datetime] = {}
        self.number = 0
        for scene, submission in enumerate(self.given):
            self._push(submission.at, scene, 0, None)

    def go(self, until: datetime | None) -> Outcome:
        while self.events:
            now = self.events[0][0]
            if until is not None and now > until:
                break
            while self.events and self.events[0][0] == now:
                self._happen(heapq.heappop(self.events))
            self._dispatch(now)
        total = sum(len(s.seconds) for s in self.given)
        done = [run for run in self.runs if until is None or run.end <= until]
        return Outcome(tuple(self.given), tuple(sorted(done, key=lambda r: r.start)), tuple(self.machines),
                       total - len(done))  # fmt: skip

    def _push(self, at: datetime, scene: int, segment: int, worker_id: uuid.UUID | None) -> None:
        self.number += 1
        heapq.heappush(self.events, (at, self.number, scene, segment, worker_id))

    def _happen(self, event: tuple[datetime, int, int, int, uuid.UUID | None]) -> None:
        now, _, scene, segment, worker_id = event
        if scene < 0:
            return  # a look again, for what waited for a warm worker
        submission = self.given[scene]
        if worker_id is not None:
            view = self.views[worker_id]
            self.views[worker_id] = replace(view, busy=view.busy - 1)
            began = self.running.pop((scene, segment))
            self._charge(now, (now - began).total_seconds(), submission)
        if segment < len(submission.seconds):
            self._wait(now, scene, segment + 1)

    def _charge(self, now: datetime, seconds: float, submission: Submission) -> None:
        self.used.append((now, seconds, submission.person_id, submission.project_id))
        for key in (submission.person_id, submission.project_id):
            self.sums[key] += seconds

    def _wait(self, now: datetime, scene: int, segment: int) -> None:
        s = self.given[scene]
        key = uuid.UUID(int=(scene << 16) + segment)
        candidate = policy.Candidate(
            key, s.priority, s.at, needs=s.needs, models=s.models, project_id=s.project_id, person_id=s.person_id,
            off_peak=s.off_peak, seconds=_NOTHING,
        )  # fmt: skip
        self.waiting[key] = waiting = _Waiting(candidate, scene, segment, now)
        kind = (s.off_peak, s.project_id, s.person_id, s.priority, s.needs, s.models)
        bisect.insort(self.shares_of.setdefault(kind, []), waiting, key=lambda w: (w.queued_at, w.task_id))

    def _shares(self, now: datetime) -> Shares:
        while self.used and (now - self.used[0][0]).total_seconds() > WINDOW_S:
            _, seconds, person, project = self.used.popleft()
            self.sums[person] -= seconds
            self.sums[project] -= seconds
        used = dict(self.sums)
        active = {w.scene for w in self.waiting.values()} | {scene for scene, _ in self.running}
        for (scene, _), began in self.running.items():
            for key in (self.given[scene].person_id, self.given[scene].project_id):
                used[key] = used.get(key, 0.0) + (now - began).total_seconds()
        people = {self.given[s].person_id for s in active} | {p for _, _, p, _ in self.used}
        projects = {self.given[s].project_id for s in active} | {p for _, _, _, p in self.used}
        return Shares(used, self.weights, frozenset(people), frozenset(projects))

    def _dispatch(self, now: datetime) -> None:
        free = sum(v.slots - v.busy for v in self.views.values() if v.available)
        if not free or not self.waiting:
            return
        shares = self._shares(now)
        for assignment in self._assigned(now, free, shares):
            waiting = self.waiting.pop(assignment.task_id)
            self._leave(waiting)
            view = self.views[assignment.worker_id]
            models = waiting.candidate.models
            self.views[assignment.worker_id] = replace(view, busy=view.busy + 1, loaded=models or view.loaded)
            seconds = self.given[waiting.scene].seconds[waiting.segment - 1] / self.speed[assignment.worker_id]
            end = now + timedelta(seconds=seconds)
            self.running[waiting.scene, waiting.segment] = now
            self.runs.append(Run(waiting.scene, waiting.segment, waiting.ready, now, end, view.name))
            self._push(end, waiting.scene, waiting.segment, assignment.worker_id)
        if self.waiting and any(v.slots > v.busy for v in self.views.values()):
            young = [w.queued_at for w in self.waiting.values() if w.candidate.models]
            again = [at + timedelta(seconds=policy.WARM_WAIT_S) for at in young]
            later = min((at for at in again if at > now), default=None)
            if later is not None:
                self._push(later, -1, 0, None)

    def _assigned(self, now: datetime, free: int, shares: Shares) -> list[policy.Assignment]:
        """Return what is given out; work that no free worker can run is looked past, as `matching` does."""
        n = free + SPARE
        stuck: set[tuple[frozenset[str], frozenset[str]]] = set()
        seen: dict[uuid.UUID, policy.Candidate] = {}
        while True:
            first = {False: list[_Waiting](), True: list[_Waiting]()}
            for (off_peak, *_, needs, models), waiting in self.shares_of.items():
                if (needs, models) not in stuck:
                    first[off_peak] += waiting[:n]
            window = order(first[False], shares, n=n)
            window += order(first[True], shares, n=n - len(window))
            seen |= {w.task_id: w.candidate for w in window}
            chosen = policy.assign(list(seen.values()), list(self.views.values()), now, shares)
            if len(chosen) >= free or len(window) < n:
                return chosen
            given = {a.task_id for a in chosen}
            more = {(w.candidate.needs, w.candidate.models) for w in window if w.task_id not in given} - stuck
            if not more:
                return chosen
            stuck |= more

    def _leave(self, waiting: _Waiting) -> None:
        c = waiting.candidate
        kind = (c.off_peak, c.project_id, c.person_id, c.priority, c.needs, c.models)
        each = self.shares_of[kind]
        each.pop(bisect.bisect_left(each, (c.queued_at, c.task_id), key=lambda w: (w.queued_at, w.task_id)))
        if not each:
            del self.shares_of[kind]


_NOTHING: dict[uuid.UUID, float] = {}


def quantile(values: Sequence[float], part: float) -> float:
    """Return a quantile between order statistics (Hyndman and Fan 1996, type 7); NaN for none."""
    if not values:
        return math.nan
    ordered = sorted(values)
    place = part * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def vary(seconds: float, spread: float, drawn: random.Random) -> float:
    """Return a take's time around its mean: log-normal with the mean ``seconds`` and the spread as sigma of the log."""
    return seconds * math.exp(drawn.gauss(-spread * spread / 2, spread))
