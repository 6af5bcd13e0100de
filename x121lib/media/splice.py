"""Joining parts: copies what can be copied, encodes again only the groups of pictures that a cut falls into.

How the two fit into one stream (H.264). All parts that share their parameter sets, which is what one encoder with
one setting gives, keep them, and the groups encoded here carry sets under an id of their own; both lie in one
``avc1`` description, and every copied packet stays as it is, byte for byte. Where parts use different sets under the
same id, the sets are put in front of each key frame instead (``avc3``); the coded pictures stay as they are.
Timestamps are counted anew: frame *n* is shown at *n* / rate, whatever offset, edit list or rounding a part has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import av
from av.codec.context import Flags
from av.container import OutputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from x121lib.media.atomic import whole_file
from x121lib.media.encoding import muxer_options
from x121lib.media.errors import EncodingError
from x121lib.media.frames import decoded
from x121lib.media.gops import Part
from x121lib.media.nal import (
    PPS,
    SPS,
    join_packet,
    nal_type,
    read_sets,
    split_packet,
    write_avcc,
)
from x121lib.media.plan import Run, encoder_of
from x121lib.media.probing import index_of, opened
from x121lib.media.reporting import ConcatReport, JoinedSegment, Watch
from x121lib.terms.ranges import FrameRange

SEAM_CRF = 11
"""Constant rate factor of groups encoded again: above 45 dB on the tests' clips, near visually lossless."""

_PROFILES = {
    66: "baseline",
    77: "main",
    100: "high",
    110: "high10",
    122: "high422",
    244: "high444",
}


