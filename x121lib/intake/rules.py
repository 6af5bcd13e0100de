"""What a source image must be: facts in, checks out (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from x121lib.terms.vocabulary import VerdictOutcome

PASS, WARN, FAIL = VerdictOutcome.PASS, VerdictOutcome.WARN, VerdictOutcome.FAIL


@dataclass(frozen=True)
class ImageLimits:
    """Thresholds of the source image checks; a project may hold its own."""

    formats: tuple[str, ...] = ("PNG", "JPEG", "WEBP")
    """Accepted formats by content, as Pillow names them: what ComfyUI's LoadImage and a browser both read."""
    min_short_side_px: int = 512
    """Below it the image fails: the smallest frame that the sample workflows make."""
    good_short_side_px: int = 768
    """Below it the image warns: a 768 px frame would be scaled up from it."""
    narrowest_aspect: float = 0.5
    """Width / height below which (or above whose inverse) the image warns: it leaves a 9:16 frame's range."""
    min_face_confidence: float = 0.65
    """Below it the image warns (PRD-76)."""
    min_face_share: float = 0.15
    """Face height / short side below which the image warns: 77 px at 512 px, where ArcFace's input is 112 px."""
    max_off_centre_x: float = 0.25
    """Distance of the face's centre from the middle, in widths; beyond it the image warns."""
    max_off_centre_y: float = 0.35
    """The same in heights; larger, for a portrait's face lies above the middle."""
    min_sharpness: float = 4.0
    """Variance of the Laplacian (levels², short side 512 px) below which the image fails. Measured: the drawn sample
    portraits give 96 to 313, a photograph 860; blurred by sigma = 2 px they give 2 to 5 and 11."""
    good_sharpness: float = 15.0
    """The same for a warning; blurred by sigma = 1 px the drawn portraits give 8 to 26, the photograph 66."""
    dark_level: float = 35.0
    """Mean luma (0 to 255) below which the image warns."""
    bright_level: float = 230.0
    """Mean luma above which the image warns."""


@dataclass(frozen=True)
class FaceFacts:
    """One found face."""

    box: tuple[int, int, int, int]
    """(x, y, width, height) in pixels."""
    confidence: float
    """0 to 1."""


@dataclass(frozen=True)
class ImageFacts:
    """What was measured on one upright image."""

    width_px: int
    """Width in pixels."""
    height_px: int
    """Height in pixels."""
    format: str
    """Format by content, as Pillow names it."""
    suffix: str
    """The file name's extension in lower case, e.g. ``.png``."""
    faces: tuple[FaceFacts, ...]
    """Faces found, largest first."""
    chosen_face: int | None
    """Place in ``faces`` that a person chose; None where nobody did."""
    backend: str
    """Name of the face backend."""
    sharpness: float
    """Variance of the Laplacian of the luma at a short side of 512 px, levels²."""
    brightness: float
    """Mean luma, 0 to 255."""


@dataclass(frozen=True)
class Check:
    """One judged fact of an image."""

    name: str
    """Stable name, e.g. ``face_count``."""
    outcome: VerdictOutcome
    """pass, warn or fail."""
    value: float | None
    """What was measured; None where it is no number."""
    threshold: float | None
    """The limit that decided; None where there is none."""
    reason: str
    """A sentence for a person, with what to do where it is no pass."""


_SUFFIXES = {
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".bmp": "BMP", ".gif": "GIF", ".tif": "TIFF",
    ".tiff": "TIFF",
}  # fmt: skip
IMAGE_SUFFIXES = frozenset(_SUFFIXES)
"""Extensions, in lower case, that make X121 look into a file."""


def check_image(facts: ImageFacts, limits: ImageLimits | None = None) -> tuple[Check, ...]:
    """Return every check of a source image, in a fixed order; face checks beyond the count need one primary face."""
    limits = limits or ImageLimits()
    checks = [
        _format(facts, limits),
        _resolution(facts, limits),
        _aspect(facts, limits),
        _sharpness(facts, limits),
        _brightness(facts, limits),
        _face_count(facts),
    ]
    primary = primary_of(facts.faces, facts.chosen_face)
    if primary is not None:
        checks += _face_checks(facts, primary, limits)
    return tuple(checks)


def primary_of(faces: Sequence[FaceFacts], chosen: int | None) -> FaceFacts | None:
    """Return the one face, or the chosen one of several; None where that is not decided."""
    if chosen is not None:
        return faces[chosen] if 0 <= chosen < len(faces) else None
    return faces[0] if len(faces) == 1 else None


def worst(checks: Sequence[Check]) -> VerdictOutcome:
    """Return the worst outcome; pass where there are no checks."""
    return max((check.outcome for check in checks), key=lambda outcome: outcome.number, default=PASS)


def kinds_of(outcome: VerdictOutcome, checks: Sequence[Check]) -> Iterator[Check]:
    """Yield the checks of one outcome."""
    return (check for check in checks if check.outcome is outcome)


def _format(facts: ImageFacts, limits: ImageLimits) -> Check:
    if facts.format not in limits.formats:
        return Check("format", FAIL, None, None, f"{facts.format} is not accepted; use {', '.join(limits.formats)}.")
    expected = _SUFFIXES.get(facts.suffix)
    if expected != facts.format:
        reason = f"The name ends in '{facts.suffix}', the content is {facts.format}; it is read as {facts.format}."
        return Check("format", WARN, None, None, reason)
    return Check("format", PASS, None, None, f"{facts.format}.")


