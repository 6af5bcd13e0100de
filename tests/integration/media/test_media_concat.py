"""Joining: every frame identified by the number drawn into it, ffmpeg and ffprobe as judges."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from x121lib.base.errors import InvalidInputError
from x121lib.media import (
    Cut,
    FrameNotFoundError,
    FrameRange,
    IncompatiblePartsError,
    MediaCancelledError,
    UnreadableVideoError,
    concat,
    iter_frames,
    probe,
    read_frame,
)
from x121lib.testing.synthetic import frame_number, write_numbered_clip
from x121lib.testing.video_judges import ffmpeg, ffprobe, frame_hashes, packet_hashes, picture_hashes


def numbers(path: Path) -> list[int]:
    """Return the number drawn into each frame."""
    return [frame_number(rgb) for rgb in iter_frames(path)]


def whole(path: Path, *, first: int = 0) -> Cut:
    """Return a cut from ``first`` to the end."""
    return Cut(path, FrameRange(first, probe(path).n_frames))


def assert_plays(path: Path, expected: list[int], rate: Fraction) -> None:
    """Fail unless the file shows exactly these frames at a constant step, to us and to ffmpeg."""
    assert numbers(path) == expected
    assert len(frame_hashes(path)) == len(expected)
    judged = ffprobe(path)
    assert Fraction(judged["stream"]["avg_frame_rate"]) == rate
    assert judged["pts"][0] == 0
    assert len(set(np.diff(judged["pts"]))) == 1
    for n in range(0, len(expected), 5):
        assert frame_number(read_frame(path, n)) == expected[n]


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(25), Fraction(30), Fraction(30000, 1001)])
@pytest.mark.parametrize(("b_frames", "gop"), [(0, 12), (1, 12), (3, 24), (3, 250), (0, 1)])
def test_dropping_each_boundary_frame_leaves_every_other_once(
    tmp_path: Path, rate: Fraction, b_frames: int, gop: int
) -> None:
    parts = [
        write_numbered_clip(tmp_path / f"{k}.mp4", range(30 * k, 30 * k + 31), rate=rate, b_frames=b_frames, gop=gop)
        for k in range(3)
    ]
    to = tmp_path / "scene.mp4"
    report = concat([whole(parts[0]), whole(parts[1], first=1), whole(parts[2], first=1)], to)
    assert report.n_frames == 91
    assert report.reencoded_frames == (0 if gop == 1 else 2 * (min(gop, 31) - 1))
    assert [len(s.output) for s in report.segments] == [len(s.source) for s in report.segments]
    assert_plays(to, list(range(91)), rate)


@pytest.mark.parametrize("b_frames", [0, 3])
def test_groups_without_a_cut_stay_bit_identical(tmp_path: Path, b_frames: int) -> None:
    clip = write_numbered_clip(tmp_path / "a.mp4", range(49), gop=12, b_frames=b_frames)
    to = tmp_path / "scene.mp4"
    report = concat([whole(clip), whole(clip, first=1)], to)
    source, result = packet_hashes(clip), packet_hashes(to)
    assert result[:49] == source
    assert result[-37:] == source[12:]
    assert (report.reencoded_gops, report.reencoded_frames) == (1, 11)
    source, result = frame_hashes(clip), frame_hashes(to)
    assert result[:49] == source
    assert result[-37:] == source[12:]
    assert not set(result[49:60]) & set(source)


def test_the_group_encoded_again_is_near_lossless(tmp_path: Path) -> None:
    clip = write_numbered_clip(tmp_path / "a.mp4", range(25), gop=25)
    to = tmp_path / "scene.mp4"
    concat([whole(clip, first=1)], to)
    for before, after in zip(iter_frames(clip, start=1), iter_frames(to), strict=True):
        error = float(np.mean((before.astype(float) - after) ** 2))
        assert 10 * np.log10(255**2 / (error + 1e-9)) > 45


def test_parts_with_different_headers_keep_their_pictures(tmp_path: Path) -> None:
    parts = [
        write_numbered_clip(tmp_path / "0.mp4", range(25), gop=12, b_frames=2),
        write_numbered_clip(tmp_path / "1.mp4", range(24, 49), gop=12, b_frames=0),
        write_numbered_clip(tmp_path / "2.mp4", range(48, 73), gop=6, b_frames=3, preset="medium"),
    ]
    to = tmp_path / "scene.mp4"
    concat([whole(parts[0]), whole(parts[1], first=1), whole(parts[2], first=1)], to)
    assert_plays(to, list(range(73)), Fraction(24))
    assert ffprobe(to)["stream"]["codec_tag_string"] == "avc3"
    result = picture_hashes(to)
    assert result[:25] == picture_hashes(parts[0])
    assert result[36:49] == picture_hashes(parts[1])[12:]
    assert result[-19:] == picture_hashes(parts[2])[6:]


@pytest.mark.parametrize(("start", "stop"), [(5, 40), (0, 13), (12, 24), (48, 49), (7, 8), (0, 47)])
@pytest.mark.parametrize("b_frames", [0, 3])
def test_any_cut_gives_exactly_its_frames(tmp_path: Path, start: int, stop: int, b_frames: int) -> None:
    clip = write_numbered_clip(tmp_path / "a.mp4", range(49), gop=12, b_frames=b_frames)
    to = tmp_path / "scene.mp4"
    concat([Cut(clip, FrameRange(start, stop)), whole(clip, first=48)], to)
    assert_plays(to, [*range(start, stop), 48], Fraction(24))


def test_a_tail_is_dropped_without_encoding_where_nothing_needs_it(tmp_path: Path) -> None:
    clip = write_numbered_clip(tmp_path / "a.mp4", range(49), gop=250, b_frames=0)
    report = concat([Cut(clip, FrameRange(0, 30))], tmp_path / "scene.mp4")
    assert report.reencoded_frames == 0
    assert packet_hashes(tmp_path / "scene.mp4") == packet_hashes(clip)[:30]
    assert numbers(tmp_path / "scene.mp4") == list(range(30))


def test_open_groups_and_edit_lists(tmp_path: Path) -> None:
    clip = write_numbered_clip(tmp_path / "a.mp4", range(49), gop=12, b_frames=2)
    opened = tmp_path / "open.mp4"
    settings = "open-gop=1:keyint=12:min-keyint=12:bframes=3:scenecut=0"
    ffmpeg("-i", clip, "-c:v", "libx264", "-x264-params", settings, "-crf", 12, opened)
    concat([whole(opened), whole(opened, first=1)], tmp_path / "1.mp4")
    assert_plays(tmp_path / "1.mp4", [*range(49), *range(1, 49)], Fraction(24))
    edited = tmp_path / "edited.mp4"
    ffmpeg("-ss", "0.4", "-i", clip, "-c", "copy", edited)
    shown = numbers(edited)
    assert 0 < shown[0] < 12
    concat([whole(edited), whole(clip, first=1)], tmp_path / "2.mp4")
    assert_plays(tmp_path / "2.mp4", [*shown, *range(1, 49)], Fraction(24))


@pytest.mark.parametrize("container", ["ts", "mkv", "mov"])
def test_other_containers_are_joined_into_mp4(tmp_path: Path, container: str) -> None:
    clip = write_numbered_clip(tmp_path / "a.mp4", range(25), gop=12, b_frames=2)
    other = tmp_path / f"a.{container}"
    ffmpeg("-i", clip, "-c", "copy", other)
    to = tmp_path / "scene.mp4"
    report = concat([whole(other), whole(clip, first=1)], to)
    assert report.reencoded_frames == 11
    assert_plays(to, [*range(25), *range(1, 25)], Fraction(24))


def test_vp9_is_copied_and_cut(tmp_path: Path) -> None:
    clip = write_numbered_clip(tmp_path / "a.webm", range(25), gop=12, codec="libvpx-vp9")
    to = tmp_path / "scene.webm"
    assert concat([whole(clip), whole(clip)], to).reencoded_frames == 0
    assert packet_hashes(to) == packet_hashes(clip) * 2
    assert concat([whole(clip), whole(clip, first=1)], to).reencoded_frames == 11
    assert numbers(to) == [*range(25), *range(1, 25)]
    assert len(frame_hashes(to)) == 49


def test_parts_that_do_not_fit_are_named_and_can_be_encoded_again(tmp_path: Path) -> None:
    first = write_numbered_clip(tmp_path / "first.mp4", range(24))
    other = write_numbered_clip(tmp_path / "other.mp4", range(24, 54), rate=30, size=(256, 144))
    to = tmp_path / "scene.mp4"
    with pytest.raises(IncompatiblePartsError, match=r"other\.mp4: size 256x144 .* frame rate 30 instead of 24"):
        concat([whole(first), whole(other)], to)
    assert not to.exists()
    report = concat([whole(first), whole(other)], to, allow_reencode=True)
    assert (report.n_frames, report.reencoded_frames) == (48, 48)
    assert report.notes
    info = probe(to)
    assert (info.width, info.height, info.frame_rate, info.n_frames) == (128, 128, Fraction(24), 48)


def test_sound_is_kept_whole_and_left_out_with_a_note(tmp_path: Path) -> None:
    clip = write_numbered_clip(tmp_path / "a.mp4", range(48), gop=12)
    loud = tmp_path / "loud.mp4"
    tone = ["-f", "lavfi", "-i", "sine=440:sample_rate=48000", "-t", 2]
    ffmpeg("-i", clip, *tone, "-c:v", "copy", "-c:a", "aac", loud)
    to = tmp_path / "scene.mp4"
    report = concat([whole(loud), whole(loud), whole(loud)], to)
    assert (probe(to).audio_streams, report.notes) == (1, ())
    assert numbers(to) == [*range(48)] * 3
    ffmpeg("-i", to, "-f", "null", "-")
    report = concat([whole(loud), whole(loud, first=1)], to)
    assert probe(to).audio_streams == 0
    assert "Sound was left out" in report.notes[0]


def test_progress_cancel_and_what_they_leave(tmp_path: Path) -> None:
    clip = write_numbered_clip(tmp_path / "a.mp4", range(24), gop=12)
    to = tmp_path / "out" / "scene.mp4"
    seen: list[tuple[int, int]] = []
    concat([whole(clip), whole(clip, first=1)], to, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(n, 47) for n in range(1, 48)]
    before = to.read_bytes()
    with pytest.raises(MediaCancelledError):
        concat([whole(clip)], to, progress=lambda done, _: seen.append((done, 0)), cancelled=lambda: seen[-1][0] == 9)
    assert to.read_bytes() == before
    assert [entry.name for entry in to.parent.iterdir()] == ["scene.mp4"]


def test_the_index_comes_before_the_data(tmp_path: Path) -> None:
    clip = write_numbered_clip(tmp_path / "a.mp4", range(24), gop=12)
    concat([whole(clip), whole(clip, first=1)], tmp_path / "scene.mp4")
    data = (tmp_path / "scene.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_impossible_cuts_are_refused(tmp_path: Path) -> None:
    clip = write_numbered_clip(tmp_path / "a.mp4", range(24))
    to = tmp_path / "scene.mp4"
    with pytest.raises(FrameNotFoundError, match="24 frames"):
        concat([Cut(clip, FrameRange(0, 25))], to)
    with pytest.raises(InvalidInputError, match="nothing to join"):
        concat([], to)
    with pytest.raises(InvalidInputError):
        concat([Cut(clip, FrameRange(3, 3))], to)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(clip.read_bytes()[:-300])
    with pytest.raises(UnreadableVideoError, match=r"broken\.mp4"):
        concat([Cut(broken, FrameRange(0, 24))], to)
    assert not to.exists()
