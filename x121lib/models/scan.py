"""Walking a folder of models: what lies there, and the hash of what is new. No database."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from x121lib.base.errors import InvalidInputError
from x121lib.comfyui.model_files import SUFFIXES
from x121lib.models.headers import Header, read_header
from x121lib.terms.vocabulary import ModelKind

_FOLDERS = {kind.value: kind for kind in ModelKind} | {
    "unet": ModelKind.DIFFUSION_MODEL,
    "clip": ModelKind.TEXT_ENCODER,
}
_BLOCK_BYTES = 4 * 1024 * 1024

Known = Mapping[str, tuple[int, int]]
"""Path below the root → (bytes, modification time in ns) under which the file was hashed."""


@dataclass(frozen=True)
class Seen:
    """A file that lies there."""

    path: str
    """Path below the root, with ``/``."""
    n_bytes: int
    """Size."""
    modified_ns: int
    """Modification time in nanoseconds."""


@dataclass(frozen=True)
class Hashed:
    """A file whose content was read."""

    seen: Seen
    """Where and how large."""
    sha256: str
    """Hash of the content, 64 hexadecimal digits."""
    header: Header
    """What the file says of itself."""


@dataclass(frozen=True)
class Scan:
    """What a scan found."""

    seen: tuple[Seen, ...]
    """Every model file below the root, sorted by path."""
    hashed: tuple[Hashed, ...]
    """Those that are new or changed in size or time."""
    unreadable: tuple[tuple[str, str], ...]
    """(path, reason) of files that could not be read."""


def check_root(folder: Path) -> Path:
    """Return the folder, resolved.

    Raises:
        InvalidInputError: it is no folder.
    """
    root = folder.expanduser().resolve()
    if not root.is_dir():
        raise InvalidInputError(f"{folder} is no folder.", hint="Give ComfyUI's folder 'models', or X121_MODELS_DIR.")
    return root


def scan(root: Path, known: Known, progress: Callable[[int, int], None] = lambda done, total: None) -> Scan:
    """Walk ``root`` and hash what ``known`` does not remember with the same size and time.

    Args:
        root: folder in ComfyUI's layout.
        known: what was hashed before; such files are not opened.
        progress: called with (files hashed, files to hash).
    """
    seen = tuple(sorted(walk(root), key=lambda s: s.path))
    new = [s for s in seen if known.get(s.path) != (s.n_bytes, s.modified_ns)]
    hashed: list[Hashed] = []
    unreadable: list[tuple[str, str]] = []
    for done, found in enumerate(new):
        progress(done, len(new))
        path = root / found.path
        try:
            hashed.append(Hashed(found, file_hash(path), read_header(path)))
        except OSError as error:
            unreadable.append((found.path, error.strerror or "can not be read"))
    progress(len(new), len(new))
    return Scan(seen, tuple(hashed), tuple(unreadable))


def walk(root: Path) -> Iterator[Seen]:
    """Yield the model files below a folder; links are followed, a folder that was visited is not entered again."""
    visited: set[tuple[int, int]] = set()
    for folder, below, files in os.walk(root, followlinks=True):
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in visited:
            below.clear()
            continue
        visited.add((status.st_dev, status.st_ino))
        below[:] = [name for name in below if not name.startswith(".")]
        for name in files:
            if os.path.splitext(name)[1].lower() in SUFFIXES:
                yield from _seen(root, os.path.join(folder, name))


def _seen(root: Path, path: str) -> Iterator[Seen]:
    try:
        status = os.stat(path)
    except OSError:
        return  # a link that leads nowhere is no file
    if stat.S_ISREG(status.st_mode):
        yield Seen(os.path.relpath(path, root).replace(os.sep, "/"), status.st_size, status.st_mtime_ns)


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def kind_and_name(path: str) -> tuple[ModelKind, str]:
    """Return the kind of the folder that a path begins with, and the name that ComfyUI's loaders use for the file."""
    parts = PurePosixPath(path).parts
    kind = _FOLDERS.get(parts[0], ModelKind.OTHER) if len(parts) > 1 else ModelKind.OTHER
    return kind, path if kind is ModelKind.OTHER else "/".join(parts[1:])
