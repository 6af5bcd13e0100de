"""Frames by number, decoded one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
from av.codec.context import ThreadType
from av.container import InputContainer
from av.video.stream import VideoStream

from x121lib.media.colour import Rgb, RgbReader
from x121lib.media.errors import FrameNotFoundError, UnreadableVideoError
from x121lib.media.probing import VideoIndex, index_of, opened


def iter_frames(path: Path | str, *, start: int = 0, stop: int | None = None) -> Iterator[Rgb]:
    """Yield frames ``start`` … ``stop - 1`` as uint8 height x width x 3 RGB arrays, each a fresh array.

    Memory stays flat: one frame is alive at a time beside the decoder's own few. Range and matrix follow the
    stream's tags; see `x121lib.media.colour` for untagged streams. Rotation tags are not applied.

    Raises:
        UnreadableVideoError: the file is no video, or a frame in the range does not decode.
        FrameNotFoundError: the range lies outside the video.
    """
    path = Path(path)
    index = index_of(path)
    last = index.info.n_frames if stop is None else stop
    if not 0 <= start <= last <= index.info.n_frames:
        raise FrameNotFoundError(
            f"{path} has frames 0 to {index.info.n_frames - 1}; {start} to {last - 1} is not among them."
        )
    return _iter(path, index, start, last)


def read_frame(path: Path | str, n: int) -> Rgb:
    """Return frame ``n`` (from 0, in display order) as an RGB array; exact with B-frames and open GOPs too.

    Raises:
        UnreadableVideoError: the file is no video, or the frame does not decode.
        FrameNotFoundError: there is no such frame.
    """
    for frame in iter_frames(path, start=n, stop=n + 1):
        return frame
    raise FrameNotFoundError(f"{path} has no frame {n}.")


def _iter(path: Path, index: VideoIndex, start: int, stop: int) -> Iterator[Rgb]:
    to_rgb = RgbReader()
    for frame in decoded(path, index, start, stop):
        yield to_rgb(frame)


def decoded(path: Path, index: VideoIndex, start: int, stop: int) -> Iterator[av.VideoFrame]:
    """Yield the decoded frames of a range, unconverted.

    Raises:
        UnreadableVideoError: a frame of the range is missing from what the decoder gives.
    """
    if start >= stop:
        return
    with opened(path) as (container, stream):
        # Frame threads pay only over a long run; a single frame would wait for the whole pipeline.
        stream.thread_type = "AUTO" if stop - start > 8 else "SLICE"
        produced = 0
        source = _by_order if index.pts is None else _by_time
        for frame in source(container, stream, index, start):
            yield frame
            produced += 1
            if produced == stop - start:
                return
    raise UnreadableVideoError(f"{path}: frame {start + produced} does not decode; the file is damaged.")


def _by_order(container: InputContainer, stream: VideoStream, index: VideoIndex, start: int) -> Iterator[av.VideoFrame]:
    """Yield frames from ``start`` on by counting from the first, where timestamps are missing."""
    for n, frame in enumerate(container.decode(stream)):
        if n >= start:
            yield frame


def _by_time(container: InputContainer, stream: VideoStream, index: VideoIndex, start: int) -> Iterator[av.VideoFrame]:
    """Yield frames from ``start`` on, starting at the last key frame shown at or before it.

    Stops early where the decoder skips a frame, so that a damaged frame is noticed and never renumbered.
    """
    assert index.pts is not None
    target = int(index.pts[start])
    entries = [key for key in index.keys if key[0] <= target]
    if start and entries:
        container.seek(entries[-1][1], stream=stream, backward=True)
    n = start
    for frame in _decode_towards(container, stream, target):
        if frame.pts is None or frame.pts < target:
            continue
        if n >= len(index.pts) or frame.pts != int(index.pts[n]):
            return
        yield frame
        n += 1


def _decode_towards(container: InputContainer, stream: VideoStream, target: int) -> Iterator[av.VideoFrame]:
    """Decode, passing over frames before ``target`` that no other frame needs."""
    # With frame threads the decoder is ahead of the packets, so that what to skip would be told too late.
    skip = stream.thread_type != ThreadType.AUTO
    for packet in container.demux(stream):
        if skip:
            early = packet.pts is not None and packet.pts < target
            stream.codec_context.skip_frame = "NONREF" if early else "DEFAULT"
        yield from stream.decode(packet)
