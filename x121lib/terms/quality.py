"""Scores, gates and verdicts: what is measured, what is allowed, what follows."""

from __future__ import annotations

import math
from dataclasses import dataclass

from x121lib.base.errors import InvalidInputError
from x121lib.terms.ranges import FrameRange
from x121lib.terms.vocabulary import VerdictOutcome

Outcome = VerdictOutcome
"""``pass``, ``warn`` or ``fail``, from mild to severe; stored by the number of `VerdictOutcome`."""


@dataclass(frozen=True)
class Score:
    """One metric's value for one take."""

    metric: str
    """Name of the metric, e.g. ``seam_ssim``."""
    value: float
    """Value in the metric's unit; always finite."""
    frames: FrameRange | None = None
    """The frames that decided the value; None where the whole take did."""
    note: str = ""
    """What a person should know beside the number, e.g. the face backend's name."""

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise InvalidInputError(f"The score {self.metric} is {self.value}; a score is a finite number.")


@dataclass(frozen=True)
class Gate:
    """The bounds of one metric; an empty bound does not apply, and a value on a bound is inside it."""

    metric: str
    """Name of the metric."""
    warn_below: float | None = None
    """Values below it are borderline."""
    fail_below: float | None = None
    """Values below it fail."""
    warn_above: float | None = None
    """Values above it are borderline."""
    fail_above: float | None = None
    """Values above it fail."""

    def __post_init__(self) -> None:
        bounds = (self.warn_below, self.fail_below, self.warn_above, self.fail_above)
        if any(b is not None and not math.isfinite(b) for b in bounds):
            raise InvalidInputError(f"Gate {self.metric}: a bound is a finite number.")
        if all(b is None for b in bounds):
            raise InvalidInputError(
                f"Gate {self.metric} has no bound.",
                hint="Give at least one, or remove the gate.",
            )
        # The order fail_below ≤ warn_below ≤ warn_above ≤ fail_above, over those that are given.
        given = [
            b
            for b in (
                self.fail_below,
                self.warn_below,
                self.warn_above,
                self.fail_above,
            )
            if b is not None
        ]
        if given != sorted(given):
            raise InvalidInputError(
                f"Gate {self.metric}: its bounds contradict each other.",
                hint="Keep fail_below ≤ warn_below ≤ warn_above ≤ fail_above.",
            )

    def outcome_of(self, value: float) -> tuple[Outcome, float | None]:
        """Return the outcome for a value and the bound that decided it; None as bound where it passes."""
        for bound, outcome in (
            (self.fail_below, Outcome.FAIL),
            (self.warn_below, Outcome.WARN),
        ):
            if bound is not None and value < bound:
                return outcome, bound
            above = self.fail_above if outcome is Outcome.FAIL else self.warn_above
            if above is not None and value > above:
                return outcome, above
        return Outcome.PASS, None


@dataclass(frozen=True)
class Verdict:
    """What a gate said of a take."""

    metric: str
    """Name of the metric."""
    outcome: Outcome
    """Pass, warn or fail."""
    value: float | None
    """The score; None where it was not measured."""
    threshold: float | None
    """The bound that was crossed; None where none was."""
    reason: str
    """In words: what, value, threshold and where."""
    frames: FrameRange | None = None
    """The frames that decided it, where known."""
