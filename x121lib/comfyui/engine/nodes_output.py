"""The nodes that make, load and save videos, and save images."""

from __future__ import annotations

import json
import os
import secrets
import string
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

from x121lib.comfyui.engine.errors import NodeError
from x121lib.comfyui.engine.folders import Folders, SavePath
from x121lib.comfyui.engine.images import Frames, same_size, to_bytes
from x121lib.comfyui.engine.nodes_image import file_check, whole_number
from x121lib.comfyui.engine.specs import (
    HIDDEN_META,
    Inputs,
    NodeResult,
    NodeRun,
    NodeSpec,
)
from x121lib.comfyui.engine.video import (
    Audio,
    Video,
    VideoFile,
    components,
    copy_mp4,
    write_mp4,
    write_webm,
)

_VIDEO = "comfy_extras.nodes_video"
_WEBP_METHODS = {"default": 4, "fastest": 0, "slowest": 6}
_EXIF_MODEL, _EXIF_MAKE = 0x0110, 0x010F
_TEMP_PREFIX = "ComfyUI_temp_" + "".join(secrets.choice(string.ascii_lowercase) for _ in range(5))


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Write to a hidden file beside ``path`` and rename it; nothing is left of an interrupted write."""
    part = path.with_name(f".{path.name}.part")
    try:
        write(part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _saved(path: Path, place: SavePath, kind: str) -> dict[str, str]:
    return {"filename": path.name, "subfolder": place.subfolder, "type": kind}


def _save_images(run: NodeRun, frames: Frames, prefix: str, kind: str, compression: int) -> NodeResult:
    place = run.folders.next_save(prefix, kind, same_size(frames))
    notes = PngInfo()
    for key, value in run.metadata.items():
        notes.add_text(key, json.dumps(value))
    saved = []
    for number, frame in enumerate(frames):
        named = place._replace(name=place.name.replace("%batch_num%", str(number)))
        path = named.file(".png", place.counter + number)
        picture = Pillow.fromarray(to_bytes(frame))
        write_whole(path, lambda part, picture=picture: picture.save(  # type: ignore[misc]
            part, "PNG", pnginfo=notes, compress_level=compression))  # fmt: skip
        saved.append(_saved(path, place, kind))
        run.step(number + 1, len(frames))
    return NodeResult((), {"images": saved})


def _save_image(run: NodeRun, inputs: Inputs) -> NodeResult:
    return _save_images(run, inputs["images"], inputs["filename_prefix"], "output", 4)


def _preview_image(run: NodeRun, inputs: Inputs) -> NodeResult:
    return _save_images(run, inputs["images"], _TEMP_PREFIX, "temp", 1)


def _create_video(run: NodeRun, inputs: Inputs) -> NodeResult:
    del run
    return NodeResult((Video(inputs["images"], Fraction(inputs["fps"]), inputs.get("audio")),))


def _save_video(run: NodeRun, inputs: Inputs) -> NodeResult:
    video: Video | VideoFile = inputs["video"]
    place = run.folders.next_save(inputs["filename_prefix"], "output", video.size)
    path = place.file(".mp4")
    if isinstance(video, VideoFile):
        source = video.path
        write_whole(path, lambda part: copy_mp4(source, part, run.metadata))
    else:
        whole = video
        write_whole(path, lambda part: write_mp4(part, whole, run.metadata, run.step))
    return NodeResult((), {"images": [_saved(path, place, "output")], "animated": [True]})


def _save_webm(run: NodeRun, inputs: Inputs) -> NodeResult:
    frames: Frames = inputs["images"]
    place = run.folders.next_save(inputs["filename_prefix"], "output", same_size(frames))
    path = place.file(".webm")

    def write(part: Path) -> None:
        write_webm(part, frames, inputs["fps"], inputs["codec"], inputs["crf"])(metadata=run.metadata, step=run.step)

    write_whole(path, write)
    return NodeResult((), {"images": [_saved(path, place, "output")], "animated": [True]})


def _save_webp(run: NodeRun, inputs: Inputs) -> NodeResult:
    frames: Frames = inputs["images"]
    place = run.folders.next_save(inputs["filename_prefix"], "output", same_size(frames))
    pictures = []
    for number, frame in enumerate(frames, start=1):
        pictures.append(Pillow.fromarray(to_bytes(frame)))
        run.step(number, len(frames))
    exif = pictures[0].getexif()
    metadata = dict(run.metadata)
    if "prompt" in metadata:
        exif[_EXIF_MODEL] = "prompt:" + json.dumps(metadata.pop("prompt"))
    for offset, (key, value) in enumerate(metadata.items()):
        exif[_EXIF_MAKE - offset] = f"{key}:{json.dumps(value)}"
    path = place.file(".webp")
    write_whole(
        path,
        lambda part: pictures[0].save(
            part, "WEBP", save_all=True, append_images=pictures[1:], duration=int(1000.0 / inputs["fps"]), exif=exif,
            lossless=inputs["lossless"], quality=inputs["quality"], method=_WEBP_METHODS[inputs["method"]],
        ),
    )  # fmt: skip
    return NodeResult((), {"images": [_saved(path, place, "output")], "animated": [len(frames) != 1]})


def _load_video(run: NodeRun, inputs: Inputs) -> NodeResult:
    return NodeResult((VideoFile(run.folders.source(inputs["file"])),))


def _video_stamp(folders: Folders, inputs: Inputs) -> float:
    return os.stat(folders.source(inputs["file"])).st_mtime


def _video_components(run: NodeRun, inputs: Inputs) -> NodeResult:
    video: Video | VideoFile = inputs["video"]
    whole = components(video, run.step) if isinstance(video, VideoFile) else video
    return NodeResult((whole.frames, whole.audio, float(whole.frame_rate)))


def _empty_audio(run: NodeRun, inputs: Inputs) -> NodeResult:
    del run
    if inputs["sample_rate"] < 1:
        raise NodeError("The sample rate must be at least 1 Hz.")
    samples = round(inputs["duration"] * inputs["sample_rate"])
    # One zero seen from every position: silence takes no memory.
    silence = np.broadcast_to(np.float32(0.0), (1, inputs["channels"], samples))
    return NodeResult((Audio(silence, inputs["sample_rate"]),))


def _decimal(default: float, low: float, high: float, step: float = 0.01) -> tuple[str, dict[str, Any]]:
    return ("FLOAT", {"default": default, "min": low, "max": high, "step": step})


def _choice(options: list[str], **more: Any) -> tuple[str, dict[str, Any]]:
    return ("COMBO", {**more, "multiselect": False, "options": options})


OUTPUT_NODES = [
    NodeSpec(
        "SaveImage", "Save Image", "image", "nodes", _save_image,
        {"images": ("IMAGE", {}), "filename_prefix": ("STRING", {"default": "ComfyUI"})},
        output_node=True, hidden=HIDDEN_META, description="Saves the images as PNG into the output folder.",
    ),
    NodeSpec(
        "PreviewImage", "Preview Image", "image", "nodes", _preview_image,
        {"images": ("IMAGE",)},
        output_node=True, hidden=HIDDEN_META, description="Saves the images into the temp folder.",
    ),
    NodeSpec(
        "CreateVideo", "Create Video", "image/video", _VIDEO, _create_video,
        {"images": ("IMAGE", {}), "fps": _decimal(30.0, 1.0, 120.0, 1.0)},
        optional={"audio": ("AUDIO", {})}, outputs=(("VIDEO", "VIDEO"),),
        description="Makes a video of images.", v3=True,
    ),
    NodeSpec(
        "SaveVideo", "Save Video", "image/video", _VIDEO, _save_video,
        {
            "video": ("VIDEO", {}), "filename_prefix": ("STRING", {"default": "video/ComfyUI", "multiline": False}),
            "format": _choice(["auto", "mp4"], default="auto"), "codec": _choice(["auto", "h264"], default="auto"),
        },
        output_node=True, hidden=HIDDEN_META, description="Saves the video into the output folder.", v3=True,
    ),
    NodeSpec(
        "LoadVideo", "Load Video", "image/video", _VIDEO, _load_video,
        {"file": _choice([], video_upload=True)},
        outputs=(("VIDEO", "VIDEO"),), files={"file": "video"}, check={"file": file_check("video")},
        fingerprint=_video_stamp, v3=True,
    ),
    NodeSpec(
        "GetVideoComponents", "Get Video Components", "image/video", _VIDEO, _video_components,
        {"video": ("VIDEO", {})},
        outputs=(("IMAGE", "images"), ("AUDIO", "audio"), ("FLOAT", "fps")),
        description="Takes a video apart: frames, audio and frame rate.", v3=True,
    ),
    NodeSpec(
        "EmptyAudio", "Empty Audio", "audio", "comfy_extras.nodes_audio", _empty_audio,
        {
            "duration": _decimal(60.0, 0.0, float(0xFFFFFFFFFFFFFFFF)), "sample_rate": ("INT", {"default": 44100}),
            "channels": whole_number(2, 1, 2),
        },
        outputs=(("AUDIO", "AUDIO"),),
    ),
    NodeSpec(
        "SaveWEBM", "SaveWEBM", "image/video", _VIDEO, _save_webm,
        {
            "images": ("IMAGE", {}), "filename_prefix": ("STRING", {"default": "ComfyUI", "multiline": False}),
            "codec": _choice(["vp9", "av1"]), "fps": _decimal(24.0, 0.01, 1000.0),
            "crf": _decimal(32.0, 0, 63.0, 1),
        },
        output_node=True, hidden=HIDDEN_META, v3=True, experimental=True,
    ),
    NodeSpec(
        "SaveAnimatedWEBP", "SaveAnimatedWEBP", "image/animation", "comfy_extras.nodes_images", _save_webp,
        {
            "images": ("IMAGE",), "filename_prefix": ("STRING", {"default": "ComfyUI"}),
            "fps": _decimal(6.0, 0.01, 1000.0), "lossless": ("BOOLEAN", {"default": True}),
            "quality": whole_number(80, 0, 100), "method": (list(_WEBP_METHODS),),
        },
        output_node=True, hidden=HIDDEN_META,
    ),
]  # fmt: skip
"""The classes of this module."""
