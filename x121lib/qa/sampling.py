"""What is measured on a few frames of a take in full size: seam, colour, sharpness, the face."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

from x121lib import measures
from x121lib.identity import (
    Box,
    DetectedFace,
    Embedding,
    FaceBackend,
    embed_face,
    primary_face,
    similarity,
)
from x121lib.measures.size import Floats, Rgb
from x121lib.qa.calibration import likeness
from x121lib.qa.metrics import FACE_METRICS
from x121lib.terms.quality import Score
from x121lib.terms.ranges import FrameRange

SAMPLES = 6
"""Frames looked at in full size: the first, the last, and evenly between."""
_EXTRA = 4
_JUMP = 4.0
_USUAL_STRIDE = 12


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What a take is compared with."""

    expected_size: tuple[int, int]
    """Planned width and height in pixels."""
    expected_rate: Fraction
    """Planned frames per second."""
    expected_frames: int | None = None
    """Planned frames; None where any length is right."""
    handoff_frame: Rgb | None = None
    """Last frame of the segment before, as it was handed over; None for a scene's first segment."""
    first_frame: Rgb | None = None
    """The scene's first frame; None where this take begins the scene, and then its own first frame serves."""
    face: Embedding | None = None
    """The character's identity embedding."""
    backend: FaceBackend | None = None
    """The face backend that made it."""

    def not_applicable(self) -> frozenset[str]:
        """Return the metrics that have no meaning for this take: a first segment has no seam."""
        seam = {"seam_ssim", "seam_phash", "seam_delta_e"} if self.handoff_frame is None else set()
        length = {"frame_count_error"} if self.expected_frames is None else set()
        return frozenset(seam | length)

    def unmeasured(self) -> dict[str, str]:
        """Return the metrics that cannot be measured with this reference, each with the reason."""
        if self.backend is None:
            return dict.fromkeys(FACE_METRICS, "no face backend was given")
        reason = ""
        if self.face is None:
            reason = "the character has no identity embedding"
        elif (self.face.backend, self.face.pack) != (
            self.backend.name,
            self.backend.pack,
        ):
            reason = f"the embedding was made by {self.face.backend}/{self.face.pack}; extract it again"
        return dict.fromkeys(("face_similarity", "face_similarity_mean"), reason) if reason else {}


@dataclass(frozen=True, eq=False)
class _State:
    """How a frame looks, as far as it may drift from the scene's beginning."""

    colour: Floats
    sharpness: float
    contrast: float
    grain: float
    face: Box | None
    short_side: int

    @staticmethod
    def of(rgb: Rgb, face: Box | None) -> _State:
        luma = measures.luma_of(rgb)
        return _State(
            measures.mean_lab(rgb), measures.sharpness(luma), measures.contrast(luma), measures.grain(luma), face,
            min(luma.shape),
        )  # fmt: skip


@dataclass(frozen=True)
class _Look:
    """What was measured on one sampled frame."""

    frame: int
    state: _State
    blockiness: float
    drift: float
    confidence: float | None
    cosine: float | None
    likeness: float | None


