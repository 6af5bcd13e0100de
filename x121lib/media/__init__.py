"""Video and images: probe, frames by number, encode, join, small pictures, review copies. Knows no database."""

from x121lib.media.colour import Rgb
from x121lib.media.encoding import EncoderSettings, encode_video
from x121lib.media.errors import (
    EncodingError,
    FrameNotFoundError,
    IncompatiblePartsError,
    MediaCancelledError,
    MediaError,
    UnreadableImageError,
    UnreadableVideoError,
)
from x121lib.media.frames import iter_frames, read_frame
from x121lib.media.images import encode_png, read_image, write_png
from x121lib.media.joining import concat
from x121lib.media.plan import Cut
from x121lib.media.probing import VideoInfo, probe
from x121lib.media.reporting import ConcatReport, JoinedSegment
from x121lib.media.review_copy import WATERMARK, review_proxy
from x121lib.media.stills import FilmstripInfo, filmstrip, thumbnail
from x121lib.terms.ranges import FrameRange

__all__ = [
    "WATERMARK",
    "ConcatReport",
    "Cut",
    "EncoderSettings",
    "EncodingError",
    "FilmstripInfo",
    "FrameNotFoundError",
    "FrameRange",
    "IncompatiblePartsError",
    "JoinedSegment",
    "MediaCancelledError",
    "MediaError",
    "Rgb",
    "UnreadableImageError",
    "UnreadableVideoError",
    "VideoInfo",
    "concat",
    "encode_png",
    "encode_video",
    "filmstrip",
    "iter_frames",
    "probe",
    "read_frame",
    "read_image",
    "review_proxy",
    "thumbnail",
    "write_png",
]
