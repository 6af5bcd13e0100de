"""Exposure, sharpness, blocks, runs and motion on arrays made for it."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from x121lib import measures


def texture(seed: int = 0, side: int = 200) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (25, 25), dtype=np.uint8)
    return np.asarray(cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


@given(st.lists(st.booleans()))
def test_runs_cover_exactly_the_true_values(mask: list[bool]) -> None:
    found = measures.runs(mask)
    assert [n for start, stop in found for n in range(start, stop)] == [n for n, flag in enumerate(mask) if flag]
    assert all(a[1] < b[0] for a, b in itertools.pairwise(found))
    longest = measures.longest_run(mask)
    assert (longest is None) == (not any(mask))
    assert longest is None or longest[1] - longest[0] == max(stop - start for start, stop in found)


def test_black_share_counts_pixels() -> None:
    picture = np.full((100, 100), 128, dtype=np.uint8)
    picture[:25] = 10
    assert measures.black_share(picture) == pytest.approx(0.25)
    limited = np.full((10, 10), 30, dtype=np.uint8)
    assert measures.black_share(limited) == 0
    assert measures.black_share(limited, full_range=False) == 1


def test_invalid_samples_are_counted_in_floats_only() -> None:
    picture = np.array([0.0, 0.5, 1.0, np.nan, np.inf, -0.1, 1.2], dtype=np.float32)
    assert measures.invalid_samples(picture) == 4
    assert measures.invalid_samples(picture[:3]) == 0
    assert measures.invalid_samples(np.array([0, 255], dtype=np.uint8)) == 0


def test_blur_lowers_sharpness() -> None:
    sharp = texture()
    soft = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 3), dtype=np.uint8)
    assert measures.sharpness(soft) < 0.5 * measures.sharpness(sharp)
    assert measures.sharpness(np.full((50, 50), 9, dtype=np.uint8)) == 0


def test_blockiness_sees_the_grid_in_either_direction() -> None:
    ramp = np.tile(np.arange(160, dtype=np.uint8), (160, 1))
    stairs = (ramp // 8 * 8).astype(np.uint8)
    assert measures.blockiness(ramp) == pytest.approx(1, abs=0.05)
    assert measures.blockiness(stairs) > 10
    assert measures.blockiness(np.ascontiguousarray(stairs.T)) > 10
    assert measures.blockiness(np.zeros((10, 10), dtype=np.uint8)) == 1


def test_small_luma_halves_until_small() -> None:
    assert measures.small_luma(np.zeros((720, 1280), dtype=np.uint8)).shape == (180, 320)
    assert measures.small_luma(np.zeros((100, 90), dtype=np.uint8)).shape == (100, 90)


def test_still_means_only_noise_tells_frames_apart() -> None:
    a = texture()
    noisy = a.copy()
    noisy[::9, ::9] ^= 1
    lips = a.copy()
    lips[100:110, 100:116] = 255 - lips[100:110, 100:116]
    assert measures.frame_change(a, a).mean == 0
    assert measures.frame_change(a, noisy).is_still
    assert not measures.frame_change(a, lips).is_still
    assert not measures.frame_change(a, np.roll(a, 1, axis=1)).is_still


def test_a_slow_fade_is_not_frozen_and_a_standstill_is() -> None:
    def flags(frames: list[np.ndarray]) -> list[bool]:
        watch, before = measures.FrozenRuns(), None
        for frame in frames:
            watch.add(frame, None if before is None else measures.frame_change(before, frame))
            before = frame
        return watch.flags

    base = texture().astype(int) // 2
    assert flags([base.astype(np.uint8)] * 5) == [False, True, True, True, True]
    # One pixel in five a level brighter each time: 0.2 levels a frame, under the noise from frame to frame.
    fading = [base.copy() for _ in range(10)]
    for n in range(10):
        for k in range(n):
            fading[n].ravel()[k % 5 :: 5] += 1
    assert sum(flags([f.astype(np.uint8) for f in fading])) <= 5


def test_global_motion_finds_the_shift() -> None:
    base = np.asarray(cv2.GaussianBlur(texture(3, 400), (0, 0), 6), dtype=np.uint8)
    motion = measures.GlobalMotion()
    for n in range(6):
        motion.add(np.ascontiguousarray(base[100:260, 100 - 2 * n : 260 - 2 * n]))
    x = [shift[0] for shift in motion.shifts]
    assert x == pytest.approx([100 * 2 / 160] * 5, rel=0.25)
    assert all(abs(shift[1]) < 0.3 for shift in motion.shifts)


def test_jitter_tells_smooth_from_shaken() -> None:
    n = np.arange(48)
    smooth = np.stack((2 * np.sin(np.pi * n / 47) ** 2, 0 * n), axis=1)
    shaken = np.stack((np.where(n % 2, 1.0, -1.0), 0 * n), axis=1)
    assert measures.jitter(smooth) < 0.1
    assert measures.jitter(shaken) == pytest.approx(2)
    assert measures.jitter(smooth[:2]) == 0


def test_spike_stands_out() -> None:
    changes = np.full(20, 2.0)
    assert measures.spike(changes)[0] == pytest.approx(1)
    changes[7] = 40
    height, place = measures.spike(changes)
    assert (height, place) == (pytest.approx(40.5 / 2.5), 7)  # type: ignore[comparison-overlap]
    assert measures.spike(changes[:2]) == (1.0, 0)
