"""The encoder for groups of pictures that a cut falls into."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property

import av
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext

from x121lib.media.errors import EncodingError
from x121lib.media.gops import Part
from x121lib.media.plan import encoder_of
from x121lib.media.probing import opened

SEAM_CRF = 11
"""Constant rate factor of groups encoded again: above 45 dB on the tests' clips, near visually lossless."""

_PROFILES = {
    66: "baseline",
    77: "main",
    100: "high",
    110: "high10",
    122: "high422",
    244: "high444",
}
_ALIKE = ("width", "height", "pix_fmt", "color_range", "colorspace", "color_primaries", "color_trc")
# x264 stores a B-pyramid with two places of delay, plain B-frames with one (H.264 VUI max_num_reorder_frames).
_PYRAMID_DELAY = 2


class SeamEncoder:
    """Makes encoders whose stream a decoder of the source's stream can go on with.

    Attributes:
        sets_id: id of the parameter sets (H.264), 0 to 31; chosen so that it meets no copied part's.
    """

    def __init__(self, like: Part, delay: int) -> None:
        self._like = like
        self._delay = delay
        self.sets_id = 0

    def create(self) -> VideoCodecContext:
        """Return a fresh encoder: size, pixel format, profile, level, colour tags and delay are the source's."""
        name = encoder_of(self._like.codec)
        encoder = av.CodecContext.create(name, "w")
        if not isinstance(encoder, VideoCodecContext):
            raise EncodingError(f"{name} encodes no video.")
        rate: Fraction = self._like.rate
        encoder.framerate = rate
        encoder.time_base = 1 / rate
        for name_of, value in self._copied_settings.items():
            setattr(encoder, name_of, value)
        if self._like.avc is None:
            encoder.options = {
                "crf": str(SEAM_CRF),
                "b": "0",
                "deadline": "good",
                "cpu-used": "5",
                "row-mt": "1",
            }
            return encoder
        encoder.flags |= int(Flags.global_header)
        encoder.options = self._x264(self._like.avc.profile, self._like.avc.level)
        return encoder

    @cached_property
    def _copied_settings(self) -> dict[str, object]:
        with opened(self._like.path) as (_, stream):
            source = stream.codec_context
            settings: dict[str, object] = {name: getattr(source, name) for name in _ALIKE}
            if source.sample_aspect_ratio:
                settings["sample_aspect_ratio"] = source.sample_aspect_ratio
            return settings

    def _x264(self, profile: int, level: int) -> dict[str, str]:
        pyramid = "normal" if self._delay >= _PYRAMID_DELAY else "none"
        options = {
            "crf": str(SEAM_CRF),
            "preset": "veryfast",
            "bf": "3" if self._delay else "0",
            "x264-params": f"sps-id={self.sets_id}:b-pyramid={pyramid}:open-gop=0",
        }
        if profile in _PROFILES:
            options["profile"] = _PROFILES[profile]
        if level >= 10:  # below lies only level 1b, which x264 names otherwise
            options["level"] = f"{level // 10}.{level % 10}"
        return options
