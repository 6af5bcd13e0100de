"""Moved tasks are served where they were moved to."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from x121lib.scheduling.fairness import AGE_STEP_S, Shares, order, static_turn
from x121lib.scheduling.places import Ends, Where, among, at_an_end, beside
from x121lib.scheduling.policy import Candidate

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN, BEN = uuid.UUID(int=1), uuid.UUID(int=2)
SPRING, WINTER = uuid.UUID(int=11), uuid.UUID(int=12)
rows = st.tuples(
    st.sampled_from([20, 50, 80]), st.sampled_from([0.0, 0.0, 1.0, 7200.0]), st.sampled_from([ANN, BEN]),
    st.sampled_from([SPRING, WINTER]),
)  # fmt: skip
lists = st.lists(rows, min_size=3, max_size=12).map(lambda given_: [task(i, *row) for i, row in enumerate(given_)])
shares = st.builds(Shares, st.dictionaries(st.sampled_from([ANN, BEN, SPRING, WINTER]), st.floats(0, 1e5)))


def task(number: int, priority: int, age_s: float, person: uuid.UUID, project: uuid.UUID) -> Candidate:
    queued = NOW - timedelta(seconds=age_s)
    return Candidate(uuid.UUID(int=1000 + number), priority, queued, project_id=project, person_id=person)


def applied(tasks: list[Candidate], turns: dict[uuid.UUID, datetime]) -> list[Candidate]:
    return [replace(t, queued_at=turns.get(t.task_id, t.queued_at)) for t in tasks]


def keys(tasks: list[Candidate]) -> list[int]:
    return [t.task_id.int - 1000 for t in tasks]


@given(lists, st.lists(st.integers(0, 11), min_size=1, max_size=4, unique=True), st.data())
def test_tasks_of_one_share_stand_exactly_where_they_were_moved(
    tasks: list[Candidate], wanted: list[int], data: st.DataObject
) -> None:
    tasks = [replace(t, person_id=ANN, project_id=SPRING) for t in tasks]
    served = order(tasks)
    moving = [t for t in served if t.task_id.int - 1000 in wanted]
    others = [t for t in served if t not in moving]
    assume(moving and others)
    anchor = data.draw(st.sampled_from(others))
    where = data.draw(st.sampled_from([Where.BEFORE, Where.AFTER]))
    turns = beside(moving, others, anchor.task_id, where, Shares(), 60.0)
    place = others.index(anchor) + (where is Where.AFTER)
    expected = others[:place] + moving + others[place:]
    assert keys(order(applied(tasks, turns))) == keys(expected)


@given(lists, shares, st.integers(0, 11), st.data())
def test_before_and_after_hold_whatever_the_shares(
    tasks: list[Candidate], used: Shares, number: int, data: st.DataObject
) -> None:
    assume(number < len(tasks))
    moved, others = tasks[number], [t for t in tasks if t is not tasks[number]]
    anchor = data.draw(st.sampled_from(others))
    where = data.draw(st.sampled_from([Where.BEFORE, Where.AFTER]))
    turns = beside([moved], others, anchor.task_id, where, used, 60.0)
    served = [t.task_id for t in order(applied(tasks, turns), used)]
    is_before = served.index(moved.task_id) < served.index(anchor.task_id)
    assert is_before is (where is Where.BEFORE)


@given(lists, shares, st.lists(st.integers(0, 11), min_size=1, max_size=4, unique=True), st.floats(1, 10_000))
def test_the_ends_hold_whatever_the_shares(
    tasks: list[Candidate], used: Shares, wanted: list[int], seconds: float
) -> None:
    moving = [t for t in order(tasks, used) if t.task_id.int - 1000 in wanted]
    others = [t for t in tasks if t not in moving]
    assume(moving and others)
    ends = Ends(min(map(static_turn, others)), max(map(static_turn, others)))
    front = order(applied(tasks, at_an_end(moving, ends, Where.FRONT)), used, seconds)
    assert set(keys(front[: len(moving)])) == set(keys(moving))
    back = order(applied(tasks, at_an_end(moving, ends, Where.BACK)), used, seconds)
    assert set(keys(back[-len(moving) :])) == set(keys(moving))


def test_alone_in_the_queue_a_task_counts_as_before() -> None:
    only = task(1, 80, 10.0, ANN, SPRING)
    turn = at_an_end([only], Ends(None, None), Where.FRONT)[only.task_id]
    assert abs((turn - only.queued_at).total_seconds()) < AGE_STEP_S


@given(lists, st.lists(st.integers(0, 11), min_size=1, max_size=4, unique=True), st.data())
def test_who_moves_their_own_takes_no_place_of_others(
    tasks: list[Candidate], wanted: list[int], data: st.DataObject
) -> None:
    tasks = [replace(t, queued_at=t.queued_at - timedelta(seconds=i / 100)) for i, t in enumerate(tasks)]
    by_turn = sorted(tasks, key=static_turn)
    own = [t for t in by_turn if t.person_id == ANN]
    moving = [t for t in own if t.task_id.int - 1000 in wanted]
    rest = [t for t in own if t not in moving]
    assume(moving and rest)
    where = data.draw(st.sampled_from(list(Where)))
    anchor = data.draw(st.sampled_from(rest)) if where in (Where.BEFORE, Where.AFTER) else None
    turns = among(moving, rest, where, anchor.task_id if anchor else None)
    place = {Where.FRONT: 0, Where.BACK: len(rest)}.get(
        where, rest.index(anchor) + (where is Where.AFTER) if anchor else 0
    )
    after = sorted(applied(tasks, turns), key=static_turn)
    assert [t.person_id for t in after] == [t.person_id for t in by_turn], "each place is whose it was"
    assert keys([t for t in after if t.person_id == ANN]) == keys([*rest[:place], *moving, *rest[place:]])
    assert keys([t for t in after if t.person_id == BEN]) == keys([t for t in by_turn if t.person_id == BEN])


def test_equal_turns_are_put_apart_and_moved_again_and_again() -> None:
    tasks = [task(i, 50, 60.0, ANN, SPRING) for i in range(4)]
    for _ in range(3):
        tasks = sorted(applied(tasks, among(tasks[2:], tasks[:2], Where.FRONT)), key=static_turn)
    assert keys(tasks) == [2, 3, 0, 1]
    assert static_turn(tasks[3]) - static_turn(task(0, 50, 60.0, ANN, SPRING)) < 0.001, "nothing drifts away"
