"""When a segment is retaken by itself, with what changes, and which take is used."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x121lib.generation.retakes import Attempt, Next, Policy, best, margin, next_step, offset, varied
from x121lib.terms.quality import Gate

FACE = frozenset({"face_similarity"})
MOTION = frozenset({"motion_energy"})


def failed(number: int, metrics: frozenset[str] = FACE) -> Attempt:
    return Attempt(number, is_open=False, passed=False, failed_metrics=metrics)


def passed(number: int, warnings: int = 0, **margins: float) -> Attempt:
    return Attempt(number, is_open=False, passed=True, margins=margins, n_warnings=warnings)


def test_without_a_policy_a_failed_gate_ends_it() -> None:
    assert next_step(None, [failed(1)]).what == Next.STOP
    assert next_step(None, [failed(1)]).why == ""


@pytest.mark.capability("PRD-71/auto-retry-policy")
def test_only_the_named_gates_are_a_reason_and_the_number_is_held() -> None:
    policy = Policy(most_retakes=2, metrics=FACE)
    assert next_step(policy, [failed(1, MOTION)]).what == Next.STOP
    assert "does not name" in next_step(policy, [failed(1, MOTION)]).why
    assert next_step(policy, [failed(1, MOTION | FACE)]).what == Next.RETAKE
    assert next_step(policy, [failed(1), failed(2)]).n_retakes == 1
    over = next_step(policy, [failed(1), failed(2), failed(3)])
    assert (over.what, over.why) == (Next.STOP, "None of the 2 retakes that X121 made passed.")


def test_a_take_that_was_not_made_at_all_is_no_reason() -> None:
    assert next_step(Policy(), [failed(1, frozenset())]).what == Next.STOP


@pytest.mark.capability("PRD-71/best-of-n-selection")
def test_a_round_waits_for_all_of_its_takes_and_uses_the_best() -> None:
    policy = Policy(most_retakes=5, best_of=3)
    assert next_step(policy, [failed(1)]).n_retakes == 3
    running = Attempt(4, is_open=True, passed=False)
    assert next_step(policy, [failed(1), passed(2), failed(3), running]).what == Next.WAIT
    done = [failed(1), passed(2, face=0.1, seam=0.2), failed(3), passed(4, face=0.3, seam=0.3)]
    assert next_step(policy, done).take == 4
    assert next_step(policy, [failed(1), failed(2), failed(3), failed(4)]).n_retakes == 2


def test_fewer_warnings_go_before_better_values_and_the_earlier_take_wins_a_tie() -> None:
    assert best([passed(2, 1, face=9.0), passed(3, 0, face=0.1)]).number == 3
    assert best([passed(2, face=0.5), passed(3, face=0.5)]).number == 2
    # Units do not matter: two of three metrics are better in the second.
    assert best([passed(2, a=1000.0, b=0.1, c=0.1), passed(3, a=1.0, b=0.2, c=0.2)]).number == 3


def test_a_margin_is_the_distance_to_the_nearer_limit() -> None:
    assert margin(Gate("m", fail_below=0.5), 0.7) == pytest.approx(0.2)
    assert margin(Gate("m", fail_above=10.0, warn_above=5.0), 4.0) == pytest.approx(6.0)
    assert margin(Gate("m", fail_below=1.0, fail_above=4.0), 3.5) == pytest.approx(0.5)


@pytest.mark.capability("PRD-71/parameter-jitter")
@given(st.integers(0, 2**48), st.integers(1, 20), st.floats(0.01, 100))
def test_offsets_stay_in_their_range_come_in_opposite_pairs_and_repeat(seed: int, number: int, spread: float) -> None:
    value = offset(seed, "cfg", number, spread)
    assert 0 < abs(value) <= spread
    other = number + 1 if number % 2 else number - 1
    assert offset(seed, "cfg", other, spread) == -value
    assert offset(seed, "cfg", number, spread) == value


def test_what_varies_stays_in_the_slots_own_range() -> None:
    policy = Policy(spreads={"cfg": 0.5, "denoise": 0.9, "steps": 4, "lacks": 1.0}, phrases=("soft light", "still"))
    values = {"cfg": 6, "denoise": 0.95, "steps": 20, "text_prompt": "Aiko walks"}
    ranges = {"cfg": (0.0, 100.0, False), "denoise": (0.0, 1.0, False), "steps": (1.0, 22.0, True)}
    first, second = (varied(policy, 7, n, values, ranges) for n in (1, 2))
    assert isinstance(first["cfg"], float)
    assert 5.5 <= first["cfg"] < 6 < float(str(second["cfg"])) <= 6.5
    assert second["denoise"] == 1.0
    assert isinstance(first["steps"], int)
    assert int(str(second["steps"])) <= 22
    assert (first["text_prompt"], second["text_prompt"]) == ("Aiko walks, soft light", "Aiko walks, still")
    assert "lacks" not in first
