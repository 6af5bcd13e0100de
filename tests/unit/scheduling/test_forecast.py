"""When waiting tasks are expected to start."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from x121lib.scheduling.forecast import Expected, Fleet, spans

A, B = uuid.UUID(int=1), uuid.UUID(int=2)
BOTH = frozenset({A, B})


def task(number: int, seconds: float | None = 10.0, workers: frozenset[uuid.UUID] = BOTH, **more: object) -> Expected:
    return Expected(uuid.UUID(int=100 + number), seconds, workers, **more)  # type: ignore[arg-type]


def found(tasks: list[Expected], fleet: Fleet) -> dict[int, float]:
    return {key.int - 100: span.start_s for key, span in spans(tasks, fleet).items()}


def test_tasks_take_the_slot_that_is_free_first() -> None:
    fleet = Fleet({A: [0.0], B: [4.0]})
    assert found([task(1), task(2), task(3)], fleet) == {1: 0.0, 2: 4.0, 3: 10.0}


def test_a_task_waits_for_its_own_workers_and_lets_others_pass() -> None:
    fleet = Fleet({A: [50.0], B: [0.0]})
    assert found([task(1, workers=frozenset({A})), task(2)], fleet) == {1: 50.0, 2: 0.0}
    assert found([task(1, workers=frozenset()), task(2)], fleet) == {2: 0.0}


def test_what_follows_starts_after_what_it_waits_for() -> None:
    running = uuid.UUID(int=7)
    fleet = Fleet({A: [0.0], B: [0.0]}, {running: 30.0})
    chain = [task(1, after=running), task(2, after=uuid.UUID(int=101))]
    assert found(chain, fleet) == {1: 30.0, 2: 40.0}
    assert found([task(3, not_before_s=5.0)], fleet) == {3: 5.0}


def test_without_history_there_is_no_forecast_and_what_waits_for_it_has_none() -> None:
    fleet = Fleet({A: [0.0]})
    tasks = [task(1, None), task(2, after=uuid.UUID(int=101)), task(3, 20.0)]
    assert set(found(tasks, fleet)) == {3}
    assert found([task(1, None)], fleet) == {}
    assert found([task(1)], Fleet({})) == {}


@given(st.lists(st.floats(0.1, 100), max_size=30), st.lists(st.floats(0, 50), min_size=1, max_size=4))
def test_no_slot_runs_two_at_once_and_nothing_idles(lengths: list[float], slots: list[float]) -> None:
    tasks = [task(i, seconds) for i, seconds in enumerate(lengths)]
    begun = found(tasks, Fleet({A: slots}))
    assert len(begun) == len(tasks)
    for start in begun.values():
        running = sum(1 for i, other in begun.items() if other <= start < other + lengths[i])
        assert running <= len(slots)
    ordered = [begun[i] for i in range(len(tasks))]
    assert ordered == sorted(ordered)
