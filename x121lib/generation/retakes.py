"""When a segment is retaken by itself, with what changes, and which take is used in the end; pure."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from x121lib.terms.quality import Gate


@dataclass(frozen=True)
class Policy:
    """How takes that failed a gate are retaken."""

    most_retakes: int = 3
    """Retakes of one segment at most, after the take that a person asked for."""
    best_of: int = 1
    """Retakes of one round, side by side; the best of those that pass is used."""
    metrics: frozenset[str] = frozenset()
    """Metrics whose failed gate is reason enough; empty: any."""
    spreads: Mapping[str, float] = field(default_factory=dict)
    """Numeric slot → how far from the recipe's value a retake may go."""
    phrases: tuple[str, ...] = ()
    """Words that a retake adds to the prompt, in turn."""


@dataclass(frozen=True)
class Attempt:
    """A take of the segment: the one that a person asked for, or a retake of it."""

    number: int
    """Number of the take."""
    is_open: bool
    """Whether it is still to be made."""
    passed: bool
    """Whether it passed its gates."""
    failed_metrics: frozenset[str] = frozenset()
    """Metrics of the gates that it failed; empty where it was not made at all."""
    margins: Mapping[str, float] = field(default_factory=dict)
    """Metric → how far its value is inside its bounds, in the metric's unit."""
    n_warnings: int = 0
    """Gates that warned."""


class Next(StrEnum):
    """What to do with a segment."""

    WAIT = "wait"
    RETAKE = "retake"
    USE = "use"
    STOP = "stop"


@dataclass(frozen=True)
class Step:
    """What to do with a segment, after one of its takes is over."""

    what: Next
    """The step."""
    n_retakes: int = 0
    """Takes to queue now."""
    take: int | None = None
    """Number of the take to use."""
    why: str = ""
    """Why nothing is tried any more, in words; empty where no policy had a say."""


def next_step(policy: Policy | None, attempts: Sequence[Attempt]) -> Step:
    """Return what follows; ``attempts`` begin with the take that a person asked for.

    A round is over once none of its takes is open. Where some passed, the best is used. Else another round begins,
    as long as retakes are left and a take of the last round failed a gate that the policy names.
    """
    if any(a.is_open for a in attempts):
        return Step(Next.WAIT)
    passed = [a for a in attempts if a.passed]
    if passed:
        return Step(Next.USE, take=best(passed).number)
    if policy is None:
        return Step(Next.STOP)
    done = len(attempts) - 1
    left = policy.most_retakes - done
    if left <= 0:
        return Step(Next.STOP, why=f"None of {_times(done)} passed.")
    last_round = attempts[-max(1, min(policy.best_of, done)) :]
    if not any(_is_reason(policy, a) for a in last_round):
        return Step(Next.STOP, why="The retake policy does not name this reason." if done == 0 else "")
    return Step(Next.RETAKE, n_retakes=min(policy.best_of, left))


def _is_reason(policy: Policy, attempt: Attempt) -> bool:
    failed = attempt.failed_metrics
    return bool(failed & policy.metrics) if policy.metrics else bool(failed)


def _times(n: int) -> str:
    return "the retake that X121 made" if n == 1 else f"the {n} retakes that X121 made"


def best(passed: Sequence[Attempt]) -> Attempt:
    """Return the take to use: the one with the fewest warnings, then the best ranks over all metrics.

    Metrics have different units, so values are not added. Per metric the takes are ranked by how far they are inside
    their bounds, equal ones share the mean rank, and the lowest sum of ranks is best (Borda count; de Borda 1781). The
    earlier take wins a tie.
    """
    totals = {a.number: 0.0 for a in passed}
    for metric in {name for a in passed for name in a.margins}:
        values = [(a.margins.get(metric, float("-inf")), a.number) for a in passed]
        for value, number in values:
            better = sum(other > value for other, _ in values)
            equal = sum(other == value for other, _ in values)
            totals[number] += better + (equal - 1) / 2
    return min(passed, key=lambda a: (a.n_warnings, totals[a.number], a.number))


def margin(gate: Gate, value: float) -> float:
    """Return how far a value is inside a gate's limits, in the metric's unit; warning levels count without limits."""
    low = gate.fail_below if gate.fail_below is not None else gate.warn_below
    high = gate.fail_above if gate.fail_above is not None else gate.warn_above
    sides = [value - low] if low is not None else []
    return min([*sides, high - value] if high is not None else sides, default=0.0)


def offset(seed: int, slot: str, number: int, spread: float) -> float:
    """Return by how much the ``number``-th retake (from 1) moves a slot from the recipe's value, -spread to spread.

    Retakes come in antithetic pairs: the first of a pair goes below, the second as far above, so that both directions
    are tried early (Hammersley and Morton 1956), each by at least half the spread. ``seed`` is the first take's: the
    same one gives the same offsets.
    """
    pair = (number + 1) // 2
    drawn = random.Random(f"{seed}/{slot}/{pair}").uniform(0.5, 1.0) * spread
    return -drawn if number % 2 else drawn


def varied(
    policy: Policy, seed: int, number: int, values: Mapping[str, object],
    ranges: Mapping[str, tuple[float | None, float | None, bool]],
) -> dict[str, object]:  # fmt: skip
    """Return the slot values of the ``number``-th retake (from 1) that differ from the recipe's.

    Args:
        policy: what to vary.
        seed: the first take's seed.
        number: the retake, from 1.
        values: the recipe's slot values, defaults included.
        ranges: smallest and largest value of each slot of the workflow, None for no bound, and whether it takes whole
            numbers only. Slots that the workflow lacks are left out.
    """
    found: dict[str, object] = {}
    for slot, spread in policy.spreads.items():
        base = values.get(slot)
        if slot not in ranges or isinstance(base, bool) or not isinstance(base, int | float):
            continue
        low, high, is_whole = ranges[slot]
        value = base + offset(seed, slot, number, spread)
        value = min(max(value, low if low is not None else value), high if high is not None else value)
        found[slot] = round(value) if is_whole else round(value, 4)
    if policy.phrases:
        phrase = policy.phrases[(number - 1) % len(policy.phrases)]
        prompt = str(values.get("text_prompt", "")).strip()
        found["text_prompt"] = f"{prompt}, {phrase}" if prompt else phrase
    return {slot: value for slot, value in found.items() if value != values.get(slot)}
