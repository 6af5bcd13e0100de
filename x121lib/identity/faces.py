"""Values of this room: a found face, its embedding, and how two embeddings are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from x121lib.base.errors import InvalidInputError, X121Error

EMBEDDING_SIZE = 512
"""Length of every embedding, whatever the backend."""

Box = tuple[int, int, int, int]
"""(x, y, width, height) in whole pixels of the image; the origin is its top left corner."""
RgbImage = NDArray[np.uint8]
"""H×W×3, R G B, 0–255."""
Vector = NDArray[np.float32]
"""`EMBEDDING_SIZE` values of L2 norm 1."""


class IdentityError(X121Error):
    """A face could not be found, embedded or compared."""

    code = "identity.error"


class DifferentBackendError(IdentityError):
    """Two embeddings come from different backends or packs, so their cosine means nothing."""

    code = "identity.different_backend"


class BackendUnavailableError(IdentityError):
    """A backend was asked for by name and can not be loaded here."""

    code = "identity.backend_unavailable"


@dataclass(frozen=True, eq=False)
class DetectedFace:
    """One face found in one image."""

    box: Box
    """Bounding box in pixels; it may touch the image's edge and never crosses it."""
    confidence: float
    """0 to 1, higher is surer; comparable only within one backend."""
    landmarks: NDArray[np.float32] | None = field(default=None, repr=False)
    """5×2 (x, y) pixels: eyes, nose, mouth corners; None where the backend has none."""

    @property
    def area_px(self) -> int:
        """Area of the box in pixels."""
        return self.box[2] * self.box[3]


@runtime_checkable
class FaceBackend(Protocol):
    """What every face backend offers."""

    @property
    def name(self) -> str:
        """Name stored and shown beside every score, e.g. ``classical``."""

    @property
    def pack(self) -> str:
        """Model pack or feature version; embeddings of different packs are never compared."""

    def detect(self, rgb: RgbImage, near: Box | None = None) -> list[DetectedFace]:
        """Return the faces of an H×W×3 uint8 RGB image, largest first.

        ``near`` is the box of the previous frame: only its surroundings are searched, which is faster. An empty
        answer then means "not near there", not "no face in the image".
        """

    def embed(self, rgb: RgbImage, face: DetectedFace) -> Vector:
        """Return the embedding of one face: float32 (512,), L2 norm 1."""


@dataclass(frozen=True, eq=False)
class Embedding:
    """An embedding with the names that say what it may be compared with."""

    backend: str
    """Name of the backend that made it."""
    pack: str
    """Pack of that backend."""
    vector: Vector = field(repr=False)
    """512 float32 values of L2 norm 1."""

    def __post_init__(self) -> None:
        """Raise `InvalidInputError` unless the vector has 512 finite values of norm 1 (tolerance 1e-3)."""
        vector: NDArray[Any] = np.asarray(self.vector)
        if vector.shape != (EMBEDDING_SIZE,) or not np.isfinite(vector).all():
            raise InvalidInputError(f"An embedding has {EMBEDDING_SIZE} finite values; got shape {vector.shape}.")
        if abs(float(np.linalg.norm(vector)) - 1.0) > 1e-3:
            raise InvalidInputError("An embedding has L2 norm 1.", hint="Normalise it before storing.")


def similarity(a: Embedding, b: Embedding) -> float:
    """Return the cosine of two embeddings, -1 to 1; higher is more alike.

    Raises:
        DifferentBackendError: they were made by different backends or packs.
    """
    if (a.backend, a.pack) != (b.backend, b.pack):
        raise DifferentBackendError(
            f"An embedding of {a.backend}/{a.pack} can not be compared with one of {b.backend}/{b.pack}.",
            hint="Re-extract the older one with the backend in use now.",
        )
    return float(np.clip(np.dot(a.vector, b.vector), -1.0, 1.0))


def primary_face(faces: Sequence[DetectedFace], choice: int | None = None) -> DetectedFace | None:
    """Return the face a person chose by its 0-based place (largest first), else the largest; None without faces.

    Raises:
        InvalidInputError: ``choice`` names a face that is not there.
    """
    if choice is None:
        return max(faces, key=lambda face: face.area_px, default=None)
    if not 0 <= choice < len(faces):
        raise InvalidInputError(f"There is no face {choice}; {len(faces)} found.", hint="Count from 0, largest first.")
    return sorted(faces, key=lambda face: -face.area_px)[choice]


def embed_face(backend: FaceBackend, rgb: RgbImage, face: DetectedFace) -> Embedding:
    """Return the embedding of one face together with the names of what made it."""
    return Embedding(backend.name, backend.pack, backend.embed(rgb, face))


def check_rgb(rgb: RgbImage) -> None:
    """Raise `InvalidInputError` unless the array is H×W×3 uint8 with at least one pixel."""
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or 0 in rgb.shape:
        raise InvalidInputError(f"A face is looked for in H×W×3 uint8 RGB; got {rgb.dtype} {rgb.shape}.")
