"""Groups of pictures, plans and parameter sets, without a file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x121lib.media.colour import matrix_name, range_name
from x121lib.media.gops import Gop
from x121lib.media.nal import PPS, SPS, join_packet, read_sets, split_packet, write_avcc

SPS_HIGH = bytes.fromhex("6764000bacd942042688c05a808080a0000003002000000601e28534c0")
PPS_ANY = bytes.fromhex("68ebe3cb22c0")


def test_an_avcc_survives_a_round_trip() -> None:
    sets = read_sets(write_avcc([SPS_HIGH, PPS_ANY]))
    assert (sets.sps, sets.pps, sets.length_size) == ((SPS_HIGH,), (PPS_ANY,), 4)
    assert (sets.profile, sets.level) == (100, 11)
    assert sets.by_id() == {(SPS, 0): SPS_HIGH, (PPS, 0): PPS_ANY}


def test_annex_b_headers_are_read() -> None:
    sets = read_sets(b"\0\0\0\1" + SPS_HIGH + b"\0\0\1" + PPS_ANY)
    assert (sets.sps, sets.pps, sets.length_size) == ((SPS_HIGH,), (PPS_ANY,), 0)
    with pytest.raises(ValueError, match="parameter sets"):
        read_sets(b"")


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6))
def test_nal_units_survive_length_prefixes(nals: list[bytes]) -> None:
    assert split_packet(join_packet(nals), 4) == nals


def test_a_damaged_length_ends_the_packet() -> None:
    assert split_packet(b"\0\0\0\2ab\0\0\0\x63c", 4) == [b"ab"]


@pytest.mark.parametrize(
    ("order", "count", "head", "delay"),
    [
        ((0, 1, 2, 3), 3, 3, 0),
        ((0, 3, 1, 2), 3, 1, 1),
        ((0, 4, 2, 1, 3), 5, 5, 2),
        ((0, 2, 1, 4, 3), 4, 3, 1),
        ((0,), 1, 1, 0),
    ],
)
def test_the_head_that_needs_no_encoding(order: tuple[int, ...], count: int, head: int, delay: int) -> None:
    gop = Gop(range(len(order)), range(len(order)), order, clean=True)
    assert gop.copyable_head(count) == head
    assert gop.delay == delay
    assert Gop(gop.packets, gop.frames, order, clean=False).copyable_head(count) == 0


def test_names_of_colours() -> None:
    assert [matrix_name(code) for code in (1, 2, 5, 6, 9, 77)] == [
        "bt709",
        "unspecified",
        "bt601",
        "bt601",
        "bt2020",
        "h273-77",
    ]
    formats = ["yuv420p", "yuv420p", "yuv420p", "yuvj420p"]
    assert [range_name(code, name) for code, name in zip((0, 1, 2, 0), formats, strict=True)] == [
        "unspecified",
        "limited",
        "full",
        "full",
    ]
