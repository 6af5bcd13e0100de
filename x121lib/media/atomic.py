"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(to: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``to``; rename it to ``to`` on success, remove it on any error.

    The temporary name keeps the suffix, because muxers choose their format by it. The data is flushed to the disk
    before the rename, so that a crash leaves either the old file or the new one. Makes missing parent folders.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    part = to.with_name(f".{to.stem}.{secrets.token_hex(4)}.part{to.suffix}")
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)
