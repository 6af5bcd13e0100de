"""Video nodes, judged by ffprobe and Pillow."""

from __future__ import annotations

import io
import json
import subprocess
import uuid
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from tests.contract.engine.conftest import with_changes

FRAMES = 13


@pytest.fixture
def clip(comfy: Any, picture: np.ndarray) -> dict[str, Any]:
    """A graph whose node "join" gives 13 different frames of 64 × 48."""
    graph: dict[str, Any] = {"src": {"class_type": "LoadImage", "inputs": {"image": comfy.upload(picture)}}}
    last = ""
    for number in range(FRAMES):
        crop = {"image": ["src", 0], "x": number, "y": 2, "width": 32, "height": 24}
        graph[f"c{number}"] = {"class_type": "ImageCrop", "inputs": crop}
        scale = {"image": [f"c{number}", 0], "upscale_method": "bicubic", "width": 64, "height": 48, "crop": "disabled"}
        graph[f"s{number}"] = {"class_type": "ImageScale", "inputs": scale}
        if last:
            batch = {"image1": [last, 0], "image2": [f"s{number}", 0]}
            graph[f"b{number}"] = {"class_type": "ImageBatch", "inputs": batch}
        last = f"b{number}" if last else "s0"
    graph["join"] = {"class_type": "RepeatImageBatch", "inputs": {"image": [last, 0], "amount": 1}}
    return graph


def saved(comfy: Any, graph: dict[str, Any], folder: Path, **more: Any) -> tuple[Path, dict[str, Any]]:
    """Run a graph whose output is node "save"; return a copy of its file and what was shown."""
    shown = comfy.result(graph, **more)["save"]
    (one,) = shown["images"]
    path = folder / one["filename"]
    path.write_bytes(comfy.file(one))
    return path, shown


def with_video(graph: dict[str, Any], fps: float = 24, **create: Any) -> dict[str, Any]:
    """Add CreateVideo and SaveVideo."""
    graph["video"] = {"class_type": "CreateVideo", "inputs": {"images": ["join", 0], "fps": fps, **create}}
    inputs = {"video": ["video", 0], "filename_prefix": f"v/{uuid.uuid4().hex}", "format": "auto", "codec": "auto"}
    graph["save"] = {"class_type": "SaveVideo", "inputs": inputs}
    return graph


def probe(path: Path, kind: str = "v:0") -> dict[str, Any]:
    """Return ffprobe's word on a stream, every frame counted."""
    command = ["ffprobe", "-v", "error", "-count_frames", "-select_streams", kind, "-show_streams", "-of", "json"]
    done = subprocess.run([*command, str(path)], capture_output=True, check=True, text=True)
    assert done.stderr == ""
    return json.loads(done.stdout)["streams"][0]


def test_a_video_has_every_frame(comfy: Any, clip: dict[str, Any], tmp_path: Path) -> None:
    path, shown = saved(comfy, with_video(clip), tmp_path)
    assert shown["animated"] == [True]
    assert shown["images"][0] == {"filename": path.name, "subfolder": "v", "type": "output"}
    assert path.name.endswith("_00001_.mp4")
    stream = probe(path)
    assert (stream["codec_name"], stream["pix_fmt"]) == ("h264", "yuv420p")
    assert (stream["width"], stream["height"], int(stream["nb_read_frames"])) == (64, 48, FRAMES)
    assert stream["r_frame_rate"] == "24/1"
    assert stream["has_b_frames"] > 0


def test_a_videos_pixels_are_its_frames(comfy: Any, clip: dict[str, Any], tmp_path: Path) -> None:
    path, _ = saved(comfy, with_video(clip), tmp_path)
    wanted = comfy.pixels(clip, "join")
    with av.open(str(path)) as container:
        found = [frame.to_ndarray(format="rgb24").astype(float) for frame in container.decode(video=0)]
    for frame, original in zip(found, wanted, strict=True):
        # Colours at half resolution and lossy: the mean error stays small, a wrong matrix would not.
        assert np.abs(frame - original).mean() < 8
        assert np.abs(frame.mean(axis=(0, 1)) - original.mean(axis=(0, 1))).max() < 3


def test_a_frame_rate_that_is_no_whole_number(comfy: Any, clip: dict[str, Any], tmp_path: Path) -> None:
    path, _ = saved(comfy, with_video(clip, fps=29.97), tmp_path)
    assert probe(path)["r_frame_rate"] == "2997/100"


def test_a_video_carries_its_prompt(comfy: Any, clip: dict[str, Any], tmp_path: Path) -> None:
    graph = with_video(clip)
    path, _ = saved(comfy, graph, tmp_path, extra_data={"extra_pnginfo": {"workflow": {"b": 2}}})
    with av.open(str(path)) as container:
        assert json.loads(container.metadata["prompt"]) == with_changes(comfy, graph)
        assert json.loads(container.metadata["workflow"]) == {"b": 2}


