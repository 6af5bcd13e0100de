"""H.264 parameter sets and NAL units (ITU-T H.264 section 7.3; ISO/IEC 14496-15 section 5.3)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

IDR, SPS, PPS = 5, 7, 8

_START_CODE = re.compile(rb"\x00\x00\x01")


@dataclass(frozen=True)
class AvcSets:
    """What a decoder must know before the first frame."""

    sps: tuple[bytes, ...]
    """Sequence parameter sets, NAL header included."""
    pps: tuple[bytes, ...]
    """Picture parameter sets, NAL header included."""
    length_size: int
    """Bytes of each NAL unit's length in a packet; 0 for Annex B start codes."""

    @property
    def level(self) -> int:
        """Highest ``level_idc``, e.g. 31 for level 3.1."""
        return max(nal[3] for nal in self.sps)

    @property
    def profile(self) -> int:
        """Highest ``profile_idc``, e.g. 100 for High."""
        return max(nal[1] for nal in self.sps)

    def by_id(self) -> dict[tuple[int, int], bytes]:
        """Return the sets keyed by (NAL type, id)."""
        found = {(SPS, _ue(nal, 4)): nal for nal in self.sps}
        found.update({(PPS, _ue(nal, 1)): nal for nal in self.pps})
        return found


def nal_type(nal: bytes) -> int:
    """Return ``nal_unit_type``."""
    return nal[0] & 31


def read_sets(extradata: bytes) -> AvcSets:
    """Read ``avcC`` or Annex B extradata.

    Raises:
        ValueError: neither, or no parameter set in it.
    """
    if extradata[:1] == b"\x01" and len(extradata) > 6:
        sps, at = _counted(extradata, 6, extradata[5] & 31)
        pps, _ = _counted(extradata, at + 1, extradata[at])
        sets = AvcSets(tuple(sps), tuple(pps), (extradata[4] & 3) + 1)
    else:
        nals = split_packet(extradata, 0)
        sets = AvcSets(
            tuple(n for n in nals if nal_type(n) == SPS),
            tuple(n for n in nals if nal_type(n) == PPS),
            0,
        )
    if not sets.sps or not sets.pps:
        raise ValueError("no H.264 parameter sets")
    return sets


def write_avcc(sets: Sequence[bytes]) -> bytes:
    """Return an ``avcC`` with four-byte lengths that holds the given sets; profile and level are their highest."""
    sps = [nal for nal in sets if nal_type(nal) == SPS]
    pps = [nal for nal in sets if nal_type(nal) == PPS]
    top = max(sps, key=lambda nal: nal[1])
    level = max(nal[3] for nal in sps)
    head = bytes([1, top[1], top[2], level, 0xFF, 0xE0 | len(sps)])
    body = b"".join(len(nal).to_bytes(2, "big") + nal for nal in sps)
    body += bytes([len(pps)]) + b"".join(len(nal).to_bytes(2, "big") + nal for nal in pps)
    if top[1] in {100, 110, 122, 144}:
        chroma, luma_depth, chroma_depth = _high_profile_fields(top)
        body += bytes([0xFC | chroma, 0xF8 | luma_depth, 0xF8 | chroma_depth, 0])
    return head + body


def split_packet(data: bytes, length_size: int) -> list[bytes]:
    """Return the NAL units of a packet; ``length_size`` 0 means Annex B start codes."""
    if length_size == 0:
        starts = [m.end() for m in _START_CODE.finditer(data)]
        ends = [*(m.start() for m in _START_CODE.finditer(data)), len(data)][1:]
        return [data[a:b].rstrip(b"\x00") for a, b in zip(starts, ends, strict=True) if b > a]
    nals, at = [], 0
    while at + length_size <= len(data):
        size = int.from_bytes(data[at : at + length_size], "big")
        at += length_size
        if size == 0 or at + size > len(data):
            break
        nals.append(data[at : at + size])
        at += size
    return nals


def join_packet(nals: Sequence[bytes]) -> bytes:
    """Return NAL units as one packet with four-byte lengths."""
    return b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals)


def _counted(data: bytes, at: int, count: int) -> tuple[list[bytes], int]:
    nals = []
    for _ in range(count):
        size = int.from_bytes(data[at : at + 2], "big")
        nals.append(data[at + 2 : at + 2 + size])
        at += 2 + size
    return nals, at


class _Bits:
    """Reads exp-Golomb codes from the payload of a NAL unit."""

    def __init__(self, nal: bytes, skip: int) -> None:
        raw = nal[skip:].replace(b"\x00\x00\x03", b"\x00\x00")
        self._bits = "".join(f"{byte:08b}" for byte in raw[:64])
        self._at = 0

    def ue(self) -> int:
        zeros = self._bits.index("1", self._at) - self._at
        start = self._at + zeros
        self._at = start + zeros + 1
        return int(self._bits[start : self._at], 2) - 1

    def flag(self) -> int:
        self._at += 1
        return int(self._bits[self._at - 1])


def _ue(nal: bytes, skip: int) -> int:
    return _Bits(nal, skip).ue()


def _high_profile_fields(sps: bytes) -> tuple[int, int, int]:
    """Return (chroma_format_idc, luma depth - 8, chroma depth - 8) of a High-family SPS."""
    bits = _Bits(sps, 4)
    bits.ue()
    chroma = bits.ue()
    if chroma == 3:
        bits.flag()
    return chroma, bits.ue(), bits.ue()
