"""How copied and newly encoded H.264 share one stream: where their parameter sets lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

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
from x121lib.media.seam import SeamEncoder

VideoPacket: TypeAlias = "av.Packet[VideoStream]"

_IDS = 32
"""H.264 7.4.2.1.1: seq_parameter_set_id lies between 0 and 31."""


class Headers:
    """Decides between one shared description and sets in front of each key frame; other codings pass through."""

    def __init__(self, parts: Sequence[Part], copied: Sequence[Part], seam: SeamEncoder) -> None:
        self.seam = seam
        self._first = parts[0]
        self._shared: dict[tuple[int, int], bytes] = {}
        self._in_band = False
        self._seam_sets: list[bytes] = []
        for part in copied:
            if part.avc is None:
                continue
            self._in_band = self._in_band or part.sets_in_band or not part.avc.length_size
            for key, nal in part.avc.by_id().items():
                if self._shared.setdefault(key, nal) != nal:
                    self._in_band = True
        taken = {number for _, number in self._shared}
        seam.sets_id = next((number for number in range(_IDS) if number not in taken), 0)
        self._in_band = self._in_band or seam.sets_id in taken

    def apply(self, stream: VideoStream, output: OutputContainer, *, seams: bool) -> None:
        """Write the decoder's configuration into a stream of the output; ``seams``: groups will be encoded again."""
        if self._first.avc is None:
            return
        if seams:
            encoder = self.seam.create()
            encoder.open()
            own = read_sets(encoder.extradata or b"")
            self._seam_sets = [*own.sps, *own.pps]
        if self._in_band:
            sets = [*self._first.avc.sps, *self._first.avc.pps]
            if output.format.name in {"mp4", "mov"}:
                stream.codec_context.codec_tag = "avc3"
        else:
            sets = [*self._shared.values(), *self._seam_sets]
        stream.codec_context.extradata = write_avcc(sets)

    def fit_copied(self, part: Part, packet: VideoPacket) -> VideoPacket:
        """Return a copied packet, the very same where the description is shared."""
        if part.avc is None or (not self._in_band and part.avc.length_size == 4):
            return packet
        nals = split_packet(bytes(packet), part.avc.length_size)
        has_sets = any(nal_type(nal) == SPS for nal in nals)
        if self._in_band and packet.is_keyframe and not has_sets:
            nals = [*part.avc.sps, *part.avc.pps, *nals]
        return _with_data(packet, join_packet(nals))

    def fit_encoded(self, packet: VideoPacket) -> VideoPacket:
        """Return a newly encoded packet in the output's form."""
        if self._first.avc is None:
            return packet
        nals = [nal for nal in split_packet(bytes(packet), 0) if nal_type(nal) not in {SPS, PPS}]
        if self._in_band and packet.is_keyframe:
            nals = [*self._seam_sets, *nals]
        return _with_data(packet, join_packet(nals))


def _with_data(packet: VideoPacket, data: bytes) -> VideoPacket:
    """Return a packet with other bytes and the same key flag."""
    fresh: VideoPacket = av.Packet(data)  # type: ignore[assignment]
    fresh.is_keyframe = packet.is_keyframe
    return fresh
