"""Runs of consecutive frames that share a property."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Run = tuple[int, int]
"""First frame and first frame after; half open."""


def runs(mask: npt.ArrayLike) -> list[Run]:
    """Return the runs of true values in a one-dimensional mask, in order."""
    flags = np.asarray(mask, dtype=bool)
    padded = np.concatenate(([False], flags, [False])).astype(np.int8)
    edges = np.diff(padded)
    return list(
        zip(
            np.flatnonzero(edges == 1).tolist(),
            np.flatnonzero(edges == -1).tolist(),
            strict=True,
        )
    )


def longest_run(mask: npt.ArrayLike) -> Run | None:
    """Return the longest run of true values, the first of equals; None where there is none."""
    return max(runs(mask), key=lambda run: run[1] - run[0], default=None)
