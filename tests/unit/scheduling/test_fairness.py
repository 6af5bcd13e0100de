"""Whose turn it is: priority, age, shares, and the proof that nobody starves and no window loses a task."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x121lib.scheduling.fairness import (
    AGE_STEP_S,
    FAIR_S,
    LONGEST_OVERTAKING_S,
    Ledger,
    Shares,
    Turns,
    Used,
    even_again,
    order,
    static_turn,
)
from x121lib.scheduling.policy import Candidate, WorkerView, assign

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN, BEN, CAS = (uuid.UUID(int=n) for n in (1, 2, 3))
SPRING, WINTER = uuid.UUID(int=11), uuid.UUID(int=12)
WORKER = uuid.UUID(int=99)


def task(
    number: int, priority: int = 50, age_s: float = 0, person: uuid.UUID | None = None, project: uuid.UUID | None = None
) -> Candidate:
    return Candidate(
        uuid.UUID(int=1000 + number), priority, NOW - timedelta(seconds=age_s), project_id=project, person_id=person
    )


people = st.sampled_from([None, ANN, BEN, CAS])
projects = st.sampled_from([SPRING, WINTER])
tasks = st.lists(
    st.tuples(st.sampled_from([20, 50, 80, 100]), st.floats(0, 200_000), people, projects), max_size=40
).map(lambda rows: [task(i, *row) for i, row in enumerate(rows)])
shares = st.builds(
    Shares,
    st.dictionaries(st.sampled_from([ANN, BEN, CAS, SPRING, WINTER]), st.floats(0, 1e6)),
    st.dictionaries(st.sampled_from([ANN, BEN, CAS, SPRING, WINTER]), st.floats(0.01, 10)),
)


@given(tasks, shares, st.floats(1, 10_000))
def test_nothing_overtakes_a_task_that_is_old_enough(waiting: list[Candidate], given_: Shares, seconds: float) -> None:
    served = order(waiting, given_, seconds)
    assert sorted(t.task_id for t in served) == sorted(t.task_id for t in waiting)
    for i, later in enumerate(served):
        for earlier in served[:i]:
            assert (earlier.queued_at - later.queued_at).total_seconds() <= LONGEST_OVERTAKING_S


@given(tasks, shares, st.integers(1, 6))
def test_a_window_of_as_many_tasks_per_share_and_priority_as_slots_loses_nothing(
    waiting: list[Candidate], given_: Shares, slots: int
) -> None:
    groups: dict[object, list[Candidate]] = {}
    for each in sorted(waiting, key=lambda t: (t.queued_at, t.task_id)):
        groups.setdefault((each.project_id, each.person_id, each.priority), []).append(each)
    window = [t for group in groups.values() for t in group[:slots]]
    everybody = {t.person_id for t in waiting if t.person_id}, {t.project_id for t in waiting if t.project_id}
    known = replace(given_, people=frozenset(everybody[0]), projects=frozenset(everybody[1]))
    worker = [WorkerView(WORKER, "w", slots, 0, available=True)]
    assert assign(window, worker, NOW, known) == assign(waiting, worker, NOW, known)


@given(tasks)
def test_within_a_share_priority_and_age_alone_decide(waiting: list[Candidate]) -> None:
    served = order(waiting)
    for share in {(t.project_id, t.person_id) for t in waiting}:
        mine = [static_turn(t) for t in served if (t.project_id, t.person_id) == share]
        assert mine == sorted(mine)


def test_three_people_who_ask_at_once_are_served_by_turns() -> None:
    waiting = [task(n, person=ANN) for n in range(160)] + [task(200, person=BEN), task(201, person=CAS)]
    served = [t.person_id for t in order(waiting)]
    assert set(served[:4]) == {ANN, BEN, CAS}
    assert served.index(BEN) <= 2
    assert served.index(CAS) <= 3


def test_weights_give_their_part_over_time() -> None:
    waiting = [task(n, person=ANN) for n in range(90)] + [task(100 + n, person=BEN) for n in range(90)]
    served = [t.person_id for t in order(waiting, Shares(weights={ANN: 2.0}), 10.0)][:60]
    assert served.count(ANN) == pytest.approx(40, abs=2)


def test_whoever_used_all_is_put_back_but_never_behind_a_lower_class() -> None:
    used = Shares({ANN: 1000.0}, people=frozenset({ANN, BEN}))
    mine, theirs, background = task(1, person=ANN), task(2, person=BEN), task(3, 20, person=BEN)
    assert order([background, mine, theirs], used) == [theirs, mine, background]
    turns = Turns([mine, theirs], used)
    assert turns.turn(mine) - turns.turn(theirs) == FAIR_S * 0.5


def test_an_old_task_overtakes_a_new_one_of_a_higher_class() -> None:
    urgent = task(1, 80)
    assert order([urgent, task(2, 50, age_s=30 * AGE_STEP_S - 1)])[0] == urgent
    assert order([urgent, task(2, 50, age_s=30 * AGE_STEP_S + 1)])[1] == urgent


def test_standing_is_by_weight_among_those_who_take_part() -> None:
    ledger = Ledger(Shares({ANN: 30.0, BEN: 10.0}, {ANN: 3.0}, frozenset({ANN, BEN})))
    assert (ledger.standing(ANN).used, ledger.standing(ANN).fair) == (0.75, 0.75)
    assert ledger.standing(None).excess == ledger.standing(CAS).excess == 0.0


def test_off_peak_work_takes_only_what_nobody_else_wants() -> None:
    gpu, big = uuid.UUID(int=50), uuid.UUID(int=51)
    workers = [WorkerView(gpu, "gpu", 1, 0, available=True),
               WorkerView(big, "big", 1, 1, available=True, tags=frozenset({"big"}))]  # fmt: skip
    night = replace(task(1, 100, age_s=90_000), off_peak=True)
    normal = task(2)
    assert [s.task_id for s in assign([night, normal], workers, NOW)] == [normal.task_id]
    for_big = replace(normal, needs=frozenset({"big"}))
    assert [s.task_id for s in assign([night, for_big], workers, NOW)] == [night.task_id]
    lost = replace(normal, avoid=frozenset({gpu}))
    assert [s.task_id for s in assign([night, lost], workers, NOW)] == [night.task_id]
    waits_for_warm = replace(normal, models=frozenset({"a"}))
    warm = replace(workers[1], loaded=frozenset({"a"}), tags=frozenset())
    assert assign([night, waits_for_warm], [workers[0], warm], NOW) == []


def test_a_share_is_even_again_when_what_was_used_has_left_the_window() -> None:
    def used(hours_ago: float, seconds: float, person: uuid.UUID) -> Used:
        return Used(NOW - timedelta(hours=hours_ago), seconds, person, SPRING)

    history = [used(20, 100, ANN), used(10, 100, ANN), used(5, 100, BEN)]
    assert even_again(history, ANN, 0.5) == NOW + timedelta(hours=4)  # after it 100 of 200 are hers
    assert even_again(history, ANN, 0.2) == NOW + timedelta(hours=14)
    assert even_again(history, BEN, 0.5) is None
    assert even_again([used(1, 5, ANN)], ANN, 0.5) == NOW + timedelta(hours=23)
    assert even_again([], ANN, 0.5) is None
