"""Write a delivery's ZIP: streamed, every file verified as it goes in, renamed into place when complete."""

from __future__ import annotations

import hashlib
import os
import secrets
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class PackageFile:
    """One file to pack: from the artifact store (verified on read) or made on the spot."""

    path: str
    """Path in the ZIP."""
    open: Callable[[], BinaryIO] | None = None
    """Opens the verified stored file."""
    content: bytes | None = None
    """Content of a file that is made on the spot, such as `metadata.json`."""


@dataclass(frozen=True)
class Package:
    """A written ZIP."""

    path: Path
    """Where it lies."""
    sha256: str
    """Hash of the whole file."""
    n_bytes: int
    """Its size."""
    n_files: int
    """Files in it."""


def write_zip(to: Path, files: Iterable[PackageFile], *, progress: Callable[[str], None] | None = None) -> Package:
    """Write the ZIP beside ``to`` under a temporary name, sync it and rename it. An interruption leaves nothing.

    Videos and images are stored as they are; JSON is deflated.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    temporary = to.with_name(f".{to.name}.{secrets.token_hex(4)}.part")
    count = 0
    try:
        with open(temporary, "xb") as raw:
            with zipfile.ZipFile(raw, "w", allowZip64=True) as archive:
                for file in files:
                    _add(archive, file)
                    count += 1
                    if progress is not None:
                        progress(file.path)
            raw.flush()
            os.fsync(raw.fileno())
        digest, size = _digest(temporary)
        temporary.replace(to)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
    return Package(to, digest, size, count)


def _add(archive: zipfile.ZipFile, file: PackageFile) -> None:
    method = zipfile.ZIP_DEFLATED if file.path.endswith(".json") else zipfile.ZIP_STORED
    info = zipfile.ZipInfo(file.path, date_time=(2026, 1, 1, 0, 0, 0))
    info.compress_type, info.external_attr = method, 0o644 << 16
    if file.content is not None:
        archive.writestr(info, file.content)
    elif file.open is not None:
        with file.open() as source, archive.open(info, "w", force_zip64=True) as sink:
            while chunk := source.read(_CHUNK_BYTES):
                sink.write(chunk)


def _digest(path: Path) -> tuple[str, int]:
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return digest, path.stat().st_size
