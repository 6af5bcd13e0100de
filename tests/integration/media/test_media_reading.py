"""Reading video: facts, frames by number, colours, damage, memory."""

from __future__ import annotations

import os
import random
import subprocess
import tracemalloc
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from x121lib.media import (
    EncodingError,
    FrameNotFoundError,
    UnreadableVideoError,
    encode_video,
    iter_frames,
    probe,
    read_frame,
)
from x121lib.testing.synthetic import frame_number, numbered_frame, numbered_frames, write_numbered_clip
from x121lib.testing.video_judges import ffmpeg, ffprobe


def plain_colours(width: int, height: int) -> np.ndarray:
    """Return a picture of flat patches whose colours differ strongly between BT.601 and BT.709."""
    patches = [(200, 30, 40), (30, 180, 60), (40, 60, 200), (210, 200, 40), (128, 128, 128), (225, 170, 140)]
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    for at, colour in enumerate(patches):
        picture[:, at * width // 6 : (at + 1) * width // 6] = colour
    return picture


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(25), Fraction(30), Fraction(30000, 1001)])
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
def test_probe_agrees_with_ffprobe(tmp_path: Path, rate: Fraction, suffix: str) -> None:
    clip = write_numbered_clip(tmp_path / f"a.{suffix}", range(37), rate=rate, size=(160, 128), b_frames=3)
    info = probe(clip)
    judged = ffprobe(clip)
    assert (info.n_frames, info.width, info.height) == (37, 160, 128)
    assert len(judged["pts"]) == 37
    assert info.frame_rate == rate == Fraction(judged["stream"]["r_frame_rate"])
    assert info.time_base == Fraction(judged["stream"]["time_base"])
    assert info.duration_s == pytest.approx(float(37 / rate))
    assert (info.codec, info.pixel_format, info.color_matrix, info.color_range) == (
        "h264",
        "yuv420p",
        "bt709",
        "limited",
    )
    assert info.has_b_frames
    assert not info.variable_frame_rate
    assert info.audio_streams == 0


def test_a_varying_rate_is_noticed(tmp_path: Path) -> None:
    clip = write_numbered_clip(tmp_path / "a.mp4", range(24))
    varying = tmp_path / "v.mkv"
    ffmpeg("-i", clip, "-vf", "select=not(eq(mod(n\\,5)\\,3))", "-fps_mode", "vfr", "-c:v", "libx264", varying)
    info = probe(varying)
    assert info.variable_frame_rate
    expected = [n for n in range(24) if n % 5 != 3]
    assert info.n_frames == len(expected)
    assert [frame_number(read_frame(varying, n)) for n in range(info.n_frames)] == expected


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("long.mp4", {"gop": 250, "b_frames": 3}),
        ("short.mp4", {"gop": 8, "b_frames": 2}),
        ("intra.mov", {"codec": "mjpeg", "pixel_format": "yuvj420p"}),
        ("vp9.webm", {"codec": "libvpx-vp9", "gop": 20}),
        ("millisecond.mkv", {"gop": 20, "b_frames": 3}),
        ("plain.avi", {"codec": "mpeg4"}),
    ],
)
def test_any_frame_is_found_by_its_number(tmp_path: Path, name: str, settings: dict[str, object]) -> None:
    clip = write_numbered_clip(tmp_path / name, range(60), **settings)  # type: ignore[arg-type]
    assert probe(clip).n_frames == 60
    assert [frame_number(rgb) for rgb in iter_frames(clip)] == list(range(60))
    order = random.Random(5).sample(range(60), 20)
    assert [frame_number(read_frame(clip, n)) for n in order] == order
    assert [frame_number(rgb) for rgb in iter_frames(clip, start=17, stop=41)] == list(range(17, 41))


def test_a_single_frame_equals_the_same_frame_of_a_run(tmp_path: Path) -> None:
    clip = write_numbered_clip(tmp_path / "a.mp4", range(40), b_frames=3, gop=12)
    frames = list(iter_frames(clip))
    for n in (0, 1, 11, 12, 13, 39):
        assert np.array_equal(read_frame(clip, n), frames[n])


def test_frames_outside_are_refused(tmp_path: Path) -> None:
    clip = write_numbered_clip(tmp_path / "a.mp4", range(5))
    with pytest.raises(FrameNotFoundError, match="frames 0 to 4"):
        read_frame(clip, 5)
    with pytest.raises(FrameNotFoundError):
        iter_frames(clip, start=3, stop=6)
    assert list(iter_frames(clip, start=2, stop=2)) == []


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "empty"), (b"This is a letter.\n" * 50, "cannot be read as a video")]
)
def test_what_is_no_video_says_so(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "odd.mp4"
    path.write_bytes(content)
    with pytest.raises(UnreadableVideoError, match=reason) as caught:
        probe(path)
    assert "odd.mp4" in str(caught.value)
    assert caught.value.hint


def test_a_missing_file_and_one_without_picture_say_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableVideoError, match="gone"):
        probe(tmp_path / "gone.mp4")
    sound = tmp_path / "sound.mp4"
    ffmpeg("-f", "lavfi", "-i", "sine", "-t", 1, "-c:a", "aac", sound)
    with pytest.raises(UnreadableVideoError, match="no video stream"):
        probe(sound)


