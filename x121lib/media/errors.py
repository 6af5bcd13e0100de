"""What can go wrong with media; lower errors are mapped to these where they enter."""

from __future__ import annotations

from x121lib.base.errors import InvalidInputError, X121Error


class MediaError(X121Error):
    """The base of every error of this room."""

    code = "media.error"


class UnreadableVideoError(MediaError):
    """A file that is no video, is damaged or is cut short; the message names the file and the reason."""

    code = "media.unreadable_video"


class UnreadableImageError(MediaError):
    """Bytes that are no image, are damaged, cut short, or too large to decode safely."""

    code = "media.unreadable_image"


class FrameNotFoundError(MediaError):
    """A frame number outside the video."""

    code = "media.frame_not_found"


class EncodingError(MediaError):
    """The encoder or the muxer refused; nothing was written."""

    code = "media.encoding_failed"


class IncompatiblePartsError(InvalidInputError):
    """Parts that cannot be joined without re-encoding all of them; the message names them."""

    code = "media.incompatible_parts"


class MediaCancelledError(MediaError):
    """The caller cancelled; nothing was written."""

    code = "media.cancelled"
    retryable = True
