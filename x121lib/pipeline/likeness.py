"""The likeness check of a made variant against its source (PRD-22)."""

from __future__ import annotations

from x121lib import model as m
from x121lib.identity import Embedding, similarity
from x121lib.intake.rules import Check
from x121lib.terms.vocabulary import VerdictOutcome

WARN_BELOW = 0.6
"""Cosine below which a made variant is borderline; set for the classical backend on the sample portraits."""
FAIL_BELOW = 0.3
"""Cosine below which it fails: the usual gate of the ArcFace family (0.30 to 0.45)."""


def likeness_check(source: m.Face | None, made: Embedding | None) -> tuple[Check, ...]:
    """Return the check of a variant's face against the source's; none where either has no face."""
    if source is None or made is None or (source.backend, source.pack) != (made.backend, made.pack):
        return ()
    value = similarity(Embedding(source.backend, source.pack, source.embedding), made)
    outcome = VerdictOutcome.PASS
    if value < WARN_BELOW:
        outcome = VerdictOutcome.FAIL if value < FAIL_BELOW else VerdictOutcome.WARN
    threshold = FAIL_BELOW if outcome == VerdictOutcome.FAIL else WARN_BELOW
    reason = f"Likeness to the source is {value:.2f} ({made.backend}); borderline below {WARN_BELOW:.2f}."
    return (Check("likeness", outcome, float(value), threshold, reason),)
