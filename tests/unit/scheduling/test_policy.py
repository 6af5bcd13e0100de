"""Dispatch policy: order, load, avoidance, reasons."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x121lib.scheduling.fairness import order
from x121lib.scheduling.policy import Candidate, WorkerView, assign, why_waiting

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
A, B = uuid.UUID(int=1), uuid.UUID(int=2)


def task(number: int, priority: int = 50, age_s: int = 0, avoid: frozenset[uuid.UUID] = frozenset()) -> Candidate:
    return Candidate(uuid.UUID(int=100 + number), priority, NOW - timedelta(seconds=age_s), avoid)


def worker(key: uuid.UUID, slots: int = 1, busy: int = 0, *, available: bool = True) -> WorkerView:
    return WorkerView(key, f"w{key.int}", slots, busy, available)


def test_priority_comes_before_age_and_age_before_key() -> None:
    old, urgent, young, twin = task(1, age_s=60), task(2, priority=80), task(3), task(4)
    assert order([twin, young, old, urgent]) == [urgent, old, young, twin]


def test_a_busy_worker_gets_nothing_and_a_free_one_as_much_as_it_has_slots() -> None:
    sent = assign([task(n) for n in range(5)], [worker(A, slots=1, busy=1), worker(B, slots=2)])
    assert [(s.task_id.int, s.worker_id) for s in sent] == [(100, B), (101, B)]


def test_the_least_loaded_worker_is_chosen_and_the_reason_names_it() -> None:
    (sent,) = assign([task(1)], [worker(A, slots=4, busy=2), worker(B, slots=4, busy=1)])
    assert sent.worker_id == B
    assert "w2" in sent.reason


def test_a_task_avoids_the_worker_that_lost_it_and_waits_while_another_one_is_only_busy() -> None:
    lost = task(1, avoid=frozenset({A}))
    assert [s.worker_id for s in assign([lost], [worker(A), worker(B)])] == [B]
    assert assign([lost], [worker(A), worker(B, busy=1)]) == []


def test_with_nobody_else_available_the_avoided_worker_will_do() -> None:
    lost = task(1, avoid=frozenset({A}))
    assert [s.worker_id for s in assign([lost], [worker(A), worker(B, available=False)])] == [A]


def test_a_task_that_must_wait_blocks_nobody_behind_it() -> None:
    lost, other = task(1, priority=80, avoid=frozenset({A})), task(2)
    sent = assign([lost, other], [worker(A), worker(B, busy=1)])
    assert [(s.task_id, s.worker_id) for s in sent] == [(other.task_id, A)]


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 500)), max_size=20),
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 5), st.booleans()), max_size=5),
)
def test_no_slot_is_given_twice_and_none_stays_free_while_a_task_waits(
    tasks: list[tuple[int, int]], workers: list[tuple[int, int, bool]]
) -> None:
    candidates = [task(i, priority, age) for i, (priority, age) in enumerate(tasks)]
    views = [worker(uuid.UUID(int=i + 1), s, min(b, s), available=up) for i, (s, b, up) in enumerate(workers)]
    sent = assign(candidates, views)
    free = {v.worker_id: v.slots - v.busy if v.available else 0 for v in views}
    for assignment in sent:
        free[assignment.worker_id] -= 1
    assert all(n >= 0 for n in free.values())
    assert len({s.task_id for s in sent}) == len(sent)
    assert len(sent) == len(candidates) or sum(free.values()) == 0
    assert [s.task_id for s in sent] == [c.task_id for c in order(candidates)][: len(sent)]


@pytest.mark.parametrize(
    ("workers", "position", "words"),
    [
        ([], 0, "No GPU worker is known"),
        ([worker(A, available=False)], 0, "None of the 1 GPU workers is online"),
        ([worker(A)], 0, "Next to be sent"),
        ([worker(A, busy=1)], 1, "2nd in the queue: all 1 slots are busy"),
        ([worker(A, busy=1)], 10, "11th in the queue"),
        ([worker(A, busy=1)], 20, "21st in the queue"),
        ([worker(A, busy=1)], 110, "111th in the queue"),
    ],
)
def test_the_reason_why_a_task_waits_is_one_sentence(workers: list[WorkerView], position: int, words: str) -> None:
    assert words in why_waiting(position, workers)


WAN, SDXL = frozenset({"wan.safetensors"}), frozenset({"sdxl.safetensors"})


def with_models(number: int, models: frozenset[str], age_s: int = 0, priority: int = 50) -> Candidate:
    return replace(task(number, priority, age_s), models=models)


@pytest.mark.capability("OVR/warm-start-caching-of-shared-nodes")
def test_a_worker_with_the_models_loaded_goes_first_though_it_has_more_to_do() -> None:
    warm, cold = replace(worker(B, slots=2, busy=1), loaded=WAN), worker(A)
    (sent,) = assign([with_models(1, WAN)], [cold, warm], NOW)
    assert (sent.worker_id, sent.reason) == (B, "w2 has its models loaded")


@pytest.mark.parametrize(("age_s", "priority", "goes"), [(5, 50, False), (21, 50, True), (5, 80, True)])
def test_waiting_for_a_busy_warm_worker_has_a_bound_and_urgent_tasks_do_not_wait(
    age_s: int, priority: int, goes: bool
) -> None:
    warm, cold = replace(worker(B, busy=1), loaded=WAN), worker(A)
    sent = assign([with_models(1, WAN, age_s, priority)], [cold, warm], NOW)
    assert [s.worker_id for s in sent] == ([A] if goes else [])


def test_other_tasks_spare_a_worker_that_is_warm_for_somebody() -> None:
    first, second = with_models(1, SDXL, age_s=30), with_models(2, WAN, age_s=20)
    sent = assign([first, second], [replace(worker(A), loaded=WAN), worker(B)], NOW)
    assert [s.worker_id for s in sent] == [B, A]


@pytest.mark.capability("PRD-46/load-balancing")
def test_load_counts_by_measured_speed() -> None:
    fast_but_busy, slow = worker(A, slots=2, busy=1), worker(B, slots=2)
    measured = replace(task(1), seconds={A: 10.0, B: 40.0})
    assert [s.worker_id for s in assign([measured], [fast_but_busy, slow], NOW)] == [A]
    assert [s.worker_id for s in assign([task(1)], [fast_but_busy, slow], NOW)] == [B]


def test_a_task_goes_only_where_its_tags_are_and_says_so_while_it_waits() -> None:
    needy = replace(task(1), needs=frozenset({"big"}))
    tagged = replace(worker(B, busy=1), tags=frozenset({"big", "x"}))
    assert assign([needy], [worker(A), tagged], NOW) == []
    assert [s.worker_id for s in assign([needy], [worker(A), replace(tagged, busy=0)], NOW)] == [B]
    assert why_waiting(0, [worker(A)], frozenset({"big"})) == (
        "No GPU worker has the tags that its workflow needs: big."
    )
    assert why_waiting(0, [worker(A), tagged], frozenset({"big"})) == "1st in the queue: all 1 slots are busy."


CLASS, MODEL = "node class X (pack Y)", "model loras/z.safetensors"


@pytest.mark.parametrize(
    ("lacks", "states", "sentence"),
    [
        ({}, {}, "Next to be sent."),
        ({A: (CLASS,)}, {}, "Next to be sent."),
        ({A: (CLASS,), B: (CLASS, MODEL)}, {}, f"No worker has {CLASS}."),
        ({A: (CLASS,), B: (MODEL,)}, {}, f"No worker has all that it needs: w1 lacks {CLASS}; w2 lacks {MODEL}."),
        ({A: (MODEL,)}, {B: "draining"}, "Model loras/z.safetensors is only on w2, which is draining."),
        ({A: (CLASS, MODEL)}, {B: "asleep"}, f"Node class X (pack Y), {MODEL} are only on w2, which is asleep."),
        ({A: (MODEL,)}, {A: "offline", B: "offline"}, "None of the 1 GPU workers is online."),
        ({A: (MODEL,), B: (MODEL,)}, {A: "offline", B: "offline"}, f"No worker has {MODEL}."),
    ],
)
def test_the_reason_says_what_is_missing_where(
    lacks: dict[uuid.UUID, tuple[str, ...]], states: dict[uuid.UUID, str], sentence: str
) -> None:
    fleet = [replace(worker(key, available=key not in states), state=states.get(key, "online")) for key in (A, B)]
    assert why_waiting(0, fleet, lacks=lacks) == sentence


@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 2)), min_size=1, max_size=5),
    st.lists(st.sets(st.integers(0, 4), max_size=5), max_size=8),
)
def test_no_task_goes_where_something_is_missing_and_none_waits_beside_a_free_worker_that_has_all(
    fleet: list[tuple[bool, bool, int]], lacking: list[set[int]]
) -> None:
    workers = [worker(uuid.UUID(int=i + 1), 2, busy, available=up) for i, (up, _, busy) in enumerate(fleet)]
    tasks = [
        replace(task(n), lacks={w.worker_id: ("x",) for i, w in enumerate(workers) if i in missing})
        for n, missing in enumerate(lacking)
    ]
    sent = {s.task_id: s.worker_id for s in assign(tasks, workers)}
    assert all(sent[t.task_id] not in t.lacks for t in tasks if t.task_id in sent)
    free = {w.worker_id: w.slots - w.busy - list(sent.values()).count(w.worker_id) for w in workers if w.available}
    for waiting in (t for t in tasks if t.task_id not in sent):
        assert all(free[key] <= 0 or key in waiting.lacks for key in free)
