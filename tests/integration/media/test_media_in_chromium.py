"""Joined videos in the browser that shows them: every frame is found by seeking to its middle."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from x121lib.media import Cut, FrameRange, concat, probe
from x121lib.testing.synthetic import write_numbered_clip
from x121lib.testing.video_judges import ffmpeg

CHROMIUM = shutil.which("chromium")

SEEK_EACH = """async ([data, count, rate]) => {
  const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0));
  const video = document.createElement('video');
  const broken = no => () => no(new Error(video.error.message));
  video.muted = true;
  video.src = URL.createObjectURL(new Blob([bytes], {type: 'video/mp4'}));
  await new Promise((ok, no) => { video.onloadeddata = ok; video.onerror = broken(no); });
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth; canvas.height = video.videoHeight;
  const context = canvas.getContext('2d', {willReadFrequently: true});
  const block = Math.floor(canvas.width / 16);
  const read = () => {
    context.drawImage(video, 0, 0);
    let number = 0;
    for (let bit = 0; bit < 16; bit++) {
      const pixel = context.getImageData(bit * block + (block >> 1), canvas.height >> 4, 1, 1).data;
      number = number * 2 + (pixel[1] > 127 ? 1 : 0);
    }
    return number;
  };
  const seen = new Array(count);
  for (let k = 0; k < count; k++) {
    const n = (k * 37 + 11) % count;
    const shown = new Promise(ok => video.requestVideoFrameCallback(ok));
    await new Promise((ok, no) => {
      video.onseeked = ok; video.onerror = broken(no); video.currentTime = (n + 0.5) / rate;
    });
    await shown;
    seen[n] = read();
  }
  return seen;
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """Return a page of a headless Chromium."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def parts(room: Path, kind: str) -> list[Path]:
    """Return three parts that share their headers, differ in them, or have open groups."""
    made = []
    for k in range(3):
        part = room / f"{k}.mp4"
        b_frames = k if kind == "different" else 2
        write_numbered_clip(part, range(24 * k, 24 * k + 25), gop=8, b_frames=b_frames)
        if kind == "open":
            settings = "open-gop=1:keyint=8:min-keyint=8:bframes=3:scenecut=0"
            ffmpeg("-i", part, "-c:v", "libx264", "-x264-params", settings, "-crf", 12, room / f"open{k}.mp4")
            part = room / f"open{k}.mp4"
        made.append(part)
    return made


@pytest.mark.parametrize("kind", ["alike", "different", "open"])
def test_chromium_finds_every_frame(page: Page, tmp_path: Path, kind: str) -> None:
    made = parts(tmp_path, kind)
    to = tmp_path / "scene.mp4"
    concat([Cut(part, FrameRange(1 if k else 0, 25)) for k, part in enumerate(made)], to)
    assert probe(to).frame_rate == Fraction(24)
    data = base64.b64encode(to.read_bytes()).decode()
    assert page.evaluate(SEEK_EACH, [data, 73, 24]) == list(range(73))
