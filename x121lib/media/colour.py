"""YUV to RGB and back with range and matrix always named.

A stream that carries no tags is read as BT.601 limited at every size. That is what swscale assumes when it turns
``rgb24`` into ``yuv420p`` with no colour space named, which is how ComfyUI and most Python tools write video, and it
is what ComfyUI's own loader assumes when it reads the file back. Guessing BT.709 from 720 lines upwards, as players
do, would shift the colours of every hand-off frame. The files that X121 writes are always tagged.
"""

from __future__ import annotations

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

Rgb = npt.NDArray[np.uint8]
"""Height x width x 3, RGB, 0…255, C-contiguous."""

BT709 = 1
"""``AVCOL_SPC_BT709``, ``AVCOL_PRI_BT709`` and ``AVCOL_TRC_BT709`` are all 1 (ITU-T H.273)."""

_FULL = 2
_MATRIX_NAMES = {
    0: "rgb",
    1: "bt709",
    4: "fcc",
    5: "bt601",
    6: "bt601",
    7: "smpte240m",
    9: "bt2020",
}
_SWSCALE = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
}
# Bicubic chroma without rounding shortcuts: the hand-off frame is the seed of the next segment, and the shortcuts
# cost up to two levels per channel and hop.
_EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


def matrix_name(code: int) -> str:
    """Return ``bt601``, ``bt709``, … or ``unspecified`` for an ``AVColorSpace`` number (ITU-T H.273 table 4)."""
    return _MATRIX_NAMES.get(code, "unspecified" if code == 2 else f"h273-{code}")


def range_name(code: int, pixel_format: str) -> str:
    """Return ``full``, ``limited`` or ``unspecified`` for an ``AVColorRange`` number; ``yuvj…`` formats are full."""
    if code == _FULL or pixel_format.startswith("yuvj"):
        return "full"
    return "limited" if code == 1 else "unspecified"


class RgbReader:
    """Turns decoded frames of one stream into RGB arrays, reusing one scaler."""

    def __init__(self) -> None:
        self._scaler = VideoReformatter()

    def __call__(self, frame: av.VideoFrame) -> Rgb:
        """Return the frame as a fresh RGB array of its own size."""
        if frame.format.is_rgb:
            return np.ascontiguousarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)
        full = frame.color_range == _FULL or frame.format.name.startswith("yuvj")
        rgb = self._scaler.reformat(
            frame,
            format="rgb24",
            src_colorspace=_SWSCALE.get(int(frame.colorspace), Colorspace.ITU601),
            dst_colorspace=Colorspace.ITU601,
            interpolation=_EXACT,
            src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
            threads=1,
        )
        return np.ascontiguousarray(rgb.to_ndarray(), dtype=np.uint8)


class YuvWriter:
    """Turns RGB arrays into BT.709 limited frames of one pixel format, reusing one scaler."""

    def __init__(self, pixel_format: str) -> None:
        self._format = pixel_format
        self._scaler = VideoReformatter()

    def __call__(self, rgb: Rgb) -> av.VideoFrame:
        """Return a tagged frame; the array is not kept."""
        frame = self._scaler.reformat(
            av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24"),
            format=self._format,
            src_colorspace=Colorspace.ITU709,
            dst_colorspace=Colorspace.ITU709,
            interpolation=_EXACT,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )
        frame.colorspace = BT709
        frame.color_range = 1
        frame.color_primaries = BT709
        frame.color_trc = BT709
        return frame
