"""The registry of metrics: what each number is, its unit, which way is better and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from x121lib.base.errors import NotFoundError
from x121lib.terms.vocabulary import MetricDirection

_HIGHER, _LOWER, _RANGE = (
    MetricDirection.HIGHER,
    MetricDirection.LOWER,
    MetricDirection.RANGE,
)


@dataclass(frozen=True)
class Metric:
    """One quality measure."""

    name: str
    """Stable name, as in scores, gates and profiles."""
    label: str
    """What people read."""
    unit: str
    """Unit of the value; empty for plain ratios and indices."""
    direction: MetricDirection
    """Which way is better."""
    source: str
    """Paper, documentation or definition."""
    description: str
    """What it tells, in a sentence."""


_X121 = "X121: x121lib.measures"
_BLACKDETECT = "FFmpeg blackdetect (pixel_black_th 0.10, picture_black_ratio_th 0.98)"
_FREEZEDETECT = "FFmpeg freezedetect (noise 0.001) with a local limit"
_FACE = "Cosine of embeddings (ArcFace, Deng et al. 2019); other backends by x121lib.qa.calibration"
_CIEDE = "Sharma, Wu, Dalal 2005 (CIEDE2000)"

METRICS: tuple[Metric, ...] = (
    # The file
    Metric("readable", "Readable", "0 or 1", _HIGHER, _X121, "1 where the file opens and shows at least one frame."),
    Metric("decode_errors", "Decoding errors", "errors", _LOWER, "FFmpeg err_detect=explode", "Damaged packets."),
    Metric("missing_frames", "Missing frames", "frames", _LOWER, _X121,
           "Frames that the container promises and the decoder does not give."),
    Metric("frame_count_error", "Length error", "frames", _LOWER, _X121, "Frames more or fewer than planned."),
    Metric("size_error", "Size error", "px", _LOWER, _X121,
           "Pixels that width and height together are away from the planned size."),
    Metric("size_changes", "Size changes", "frames", _LOWER, _X121, "Frames sized unlike the frame before them."),
    Metric("rate_error", "Frame rate error", "", _LOWER, _X121,
           "Distance from the planned frame rate as a share of it, by the timestamps."),
    Metric("irregular_intervals", "Irregular intervals", "frames", _LOWER, _X121,
           "Frames shown for longer or shorter than the usual interval."),
    Metric("audio_streams", "Audio streams", "streams", _RANGE, _X121, "Audio streams in the file."),
    Metric("invalid_samples", "Invalid samples", "samples", _LOWER, _X121,
           "NaN, infinite or out-of-range samples; always 0 in integer formats."),
    # Frame by frame
    Metric("black_frames", "Black frames", "frames", _LOWER, _BLACKDETECT, "How many frames are black."),
    Metric("black_run", "Longest black run", "s", _LOWER, _BLACKDETECT, "Length of the longest black stretch."),
    Metric("frozen_run", "Longest freeze", "s", _LOWER, _FREEZEDETECT,
           "Length of the longest stretch of frames equal but for coding noise."),
    Metric("duplicate_ratio", "Duplicate frames", "", _LOWER, _FREEZEDETECT,
           "Share of frames that repeat the frame before them."),
    Metric("motion_energy", "Motion", "levels", _RANGE, "Mean absolute luma difference, 0-255",
           "How much an average frame differs from the one before."),
    Metric("motion_jitter", "Jitter", "% of short side", _LOWER, "Lucas and Kanade 1981; see measures.motion",
           "How unevenly the whole picture moves from frame to frame."),
    Metric("motion_spike", "Sudden change", "", _LOWER, _X121,
           "The largest change between two frames against the usual one; a jump or a cut stands out."),
    Metric("brightness_flicker", "Flicker", "levels", _LOWER, _X121,
           "95th percentile of the mean luma's second difference: brightness that goes to and fro."),
    Metric("temporal_stability", "Temporal stability", "", _HIGHER, "VBench temporal flickering: 1 - MAE/255",
           "1 for a still picture; comparable only between takes of like motion."),
    # At the seam with the segment before
    Metric("seam_ssim", "Seam SSIM", "", _HIGHER, "Wang et al. 2004; levels of VideoScore (.90, .75, .60)",
           "Likeness of the hand-off frame and the take's first frame."),
    Metric("seam_phash", "Seam hash distance", "bits", _LOWER, "Zauner 2010 (64-bit DCT hash)",
           "Perceptual hash bits that differ across the seam."),
    Metric("seam_delta_e", "Seam colour step", "ΔE2000", _LOWER, _CIEDE, "Mean colour difference across the seam."),
    # Sampled frames
    Metric("colour_drift", "Colour drift", "ΔE2000", _LOWER, _CIEDE,
           "Distance of the last frame's mean colour from the scene's first frame: what the next segment receives."),
    Metric("colour_deviation", "Colour deviation", "ΔE2000", _LOWER, _CIEDE,
           "The same for the furthest sampled frame; a camera that moves in raises it too."),
    Metric("lightness_drift", "Lightness drift", "L*", _RANGE, "CIELAB, CIE 15:2018",
           "How much lighter (above 0) or darker the last frame is than the scene's first frame."),
    Metric("contrast_kept", "Contrast kept", "", _RANGE, "Peli 1990 (RMS contrast)",
           "Contrast of the last frame against the scene's first frame; 1 is equal."),
    Metric("grain_kept", "Grain kept", "", _RANGE, "Immerkær 1996 (fast noise estimation)",
           "Fine noise of the last frame against the scene's first frame; 1 is equal."),
    Metric("sharpness", "Sharpness", "levels²", _HIGHER, "Pech-Pacheco et al. 2000 (variance of Laplacian)",
           "Sharpness of the softest sampled frame."),
    Metric("sharpness_ratio", "Sharpness kept", "", _HIGHER, "Pech-Pacheco et al. 2000 (variance of Laplacian)",
           "Sharpness of the softest sampled frame against the scene's first frame; 1 is equal."),
    Metric("blockiness", "Blockiness", "", _LOWER, "Wang, Bovik, Evans 2000",
           "Steps across the coding grid against steps beside it; about 1 without a grid."),
    # The face
    Metric("face_found", "Face found", "", _HIGHER, _X121, "Share of sampled frames in which a face is found."),
    Metric("face_confidence", "Face confidence", "", _HIGHER, "The face backend's own, 0 to 1",
           "Lowest detection confidence of the sampled frames in which a face is found."),
    Metric("face_similarity", "Face likeness", "cosine", _HIGHER, _FACE,
           "Lowest likeness of a sampled face to the character's reference."),
    Metric("face_similarity_mean", "Mean face likeness", "cosine", _HIGHER,
           _FACE, "Mean likeness over the sampled frames."),
    Metric("subject_shift", "Subject's shift", "% of short side", _LOWER, _X121,
           "How far the face of the last frame lies from where it was in the scene's first frame."),
    Metric("subject_scale", "Subject's size", "", _RANGE, _X121,
           "Height of the face in the last frame against the scene's first frame; 1 is equal."),
)  # fmt: skip
"""Every metric, in the order in which people read them."""

_BY_NAME = {metric.name: metric for metric in METRICS}
SEAM_METRICS = frozenset({"seam_ssim", "seam_phash", "seam_delta_e"})
"""What needs the frame that the segment before handed over."""
FACE_METRICS = frozenset({
    "face_found", "face_confidence", "face_similarity", "face_similarity_mean", "subject_shift", "subject_scale",
})  # fmt: skip
"""What needs a face backend."""


def metric(name: str) -> Metric:
    """Return the metric of that name.

    Raises:
        NotFoundError: there is none.
    """
    found = _BY_NAME.get(name)
    if found is None:
        raise NotFoundError(
            f"There is no metric named {name}.",
            hint=f"Known: {', '.join(sorted(_BY_NAME))}.",
        )
    return found
