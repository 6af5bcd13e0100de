"""How far the gates and the reviewers agree: each gate's precision and recall, with intervals. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from x121lib.terms.quality import Outcome

CONFIDENCE = 0.95
"""Of the intervals."""


@dataclass(frozen=True)
class Decided:
    """A cut that a person decided on."""

    is_rejected: bool
    """Whether it was rejected; approved otherwise."""
    verdicts: Mapping[str, Outcome]
    """The worst that each gate said of its takes, by metric."""


@dataclass(frozen=True)
class Share:
    """A share of some cases, with its interval."""

    hits: int
    """Cases in which it was so."""
    cases: int
    """All of them."""

    @property
    def value(self) -> float | None:
        """The share, 0 to 1; None without a case."""
        return self.hits / self.cases if self.cases else None

    @property
    def interval(self) -> tuple[float, float]:
        """Its interval at `CONFIDENCE` (E. B. Wilson, JASA 22, 1927); 0 to 1 without a case."""
        if not self.cases:
            return 0.0, 1.0
        from scipy.stats import binomtest  # noqa: PLC0415  (takes half a second to load)

        found = binomtest(self.hits, self.cases).proportion_ci(CONFIDENCE, method="wilson")
        return float(found.low), float(found.high)


@dataclass(frozen=True)
class Agreement:
    """How far one gate and the reviewers agree."""

    metric: str
    """The gate's metric."""
    decided: int
    """Cuts that were decided on and that the gate judged."""
    precision: Share
    """Of the cuts that it marked (borderline or failed), those that were rejected."""
    recall: Share
    """Of the cuts that were rejected, those that it had marked."""
    false_alarms: Share
    """Of the cuts that were approved, those that it had marked."""


def agreement(cuts: Iterable[Decided]) -> tuple[Agreement, ...]:
    """Return each gate's agreement with the reviewers, by metric.

    A gate is one of many reasons for which a person rejects a cut: a low recall of one gate is no fault of it, while a
    low precision says that its threshold disturbs more than it helps. Takes that failed a gate and were retaken are in
    no cut, and so nobody decided on them.
    """
    by_metric: dict[str, list[tuple[bool, bool]]] = {}
    for cut in cuts:
        for name, outcome in cut.verdicts.items():
            by_metric.setdefault(name, []).append((outcome is not Outcome.PASS, cut.is_rejected))
    return tuple(_of(name, rows) for name, rows in sorted(by_metric.items()))


def _of(name: str, rows: list[tuple[bool, bool]]) -> Agreement:
    both = sum(marked and rejected for marked, rejected in rows)
    marked = sum(marked for marked, _ in rows)
    rejected = sum(rejected for _, rejected in rows)
    return Agreement(
        name, len(rows), Share(both, marked), Share(both, rejected), Share(marked - both, len(rows) - rejected)
    )
