"""Still images: read safely, written without loss."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from x121lib.media.atomic import whole_file
from x121lib.media.colour import Rgb
from x121lib.media.errors import UnreadableImageError

MAX_PIXELS = 80_000_000
"""About 9,000 x 9,000: far above any portrait, and below the size at which Pillow itself warns of a bomb."""


def read_image(source: Path | str | bytes, *, max_pixels: int = MAX_PIXELS) -> Rgb:
    """Return an image as a uint8 height x width x 3 RGB array, turned upright by its EXIF orientation.

    Transparent pixels are laid over white. The size is checked before anything is decoded.

    Raises:
        UnreadableImageError: no image, cut short, or more than ``max_pixels`` pixels.
    """
    name = "The uploaded image" if isinstance(source, bytes) else str(source)
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
            width, height = image.size
            if width * height > max_pixels:
                raise _too_large(name, f"{width} x {height} pixels", max_pixels)
            image.load()
            return _upright_rgb(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(name, "far too large", max_pixels) from error
    except UnidentifiedImageError as error:
        raise UnreadableImageError(f"{name} is no image that can be read.", hint="Use PNG, JPEG or WebP.") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise UnreadableImageError(f"{name} cannot be read: {error}.", hint="Export the image again.") from error


def _too_large(name: str, size: str, max_pixels: int) -> UnreadableImageError:
    return UnreadableImageError(
        f"{name} is {size}; at most {max_pixels:,} pixels are accepted.", hint="Scale the image down and try again."
    )


def _upright_rgb(image: Image.Image) -> Rgb:
    upright = ImageOps.exif_transpose(image)
    if upright.has_transparency_data:
        rgba = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", rgba.size, (255, 255, 255, 255)), rgba)
    elif upright.mode.startswith("I") or upright.mode == "F":
        wide = np.asarray(upright, dtype=np.float64)
        upright = Image.fromarray((wide / 257.0 if wide.max() > 255 else wide).clip(0, 255).astype(np.uint8))
    return np.array(upright.convert("RGB"), dtype=np.uint8)


def encode_png(rgb: Rgb) -> bytes:
    """Return an RGB array as PNG bytes, without loss."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rgb)).save(buffer, format="PNG", compress_level=3)
    return buffer.getvalue()


def write_png(path: Path | str, rgb: Rgb) -> None:
    """Write an RGB array as a PNG file without loss; the file appears whole or not at all."""
    with whole_file(Path(path)) as part:
        part.write_bytes(encode_png(rgb))