@pytest.mark.parametrize("faststart", [False, True])
def test_a_file_cut_short_is_noticed(tmp_path: Path, faststart: bool) -> None:
    clip = write_numbered_clip(tmp_path / "a.mp4", range(60), gop=12)
    source = tmp_path / "b.mp4"
    flags = ["-movflags", "+faststart"] if faststart else []
    ffmpeg("-i", clip, "-c", "copy", *flags, source)
    short = tmp_path / "short.mp4"
    short.write_bytes(source.read_bytes()[: source.stat().st_size * 2 // 3])
    with pytest.raises(UnreadableVideoError, match=r"short\.mp4"):
        probe(short)


def test_the_index_notices_a_changed_file(tmp_path: Path) -> None:
    clip = write_numbered_clip(tmp_path / "a.mp4", range(5))
    assert probe(clip).n_frames == 5
    write_numbered_clip(clip, range(9))
    assert probe(clip).n_frames == 9


@pytest.mark.parametrize(("width", "height"), [(640, 360), (1280, 720)])
def test_an_untagged_file_written_as_comfyui_writes_comes_back_in_its_colours(
    tmp_path: Path, width: int, height: int
) -> None:
    path, picture = tmp_path / "a.mp4", plain_colours(width, height)
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=24, options={"crf": "4"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            output.mux(stream.encode(frame.reformat(format="yuv420p")))
        output.mux(stream.encode())
    assert probe(path).color_matrix == "unspecified"
    assert worst_patch_error(read_frame(path, 1), picture) <= 2


def worst_patch_error(rgb: np.ndarray, picture: np.ndarray) -> int:
    """Return the largest difference in the middles of the six patches."""
    width = picture.shape[1]
    columns = [at * width // 6 + width // 12 for at in range(6)]
    middle = picture.shape[0] // 2
    return int(np.abs(rgb[middle, columns].astype(int) - picture[middle, columns]).max())


@pytest.mark.parametrize("matrix", ["bt709", "smpte170m"])
@pytest.mark.parametrize("full", [False, True])
def test_tagged_matrix_and_range_are_followed(tmp_path: Path, matrix: str, full: bool) -> None:
    picture = plain_colours(192, 96)
    source, path = tmp_path / "s.rgb", tmp_path / "a.mp4"
    source.write_bytes(picture.tobytes())
    size = "pc" if full else "tv"
    tags = ["-colorspace", matrix, "-color_range", size]
    scale = f"scale=out_color_matrix={matrix}:out_range={size}:flags=accurate_rnd+full_chroma_int,format=yuv420p"
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "192x96"]
    ffmpeg(*raw, "-i", source, "-vf", scale, *tags, "-c:v", "libx264", "-crf", 3, path)
    info = probe(path)
    assert (info.color_matrix, info.color_range) == (
        {"bt709": "bt709", "smpte170m": "bt601"}[matrix],
        "full" if full else "limited",
    )
    assert worst_patch_error(read_frame(path, 0), picture) <= 2


def test_our_own_files_keep_their_colours_and_carry_tags(tmp_path: Path) -> None:
    picture = plain_colours(1280, 720)
    assert encode_video(tmp_path / "a.mp4", [picture] * 2, 24, crf=4) == 2
    stream = ffprobe(tmp_path / "a.mp4")["stream"]
    assert (stream["color_space"], stream["color_range"], stream["color_primaries"]) == ("bt709", "tv", "bt709")
    assert worst_patch_error(read_frame(tmp_path / "a.mp4", 1), picture) <= 2


def test_a_failed_encoding_leaves_nothing(tmp_path: Path) -> None:
    def breaking() -> object:
        yield numbered_frame(0)
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        encode_video(tmp_path / "a.mp4", breaking(), 24)  # type: ignore[arg-type]
    with pytest.raises(EncodingError):
        encode_video(tmp_path / "a.mp4", numbered_frames(2), 24, pixel_format="nonsense")
    assert list(tmp_path.iterdir()) == []


def test_memory_stays_flat_over_a_thousand_frames(tmp_path: Path) -> None:
    clip = write_numbered_clip(tmp_path / "a.mp4", range(1000), size=(320, 240))
    one = 320 * 240 * 3
    tracemalloc.start()
    peak_rss = _rss()
    for n, rgb in enumerate(iter_frames(clip)):
        assert rgb.nbytes == one
        if n == 100:
            peak_rss = _rss()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n == 999
    assert peak < 8 * one
    assert _rss() - peak_rss < 40 * one


def _rss() -> int:
    """Return this process's resident bytes."""
    done = subprocess.run(["ps", "-o", "rss=", "-p", str(os.getpid())], capture_output=True, text=True)
    return int(done.stdout) * 1024
