"""A file's groups of pictures, and which of them can be copied as they are."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from x121lib.media.errors import UnreadableVideoError
from x121lib.media.nal import IDR, SPS, AvcSets, nal_type, read_sets, split_packet
from x121lib.media.probing import VideoInfo, index_of, opened


@dataclass(frozen=True)
class Gop:
    """Packets that decode with nothing before them and that nothing after them needs."""

    packets: range
    """Their places in the file, in decoding order."""
    frames: range
    """The frames they show, in display order."""
    order: tuple[int, ...]
    """Display place within the group of each packet."""
    clean: bool
    """Whether every packet shows a frame; a group that an edit list cuts into cannot be copied."""

    @property
    def delay(self) -> int:
        """How many places a packet is stored before it is due, at most."""
        return max((at - place for at, place in enumerate(self.order)), default=0)

    def copyable_head(self, count: int) -> int:
        """Return the largest number of first frames ≤ ``count`` that are also the first packets stored."""
        best, highest = 0, -1
        for at, place in enumerate(self.order[:count], start=1):
            highest = max(highest, place)
            if highest == at - 1:
                best = at
        return best if self.clean else 0


@dataclass(frozen=True)
class Part:
    """A file as the joiner sees it."""

    path: Path
    """The file."""
    gops: tuple[Gop, ...]
    """Its groups, in order."""
    n_frames: int
    """Frames shown."""
    form: tuple[tuple[str, object], ...]
    """What must be equal for parts to be joined by copying, as (name, value) pairs."""
    codec: str
    """Name of the coding."""
    rate: Fraction
    """Frames per second."""
    extradata: bytes
    """The decoder's configuration."""
    avc: AvcSets | None
    """Its parameter sets, for H.264."""
    sets_in_band: bool
    """Whether key frames carry parameter sets of their own (H.264)."""
    audio: tuple[object, ...] | None
    """What must be equal for sound to be copied too; None where the file has none."""
    obstacle: str
    """Why the part cannot be copied at all; empty where it can."""

    @property
    def delay(self) -> int:
        """The highest delay of its groups."""
        return max((gop.delay for gop in self.gops), default=0)


@dataclass(frozen=True)
class _Packet:
    pts: int | None
    key: bool
    hidden: bool


def read_part(path: Path) -> Part:
    """Read a file's packets and find its groups of pictures.

    Raises:
        UnreadableVideoError: names the file and the reason.
    """
    info = index_of(path).info
    with opened(path, for_copy=True) as (container, stream):
        extradata = stream.codec_context.extradata or b""
        avc = _avc(path, stream, extradata)
        packets: list[_Packet] = []
        in_band = False
        for packet in container.demux(stream):
            if not packet.size:
                continue
            key = packet.is_keyframe
            if key and avc is not None:
                kinds = {nal_type(nal) for nal in split_packet(bytes(packet), avc.length_size)}
                in_band = in_band or SPS in kinds
                # Only an IDR picture forgets all earlier ones; a recovery point does not.
                key = IDR in kinds
            packets.append(_Packet(packet.pts, key, packet.is_discard))
        obstacle = "its frame rate varies" if info.variable_frame_rate else ""
        if any(packet.pts is None for packet in packets):
            obstacle = "its container stores no timestamps"
        gops = () if obstacle else _gops(packets)
        return Part(
            path=path,
            gops=gops,
            n_frames=info.n_frames,
            form=_form(stream, info),
            codec=info.codec,
            rate=info.frame_rate,
            extradata=extradata,
            avc=avc,
            sets_in_band=in_band,
            audio=_audio_form(container),
            obstacle=obstacle,
        )


def _avc(path: Path, stream: VideoStream, extradata: bytes) -> AvcSets | None:
    if stream.codec_context.codec.canonical_name != "h264":
        return None
    try:
        return read_sets(extradata)
    except (ValueError, IndexError) as error:
        raise UnreadableVideoError(f"{path} has no usable H.264 header: {error}.") from error


def _form(stream: VideoStream, info: VideoInfo) -> tuple[tuple[str, object], ...]:
    aspect = stream.sample_aspect_ratio
    return (
        ("coding", info.codec),
        ("size", f"{info.width}x{info.height}"),
        ("frame rate", str(info.frame_rate)),
        ("pixel format", info.pixel_format),
        ("colour", f"{info.color_matrix} {info.color_range}"),
        ("pixel shape", str(aspect) if aspect and aspect != 1 else "square"),
    )


def _audio_form(container: InputContainer) -> tuple[object, ...] | None:
    if not container.streams.audio:
        return None
    context = container.streams.audio[0].codec_context
    return (context.name, context.sample_rate, context.layout.name, context.extradata)


def _gops(packets: list[_Packet]) -> tuple[Gop, ...]:
    """Split packets where a key frame is stored and shown after all before it and before all after it."""
    pts = np.array([packet.pts for packet in packets], dtype=np.int64)
    if not len(pts):
        return ()
    highest_before = np.concatenate([[np.iinfo(np.int64).min], np.maximum.accumulate(pts)[:-1]])
    lowest_after = np.minimum.accumulate(pts[::-1])[::-1]
    starts = [
        at
        for at, packet in enumerate(packets)
        if at == 0 or (packet.key and highest_before[at] < pts[at] and lowest_after[at] == pts[at])
    ]
    gops, first = [], 0
    for low, high in zip(starts, [*starts[1:], len(packets)], strict=True):
        shown = sum(not packet.hidden for packet in packets[low:high])
        order = np.argsort(np.argsort(pts[low:high], kind="stable"), kind="stable")
        clean = shown == high - low and packets[low].key
        gops.append(
            Gop(
                range(low, high),
                range(first, first + shown),
                tuple(int(place) for place in order),
                clean,
            )
        )
        first += shown
    return tuple(gops)
