"""VIDEO and AUDIO values, and their files.

Colour: like ComfyUI, RGB becomes yuv420p by swscale's default, BT.601 limited. ComfyUI leaves the file untagged; here
the matrix is tagged, so that a reader need not guess.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from x121lib.comfyui.engine.errors import NodeError
from x121lib.comfyui.engine.images import Frames, Image, from_bytes, same_size, to_bytes

_SMPTE170M = 6
_LIMITED = 1
_THREADS = 1
_X264 = {"preset": "veryfast", "crf": "20"}
"""x264's defaults (medium, crf 23) look the same to a tenth of a decibel, at twice the time and 70 MB more memory."""

Step = Callable[[int, int, Image | None], None]


@dataclass(frozen=True)
class Audio:
    """An AUDIO: float32 samples of shape (1, channels, samples), -1..1, and samples a second."""

    waveform: npt.NDArray[np.float32]
    sample_rate: int


@dataclass(frozen=True)
class Video:
    """A VIDEO made of frames."""

    frames: Frames
    frame_rate: Fraction
    audio: Audio | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return same_size(self.frames)


@dataclass(frozen=True)
class VideoFile:
    """A VIDEO that lies in a file; nothing is decoded until it is asked for."""

    path: Path

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        with av.open(str(self.path)) as container:
            stream = _video_stream(container)
            return stream.width, stream.height


def _video_stream(container: InputContainer) -> VideoStream:
    if not container.streams.video:
        raise NodeError("The file holds no video stream.")
    return container.streams.video[0]


def components(file: VideoFile, step: Step) -> Video:
    """Decode a file: all frames, its first audio stream if any, and its average frame rate (1 where unknown)."""
    with av.open(str(file.path)) as container:
        stream = _video_stream(container)
        frames = []
        for frame in container.decode(stream):
            frames.append(from_bytes(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)))
            step(len(frames), max(stream.frames, len(frames)), None)
        rate = Fraction(stream.average_rate or 1)
        return Video(tuple(frames), rate, _audio(container))


def _audio(container: InputContainer) -> Audio | None:
    if not container.streams.audio:
        return None
    stream = container.streams.audio[0]
    container.seek(0)
    parts = [np.atleast_2d(frame.to_ndarray()) for frame in container.decode(stream)]
    if not parts:
        return None
    return Audio(
        np.concatenate(parts, axis=1)[None].astype(np.float32, copy=False),
        stream.rate or 1,
    )


def write_mp4(path: Path, video: Video, metadata: dict[str, Any], step: Step) -> None:
    """Encode to H.264 frame by frame, with B-frames and a long GOP as ComfyUI's files have; audio to AAC."""
    rate = Fraction(round(video.frame_rate * 1000), 1000)
    width, height = video.size
    options = {"movflags": "use_metadata_tags"}
    with av.open(str(path), "w", format="mp4", options=options) as output:
        for key, value in metadata.items():
            output.metadata[key] = json.dumps(value)
        stream = _add_video(output, "libx264", rate, (width, height))
        stream.options = dict(_X264)
        sound = None if video.audio is None else output.add_stream("aac", rate=video.audio.sample_rate)
        _encode(output, stream, video.frames, step)
        if video.audio is not None and isinstance(sound, AudioStream):
            _encode_audio(
                output,
                sound,
                video.audio,
                math.ceil(video.audio.sample_rate / rate * len(video.frames)),
            )


def write_webm(path: Path, frames: Frames, fps: float, codec: str, crf: float) -> Callable[..., None]:
    """Return a writer of a WebM file (``vp9`` or ``av1``), to be called with ``metadata`` and ``step``."""
    encoder, pixel_format = {
        "vp9": ("libvpx-vp9", "yuv420p"),
        "av1": ("libsvtav1", "yuv420p10le"),
    }[codec]
    options = {
        "crf": str(int(crf)),
        "b": "0",
        **({"preset": "6"} if codec == "av1" else {}),
    }

    def write(*, metadata: dict[str, Any], step: Step) -> None:
        with av.open(str(path), "w", format="webm") as output:
            for key, value in metadata.items():
                output.metadata[key] = json.dumps(value)
            stream = _add_video(
                output,
                encoder,
                Fraction(round(fps * 1000), 1000),
                same_size(frames),
                pixel_format,
            )
            stream.options = dict(options)
            _encode(output, stream, frames, step)

    return write


def _add_video(
    output: OutputContainer,
    encoder: str,
    rate: Fraction,
    size: tuple[int, int],
    pixel_format: str = "yuv420p",
) -> VideoStream:
    stream = output.add_stream(encoder, rate=rate)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = size
    stream.pix_fmt = pixel_format
    stream.codec_context.thread_count = _THREADS
    stream.codec_context.color_range = _LIMITED
    stream.codec_context.colorspace = _SMPTE170M
    return stream


def _encode(output: OutputContainer, stream: VideoStream, frames: Iterable[Image], step: Step) -> None:
    total = len(frames) if isinstance(frames, tuple) else 0
    reformatter = VideoReformatter()
    for number, pixels in enumerate(frames, start=1):
        picture = av.VideoFrame.from_ndarray(to_bytes(pixels), format="rgb24")
        output.mux(stream.encode(reformatter.reformat(picture, format=stream.pix_fmt)))
        step(number, total, pixels)
    output.mux(stream.encode(None))


def _encode_audio(output: OutputContainer, stream: AudioStream, audio: Audio, samples: int) -> None:
    waveform = audio.waveform[0, :, :samples]
    layout = "mono" if waveform.shape[0] == 1 else "stereo"
    packed = np.ascontiguousarray(waveform.T, np.float32).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=layout)
    frame.sample_rate = audio.sample_rate
    frame.pts = 0
    output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def copy_mp4(source: Path, target: Path, metadata: dict[str, Any]) -> None:
    """Copy a file's packets into a new MP4, unchanged, with its tags and ours."""
    options = {"movflags": "use_metadata_tags"}
    with (
        av.open(str(source)) as container,
        av.open(str(target), "w", format="mp4", options=options) as output,
    ):
        for key, value in {
            **container.metadata,
            **{k: json.dumps(v) for k, v in metadata.items()},
        }.items():
            output.metadata[key] = value
        chosen = [stream for stream in container.streams if stream.type in {"video", "audio"}]
        streams = {stream.index: output.add_stream_from_template(stream) for stream in chosen}
        for packet in container.demux(chosen):
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                output.mux(packet)
