"""Re-anchoring: the frame that is handed on gets back the colours that the scene began with."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from x121lib import measures
from x121lib import model as m
from x121lib.measures import Correction
from x121lib.measures.size import Rgb

NOTICEABLE = 2.3
"""ΔE2000 from which a frame is matched where the profile does not warn: the just noticeable difference of Mahy, Van
Eycken and Oosterlinck (1994), who measured it in ΔE*ab."""


@dataclass(frozen=True)
class HandOff:
    """What was done to a frame before it was handed on."""

    correction: Correction
    """In CIELAB."""
    before: float
    """Its distance from the scene's first frame in ΔE2000, by the mean colours."""
    after: float
    """The same once it was corrected."""

    def row(self, take_id: uuid.UUID) -> m.HandOffCorrection:
        """Return it as a row."""
        shift, gain = self.correction.shift, self.correction.gain
        return m.HandOffCorrection(
            take_id=take_id, shift_l=shift[0], shift_a=shift[1], shift_b=shift[2], gain_l=gain[0], gain_a=gain[1],
            gain_b=gain[2], drift_before=self.before, drift_after=self.after,
        )  # fmt: skip


def re_anchored(frame: Rgb, first: Rgb, above: float = NOTICEABLE) -> tuple[Rgb, HandOff | None]:
    """Return the frame to hand on: the frame itself, or matched to the scene's first frame where it is too far from it.

    Args:
        frame: the boundary frame.
        first: the scene's first frame.
        above: ΔE2000 of the mean colours from which it is matched.
    """
    home = measures.mean_lab(first)
    before = float(measures.delta_e_2000(home, measures.mean_lab(frame)))
    if before <= above:
        return frame, None
    corrected, done = measures.matched(frame, first)
    after = float(measures.delta_e_2000(home, measures.mean_lab(corrected)))
    return (corrected, HandOff(done, before, after)) if after < before else (frame, None)
