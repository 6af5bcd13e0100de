"""The sample workflows on a real server: what the pipeline relies on, frame by frame."""

from __future__ import annotations

import asyncio
import uuid
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest
from skimage.metrics import structural_similarity

from x121lib.comfyui import ComfyClient, OutputKind, bind, discover_slots, load_graph

DATA = Path(__file__).parents[3] / "data"
PORTRAITS = sorted((DATA / "sample" / "characters").glob("*/portrait.png"))
SCENES = ["idle", "dance", "walk", "wave"]
WIDTH, HEIGHT = 512, 640
Frames = npt.NDArray[np.uint8]
"""Pictures × 640 × 512 × 3, BGR."""


async def render(client: ComfyClient, name: str, to: Path, **values: Any) -> Path:
    """Run a sample workflow and fetch its one output."""
    graph = load_graph(DATA / "workflows" / f"{name}.json")
    kind = OutputKind.IMAGE if name == "evening" else OutputKind.VIDEO
    bound = bind(graph, discover_slots(graph), values)
    result = await client.run(bound, prompt_id=str(uuid.uuid4()), expect=frozenset({kind}))
    await client.download(result.outputs[0], to)
    return to


def segments(url: str, name: str, folder: Path, seeds: list[int]) -> list[Path]:
    """Make one segment per seed, each from the last frame of the one before."""

    async def work() -> list[Path]:
        made: list[Path] = []
        async with ComfyClient(url) as client:
            source = await client.upload(PORTRAITS[-1], name="x121_portrait.png")
            handoff = source
            for number, seed in enumerate(seeds):
                to = folder / f"{name}-{number}.mp4"
                values = {"seed": seed, "seed_image": handoff, "source_image": source}
                made.append(await render(client, name, to, **values))
                picture = cv2.imencode(".png", decode(to)[-1])[1].tobytes()
                handoff = await client.upload(picture, name=f"x121_handoff_{uuid.uuid4().hex}.png")
        return made

    return asyncio.run(work())


def decode(path: Path) -> Frames:
    """Decode every frame."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)])


def difference(a: Frames, b: Frames) -> float:
    """Return the mean absolute difference in grey levels of 255."""
    return float(np.abs(a.astype(np.int16) - b.astype(np.int16)).mean())


def ssim(a: Frames, b: Frames) -> float:
    """Return the structural similarity of two pictures."""
    return float(structural_similarity(a, b, channel_axis=2))


def lab(frames: Frames) -> npt.NDArray[np.float32]:
    """Return the mean CIE Lab colour of pictures."""
    pixels = frames.reshape(-1, 1, 3).astype(np.float32)[::97] / np.float32(255)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2Lab).mean((0, 1)), np.float32)


@pytest.mark.parametrize("name", SCENES)
def test_one_segment_is_exact_and_moves_and_returns(comfyui_url: str, name: str, tmp_path: Path) -> None:
    (path,) = segments(comfyui_url, name, tmp_path, [7])
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.average_rate, stream.width, stream.height) == (Fraction(24), WIDTH, HEIGHT)
        assert stream.codec_context.name == "h264"
    frames = decode(path)
    assert len(frames) == 49
    portrait = cv2.imread(str(PORTRAITS[-1]))
    assert portrait is not None
    first = cv2.resize(portrait, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    assert ssim(np.asarray(first, np.uint8), frames[0]) > 0.95
    noise = difference(np.asarray(first, np.uint8), frames[0])
    assert difference(frames[0], frames[24]) > max(8.0, 4 * noise)
    steps = [difference(a, b) for a, b in pairwise(frames)]
    assert sum(step > 0.05 for step in steps) >= 0.95 * len(steps)
    assert max(steps) < 30
    assert ssim(frames[0], frames[48]) > 0.95


def test_seed_changes_the_take_and_repeats_it(comfyui_url: str, tmp_path: Path) -> None:
    takes = []
    for number, seed in enumerate((1, 2, 1)):
        folder = tmp_path / str(number)
        folder.mkdir()
        takes.append(decode(segments(comfyui_url, "idle", folder, [seed])[0]))
    assert difference(takes[0][24], takes[1][24]) > 2.0
    assert np.array_equal(takes[0], takes[2])


@pytest.mark.timeout(240)
def test_twelve_segments_in_a_row_neither_crop_nor_wash_out(comfyui_url: str, tmp_path: Path) -> None:
    clips = [decode(path) for path in segments(comfyui_url, "dance", tmp_path, list(range(12)))]
    first = clips[0][0]
    for before, after in pairwise(clips):
        assert ssim(before[-1], after[0]) >= 0.95
    last = clips[-1][-1]
    assert ssim(first, last) > 0.95
    assert float(np.linalg.norm(lab(first) - lab(last))) < 1.0
    sharp = [float(cv2.Laplacian(clip[-1], cv2.CV_64F).var()) for clip in clips]
    assert sharp[-1] > 0.9 * sharp[0]


def test_evening_keeps_size_and_face_and_is_darker_and_cooler(comfyui_url: str, tmp_path: Path) -> None:
    cascade = cv2.CascadeClassifier(f"{cv2.__path__[0]}/data/haarcascade_frontalface_default.xml")

    async def work() -> None:
        async with ComfyClient(comfyui_url) as client:
            for portrait in PORTRAITS:
                name = await client.upload(portrait, name=f"x121_{portrait.parent.name}.png")
                made = await render(client, "evening", tmp_path / f"{portrait.parent.name}.png", seed_image=name)
                check(portrait, made)

    def check(portrait: Path, made: Path) -> None:
        day, evening = cv2.imread(str(portrait)), cv2.imread(str(made))
        assert day is not None
        assert evening is not None
        assert day.shape == evening.shape
        grey = cv2.cvtColor(evening, cv2.COLOR_BGR2GRAY)
        assert len(cascade.detectMultiScale(grey, 1.1, 5, minSize=(150, 150))) == 1
        assert evening.mean() < day.mean() - 8
        blue_over_red = [picture[..., 0].mean() / picture[..., 2].mean() for picture in (day, evening)]
        assert blue_over_red[1] > blue_over_red[0]

    assert len(PORTRAITS) >= 3
    asyncio.run(work())
