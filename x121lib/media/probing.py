"""What a video file holds, counted and not guessed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.video.stream import VideoStream

from x121lib.media.colour import matrix_name, range_name
from x121lib.media.errors import UnreadableVideoError

_HINT = "Check that the file was written to its end and is a video; nothing was changed."

_UNDECODED = {"skip_frame": "all"}


@dataclass(frozen=True)
class VideoInfo:
    """The facts of a video file's first video stream."""

    width: int
    """Pixels."""
    height: int
    """Pixels."""
    frame_rate: Fraction
    """Frames per second; the mean where the rate varies."""
    time_base: Fraction
    """Seconds per tick of the stream's timestamps."""
    n_frames: int
    """Frames that a decoder shows, counted packet by packet; frames that an edit list hides do not count."""
    duration_s: float
    """Seconds from the first frame's start to the last frame's end."""
    codec: str
    """Name of the coding, e.g. ``h264``, ``vp9``."""
    pixel_format: str
    """FFmpeg's name, e.g. ``yuv420p``."""
    color_range: str
    """``limited``, ``full`` or ``unspecified``."""
    color_matrix: str
    """``bt601``, ``bt709``, … or ``unspecified``."""
    has_b_frames: bool
    """Whether frames are stored in another order than shown."""
    audio_streams: int
    """How many audio streams the file has."""
    variable_frame_rate: bool
    """Whether the frames' spacing differs by more than the rounding of the time base."""


@dataclass(frozen=True, eq=False)
class VideoIndex:
    """Where each frame lies in time, and where decoding can start."""

    info: VideoInfo
    """The facts."""
    pts: npt.NDArray[np.int64] | None
    """Timestamps in display order; frame *n* is ``pts[n]``. None where the container stores none."""
    keys: tuple[tuple[int, int], ...]
    """(pts, dts) of the key frames, ascending."""


@contextmanager
def opened(path: Path, *, for_copy: bool = False) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a file and its first video stream.

    With ``for_copy`` nothing is decoded on opening, which is several times faster; the pixel format stays unknown.

    Raises:
        UnreadableVideoError: the file is missing, empty, no video, or damaged; also for errors inside the block.
    """
    try:
        if path.stat().st_size == 0:
            raise UnreadableVideoError(f"{path} is empty (0 bytes).", hint=_HINT)
        with av.open(str(path), options=_UNDECODED if for_copy else {}) as container:
            streams = [s for s in container.streams.video if not s.disposition & 0x400]
            if not streams:
                raise UnreadableVideoError(f"{path} has no video stream.", hint=_HINT)
            yield container, streams[0]
    except (av.FFmpegError, OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableVideoError(f"{path} cannot be read as a video: {reason}.", hint=_HINT) from error


def probe(path: Path | str) -> VideoInfo:
    """Return the facts of a video file; reads the whole file once and decodes only where timestamps are missing.

    Raises:
        UnreadableVideoError: names the file and the reason.
    """
    return index_of(path).info


def index_of(path: Path | str) -> VideoIndex:
    """Return the frame index of a file, kept until the file's size or time changes.

    Raises:
        UnreadableVideoError: names the file and the reason.
    """
    path = Path(path)
    try:
        stat = path.stat()
    except OSError as error:
        raise UnreadableVideoError(f"{path} cannot be read: {error.strerror}.", hint=_HINT) from error
    return _index(path, stat.st_mtime_ns, stat.st_size, stat.st_ino)


@lru_cache(maxsize=256)
def _index(path: Path, mtime_ns: int, size: int, inode: int) -> VideoIndex:
    """Read the index; the arguments after ``path`` are only there to notice a changed file."""
    with opened(path) as (container, stream):
        times: list[int] = []
        keys: list[tuple[int, int]] = []
        packets, untimed, reordered, last_ticks = 0, False, False, 0
        for packet in container.demux(stream):
            if not packet.size:
                continue
            packets += 1
            if packet.is_discard:
                continue
            if packet.pts is None or packet.is_corrupt:
                untimed = True
                continue
            reordered = reordered or bool(times and packet.pts < times[-1])
            times.append(packet.pts)
            last_ticks = packet.duration or last_ticks
            if packet.is_keyframe:
                keys.append((packet.pts, packet.dts if packet.dts is not None else packet.pts))
        if stream.frames and packets < stream.frames:
            raise UnreadableVideoError(
                f"{path} is cut short: it promises {stream.frames} frames and holds {packets}.",
                hint=_HINT,
            )
        pts = None if untimed else np.sort(np.array(times, dtype=np.int64))
        count = len(times) if pts is not None else _count_decoded(path)
        if not count:
            raise UnreadableVideoError(f"{path} holds no frame.", hint=_HINT)
        info = _facts(
            container,
            stream,
            pts,
            (count, last_ticks, reordered or stream.codec_context.has_b_frames),
        )
    return VideoIndex(info=info, pts=pts, keys=tuple(sorted(keys)))


def forget_indexes() -> None:
    """Drop every kept index, e.g. to measure a first reading."""
    _index.cache_clear()


def _count_decoded(path: Path) -> int:
    """Return how many frames decode, for containers that store no timestamps."""
    with opened(path) as (container, stream):
        return sum(1 for _ in container.decode(stream))


def _facts(
    container: InputContainer,
    stream: VideoStream,
    pts: npt.NDArray[np.int64] | None,
    counted: tuple[int, int, bool],
) -> VideoInfo:
    """Put the facts together; ``counted`` is (frames, ticks of the last frame, stored out of order)."""
    count, last_ticks, reordered = counted
    base = stream.time_base or Fraction(1, 1000)
    rate, varies = _rate(stream, pts, base)
    seconds = float(count / rate)
    if varies and pts is not None:
        seconds = float((int(pts[-1] - pts[0]) + last_ticks) * base)
    pixel_format = stream.codec_context.pix_fmt or "unknown"
    if not stream.width or not stream.height:
        raise UnreadableVideoError(f"{container.name} does not say how large its frames are.", hint=_HINT)
    return VideoInfo(
        width=stream.width,
        height=stream.height,
        frame_rate=rate,
        time_base=base,
        n_frames=count,
        duration_s=seconds,
        codec=stream.codec_context.codec.canonical_name,
        pixel_format=pixel_format,
        color_range=range_name(int(stream.color_range), pixel_format),
        color_matrix=matrix_name(int(stream.colorspace)),
        has_b_frames=bool(reordered),
        audio_streams=len(container.streams.audio),
        variable_frame_rate=varies,
    )


def _rate(stream: VideoStream, pts: npt.NDArray[np.int64] | None, base: Fraction) -> tuple[Fraction, bool]:
    """Return the frame rate and whether it varies."""
    declared = stream.average_rate or stream.guessed_rate or stream.base_rate or Fraction(25)
    if pts is None or len(pts) < 2:
        return Fraction(declared), False
    steps = np.diff(pts)
    if steps.min() == steps.max() and steps[0] > 0 and int(steps[0]) * base > Fraction(1, 1000) * 5:
        exact = 1 / (int(steps[0]) * base)
        return (Fraction(declared) if abs(exact - declared) < Fraction(1, 100) else exact), False
    # A coarse time base (Matroska's millisecond) rounds each frame's time by at most one tick.
    ideal = pts[0] + np.arange(len(pts)) * ((pts[-1] - pts[0]) / (len(pts) - 1))
    if np.abs(pts - ideal).max() <= 1.0:
        return Fraction(declared), False
    return Fraction(len(pts) - 1) / (int(pts[-1] - pts[0]) * base), True
