"""Whose turn it is: priority, age and fair share of GPU time in one number. Pure.

The turn of a task is ``queued_at - priority * AGE_STEP_S + FAIR_S * excess``, in seconds; the smallest goes first.
*Excess*, from 0 to 1, is how far the person or the project (whichever is worse) is above their fair share of the GPU
time of the last `WINDOW_S`.

Nobody starves: priority is at most 100 and excess at most 1, so a task queued at *t* goes before every task that is
queued after *t* + 100 · `AGE_STEP_S` + `FAIR_S` (`LONGEST_OVERTAKING_S`), whatever their priorities and shares. Two
tasks of one share are compared by priority and age alone, so of each share and priority the first *n* suffice to fill
*n* slots: a window over them loses nothing.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

AGE_STEP_S = 8640.0
"""Seconds of waiting that weigh as much as one point of priority: Normal overtakes a new Urgent after three days, so
that a batch of one weekend, however long, holds up no urgent take on Monday (`scenarios`, `x121 simulate`)."""
FAIR_S = 3600.0
"""Seconds by which a task is put back whose person or project used all GPU time; less than between two classes."""
WINDOW_S = 86_400.0
"""Seconds over which GPU time is counted."""
LONGEST_OVERTAKING_S = 100 * AGE_STEP_S + FAIR_S
"""Seconds after which a newer task can no longer overtake: 10 days and an hour; from Background to Urgent 6 days."""
UNKNOWN_S = 60.0
"""GPU seconds that a turn counts where nothing is measured yet."""


class Waiting(Protocol):
    """What a waiting task must say of itself."""

    @property
    def task_id(self) -> uuid.UUID:
        """Its key."""
        ...

    @property
    def priority(self) -> int:
        """0 to 100."""
        ...

    @property
    def queued_at(self) -> datetime:
        """When it began to wait."""
        ...

    @property
    def project_id(self) -> uuid.UUID | None:
        """Its project."""
        ...

    @property
    def person_id(self) -> uuid.UUID | None:
        """Who submitted it."""
        ...


T = TypeVar("T", bound=Waiting)


@dataclass(frozen=True)
class Shares:
    """GPU time that people and projects used lately, and what is fair."""

    used: Mapping[uuid.UUID, float] = field(default_factory=dict)
    """GPU seconds of the last `WINDOW_S` by person and by project, running takes included."""
    weights: Mapping[uuid.UUID, float] = field(default_factory=dict)
    """Weights by person and by project; 1 where none is set."""
    people: frozenset[uuid.UUID] = frozenset()
    """People who used GPU time or wait for it."""
    projects: frozenset[uuid.UUID] = frozenset()
    """Projects that used GPU time or wait for it."""


@dataclass(frozen=True)
class Standing:
    """How a person or project stands."""

    used: float
    """Part of the GPU time that was used, 0 to 1."""
    fair: float
    """Part that is fair, 0 to 1: by weight among those who used some or wait."""

    @property
    def excess(self) -> float:
        """How far above the fair share, 0 to 1."""
        return max(0.0, self.used - self.fair)


def static_turn(task: Waiting) -> float:
    """Return the part of a task's turn that does not change while it waits, in seconds."""
    return task.queued_at.timestamp() - task.priority * AGE_STEP_S


class Ledger:
    """Shares while turns are given: what is given now counts as used already."""

    def __init__(self, shares: Shares, tasks: Iterable[Waiting] = ()) -> None:
        tasks = list(tasks)
        people = shares.people | {t.person_id for t in tasks if t.person_id is not None}
        projects = shares.projects | {t.project_id for t in tasks if t.project_id is not None}
        self._places: dict[uuid.UUID | None, int] = {key: i for i, key in enumerate([*people, *projects])}
        self._side = [0] * len(people) + [1] * len(projects)
        self._used = [shares.used.get(key, 0.0) for key in (*people, *projects)]
        weights = [max(0.0, shares.weights.get(key, 1.0)) for key in (*people, *projects)]
        self._totals, sums = [0.0, 0.0], [0.0, 0.0]
        for side, used, weight in zip(self._side, self._used, weights, strict=True):
            self._totals[side] += used
            sums[side] += weight
        self._fair = [w / sums[side] if sums[side] else 1.0 for side, w in zip(self._side, weights, strict=True)]

    def standing(self, key: uuid.UUID | None) -> Standing:
        """Return how a person or project stands; nobody's share is always fair."""
        place = self._places.get(key)
        if place is None:
            return Standing(0.0, 1.0)
        total = self._totals[self._side[place]]
        return Standing(self._used[place] / total if total > 0 else 0.0, self._fair[place])

    def excess(self, task: Waiting) -> float:
        """Return the worse excess of a task's person and project."""
        return max(self.standing(task.person_id).excess, self.standing(task.project_id).excess)

    def charge(self, task: Waiting, seconds: float) -> None:
        """Count GPU seconds for a task's person and project."""
        for key in (task.person_id, task.project_id):
            place = self._places.get(key)
            if place is not None:
                self._used[place] += seconds
                self._totals[self._side[place]] += seconds

    def place(self, key: uuid.UUID | None) -> int:
        """Return the number of a person or project in `excesses`; nobody's is the last, which is 0."""
        return self._places.get(key, -1)

    def excesses(self) -> list[float]:
        """Return the excess of everybody, and 0 behind them."""
        totals = [total if total > 0 else 1.0 for total in self._totals]
        found = [
            max(0.0, used / totals[side] - fair)
            for used, side, fair in zip(self._used, self._side, self._fair, strict=True)
        ]
        return [*found, 0.0]