def test_silence_lasts_as_long_as_the_picture(comfy: Any, clip: dict[str, Any], tmp_path: Path) -> None:
    clip["audio"] = {"class_type": "EmptyAudio", "inputs": {"duration": 60.0, "sample_rate": 44100, "channels": 2}}
    path, _ = saved(comfy, with_video(clip, audio=["audio", 0]), tmp_path)
    stream = probe(path, "a:0")
    assert (stream["codec_name"], stream["channels"], stream["sample_rate"]) == ("aac", 2, "44100")
    assert float(stream["duration"]) == pytest.approx(FRAMES / 24, abs=0.05)
    assert int(probe(path)["nb_read_frames"]) == FRAMES


def test_a_video_is_loaded_and_taken_apart(comfy: Any, clip: dict[str, Any], tmp_path: Path) -> None:
    path, _ = saved(comfy, with_video(clip), tmp_path)
    name = comfy.http.post("/upload/image", files={"image": (path.name, path.read_bytes())}).json()["name"]
    graph: dict[str, Any] = {
        "load": {"class_type": "LoadVideo", "inputs": {"file": name}},
        "parts": {"class_type": "GetVideoComponents", "inputs": {"video": ["load", 0]}},
        "join": {"class_type": "ImageInvert", "inputs": {"image": ["parts", 0]}},
    }
    found = comfy.pixels(graph, "parts")
    assert found.shape == (FRAMES, 48, 64, 3)
    again, _ = saved(comfy, with_video(graph, fps=["parts", 2]), tmp_path)  # type: ignore[arg-type]
    stream = probe(again)
    assert (int(stream["nb_read_frames"]), stream["r_frame_rate"]) == (FRAMES, "24/1")


def test_a_loaded_video_is_saved_as_it_is(comfy: Any, clip: dict[str, Any], tmp_path: Path) -> None:
    path, _ = saved(comfy, with_video(clip), tmp_path)
    name = comfy.http.post("/upload/image", files={"image": (path.name, path.read_bytes())}).json()["name"]
    inputs = {"video": ["load", 0], "filename_prefix": f"copy/{uuid.uuid4().hex}", "format": "auto", "codec": "auto"}
    graph = {"load": {"class_type": "LoadVideo", "inputs": {"file": name}},
             "save": {"class_type": "SaveVideo", "inputs": inputs}}  # fmt: skip
    copy, _ = saved(comfy, graph, tmp_path)
    with av.open(str(path)) as first, av.open(str(copy)) as second:
        packets = [
            [bytes(packet) for packet in file.demux(video=0) if packet.dts is not None] for file in (first, second)
        ]
    assert packets[0] == packets[1]


def test_a_missing_video_is_named(comfy: Any) -> None:
    inputs = {"video": ["1", 0], "filename_prefix": "x", "format": "auto", "codec": "auto"}
    answer = comfy.submit({"1": {"class_type": "LoadVideo", "inputs": {"file": "gone.mp4"}},
                           "2": {"class_type": "SaveVideo", "inputs": inputs}})  # fmt: skip
    (error,) = answer.json()["node_errors"]["1"]["errors"]
    assert error["details"] == "file - Invalid video file: gone.mp4"


@pytest.mark.parametrize(("codec", "name"), [("vp9", "vp9"), ("av1", "av1")])
def test_webm(comfy: Any, clip: dict[str, Any], tmp_path: Path, codec: str, name: str) -> None:
    inputs = {"images": ["join", 0], "filename_prefix": uuid.uuid4().hex, "codec": codec, "fps": 12.0, "crf": 40.0}
    clip["save"] = {"class_type": "SaveWEBM", "inputs": inputs}
    path, shown = saved(comfy, clip, tmp_path)
    assert (path.suffix, shown["animated"]) == (".webm", [True])
    stream = probe(path)
    assert (stream["codec_name"], int(stream["nb_read_frames"])) == (name, FRAMES)
    assert stream["r_frame_rate"] == "12/1"


def test_an_animated_webp_is_lossless(comfy: Any, clip: dict[str, Any]) -> None:
    inputs = {"images": ["join", 0], "filename_prefix": uuid.uuid4().hex, "fps": 10.0, "lossless": True,
              "quality": 80, "method": "fastest"}  # fmt: skip
    graph = {**clip, "save": {"class_type": "SaveAnimatedWEBP", "inputs": inputs}}
    shown = comfy.result(graph)["save"]
    assert shown["animated"] == [True]
    image = Image.open(io.BytesIO(comfy.file(shown["images"][0])))
    assert (getattr(image, "n_frames", 1), image.size) == (FRAMES, (64, 48))
    assert image.getexif()[0x0110].startswith("prompt:{")
    wanted = comfy.pixels(clip, "join")
    for number in (0, FRAMES - 1):
        image.seek(number)
        assert (np.asarray(image.convert("RGB")) == wanted[number]).all()
