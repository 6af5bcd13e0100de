"""One scale for the face likeness of every backend.

Gates in use for learned embeddings lie at a cosine of 0.30 to 0.45. Cosines of other features mean something else,
so they are mapped onto that scale before a gate sees them; the raw cosine stays in the series ``face_cosine``.
"""

from __future__ import annotations

import numpy as np

_POINTS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    # Drawn portraits moved by a camera path: the same face gave 0.80 and more, another face 0.68 and less.
    "classical": ((0.40, 0.70, 0.78, 1.00), (0.0, 0.30, 0.45, 1.00)),
}


def likeness(cosine: float, backend: str) -> float:
    """Return a cosine of that backend's embeddings on the scale of learned ones; rising, at most 1.

    Backends without an entry are taken to be on that scale already. Below a backend's first point the answer is 0.
    """
    points = _POINTS.get(backend)
    if points is None:
        return cosine
    return float(np.interp(cosine, *points))