class Turns(Generic[T]):
    """Waiting tasks, given out one after the other by whose turn it is."""

    def __init__(self, tasks: Sequence[T], shares: Shares | None = None) -> None:
        self.ledger = Ledger(shares or Shares(), tasks)
        groups: dict[tuple[uuid.UUID | None, uuid.UUID | None], list[tuple[float, uuid.UUID, T]]] = defaultdict(list)
        for task in tasks:
            groups[task.project_id, task.person_id].append((static_turn(task), task.task_id, task))
        place = self.ledger.place
        self._groups = [
            (place(project), place(person), sorted(group, key=lambda g: g[:2], reverse=True))
            for (project, person), group in groups.items()
        ]
        self._excesses = self.ledger.excesses()

    def next(self) -> T | None:
        """Return the task whose turn it is and take it out; None where none is left."""
        excesses, best, found = self._excesses, None, None
        for project, person, group in self._groups:
            if group:
                head = group[-1]
                turn = (head[0] + FAIR_S * max(excesses[project], excesses[person]), head[1])
                if best is None or turn < best:
                    best, found = turn, group
        return found.pop()[2] if found is not None else None

    def charge(self, task: T, seconds: float) -> None:
        """Count GPU seconds for a task, for the turns after it."""
        self.ledger.charge(task, seconds)
        self._excesses = self.ledger.excesses()

    def turn(self, task: T) -> float:
        """Return a task's turn in seconds, as shares stand now."""
        return static_turn(task) + FAIR_S * self.ledger.excess(task)


@dataclass(frozen=True)
class Used:
    """GPU time that was used."""

    at: datetime
    """When it ended; it counts for `WINDOW_S` from here."""
    seconds: float
    """GPU seconds."""
    person_id: uuid.UUID | None
    """Who asked for it."""
    project_id: uuid.UUID
    """For which project."""


def even_again(history: Sequence[Used], key: uuid.UUID, fair: float) -> datetime | None:
    """Return when a person or project is back at its fair share if nobody uses anything more; None where it is now.

    What was used leaves the window piece by piece, the oldest first. Where others go on, it is sooner.

    Args:
        history: what was used in the window.
        key: the person or project.
        fair: its fair part, 0 to 1.
    """
    is_person = any(u.person_id == key for u in history)
    counted = [u for u in history if u.person_id is not None] if is_person else list(history)
    mine = [u for u in counted if key in (u.person_id, u.project_id)]
    own, total = sum(u.seconds for u in mine), sum(u.seconds for u in counted)
    for used in sorted(counted, key=lambda u: u.at):
        if own <= fair * total:
            return None
        total -= used.seconds
        own -= used.seconds if key in (used.person_id, used.project_id) else 0.0
        if own <= fair * total + _TINY_S:
            return used.at + timedelta(seconds=WINDOW_S)
    return None


_TINY_S = 1e-6


def order(
    tasks: Sequence[T], shares: Shares | None = None, seconds: float = UNKNOWN_S, n: int | None = None
) -> list[T]:
    """Return the first ``n`` tasks (None: all) by turn, each counted with ``seconds`` for those after it."""
    turns: Turns[T] = Turns(tasks, shares)
    found: list[T] = []
    while (n is None or len(found) < n) and (task := turns.next()) is not None:
        turns.charge(task, seconds)
        found.append(task)
    return found
