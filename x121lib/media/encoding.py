"""Writing video."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TypedDict, Unpack

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

from x121lib.base.errors import InvalidInputError
from x121lib.media.atomic import whole_file
from x121lib.media.colour import BT709, Rgb, YuvWriter
from x121lib.media.errors import EncodingError

MP4_OPTIONS = {"movflags": "+faststart"}
"""The index comes first, so that a browser can seek before the file has arrived."""


class EncoderSettings(TypedDict, total=False):
    """What the encoder is told; everything may be left out."""

    codec: str
    """FFmpeg encoder; ``libx264``."""
    crf: int
    """Constant rate factor, lower is better; 14."""
    gop: int | None
    """Most frames from one key frame to the next; None is the encoder's own default."""
    b_frames: int | None
    """Most B-frames in a row (libx264); None is the encoder's own default."""
    preset: str
    """Speed of libx264 and libx265; ``veryfast``."""
    pixel_format: str
    """``yuv420p``."""


def encode_video(
    path: Path | str,
    frames: Iterable[Rgb],
    frame_rate: Fraction | int,
    **settings: Unpack[EncoderSettings],
) -> int:
    """Encode RGB frames of one size; the file appears whole or not at all. Returns the number of frames written.

    The stream is tagged BT.709 limited. Frames are taken one at a time. See `EncoderSettings` for the settings.

    Raises:
        InvalidInputError: no frame, frames of different sizes, or an odd size with subsampled colour.
        EncodingError: the encoder or the muxer refused.
    """
    path = Path(path)
    remaining = iter(frames)
    first = next(remaining, None)
    if first is None:
        raise InvalidInputError(f"There is no frame to write to {path}.")
    pixel_format = settings.get("pixel_format", "yuv420p")
    _check_size(first, pixel_format)
    try:
        with (
            whole_file(path) as part,
            av.open(str(part), "w", options=muxer_options(part)) as output,
        ):
            stream = _add_stream(output, Fraction(frame_rate), settings)
            stream.width, stream.height, stream.pix_fmt = (
                first.shape[1],
                first.shape[0],
                pixel_format,
            )
            return _write(output, stream, chain([first], remaining), YuvWriter(pixel_format))
    except (av.FFmpegError, ValueError) as error:
        raise EncodingError(f"{path} could not be written: {error}.") from error


def _add_stream(output: OutputContainer, rate: Fraction, settings: EncoderSettings) -> VideoStream:
    codec = settings.get("codec", "libx264")
    options = _options(codec, settings.get("crf", 14), settings.get("preset", "veryfast"))
    b_frames, gop = settings.get("b_frames"), settings.get("gop")
    if b_frames is not None and codec == "libx264":
        options["bf"] = str(b_frames)
    stream = output.add_stream(codec, rate=rate, options=options)
    if not isinstance(stream, VideoStream):
        raise EncodingError(f"{codec} encodes no video.")
    stream.codec_context.time_base = 1 / rate
    if gop is not None:
        stream.gop_size = gop
    tag_bt709(stream)
    return stream


def muxer_options(path: Path) -> dict[str, str]:
    """Return the options of the muxer that the file's suffix chooses."""
    return dict(MP4_OPTIONS) if path.suffix.lower() in {".mp4", ".mov", ".m4v"} else {}


def tag_bt709(stream: VideoStream) -> None:
    """Tag a stream as BT.709, limited range."""
    context = stream.codec_context
    context.color_range = 1
    context.colorspace = context.color_primaries = context.color_trc = BT709


def _options(codec: str, crf: int, preset: str) -> dict[str, str]:
    if codec == "libx264":
        return {"crf": str(crf), "preset": preset}
    if codec == "libx265":  # which otherwise writes a page to standard error for each file
        return {"crf": str(crf), "preset": preset, "x265-params": "log-level=none"}
    if codec == "libvpx-vp9":
        return {
            "crf": str(crf),
            "b": "0",
            "deadline": "realtime",
            "cpu-used": "6",
            "row-mt": "1",
        }
    return {"crf": str(crf)} if codec == "libsvtav1" else {}


def _check_size(rgb: Rgb, pixel_format: str) -> None:
    if rgb.ndim != 3 or rgb.shape[2] != 3:
        raise InvalidInputError(f"A frame must be height x width x 3; this one is {rgb.shape}.")
    if "420" in pixel_format and (rgb.shape[0] % 2 or rgb.shape[1] % 2):
        raise InvalidInputError(
            f"{rgb.shape[1]} x {rgb.shape[0]} pixels cannot be written as {pixel_format}: the size must be even."
        )


def _write(
    output: OutputContainer,
    stream: VideoStream,
    frames: Iterable[Rgb],
    to_yuv: YuvWriter,
) -> int:
    written, shape = 0, None
    for rgb in frames:
        shape = shape or rgb.shape
        if rgb.shape != shape:
            raise InvalidInputError(f"Frame {written} is {rgb.shape}, the first is {shape}.")
        frame = to_yuv(rgb)
        frame.pts = written
        frame.time_base = stream.codec_context.time_base
        output.mux(stream.encode(frame))
        written += 1
    output.mux(stream.encode(None))
    return written
