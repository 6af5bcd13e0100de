"""What other thresholds would have said of takes that were measured already. Pure."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from x121lib.qa.gates import judge, overall
from x121lib.qa.metrics import SEAM_METRICS
from x121lib.terms.quality import Gate, Outcome, Score


@dataclass(frozen=True)
class Measured:
    """A take with its scores."""

    take_id: uuid.UUID
    """The take."""
    begins_scene: bool
    """Whether it has no seam, because nothing goes before it."""
    scores: Mapping[str, float]
    """Value by metric."""


@dataclass(frozen=True)
class Effect:
    """What one gate says of the takes, now and then."""

    metric: str
    """Its metric."""
    now: Counter[Outcome]
    """Takes by outcome under the thresholds of now; empty where it is a new gate."""
    then: Counter[Outcome]
    """Under the proposed ones; empty where the gate goes."""
    unmeasured: int
    """Takes that have no score of it, and are counted nowhere else."""


@dataclass(frozen=True)
class WhatIf:
    """What a proposed profile would have said."""

    takes: int
    """Takes that were looked at."""
    effects: tuple[Effect, ...]
    """One per gate of either, by metric."""
    changes: Mapping[tuple[Outcome, Outcome], list[uuid.UUID]]
    """Takes by what is said of the whole take now and then, those of the same outcome too."""

    def count(self, outcome: Outcome, *, then: bool) -> int:
        """Return how many takes have an outcome now, or then."""
        return sum(len(takes) for pair, takes in self.changes.items() if pair[int(then)] is outcome)


def what_if(takes: Sequence[Measured], now: Sequence[Gate], then: Sequence[Gate]) -> WhatIf:
    """Return what gates that are proposed would have said of takes, beside what those of now say.

    A take that was measured before X121 knew a metric has no score of it: no gate judges it by that, neither now nor
    then. Everything else is as when a take comes in (`gates.judge`).
    """
    gates = {True: {gate.metric: gate for gate in then}, False: {gate.metric: gate for gate in now}}
    counts: dict[str, dict[bool, Counter[Outcome]]] = {
        name: {False: Counter(), True: Counter()} for name in sorted({*gates[False], *gates[True]})
    }
    unmeasured: Counter[str] = Counter()
    changes: dict[tuple[Outcome, Outcome], list[uuid.UUID]] = {}
    for take in takes:
        without = set(counts) - set(take.scores)
        unmeasured.update(without - (SEAM_METRICS if take.begins_scene else frozenset()))
        scores = [Score(name, value) for name, value in take.scores.items()]
        pair = []
        for side in (False, True):
            verdicts = judge(scores, list(gates[side].values()), not_applicable=without)
            for verdict in verdicts:
                counts[verdict.metric][side][verdict.outcome] += 1
            pair.append(overall(verdicts))
        changes.setdefault((pair[0], pair[1]), []).append(take.take_id)
    effects = tuple(Effect(name, found[False], found[True], unmeasured[name]) for name, found in counts.items())
    return WhatIf(len(takes), effects, changes)
