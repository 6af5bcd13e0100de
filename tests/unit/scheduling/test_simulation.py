"""The simulator: the policy over submissions that were or that might be."""

from __future__ import annotations

import itertools
import uuid
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from x121lib.base.errors import InvalidInputError
from x121lib.scheduling.scenarios import MONDAY, PEOPLE, PROJECTS, Week, fleet, week
from x121lib.scheduling.simulation import Machine, Outcome, Submission, jain, quantile, simulate

ADA, BEN, CLEO = PEOPLE.values()
SPRING, AUTUMN = PROJECTS.values()


def scene(at_s: float, *seconds: float, priority: int = 50, who: uuid.UUID = ADA, off_peak: bool = False) -> Submission:
    return Submission(MONDAY + timedelta(seconds=at_s), seconds, priority, who, SPRING, off_peak)


def spans(outcome: Outcome) -> list[tuple[int, int, float, float]]:
    """Return (scene, segment, start, end) in seconds."""
    return [(r.scene, r.segment, (r.start - MONDAY).total_seconds(), (r.end - MONDAY).total_seconds())
            for r in outcome.runs]  # fmt: skip


def test_a_chain_runs_in_order_and_scenes_side_by_side() -> None:
    outcome = simulate([scene(0, 10, 20), scene(0, 5)], fleet(["a", "b"]))
    assert spans(outcome) == [(0, 1, 0, 10), (1, 1, 0, 5), (0, 2, 10, 30)]
    assert outcome.utilisation() == {"a": 1.0, "b": pytest.approx(5 / 30)}
    assert outcome.unfinished == 0


def test_an_urgent_scene_goes_first_at_the_next_boundary() -> None:
    outcome = simulate([scene(0, 10, 10, 10), scene(5, 3, priority=80)], fleet(["a"]))
    assert spans(outcome) == [(0, 1, 0, 10), (1, 1, 10, 13), (0, 2, 13, 23), (0, 3, 23, 33)]
    assert outcome.runs[1].wait_s == 5


def test_off_peak_work_waits_for_all_other() -> None:
    outcome = simulate([scene(0, 10, 10, off_peak=True), scene(1, 4)], fleet(["a"]))
    assert [(r.scene, r.segment) for r in outcome.runs] == [(0, 1), (1, 1), (0, 2)]


def test_three_who_submit_together_are_served_by_turns() -> None:
    many = [scene(0, 60, who=who) for who in (ADA, BEN, CLEO) for _ in range(10)]
    outcome = simulate(many, fleet(["a"]))
    first = [many[r.scene].person_id for r in outcome.runs[:6]]
    assert sorted(map(str, first[:3])) == sorted(map(str, (ADA, BEN, CLEO)))
    assert sorted(map(str, first[3:])) == sorted(map(str, (ADA, BEN, CLEO)))
    assert jain(outcome.contended().values()) > 0.97


def test_what_no_worker_can_run_is_counted_and_holds_up_nothing() -> None:
    tagged = Submission(MONDAY, [10.0], 80, ADA, SPRING, needs=frozenset({"cuda"}))
    outcome = simulate([tagged] * 50 + [scene(0, 5)], fleet(["a"]))
    assert (len(outcome.runs), outcome.unfinished) == (1, 50)


def test_a_faster_machine_ends_sooner_and_the_end_of_the_time_is_held() -> None:
    fast = [Machine(m.view, speed=2.0) for m in fleet(["a"])]
    assert spans(simulate([scene(0, 10)], fast)) == [(0, 1, 0, 5)]
    cut = simulate([scene(0, 10, 10)], fleet(["a"]), until=MONDAY + timedelta(seconds=15))
    assert (len(cut.runs), cut.unfinished) == (1, 1)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 5000), st.lists(st.integers(1, 300), min_size=1, max_size=4),
                  st.sampled_from([20, 50, 80]), st.sampled_from([ADA, BEN, CLEO]), st.booleans()),
        min_size=1, max_size=25,
    ),
    st.integers(1, 4),
)  # fmt: skip
def test_every_take_runs_once_in_order_and_no_slot_twice(
    given_scenes: list[tuple[int, list[int], int, uuid.UUID, bool]], n_workers: int
) -> None:
    submissions = [scene(at, *seconds, priority=p, who=who, off_peak=o) for at, seconds, p, who, o in given_scenes]
    outcome = simulate(submissions, fleet([str(n) for n in range(n_workers)]))
    assert outcome.unfinished == 0
    assert len(outcome.runs) == sum(len(s.seconds) for s in submissions)
    for number, runs in outcome.scenes().items():
        assert [r.segment for r in runs] == list(range(1, len(outcome.submissions[number].seconds) + 1))
        assert runs[0].start >= outcome.submissions[number].at
        assert all(later.start >= before.end for before, later in itertools.pairwise(runs))
    for name in {r.worker for r in outcome.runs}:
        own = sorted((r for r in outcome.runs if r.worker == name), key=lambda r: r.start)
        assert all(later.start >= before.end for before, later in itertools.pairwise(own))


@pytest.mark.capability("PRD-08/fair-scheduling", "PRD-08/priority-levels")
def test_a_batch_of_160_scenes_holds_up_no_urgent_one_and_divides_evenly() -> None:
    submissions, machines = week(Week(days=1))
    outcome = simulate(submissions, machines)
    urgent = [runs[0] for n, runs in outcome.scenes().items() if outcome.submissions[n].priority == 80]
    longest_take = max(r.run_s for r in outcome.runs)
    assert len(urgent) == 20
    assert max(r.wait_s for r in urgent) < 2 * longest_take
    part = outcome.contended()
    assert part[ADA] == pytest.approx(part[BEN], rel=0.1)


def test_the_same_seed_gives_the_same_week_and_impossible_ones_are_refused() -> None:
    assert week(Week(characters=2, seed=3))[0] == week(Week(characters=2, seed=3))[0]
    assert week(Week(characters=2, seed=3))[0] != week(Week(characters=2, seed=4))[0]
    for wrong, said in (
        (Week(workers=0), "workers is at least 1"), (Week(days=9), "1 to 7 working days"),
        (Week(take_s=0), "more than 0 seconds"), (Week(characters=10_000, scene_types=100), "At most"),
    ):  # fmt: skip
        with pytest.raises(InvalidInputError, match=said):
            week(wrong)


def test_jains_index_and_quantiles_are_those_of_the_books() -> None:
    assert jain([1, 1, 1]) == pytest.approx(1.0)
    assert jain([1, 0, 0]) == pytest.approx(1 / 3)
    assert quantile([1, 2, 3, 4], 0.5) == 2.5
    assert quantile([5.0], 0.95) == 5.0