class Splice:
    """One join by copying."""

    def __init__(
        self, parts: Sequence[Part], runs: Sequence[Run], watch: Watch
    ) -> None:
        self._parts = parts
        self._runs = runs
        self._watch = watch
        self._rate = parts[0].rate
        self._delay = max(part.delay for part in parts)
        copied = [parts[run.part] for run in runs if run.copied]
        self._in_band = False
        self._seam_id = 0
        if parts[0].avc is not None:
            self._in_band = any(
                part.sets_in_band or part.avc is None or not part.avc.length_size
                for part in copied
            )
            self._choose_ids(copied)
        self._written = 0

    def _choose_ids(self, copied: Sequence[Part]) -> None:
        known: dict[tuple[int, int], bytes] = {}
        for part in copied:
            assert part.avc is not None
            for key, nal in part.avc.by_id().items():
                if known.setdefault(key, nal) != nal:
                    self._in_band = True
        taken = {number for _, number in known}
        self._seam_id = next((number for number in range(32) if number not in taken), 0)
        self._in_band = self._in_band or self._seam_id in taken
        self._sets = list(known.values())

    def write(self, to: Path) -> ConcatReport:
        """Write the file and return the report."""
        total = sum(len(run.frames) for run in self._runs)
        self._watch.total = total
        try:
            with (
                whole_file(to) as part,
                av.open(str(part), "w", options=muxer_options(part)) as output,
            ):
                with opened(self._parts[0].path) as (_, template):
                    stream = self._add_stream(output, template)
                for packet in self._packets():
                    packet.stream = stream
                    packet.time_base = 1 / self._rate
                    packet.dts = self._written - self._delay
                    packet.duration = 1
                    if packet.pts is None or packet.dts > packet.pts:
                        raise EncodingError(
                            f"{to}: frame {self._written} would be stored after it is due."
                        )
                    output.mux_one(packet)
                    self._written += 1
                    self._watch.step()
                if self._written != total:
                    raise EncodingError(
                        f"{to}: {self._written} frames came out instead of {total}."
                    )
        except av.FFmpegError as error:
            raise EncodingError(
                f"{to} could not be written: {error.strerror}."
            ) from error
        return self._report(total)

    def _add_stream(
        self, output: OutputContainer, template: VideoStream
    ) -> VideoStream:
        stream = output.add_stream_from_template(template, opaque=True)
        stream.time_base = 1 / self._rate
        if self._parts[0].avc is not None:
            sets = list(self._sets)
            if any(not run.copied for run in self._runs) and not self._in_band:
                sets += self._seam_sets(template)
            if self._in_band or not sets:
                sets = self._seam_sets(template) if not sets else [*self._first_sets()]
            stream.codec_context.extradata = write_avcc(sets)
            if self._in_band and output.format.name in {"mp4", "mov"}:
                stream.codec_context.codec_tag = "avc3"
        return stream

    def _first_sets(self) -> tuple[bytes, ...]:
        avc = self._parts[0].avc
        assert avc is not None
        return avc.sps + avc.pps

    def _seam_sets(self, template: VideoStream) -> list[bytes]:
        encoder = self._encoder(template.codec_context)
        encoder.open()
        sets = read_sets(encoder.extradata or b"")
        return [*sets.sps, *sets.pps]

    def _packets(self) -> Iterator[av.Packet[VideoStream]]:
        first = 0
        at = 0
        while at < len(self._runs):
            part = self._runs[at].part
            until = at
            while until < len(self._runs) and self._runs[until].part == part:
                until += 1
            runs = self._runs[at:until]
            yield from self._part_packets(self._parts[part], runs, first)
            first += sum(len(run.frames) for run in runs)
            at = until

    def _part_packets(
        self, part: Part, runs: Sequence[Run], first: int
    ) -> Iterator[av.Packet[VideoStream]]:
        with opened(part.path) as (container, stream):
            numbered = enumerate(
                packet for packet in container.demux(stream) if packet.size
            )
            for run in runs:
                if not run.copied:
                    yield from self._encoded(part, run, first)
                else:
                    places = iter(run.order)
                    for number, packet in numbered:
                        if number >= run.packets.start:
                            yield self._copied(part, packet, first + next(places))
                        if number == run.packets.stop - 1:
                            break
                first += len(run.frames)

    def _copied(
        self, part: Part, packet: av.Packet[VideoStream], place: int
    ) -> av.Packet[VideoStream]:
        if part.avc is not None and (self._in_band or part.avc.length_size != 4):
            nals = split_packet(bytes(packet), part.avc.length_size)
            has_sets = any(nal_type(nal) == SPS for nal in nals)
            if self._in_band and packet.is_keyframe and not has_sets:
                nals = [*part.avc.sps, *part.avc.pps, *nals]
            packet = _like(packet, join_packet(nals))
        packet.pts = place
        return packet

    def _encoded(
        self, part: Part, run: Run, first: int
    ) -> Iterator[av.Packet[VideoStream]]:
        index = index_of(part.path)
        encoder: VideoCodecContext | None = None
        for place, frame in enumerate(
            decoded(part.path, index, run.frames.start, run.frames.stop)
        ):
            if encoder is None:
                with opened(part.path) as (_, template):
                    encoder = self._encoder(template.codec_context)
            frame.pts = place
            frame.time_base = 1 / self._rate
            frame.pict_type = 0
            yield from self._fitted(encoder, encoder.encode(frame), first)
        if encoder is not None:
            yield from self._fitted(encoder, encoder.encode(None), first)

    def _fitted(
        self,
        encoder: VideoCodecContext,
        packets: Sequence[av.Packet[VideoStream]],
        first: int,
    ) -> Iterator[av.Packet[VideoStream]]:
        for packet in packets:
            place = first + (packet.pts or 0)
            if self._parts[0].avc is not None:
                nals = split_packet(bytes(packet), 0)
                if self._in_band and packet.is_keyframe:
                    sets = read_sets(encoder.extradata or b"")
                    nals = [
                        *sets.sps,
                        *sets.pps,
                        *(nal for nal in nals if nal_type(nal) not in {SPS, PPS}),
                    ]
                packet = _like(packet, join_packet(nals))
            packet.pts = place
            yield packet

    def _encoder(self, source: VideoCodecContext) -> VideoCodecContext:
        """Return an encoder whose stream a decoder of the source's stream can go on with."""
        name = encoder_of(self._parts[0].codec)
        encoder = av.CodecContext.create(name, "w")
        assert isinstance(encoder, VideoCodecContext)
        encoder.width, encoder.height, encoder.pix_fmt = (
            source.width,
            source.height,
            source.pix_fmt or "yuv420p",
        )
        encoder.framerate = self._rate
        encoder.time_base = 1 / self._rate
        encoder.color_range = source.color_range
        encoder.colorspace = source.colorspace
        encoder.color_primaries = source.color_primaries
        encoder.color_trc = source.color_trc
        if source.sample_aspect_ratio:
            encoder.sample_aspect_ratio = source.sample_aspect_ratio
        if name == "libvpx-vp9":
            encoder.options = {
                "crf": str(SEAM_CRF),
                "b": "0",
                "deadline": "good",
                "cpu-used": "5",
                "row-mt": "1",
            }
            return encoder
        avc = self._parts[0].avc
        assert avc is not None
        encoder.flags |= int(Flags.global_header)
        encoder.max_b_frames = 3 if self._delay else 0
        encoder.options = {
            "crf": str(SEAM_CRF),
            "preset": "veryfast",
            "profile": _PROFILES.get(avc.profile, "high"),
            "level": f"{avc.level // 10}.{avc.level % 10}",
            "x264-params": f"sps-id={self._seam_id}:b-pyramid={'normal' if self._delay > 1 else 'none'}:open-gop=0",
        }
        return encoder

    def _report(self, total: int) -> ConcatReport:
        segments, first = [], 0
        for run in self._runs:
            segments.append(
                JoinedSegment(
                    path=self._parts[run.part].path,
                    source=FrameRange(run.frames.start, run.frames.stop),
                    output=FrameRange(first, first + len(run.frames)),
                    copied=run.copied,
                )
            )
            first += len(run.frames)
        again = [run for run in self._runs if not run.copied]
        return ConcatReport(
            n_frames=total,
            copied_gops=len(self._runs) - len(again),
            reencoded_gops=len(again),
            reencoded_frames=sum(len(run.frames) for run in again),
            segments=tuple(segments),
        )


def _like(packet: av.Packet[VideoStream], data: bytes) -> av.Packet[VideoStream]:
    """Return a packet with other bytes and the same key flag."""
    fresh: av.Packet[VideoStream] = av.Packet(data)  # type: ignore[assignment]
    fresh.is_keyframe = packet.is_keyframe
    return fresh
