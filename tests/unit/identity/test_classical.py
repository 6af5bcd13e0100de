"""The classical backend on the drawn sample portraits and on one real photograph (scikit-image's astronaut)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data as photographs

from x121lib.base.errors import InvalidInputError
from x121lib.identity import DetectedFace, load_backend, primary_face
from x121lib.identity.classical import ClassicalBackend
from x121lib.media.images import read_image

Rgb = NDArray[np.uint8]
SAMPLE = Path(__file__).parents[3] / "data" / "sample" / "characters"
NAMES = ("Aiko", "Jonas", "Lena", "Mara")


@pytest.fixture(scope="module")
def backend() -> ClassicalBackend:
    return ClassicalBackend()


@pytest.fixture(scope="module")
def portraits() -> dict[str, Rgb]:
    return {name: read_image(SAMPLE / name / "portrait.png") for name in NAMES}


def evening(rgb: Rgb) -> Rgb:
    graded = rgb.astype(np.float32) * np.array([0.56, 0.46, 0.40]) + np.array([4, 4, 14])
    return np.clip(graded, 0, 255).astype(np.uint8)


def camera(zoom: float, dx: float, dy: float) -> Callable[[Rgb], Rgb]:
    def move(rgb: Rgb) -> Rgb:
        h, w = rgb.shape[:2]
        matrix = np.array([[zoom, 0, (1 - zoom) * w / 2 + dx * w], [0, zoom, (1 - zoom) * h / 2 + dy * h]], np.float32)
        return np.asarray(cv2.warpAffine(rgb, matrix, (w, h), borderMode=cv2.BORDER_REPLICATE), np.uint8)

    return move


def coarse_jpeg(rgb: Rgb) -> Rgb:
    _, coded = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, 35])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def half(rgb: Rgb) -> Rgb:
    return np.asarray(cv2.resize(rgb, (512, 640), interpolation=cv2.INTER_AREA), np.uint8)


CHANGES: dict[str, Callable[[Rgb], Rgb]] = {
    "as drawn": lambda rgb: rgb,
    "video size": half,
    "evening": evening,
    "camera in": camera(1.12, 0.03, -0.02),
    "camera out": camera(0.9, -0.03, 0.02),
    "compressed": coarse_jpeg,
    "evening, moved, small": lambda rgb: evening(camera(1.08, 0.02, 0.02)(half(rgb))),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", NAMES)
def test_each_sample_portrait_has_exactly_one_face(
    backend: ClassicalBackend, portraits: dict[str, Rgb], name: str, change: str
) -> None:
    rgb = CHANGES[change](portraits[name])
    faces = backend.detect(rgb)
    assert len(faces) == 1
    x, y, w, h = faces[0].box
    assert 0 <= x < x + w <= rgb.shape[1]
    assert 0 <= y < y + h <= rgb.shape[0]
    assert abs((x + w / 2) / rgb.shape[1] - 0.54) < 0.08, "the drawn faces stand a little right of the middle"
    assert w / rgb.shape[1] > 0.4


@pytest.mark.parametrize("name", NAMES)
def test_sample_portraits_are_found_surely_enough_to_import_without_a_warning(
    backend: ClassicalBackend, portraits: dict[str, Rgb], name: str
) -> None:
    assert backend.detect(portraits[name])[0].confidence >= 0.65
    assert backend.detect(evening(portraits[name]))[0].confidence >= 0.65


def test_a_face_stays_more_like_itself_than_like_anybody_else(
    backend: ClassicalBackend, portraits: dict[str, Rgb]
) -> None:
    vectors = {}
    for (name, rgb), change in itertools.product(portraits.items(), CHANGES):
        changed = CHANGES[change](rgb)
        vectors[name, change] = backend.embed(changed, backend.detect(changed)[0])
    same: list[float] = []
    other: list[float] = []
    for (a, u), (b, v) in itertools.combinations(vectors.items(), 2):
        (same if a[0] == b[0] else other).append(float(u @ v))
    assert min(same) > 0.85
    assert max(other) < 0.75
    assert min(same) - max(other) > 0.12


def test_embeddings_are_unit_vectors_and_repeat_exactly(backend: ClassicalBackend, portraits: dict[str, Rgb]) -> None:
    rgb = portraits["Mara"]
    face = backend.detect(rgb)[0]
    vector = backend.embed(rgb, face)
    assert vector.shape == (512,)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert np.array_equal(vector, ClassicalBackend().embed(rgb, face))


def test_a_real_photograph_has_one_sure_face_and_stays_itself(backend: ClassicalBackend) -> None:
    photograph = photographs.astronaut()
    faces = backend.detect(photograph)
    assert len(faces) == 1
    assert faces[0].confidence > 0.9
    assert faces[0].box == pytest.approx((176, 65, 98, 98), abs=12)
    first = backend.embed(photograph, faces[0])
    for change in (evening, camera(1.08, 0.02, 0.02), coarse_jpeg):
        changed = change(photograph)
        moved = primary_face(backend.detect(changed))
        assert moved is not None
        assert float(first @ backend.embed(changed, moved)) > 0.85


@pytest.mark.parametrize("picture", ["chelsea", "coffee", "rocket", "brick"])
def test_no_face_is_found_where_there_is_none(backend: ClassicalBackend, picture: str) -> None:
    rgb = getattr(photographs, picture)()
    if rgb.ndim == 2:
        rgb = np.stack([rgb] * 3, axis=-1)
    assert backend.detect(rgb) == []


def test_faces_come_largest_first(backend: ClassicalBackend, portraits: dict[str, Rgb]) -> None:
    large, small = half(portraits["Mara"]), np.full((640, 512, 3), 120, np.uint8)
    small[120:520, 96:416] = cv2.resize(portraits["Lena"], (320, 400), interpolation=cv2.INTER_AREA)
    faces = backend.detect(np.hstack([small, large]))
    assert len(faces) == 2
    assert faces[0].area_px > faces[1].area_px
    assert faces[0].box[0] > 512 > faces[1].box[0]


def test_tracking_finds_the_moved_face_near_the_last_box_only(
    backend: ClassicalBackend, portraits: dict[str, Rgb]
) -> None:
    frame = half(portraits["Lena"])
    first = backend.detect(frame)[0]
    moved = camera(1.05, 0.03, 0.02)(frame)
    tracked = backend.detect(moved, near=first.box)
    assert len(tracked) == 1
    assert tracked[0].box == pytest.approx(backend.detect(moved)[0].box, abs=40)
    assert backend.detect(frame, near=(0, 0, 60, 60)) == []
    assert backend.detect(frame, near=(505, 630, 300, 300)) == []


def test_arrays_of_another_form_are_refused(backend: ClassicalBackend) -> None:
    for wrong in (np.zeros((64, 64), np.uint8), np.zeros((64, 64, 3), np.float32), np.zeros((0, 64, 3), np.uint8)):
        with pytest.raises(InvalidInputError, match="uint8 RGB"):
            backend.detect(wrong)  # type: ignore[arg-type]


def test_one_thread_is_set_when_asked() -> None:
    before = cv2.getNumThreads()
    try:
        load_backend(threads=1)
        assert cv2.getNumThreads() == 1
    finally:
        cv2.setNumThreads(before)


def test_the_primary_face_is_the_largest_or_the_chosen_one() -> None:
    small, large = DetectedFace((0, 0, 10, 10), 0.9), DetectedFace((20, 0, 30, 30), 0.6)
    assert primary_face([]) is None
    assert primary_face([small, large]) is large
    assert primary_face([small, large], choice=1) is small
    with pytest.raises(InvalidInputError, match="no face 2"):
        primary_face([small, large], choice=2)
