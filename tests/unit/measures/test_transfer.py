"""Colour matched back: statistics, bounds, and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest

from x121lib import measures
from x121lib.generation.anchoring import re_anchored
from x121lib.measures.size import Rgb
from x121lib.testing.takes import portrait


def cast_on(rgb: Rgb, gain: float, red: float) -> Rgb:
    return np.clip(np.rint(rgb * gain + np.array([red, 0.0, -red])), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("gain", "red"), [(1.0, 12.0), (0.85, 0.0), (0.9, -10.0)])
def test_a_cast_and_an_exposure_are_taken_back(gain: float, red: float) -> None:
    home = portrait("Mara")
    off = cast_on(home, gain, red)
    back, done = measures.matched(off, home)
    colour = measures.mean_lab(home)
    before = measures.delta_e_2000(colour, measures.mean_lab(off))
    after = measures.delta_e_2000(colour, measures.mean_lab(back))
    assert before > 2
    assert after < 0.5
    assert np.abs(back.astype(int) - home).mean() < np.abs(off.astype(int) - home).mean() / 3
    assert all(0.8 <= value <= 1.25 for value in done.gain)


def test_another_size_serves_as_home_and_a_flat_picture_keeps_its_spread_bounded() -> None:
    home = portrait("Mara")
    flat = np.full((40, 30, 3), 90, np.uint8)
    back, done = measures.matched(flat, home)
    assert back.shape == flat.shape
    assert max(done.gain) <= 1.25
    assert np.ptp(back.astype(int), axis=(0, 1)).max() == 0


def test_what_is_near_enough_is_handed_on_bit_for_bit() -> None:
    home = portrait("Mara")
    near = cast_on(home, 1.0, 1.0)
    frame, done = re_anchored(near, home)
    assert frame is near
    assert done is None
    frame, done = re_anchored(cast_on(home, 1.0, 14.0), home)
    assert done is not None
    assert done.after < 0.5 < 2.3 < done.before