def _resolution(facts: ImageFacts, limits: ImageLimits) -> Check:
    short = min(facts.width_px, facts.height_px)
    size = f"{facts.width_px} × {facts.height_px} px"
    if short < limits.min_short_side_px:
        reason = f"{size} is too small: the short side needs {limits.min_short_side_px} px. Use a larger image."
        return Check("resolution", FAIL, short, limits.min_short_side_px, reason)
    if short < limits.good_short_side_px:
        reason = f"{size} is small: from {limits.good_short_side_px} px on, no frame has to be scaled up."
        return Check("resolution", WARN, short, limits.good_short_side_px, reason)
    return Check("resolution", PASS, short, limits.good_short_side_px, f"{size}.")


def _aspect(facts: ImageFacts, limits: ImageLimits) -> Check:
    aspect = facts.width_px / facts.height_px
    inside = limits.narrowest_aspect <= aspect <= 1 / limits.narrowest_aspect
    tail = "." if inside else ": much of it will be cropped away. Crop it closer to the person."
    outcome = PASS if inside else WARN
    return Check("aspect_ratio", outcome, aspect, limits.narrowest_aspect, f"Width / height is {aspect:.2f}{tail}")


def _sharpness(facts: ImageFacts, limits: ImageLimits) -> Check:
    value = facts.sharpness
    if value < limits.min_sharpness:
        reason = f"The image is blurred (sharpness {value:.1f}, at least {limits.min_sharpness:g}). Use a sharper one."
        return Check("sharpness", FAIL, value, limits.min_sharpness, reason)
    if value < limits.good_sharpness:
        reason = f"The image is soft (sharpness {value:.1f}, better {limits.good_sharpness:g} or more)."
        return Check("sharpness", WARN, value, limits.good_sharpness, reason)
    return Check("sharpness", PASS, value, limits.good_sharpness, f"Sharpness {value:.0f}.")


def _brightness(facts: ImageFacts, limits: ImageLimits) -> Check:
    value = facts.brightness
    if value < limits.dark_level:
        reason = f"The image is very dark (mean {value:.0f} of 255). Faces are found less surely in it."
        return Check("brightness", WARN, value, limits.dark_level, reason)
    if value > limits.bright_level:
        reason = f"The image is very bright (mean {value:.0f} of 255). Detail may be lost in it."
        return Check("brightness", WARN, value, limits.bright_level, reason)
    return Check("brightness", PASS, value, limits.dark_level, f"Mean brightness {value:.0f} of 255.")


def _face_count(facts: ImageFacts) -> Check:
    count, by = len(facts.faces), f"({facts.backend} face backend)"
    if count == 0:
        reason = f"No face found {by}. Use a frontal portrait whose face fills at least an eighth of the short side."
        return Check("face_count", FAIL, 0, 1, reason)
    if facts.chosen_face is not None and not 0 <= facts.chosen_face < count:
        reason = f"Face {facts.chosen_face + 1} was chosen, {count} found {by}. Choose one from 1 to {count}."
        return Check("face_count", FAIL, count, 1, reason)
    if count > 1 and facts.chosen_face is None:
        how = "Choose the primary one with --face PATH=N (1 is the largest), or crop the image."
        reason = f"Several faces: {count} found {by}. {how}"
        return Check("face_count", FAIL, count, 1, reason)
    if count > 1:
        reason = f"{count} faces found {by}; face {(facts.chosen_face or 0) + 1} was chosen."
        return Check("face_count", PASS, count, 1, reason)
    return Check("face_count", PASS, 1, 1, f"One face found {by}.")


def _face_checks(facts: ImageFacts, face: FaceFacts, limits: ImageLimits) -> list[Check]:
    x, y, w, h = face.box
    low = face.confidence < limits.min_face_confidence
    confidence = (
        # PRD-76 gives this sentence.
        f"Face detection confidence is low ({face.confidence:.2f}) — this may cause unreliable quality checks "
        f"downstream. Consider using a clearer source image. ({facts.backend} face backend)"
        if low
        else f"Face detection confidence {face.confidence:.2f} ({facts.backend} face backend)."
    )
    share = h / min(facts.width_px, facts.height_px)
    small = share < limits.min_face_share
    tail = " Too small for reliable likeness checks: crop closer." if small else ""
    size = f"The face is {share:.0%} of the short side high.{tail}"
    off_x = abs((x + w / 2) / facts.width_px - 0.5)
    off_y = abs((y + h / 2) / facts.height_px - 0.5)
    beside = off_x > limits.max_off_centre_x or off_y > limits.max_off_centre_y
    axis, off, limit = ("width", off_x, limits.max_off_centre_x)
    if off_y / limits.max_off_centre_y > off_x / limits.max_off_centre_x:
        axis, off, limit = ("height", off_y, limits.max_off_centre_y)
    place = f"The face's centre is {off:.0%} of the {axis} off the middle."
    if beside:
        place += " It may leave the frame when the camera moves: crop around it."
    return [
        Check("face_confidence", WARN if low else PASS, face.confidence, limits.min_face_confidence, confidence),
        Check("face_size", WARN if small else PASS, share, limits.min_face_share, size),
        Check("face_centring", WARN if beside else PASS, off, limit, place),
    ]