class FrameSamples:
    """Chooses frames and measures them; keeps numbers, and of pictures only what the next comparison needs."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._plan: frozenset[int] | None = None
        self._jumps = 0
        self._usual = 0.0
        self._looks: list[_Look] = []
        self._seam: list[Score] = []
        self._home: _State | None = None
        self._box: Box | None = None
        self._compares_faces = reference.backend is not None and not reference.unmeasured()

    def expect(self, frames: int) -> None:
        """Spread the samples over that many frames; 0 where unknown."""
        if frames > 0:
            self._plan = frozenset(np.linspace(0, frames - 1, min(SAMPLES, frames)).round().astype(int).tolist())

    def wants(self, number: int, change: float) -> bool:
        """Return whether to look at this frame; beside the planned ones, a few that follow a sudden change.

        What changes for the worse in the middle of a take (another face, a jump) mostly does so from one frame to the
        next, so looking there finds what even samples step over.
        """
        sudden = number > 2 and change > _JUMP * (self._usual + 0.5) and self._jumps < _EXTRA
        self._usual = change if number <= 1 else 0.9 * self._usual + 0.1 * min(change, 4 * self._usual + 1)
        if sudden:
            self._jumps += 1
        planned = number in self._plan if self._plan is not None else number % _USUAL_STRIDE == 0
        return sudden or planned

    def look(self, number: int, rgb: Rgb) -> None:
        """Measure a frame in full size; frame 0 is compared with the hand-off frame too."""
        if number == 0 and self._reference.handoff_frame is not None:
            self._seam = seam_scores(self._reference.handoff_frame, rgb)
        confidence, cosine = self._look_at_face(rgb)
        state = _State.of(rgb, self._box)
        if self._home is None:
            self._home = self._beginning(rgb, state)
        drift = float(measures.delta_e_2000(self._home.colour, state.colour))
        alike = (
            None if cosine is None or self._reference.face is None else likeness(cosine, self._reference.face.backend)
        )
        blockiness = measures.blockiness(measures.luma_of(rgb))
        self._looks.append(_Look(number, state, blockiness, drift, confidence, cosine, alike))

    def _beginning(self, rgb: Rgb, state: _State) -> _State:
        """Return how the scene looked in the beginning."""
        first = self._reference.first_frame
        if first is None:
            return state
        first, backend = _fitted(first, rgb), self._reference.backend
        face = primary_face(backend.detect(first)) if backend is not None else None
        return _State.of(first, face.box if face else None)

    def _look_at_face(self, rgb: Rgb) -> tuple[float | None, float | None]:
        backend = self._reference.backend
        if backend is None:
            return None, None
        face = self._find(backend, rgb)
        self._box = face.box if face else None
        if face is None:
            return None, None
        if not self._compares_faces or self._reference.face is None:
            return face.confidence, None
        return face.confidence, similarity(self._reference.face, embed_face(backend, rgb, face))

    def _find(self, backend: FaceBackend, rgb: Rgb) -> DetectedFace | None:
        if self._box is not None:
            found = primary_face(backend.detect(rgb, near=self._box))
            if found is not None:
                return found
        return primary_face(backend.detect(rgb))

    def series(self) -> dict[str, Floats]:
        """Return the numbers per sampled frame; NaN where no face was found."""
        looks = self._looks
        columns = {
            "sample_frame": [float(look.frame) for look in looks],
            "sharpness": [look.state.sharpness for look in looks],
            "blockiness": [look.blockiness for look in looks],
            "colour_drift": [look.drift for look in looks],
            "face_confidence": [np.nan if look.confidence is None else look.confidence for look in looks],
            "face_cosine": [np.nan if look.cosine is None else look.cosine for look in looks],
            "face_similarity": [np.nan if look.likeness is None else look.likeness for look in looks],
        }
        return {name: np.array(values, dtype=np.float64) for name, values in columns.items()}

    def scores(self) -> list[Score]:
        """Return the scores of seam, picture and face; none where no frame was looked at."""
        if not self._looks or self._home is None:
            return []
        soft = min(self._looks, key=lambda look: look.state.sharpness)
        blocky = max(self._looks, key=lambda look: look.blockiness)
        far = max(self._looks, key=lambda look: look.drift)
        # One level² on both sides: a flat picture has nothing to lose.
        kept = (soft.state.sharpness + 1) / (self._home.sharpness + 1)
        return [
            *self._seam,
            Score("colour_drift", self._looks[-1].drift, _at(self._looks[-1])),
            Score("colour_deviation", far.drift, _at(far)),
            Score("sharpness", soft.state.sharpness, _at(soft)),
            Score("sharpness_ratio", kept, _at(soft)),
            Score("blockiness", blocky.blockiness, _at(blocky)),
            *_drift_scores(self._home, self._looks[-1]),
            *self._face_scores(),
        ]

    def _face_scores(self) -> list[Score]:
        backend = self._reference.backend
        if backend is None:
            return []
        note = f"{backend.name}/{backend.pack}"
        found = [look for look in self._looks if look.confidence is not None]
        lost = next((look for look in self._looks if look.confidence is None), None)
        scores = [
            Score(
                "face_found",
                len(found) / len(self._looks),
                _at(lost) if lost else None,
                note,
            )
        ]
        sure = min(found, key=lambda look: look.confidence or 0.0, default=None)
        scores.append(
            Score(
                "face_confidence",
                sure.confidence or 0.0 if sure else 0.0,
                _at(sure or lost),
                note,
            )
        )
        if self._compares_faces:
            alike = sorted(look.likeness for look in found if look.likeness is not None)
            least = min(found, key=lambda look: look.likeness or 0.0, default=None)
            # Nothing to compare: no likeness, and face_found says why.
            mean = float(np.mean(alike)) if alike else 0.0
            scores.append(
                Score(
                    "face_similarity",
                    alike[0] if alike else 0.0,
                    _at(least or lost),
                    note,
                )
            )
            scores.append(Score("face_similarity_mean", mean, None, note))
        return scores


def _drift_scores(home: _State, last: _Look) -> list[Score]:
    """Return how far the last frame, which the next segment receives, has gone from the scene's beginning."""
    now, at = last.state, _at(last)
    scores = [
        Score("lightness_drift", float(now.colour[0] - home.colour[0]), at),
        # One level, and a quarter of one, on both sides: a flat picture has nothing to lose.
        Score("contrast_kept", (now.contrast + 1) / (home.contrast + 1), at),
        Score("grain_kept", (now.grain + 0.25) / (home.grain + 0.25), at),
    ]
    if now.face is not None and home.face is not None:
        (x, y), (x0, y0) = _centre(now.face), _centre(home.face)
        moved = 100 * float(np.hypot(x - x0, y - y0)) / now.short_side
        scores += [
            Score("subject_shift", moved, at),
            Score("subject_scale", now.face[3] / max(1, home.face[3]), at),
        ]
    return scores


def _centre(box: Box) -> tuple[float, float]:
    x, y, width, height = box
    return x + width / 2, y + height / 2


def seam_scores(handoff: Rgb, first: Rgb) -> list[Score]:
    """Return how well a take's first frame follows the frame handed over; a differing size is fitted first."""
    note = "" if handoff.shape == first.shape else "fitted to the take's size"
    handoff = _fitted(handoff, first)
    frames = FrameRange(0, 1)
    colours = measures.picture_distance(measures.lab_grid(handoff), measures.lab_grid(first))
    bits = measures.phash_distance(measures.phash(handoff), measures.phash(first))
    return [
        Score("seam_ssim", measures.ssim(handoff, first), frames, note),
        Score("seam_phash", float(bits), frames, note),
        Score("seam_delta_e", colours, frames, note),
    ]


def _fitted(rgb: Rgb, like: Rgb) -> Rgb:
    if rgb.shape == like.shape:
        return rgb
    return np.asarray(
        cv2.resize(rgb, (like.shape[1], like.shape[0]), interpolation=cv2.INTER_AREA),
        dtype=np.uint8,
    )


def _at(look: _Look | None) -> FrameRange | None:
    return FrameRange(look.frame, look.frame + 1) if look else None
