"""One image file: decoded safely, measured, its face embedded."""

from __future__ import annotations

import io
import struct
import warnings
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from x121lib.base.errors import InvalidInputError
from x121lib.identity.faces import DetectedFace, Embedding, FaceBackend, RgbImage, embed_face
from x121lib.intake.rules import FaceFacts, ImageFacts
from x121lib.measures.sharpness import sharpness
from x121lib.measures.size import luma_of
from x121lib.media.errors import UnreadableImageError
from x121lib.media.images import MAX_PIXELS, read_image

_MEASURE_SHORT_PX = 512
"""Short side at which sharpness is measured, so that its threshold holds for every size of image."""


class UnusableImageError(InvalidInputError):
    """Bytes that are no image X121 can use; ``code`` says which way."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What one image turned out to be."""

    facts: ImageFacts
    """Facts for the checks."""
    faces: tuple[DetectedFace, ...]
    """Faces found, largest first."""
    primary: DetectedFace | None
    """The only face, or the chosen one of several."""
    embedding: Embedding | None
    """Embedding of the primary face."""


def measure(content: bytes, suffix: str, backend: FaceBackend, chosen_face: int | None = None) -> Measured:
    """Return what an image's bytes hold; ``chosen_face`` is a place among its faces, largest first from 0.

    Raises:
        UnusableImageError: no image, cut short, or more pixels than `MAX_PIXELS`.
    """
    format_ = header_format(content)
    rgb = _decode(content)
    faces = tuple(backend.detect(rgb))
    facts = ImageFacts(
        width_px=rgb.shape[1],
        height_px=rgb.shape[0],
        format=format_,
        suffix=suffix.lower(),
        faces=tuple(FaceFacts(face.box, face.confidence) for face in faces),
        chosen_face=chosen_face,
        backend=backend.name,
        sharpness=_sharpness(rgb),
        brightness=float(luma_of(rgb).mean()),
    )
    wanted = 0 if chosen_face is None and len(faces) == 1 else chosen_face
    primary = faces[wanted] if wanted is not None and 0 <= wanted < len(faces) else None
    embedding = None if primary is None else embed_face(backend, rgb, primary)
    return Measured(facts, faces, primary, embedding)


def header_format(content: bytes) -> str:
    """Return an image's format by content, e.g. ``PNG``, from its header alone.

    Raises:
        UnusableImageError: no image, or its header promises more than `MAX_PIXELS` pixels.
    """
    try:
        with warnings.catch_warnings():
            # Our own limit decides; Pillow's warning at another size would only repeat it.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as image:
                width, height = image.size
                format_ = image.format or "unknown"
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(_png_size(content)) from error
    except UnidentifiedImageError as error:
        raise UnusableImageError(
            "This is no image that can be read, whatever its name says.",
            hint="Use PNG, JPEG or WebP.",
            code="intake.not_an_image",
        ) from error
    except (OSError, SyntaxError, ValueError, struct.error) as error:
        raise _damaged(error) from error
    if width * height > MAX_PIXELS:
        raise _too_many_pixels(f"{width:,} × {height:,}")
    return format_


def _decode(content: bytes) -> RgbImage:
    try:
        return read_image(content)
    except UnreadableImageError as error:
        raise _damaged(error) from error


def _damaged(error: Exception) -> UnusableImageError:
    reason = str(error.__cause__ or error).rstrip(".")
    return UnusableImageError(
        f"The image is damaged or cut short ({reason}).", hint="Copy or export it again.", code="intake.damaged"
    )


def _too_many_pixels(size: str) -> UnusableImageError:
    return UnusableImageError(
        f"The image is {size} pixels; at most {MAX_PIXELS:,} pixels are decoded.",
        hint="Scale it down.",
        code="intake.too_many_pixels",
    )


def _png_size(content: bytes) -> str:
    """Return 'width × height' from a PNG's first chunk; Pillow refuses a bomb before it says how large it is."""
    if content[:8] == b"\x89PNG\r\n\x1a\n" and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
        return f"{width:,} × {height:,}"
    return "far more than 10,000 × 10,000"


def _sharpness(rgb: RgbImage) -> float:
    luma = luma_of(rgb)
    scale = _MEASURE_SHORT_PX / min(luma.shape)
    if scale < 1:
        luma = np.asarray(cv2.resize(luma, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    return sharpness(luma)
