"""Which frames of a joined video are copied and which must be encoded again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from x121lib.base.errors import InvalidInputError
from x121lib.media.errors import FrameNotFoundError, IncompatiblePartsError
from x121lib.media.gops import Gop, Part
from x121lib.terms.ranges import FrameRange

_ENCODERS = {"h264": "libx264", "vp9": "libvpx-vp9"}
_ALIKE_HEADERS = {"h264", "vp9", "vp8", "mjpeg", "png", "prores", "ffv1"}


@dataclass(frozen=True)
class Cut:
    """A part of the video to be joined."""

    path: Path
    """The file."""
    frames: FrameRange
    """The frames of it that are wanted."""


@dataclass(frozen=True)
class Run:
    """Neighbouring frames of one part that are treated alike."""

    part: int
    """Place of the part among the cuts."""
    frames: range
    """Frames of the part."""
    packets: range
    """Packets to copy; empty where the frames are encoded again."""
    order: tuple[int, ...]
    """Display place within the run of each packet."""

    @property
    def copied(self) -> bool:
        """Whether the run's packets are copied."""
        return bool(self.packets)


def check_cuts(cuts: Sequence[Cut], parts: Sequence[Part]) -> None:
    """Raise where there is nothing to join or a cut leaves its video.

    Raises:
        InvalidInputError: no cut, or an empty one.
        FrameNotFoundError: a cut names frames that its video has not.
    """
    if not cuts:
        raise InvalidInputError("There is nothing to join.")
    for cut, part in zip(cuts, parts, strict=True):
        if cut.frames.start >= cut.frames.stop:
            raise InvalidInputError(f"No frame of {cut.path} is wanted.", hint="Leave the part out.")
        if cut.frames.stop > part.n_frames:
            raise FrameNotFoundError(
                f"{cut.path} has {part.n_frames} frames; {cut.frames.start} to {cut.frames.stop - 1} is not among them."
            )


def check_alike(parts: Sequence[Part]) -> None:
    """Raise where parts cannot be joined by copying.

    Raises:
        IncompatiblePartsError: names each part that differs from the first, and how.
    """
    first, faults = parts[0], []
    for part in parts:
        if part.obstacle:
            faults.append(f"{part.path}: {part.obstacle}")
            continue
        differing = [
            f"{name} {mine} instead of {wanted}"
            for (name, wanted), (_, mine) in zip(first.form, part.form, strict=True)
            if wanted != mine
        ]
        if part.codec not in _ALIKE_HEADERS and part.extradata != first.extradata:
            differing.append("another decoder configuration")
        if differing:
            faults.append(f"{part.path}: {', '.join(differing)}")
    if faults:
        raise IncompatiblePartsError(
            "These parts cannot be joined without encoding everything again: " + "; ".join(dict.fromkeys(faults)) + ".",
            hint="Allow re-encoding, or generate the parts alike.",
        )


def plan(cuts: Sequence[Cut], parts: Sequence[Part]) -> list[Run]:
    """Return the runs of the joined video, in order.

    Raises:
        IncompatiblePartsError: a cut falls inside a group of pictures of a coding that cannot be encoded again alone.
    """
    runs: list[Run] = []
    for at, (cut, part) in enumerate(zip(cuts, parts, strict=True)):
        wanted = range(cut.frames.start, cut.frames.stop)
        for gop in part.gops:
            runs.extend(_runs(at, gop, wanted))
    inside = {runs_part.part for runs_part in runs if not runs_part.copied}
    stuck = [str(parts[at].path) for at in sorted(inside) if parts[at].codec not in _ENCODERS]
    if stuck:
        raise IncompatiblePartsError(
            f"A cut falls inside a group of pictures of {', '.join(stuck)}, and {parts[0].codec} "
            "cannot be encoded again in part.",
            hint="Allow re-encoding.",
        )
    return runs


def encoder_of(codec: str) -> str:
    """Return the encoder for a coding; H.264 for codings that are only ever copied."""
    return _ENCODERS.get(codec, "libx264")


def _runs(part: int, gop: Gop, wanted: range) -> list[Run]:
    start, stop = max(gop.frames.start, wanted.start), min(gop.frames.stop, wanted.stop)
    if start >= stop:
        return []
    copied = 0
    if start == gop.frames.start:
        copied = gop.copyable_head(stop - start)
    runs = []
    if copied:
        packets = range(gop.packets.start, gop.packets.start + copied)
        runs.append(Run(part, range(start, start + copied), packets, gop.order[:copied]))
    if start + copied < stop:
        runs.append(Run(part, range(start + copied, stop), range(0), ()))
    return runs
