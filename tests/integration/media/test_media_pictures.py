"""Images, thumbnails, filmstrips and review copies."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from x121lib.base.errors import InvalidInputError
from x121lib.media import (
    MediaCancelledError,
    UnreadableImageError,
    encode_png,
    filmstrip,
    iter_frames,
    probe,
    read_frame,
    read_image,
    review_proxy,
    thumbnail,
    write_png,
)
from x121lib.testing.synthetic import frame_number, numbered_frame, write_numbered_clip


def as_bytes(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return an encoded image."""
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def test_png_is_lossless_both_ways(tmp_path: Path) -> None:
    rgb = np.random.default_rng(3).integers(0, 256, (37, 53, 3), dtype=np.uint8)
    write_png(tmp_path / "a.png", rgb)
    assert np.array_equal(read_image(tmp_path / "a.png"), rgb)
    assert np.array_equal(read_image(encode_png(rgb)), rgb)


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_a_photo_is_turned_upright(orientation: int, turns: int) -> None:
    upright = numbered_frame(5, width=64, height=32)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.rot90(upright, -turns))
    assert np.array_equal(read_image(as_bytes(stored, "PNG", exif=exif)), upright)


def test_transparency_lies_over_white_and_grey_becomes_rgb() -> None:
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert read_image(as_bytes(clear, "PNG")).min() == 255
    assert read_image(as_bytes(Image.new("L", (4, 4), 77), "PNG")).tolist() == [[[77] * 3] * 4] * 4
    deep = Image.fromarray(np.full((4, 4), 257 * 99, dtype=np.uint16))
    assert read_image(as_bytes(deep, "PNG")).tolist() == [[[99] * 3] * 4] * 4


def test_bad_images_say_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImageError, match="no image"):
        read_image(b"a letter")
    with pytest.raises(UnreadableImageError, match="no image"):
        read_image(b"")
    picture = as_bytes(Image.fromarray(numbered_frame(1)), "JPEG")
    with pytest.raises(UnreadableImageError, match="cannot be read"):
        read_image(picture[: len(picture) // 2])
    png = as_bytes(Image.fromarray(numbered_frame(1)), "PNG")
    with pytest.raises(UnreadableImageError, match="cannot be read"):
        read_image(png[: len(png) // 2])
    with pytest.raises(UnreadableImageError, match=r"gone\.png"):
        read_image(tmp_path / "gone.png")


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    bomb = as_bytes(Image.new("1", (20_000, 20_000)), "PNG")
    assert len(bomb) < 100_000
    with pytest.raises(UnreadableImageError, match="at most 80,000,000 pixels"):
        read_image(bomb)
    with pytest.raises(UnreadableImageError, match="11 x 10 pixels; at most 100 pixels"):
        read_image(as_bytes(Image.new("L", (11, 10)), "PNG"), max_pixels=100)


def test_thumbnail_shows_the_frame_asked_for(tmp_path: Path) -> None:
    clip = write_numbered_clip(tmp_path / "a.mp4", range(30), size=(256, 128))
    assert thumbnail(clip, tmp_path / "t.png", frame=17, width=128) == 17
    small = read_image(tmp_path / "t.png")
    assert small.shape == (64, 128, 3)
    assert frame_number(small) == 17
    assert thumbnail(clip, tmp_path / "t.webp", width=4000) == 15
    assert read_image(tmp_path / "t.webp").shape == (128, 256, 3)
    with pytest.raises(InvalidInputError, match="WebP"):
        thumbnail(clip, tmp_path / "t.txt")


@pytest.mark.parametrize("suffix", ["png", "webp", "jpg"])
def test_filmstrip_tiles_are_the_frames_it_names(tmp_path: Path, suffix: str) -> None:
    clip = write_numbered_clip(tmp_path / "a.mp4", range(80), size=(256, 128))
    strip = filmstrip(clip, tmp_path / f"s.{suffix}", n=8, height=96)
    picture = read_image(tmp_path / f"s.{suffix}")
    assert picture.shape == (96, 8 * strip.tile_width, 3)
    width = strip.tile_width
    shown = [frame_number(picture[:, at * width : (at + 1) * width]) for at in range(8)]
    assert tuple(shown) == strip.frames == (5, 15, 25, 35, 45, 55, 65, 75)


def test_a_filmstrip_of_few_frames_has_few_tiles(tmp_path: Path) -> None:
    clip = write_numbered_clip(tmp_path / "a.mp4", range(3))
    assert filmstrip(clip, tmp_path / "s.webp").frames == (0, 1, 2)


def test_review_copy_is_marked_and_keeps_its_frames(tmp_path: Path) -> None:
    clip = write_numbered_clip(tmp_path / "a.mp4", range(30), size=(640, 480), rate=25)
    assert review_proxy(clip, tmp_path / "r.mp4", max_height=240) == 30
    info = probe(tmp_path / "r.mp4")
    assert (info.width, info.height, info.frame_rate, info.n_frames) == (320, 240, Fraction(25), 30)
    assert [frame_number(rgb) for rgb in iter_frames(tmp_path / "r.mp4")] == list(range(30))
    review_proxy(clip, tmp_path / "plain.mp4", text=None, max_height=240)
    marked, plain = read_frame(tmp_path / "r.mp4", 9), read_frame(tmp_path / "plain.mp4", 9)
    difference = np.abs(marked.astype(int) - plain).max(axis=2)
    assert (difference[210:] > 60).sum() > 200
    assert (difference[:120] > 60).sum() == 0


def test_a_cancelled_review_copy_leaves_nothing(tmp_path: Path) -> None:
    clip = write_numbered_clip(tmp_path / "a.mp4", range(10))
    with pytest.raises(MediaCancelledError):
        review_proxy(clip, tmp_path / "r.mp4", cancelled=lambda: True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.mp4"]
