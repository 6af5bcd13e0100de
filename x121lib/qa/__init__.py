"""Quality gates: scores of a take in one decoding pass, profiles of thresholds, verdicts with reasons."""
