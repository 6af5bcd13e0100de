"""A labelled set of takes with faults of graded strength, and the precision and recall of each gate on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from x121lib.qa.analysis import analyse
from x121lib.qa.gates import judge
from x121lib.terms.quality import Gate, Outcome, Verdict
from x121lib.testing import takes
from x121lib.testing.takes import Fault

FRAMES = 29
TUNED = ("Mara", "Aiko")
"""Portraits on which thresholds were chosen."""
HELD_OUT = ("Jonas", "Lena")
"""Portraits on which no threshold was chosen."""


@dataclass(frozen=True)
class Label:
    """One kind of take of the set."""

    name: str
    """What was done to it."""
    fault: Fault | None
    """The fault; None for a clean take."""
    fails: frozenset[str] = frozenset()
    """Gates that must fail it."""
    may_fail: frozenset[str] = frozenset()
    """Gates that may fail it too, because the fault shows there as well."""
    warns: frozenset[str] = frozenset()
    """Gates that must at least warn."""
    reach: float = 0.04
    """Reach of the camera path."""
    zoom: float = 0.15
    """Zoom of the camera path."""


def _label(name: str, fault: Fault, fails: str = "", may: str = "", warns: str = "") -> Label:
    return Label(name, fault, frozenset(fails.split()), frozenset(may.split()), frozenset(warns.split()))


def _other(name: str) -> str:
    everyone = (*TUNED, *HELD_OUT)
    return everyone[(everyone.index(name) + 1) % len(everyone)]


def labels(name: str) -> tuple[Label, ...]:
    """Return the kinds of take made of one portrait; strong faults must fail, weaker ones warn, clean takes pass."""
    other = _other(name)
    seam = "seam_ssim seam_phash seam_delta_e"
    colour = "colour_drift colour_deviation seam_delta_e"
    face = "face_found face_similarity face_confidence"
    dark = f"{colour} {face} sharpness_ratio"
    jump = "motion_spike motion_jitter brightness_flicker"
    return (
        Label("clean, gentle", None, reach=0.015, zoom=0.06),
        Label("clean", None),
        Label("clean, lively", None, reach=0.08, zoom=0.3),
        _label("black, 1 frame", takes.black(1), "black_frames", f"{jump} {dark}"),
        _label("black, 5 frames", takes.black(5, at=13), "black_frames", f"{jump} {dark}"),
        _label("freeze, 0.4 s", takes.frozen(10), "", "motion_spike duplicate_ratio motion_jitter", "frozen_run"),
        _label("freeze, 0.6 s", takes.frozen(15), "frozen_run", "motion_spike duplicate_ratio motion_jitter"),
        _label("8 frames/s shown as 24", takes.repeated(3), "duplicate_ratio", jump),
        _label("shaken by 2 px", takes.shaken(2), "motion_jitter", "", "motion_jitter"),
        _label("jump of 60 px", takes.jumping(60), "motion_spike", f"{jump} {colour} {face}"),
        _label("flicker of 2 levels", takes.flickering(2), "brightness_flicker"),
        _label("blur of 2 px", takes.blurred(2), "sharpness_ratio"),
        _label("JPEG of quality 4", takes.blocky(4), "blockiness", f"{colour} {face}"),
        _label("cast of 7 levels", takes.tinted(7), "", colour, "colour_drift seam_delta_e"),
        _label("cast of 20 levels", takes.tinted(20), "colour_drift seam_delta_e", colour),
        _label("seam off by 100 px", takes.shifted(100), "seam_phash seam_delta_e",
               f"{seam} {dark}"),
        _label("face covered", takes.faceless(9), "face_found", f"{jump} {dark}"),
        _label("face of another, 3 frames", takes.swapped(other, 12, 15), "face_similarity",
               f"{jump} {colour} sharpness_ratio"),
        _label("another person", takes.swapped(other, 0), "face_similarity seam_phash seam_delta_e",
               f"{seam} {colour} sharpness_ratio"),
    )  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """A take of the set with its verdicts."""

    portrait: str
    """Whose portrait."""
    label: Label
    """What was done to it."""
    verdicts: dict[str, Verdict]
    """By metric."""


def judged_set(names: Iterable[str], folder: Path, gates: tuple[Gate, ...]) -> Iterator[Judged]:
    """Make, write and judge every kind of take for these portraits, one at a time."""
    for name in names:
        for place, label in enumerate(labels(name)):
            frames = takes.moved(name, FRAMES, reach=label.reach, zoom=label.zoom, seed=place)
            made = label.fault(frames) if label.fault else frames
            analysis = analyse(takes.write(folder / "take.mp4", made), takes.reference(frames[0], FRAMES))
            verdicts = judge(analysis.scores, gates, unmeasured=analysis.unmeasured)
            yield Judged(name, label, {verdict.metric: verdict for verdict in verdicts})


@dataclass(frozen=True)
class Rates:
    """How well one gate did."""

    precision: float
    """Share of its failures that were right; 1 where it failed nothing."""
    recall: float
    """Share of the takes that it must fail that it failed; 1 where there is none."""
    positives: int
    """Takes that it must fail."""


def rates(found: Iterable[Judged], metric: str) -> Rates:
    """Return precision and recall of one gate; takes that it may fail count neither way."""
    right = wrong = missed = 0
    for take in found:
        failed = take.verdicts[metric].outcome is Outcome.FAIL
        if metric in take.label.fails:
            right, missed = right + failed, missed + (not failed)
        elif metric not in take.label.may_fail:
            wrong += failed
    return Rates(right / max(1, right + wrong) if right + wrong else 1.0,
                 right / (right + missed) if right + missed else 1.0, right + missed)  # fmt: skip
