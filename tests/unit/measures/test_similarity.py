"""SSIM and the perceptual hash: identity, symmetry, bounds, and agreement with an independent SSIM."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays
from skimage.metrics import structural_similarity

from x121lib import measures
from x121lib.base.errors import InvalidInputError

pictures = arrays.arrays(np.uint8, (24, 24, 3))


def scene(seed: int, side: int = 64) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


@settings(max_examples=30, deadline=None)
@given(pictures, pictures)
def test_ssim_is_symmetric_and_bounded(a: np.ndarray, b: np.ndarray) -> None:
    value = measures.ssim(a, b)
    assert -1 <= value <= 1
    assert value == pytest.approx(measures.ssim(b, a), abs=1e-9)
    assert measures.ssim(a, a) == pytest.approx(1)


@pytest.mark.parametrize("seed", range(4))
def test_ssim_agrees_with_scikit_image(seed: int) -> None:
    a = scene(seed, 128)
    b = np.clip(a.astype(int) + np.random.default_rng(9).normal(0, 20, a.shape), 0, 255).astype(np.uint8)
    x, y = measures.luma_of(a), measures.luma_of(b)
    theirs = structural_similarity(x, y, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255)
    assert measures.ssim(a, b) == pytest.approx(theirs, abs=0.002)


def test_ssim_falls_with_the_fault() -> None:
    a = scene(1, 256)
    values = [measures.ssim(a, np.roll(a, shift, axis=1)) for shift in (0, 2, 8, 32)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.6


def test_ssim_refuses_different_sizes() -> None:
    with pytest.raises(InvalidInputError, match="one size"):
        measures.ssim(scene(1, 64), scene(1, 32))


@settings(max_examples=30, deadline=None)
@given(pictures, pictures)
def test_hash_distance_is_a_metric(a: np.ndarray, b: np.ndarray) -> None:
    x, y = measures.phash(a), measures.phash(b)
    assert 0 <= x < 2**64
    assert 0 <= measures.phash_distance(x, y) <= 64
    assert measures.phash_distance(x, y) == measures.phash_distance(y, x)
    assert measures.phash_distance(x, x) == 0


def test_hash_survives_noise_and_size_and_tells_pictures_apart() -> None:
    a = scene(1, 256)
    noisy = np.clip(a.astype(int) + np.random.default_rng(2).normal(0, 8, a.shape), 0, 255).astype(np.uint8)
    smaller = np.asarray(cv2.resize(a, (192, 192), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    assert measures.phash_distance(measures.phash(a), measures.phash(noisy)) <= 4
    assert measures.phash_distance(measures.phash(a), measures.phash(smaller)) <= 4
    assert measures.phash_distance(measures.phash(a), measures.phash(scene(2, 256))) > 16
