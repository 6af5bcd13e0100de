"""Content-addressed files: written once, named by their SHA-256, never changed. No database.

Layout: ``root/ab/cd/<sha256>`` (mode 0444) and ``root/tmp`` for what is being written. A file is synced, renamed into
place, and its folder synced, so that it is there whole or not at all, power loss included.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Protocol

from x121lib.base.errors import InvalidInputError
from x121lib.store import file_locks
from x121lib.store.errors import (
    FULL_DISK,
    AlteredArtifactError,
    DiskFullError,
    MissingArtifactError,
)

_CHUNK_BYTES = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


@dataclass(frozen=True)
class StoredFile:
    """A stored file.

    Attributes:
        sha256: its name, 64 lowercase hexadecimal digits.
        n_bytes: its size.
    """

    sha256: str
    n_bytes: int


class ProblemKind(StrEnum):
    """What can be wrong with a stored file."""

    MISSING = "missing"
    ALTERED = "altered"


@dataclass(frozen=True)
class Problem:
    """What is wrong with a stored file.

    Attributes:
        sha256: the name under which it should lie.
        kind: gone, or its bytes no longer match its name.
        message: for a person.
    """

    sha256: str
    kind: ProblemKind
    message: str


class ArtifactWriter:
    """A file on its way into the store; leave the ``with`` block to store it, by an error to drop it."""

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store
        self._hash: _Hash | None = hashlib.sha256()
        self._n_bytes = 0
        self._stored: StoredFile | None = None
        self._path, self._descriptor = store._open_temporary()

    @property
    def path(self) -> Path:
        """Where the bytes lie until then; another library may write to it instead of `write`."""
        self._hash = None  # written from outside: hashed at the end
        return self._path

    @property
    def stored(self) -> StoredFile:
        """What was stored; known after the ``with`` block.

        Raises:
            InvalidInputError: the block is not over yet.
        """
        if self._stored is None:
            raise InvalidInputError("The file is not stored before its `with` block ends.")
        return self._stored

    def write(self, data: bytes) -> int:
        """Append bytes.

        Raises:
            DiskFullError: there is no room; nothing stays behind.
        """
        with self._store._disk(len(data)):
            left = memoryview(data)
            while left:
                left = left[os.write(self._descriptor, left) :]
        if self._hash is not None:
            self._hash.update(data)
        self._n_bytes += len(data)
        return len(data)

    def _finish(self) -> None:
        if self._hash is None:
            sha256, self._n_bytes = _hash_file(self._path)
        else:
            sha256 = self._hash.hexdigest()
        with self._store._disk(self._n_bytes):
            if self._path.stat().st_ino != os.fstat(self._descriptor).st_ino:  # a library replaced the file
                _sync(self._path)
            os.fsync(self._descriptor)
            self._path.chmod(0o444)
            self._store._place(self._path, sha256, link=False)
        self._stored = StoredFile(sha256, self._n_bytes)

    def _close(self) -> None:
        self._path.unlink(missing_ok=True)  # gone by its rename where all went well
        file_locks.close_lock(self._descriptor)


class ArtifactStore:
    """The files of one studio below one folder. Safe for many threads and processes at once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._temporary = root / "tmp"

    def put_file(self, path: Path, *, move: bool = False) -> StoredFile:
        """Store a file's bytes; an equal file that is stored already is kept (an altered one is healed).

        Args:
            path: the file.
            move: the source goes away, without a copy where it lies on the same disk. It must not be written to
                any more.

        Raises:
            DiskFullError: there is no room; the source is untouched and nothing stays behind.
        """
        if move and not path.is_symlink() and path.stat().st_nlink == 1:
            moved = self._move(path)
            if moved is not None:
                return moved
        needed = path.stat().st_size
        with path.open("rb") as source, self._disk(needed), self.writer() as writer:
            while chunk := source.read(_CHUNK_BYTES):
                writer.write(chunk)
        if move:
            path.unlink()
        return writer.stored

    def put_bytes(self, data: bytes) -> StoredFile:
        """Store bytes (see `put_file`)."""
        with self.writer() as writer:
            writer.write(data)
        return writer.stored

    @contextlib.contextmanager
    def writer(self) -> Iterator[ArtifactWriter]:
        """Yield a writer; what was written is stored at the end of the block, and dropped on any error."""
        with self._disk(0):
            writer = ArtifactWriter(self)
        try:
            yield writer
            writer._finish()
        finally:
            writer._close()

    def path(self, sha256: str) -> Path:
        """Return where a file lies. To be read only.

        Raises:
            MissingArtifactError: it is not stored.
            InvalidInputError: no SHA-256.
        """
        path = self._path(sha256)
        if not path.is_file():
            raise MissingArtifactError(
                f"The stored file {sha256[:12]}… is missing in {self._root}.",
                hint="Restore it from a backup.",
            )
        return path

    def open_verified(self, sha256: str) -> BinaryIO:
        """Return the file, opened for reading at its start, after its bytes were compared with its name.

        Raises:
            MissingArtifactError: it is not stored.
            AlteredArtifactError: its bytes changed.
        """
        file = self.path(sha256).open("rb")
        try:
            if _hash_stream(file)[0] != sha256:
                raise AlteredArtifactError(_altered(sha256, self._root), hint="Restore it from a backup.")
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file

    def verify(self, sha256: str) -> Problem | None:
        """Return what is wrong with a stored file, None where all is well. Reads all of it."""
        try:
            self.open_verified(sha256).close()
        except MissingArtifactError as error:
            return Problem(sha256, ProblemKind.MISSING, error.message)
        except AlteredArtifactError as error:
            return Problem(sha256, ProblemKind.ALTERED, error.message)
        return None

    def iter_hashes(self) -> Iterator[str]:
        """Yield the names of all stored files, in order."""
        for path in sorted(self._root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*")):
            if _SHA256.fullmatch(path.name):
                yield path.name

    def delete(self, sha256: str) -> None:
        """Delete a stored file; one that is gone already is no error."""
        path = self._path(sha256)
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            _sync(path.parent)

    def sweep_temporary(self) -> int:
        """Delete what writers left that were killed; return how many files. Living writers are not touched."""
        n_swept = 0
        for path in self._temporary.glob("*"):
            try:
                descriptor = file_locks.open_lock(path, create=False)
            except FileNotFoundError:
                continue
            if file_locks.try_exclusive(descriptor):
                path.unlink(missing_ok=True)
                n_swept += 1
            file_locks.close_lock(descriptor)
        return n_swept

    def _path(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise InvalidInputError(f"{sha256[:80]!r} is no SHA-256 (64 lowercase hexadecimal digits).")
        return self._root / sha256[:2] / sha256[2:4] / sha256

    def _move(self, path: Path) -> StoredFile | None:
        """Link the file into the store and remove its old name; None where it lies on another disk."""
        sha256, n_bytes = _hash_file(path)
        _sync(path)
        path.chmod(0o444)
        try:
            with self._disk(n_bytes):
                self._place(path, sha256, link=True)
        except OSError as error:
            if error.errno not in (
                errno.EXDEV,
                errno.EPERM,
                errno.EMLINK,
                errno.EOPNOTSUPP,
            ):
                raise
            return None
        path.unlink(missing_ok=True)
        return StoredFile(sha256, n_bytes)

    def _open_temporary(self) -> tuple[Path, int]:
        """Make an empty file, locked for as long as its writer lives (by which a sweep knows)."""
        self._temporary.mkdir(parents=True, exist_ok=True)
        while True:
            path = self._temporary / secrets.token_hex(8)
            descriptor = file_locks.open_lock(path)
            if file_locks.try_exclusive(descriptor) and os.fstat(descriptor).st_nlink == 1:
                return path, descriptor
            file_locks.close_lock(descriptor)  # a sweep came between and took it away

    def _place(self, path: Path, sha256: str, *, link: bool) -> None:
        """Give a complete, synced file its name; an equal file already there wins, an altered one is replaced."""
        target = self._path(sha256)
        if target.exists() and self.verify(sha256) is None:
            return
        _make_synced(target.parent, self._root)
        if link:
            target.unlink(missing_ok=True)
            with contextlib.suppress(FileExistsError):
                os.link(path, target)
        else:
            path.replace(target)
        _sync(target.parent)

    @contextlib.contextmanager
    def _disk(self, needed_bytes: int) -> Iterator[None]:
        try:
            yield
        except DiskFullError as inner:  # of one piece: the whole is what a person wants to know
            raise DiskFullError(self._root, max(needed_bytes, inner.needed_bytes)) from inner.__cause__
        except OSError as error:
            if error.errno in FULL_DISK:
                raise DiskFullError(self._root, needed_bytes) from error
            raise


def free_bytes(root: Path) -> int:
    """Return the free space of the disk that ``root`` (or its nearest existing parent) lies on."""
    folder = next(parent for parent in (root, *root.resolve().parents) if parent.exists())
    return shutil.disk_usage(folder).free


def _altered(sha256: str, root: Path) -> str:
    return f"The stored file {sha256[:12]}… in {root} was changed: its bytes no longer match its hash."


def _hash_stream(file: BinaryIO) -> tuple[str, int]:
    digest, n_bytes = hashlib.sha256(), 0
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
        n_bytes += len(chunk)
    return digest.hexdigest(), n_bytes


def _hash_file(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return _hash_stream(file)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_synced(folder: Path, root: Path) -> None:
    """Make ``folder`` below ``root``, each new level synced into its parent."""
    if folder.is_dir():
        return
    if folder != root:
        _make_synced(folder.parent, root)
    folder.mkdir(parents=True, exist_ok=True)
    _sync(folder.parent)
