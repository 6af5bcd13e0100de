"""Where tasks stand when a person moves them: new turns, so that dispatch serves them in the place asked for. Pure.

Moving changes the moment from which a task's age counts and nothing else: priority, fair shares and off-peak still do
what they do. To the front and to the back are told from everybody's turn whatever the shares become; before and after
another task are told as shares stand now.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from x121lib.scheduling.fairness import AGE_STEP_S, FAIR_S, Shares, Turns, Waiting, static_turn

STEP_S = 0.001
"""Seconds between the turns of tasks that are moved together."""
GAP_S = 0.00001
"""Least seconds between two turns where one is put between them; clocks and the database count microseconds."""


class Where(StrEnum):
    """The places that tasks can be moved to."""

    FRONT = "front"
    BACK = "back"
    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True)
class Ends:
    """Between what turns, shares left out, the other waiting tasks lie, in seconds; both None where there are none."""

    first_s: float | None
    """The smallest."""
    last_s: float | None
    """The largest."""


def at_an_end(moving: Sequence[Waiting], ends: Ends, where: Where) -> dict[uuid.UUID, datetime]:
    """Return the moments from which tasks count when they are moved before, or behind, all that waits.

    They keep their order among each other, as far as their shares agree. `FAIR_S` lies between them and the others, so
    that no share puts them back.
    """
    n = len(moving)
    if where is Where.FRONT:
        start = (ends.first_s if ends.first_s is not None else 0.0) - FAIR_S - n * STEP_S
    else:
        start = (ends.last_s if ends.last_s is not None else 0.0) + FAIR_S + STEP_S
    if ends.first_s is None or ends.last_s is None:
        start = min(static_turn(task) for task in moving)
    return {task.task_id: _counts_from(task, start + i * STEP_S) for i, task in enumerate(moving)}


def beside(
    moving: Sequence[Waiting], others: Sequence[Waiting], anchor: uuid.UUID, where: Where, shares: Shares,
    seconds: float,
) -> dict[uuid.UUID, datetime]:  # fmt: skip
    """Return the moments from which tasks count when they are moved next to another one.

    Where two turns are (almost) the same, the earlier of the two is moved by `GAP_S` as well, which changes no order.

    Args:
        moving: the tasks, in the order that they keep.
        others: every other waiting task.
        anchor: the one of them beside which they go.
        where: `Where.BEFORE` or `Where.AFTER`.
        shares: how people and projects stand.
        seconds: GPU seconds that each task counts for the turns after it.
    """
    shares = replace(
        shares, people=shares.people | {t.person_id for t in moving if t.person_id is not None},
        projects=shares.projects | {t.project_id for t in moving if t.project_id is not None},
    )  # fmt: skip
    served = _served(others, shares, seconds)
    place = next(i for i, (task, _) in enumerate(served) if task.task_id == anchor) + (where is Where.AFTER)
    turns = _spread(served, place, len(moving))
    shares_of = {(t.project_id, t.person_id): t for t in moving}
    stood = {key: _standing(task, others, place, (shares, seconds), turns[0]) for key, task in shares_of.items()}
    static = []
    for i, (task, turn) in enumerate(zip(moving, turns, strict=True)):
        excess, floor = stood[task.project_id, task.person_id]
        wanted = turn - FAIR_S * excess
        static.append(max(wanted, floor + GAP_S * (i + 1)) if where is Where.AFTER else wanted)
    found = {task.task_id: _counts_from(task, turn) for task, turn in zip(moving, static, strict=True)}
    return _room(served[:place], turns[0]) | found


def among(
    moving: Sequence[Waiting], rest: Sequence[Waiting], where: Where, anchor: uuid.UUID | None = None
) -> dict[uuid.UUID, datetime]:
    """Return the moments from which a person's tasks count when some of them are moved among all of that person's.

    The turns (shares left out) that the tasks have stay; only which task has which of them changes. So the work of
    others keeps its place, whatever is moved how often. Turns that are the same are put `GAP_S` apart, the later ones
    further back. A task that keeps its turn is left out.

    Args:
        moving: the tasks, in the order that they keep.
        rest: the person's other waiting tasks, in their order.
        where: the place.
        anchor: the one of ``rest`` beside which they go; for `Where.BEFORE` and `Where.AFTER`.
    """
    after = [task.task_id for task in rest].index(anchor) + (where is Where.AFTER) if anchor is not None else 0
    place = {Where.FRONT: 0, Where.BACK: len(rest)}.get(where, after)
    wanted = [*rest[:place], *moving, *rest[place:]]
    turns: list[float] = []
    for turn in sorted(static_turn(task) for task in wanted):
        turns.append(max(turn, turns[-1] + GAP_S) if turns else turn)
    return {
        task.task_id: _counts_from(task, turn)
        for task, turn in zip(wanted, turns, strict=True)
        if abs(static_turn(task) - turn) > GAP_S / 2
    }


def _spread(served: Sequence[tuple[Waiting, float]], place: int, n: int) -> list[float]:
    """Return ``n`` turns between the tasks around a place, as evenly as can be."""
    if place == len(served):
        return [served[-1][1] + (i + 1) * STEP_S for i in range(n)]
    limit = served[place][1]
    before = served[place - 1][1] if place else limit - (n + 1) * STEP_S
    gap = max(GAP_S, (limit - before) / (n + 1))
    return [limit - (n - i) * gap for i in range(n)]


def _room(served: Sequence[tuple[Waiting, float]], limit: float) -> dict[uuid.UUID, datetime]:
    """Return the moments from which those tasks count that must go a little to lie before a turn as they did."""
    found: dict[uuid.UUID, datetime] = {}
    for task, turn in reversed(served):
        if not _is_in_the_way(turn, limit):
            break
        limit -= GAP_S
        found[task.task_id] = task.queued_at + timedelta(seconds=limit - turn)
    return found


def _served(tasks: Sequence[Waiting], shares: Shares, seconds: float) -> list[tuple[Waiting, float]]:
    """Return tasks in serving order, each with its turn when it comes."""
    turns: Turns[Waiting] = Turns(tasks, shares)
    found: list[tuple[Waiting, float]] = []
    while (task := turns.next()) is not None:
        found.append((task, turns.turn(task)))
        turns.charge(task, seconds)
    return found


def _is_in_the_way(turn: float, limit: float) -> bool:
    return limit - GAP_S < turn < limit + STEP_S


def _standing(
    moved: Waiting, others: Sequence[Waiting], place: int, given: tuple[Shares, float], limit: float
) -> tuple[float, float]:
    """Return by how much a moved task's share is exceeded at its place, and from what turn on it is not served before.

    The turn is without shares. Those of the others that will go to make room count from just before ``limit``.
    """
    shares, seconds = given
    turns: Turns[Waiting] = Turns([*others], shares)
    floor = -math.inf
    for _ in range(place):
        if (task := turns.next()) is not None:
            turn = turns.turn(task)
            stands = limit - GAP_S if _is_in_the_way(turn, limit) else turn
            floor = max(floor, stands - FAIR_S * turns.ledger.excess(moved))
            turns.charge(task, seconds)
    return turns.ledger.excess(moved), floor


def _counts_from(task: Waiting, turn_s: float) -> datetime:
    """Return the moment from which a task must count to have a turn, shares left out."""
    return datetime.fromtimestamp(turn_s + task.priority * AGE_STEP_S, UTC)
