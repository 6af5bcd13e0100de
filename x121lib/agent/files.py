"""Model files that the studio sends: they grow in a hidden part and get their name once their SHA-256 is right."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import Any

from aiohttp import StreamReader

SUFFIXES = frozenset({".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".gguf", ".bin"})
"""Endings of the files that are taken."""
_BLOCK_BYTES = 1024 * 1024
_PART = re.compile(r"[^\x00-\x1f/\\:*?\"<>|]+")


class FileError(Exception):
    """A file is not taken.

    Attributes:
        status: HTTP status of the refusal.
        at: bytes of the part that lie there, for a sender that begins at another byte.
    """

    def __init__(self, status: int, message: str, at: int | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.at = status, message, at


class Inbox:
    """The folder of models as a place for files; one file is written by one sender at a time."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._busy: set[Path] = set()

    async def state(self, path: str, sha256: str) -> dict[str, Any]:
        """Return what lies there: ``present``, ``other``, ``partial`` or ``absent``, how many bytes, and its SHA-256.

        The hash is that of a whole file, ``present`` or ``other``; it is empty for a part.

        Raises:
            FileError: no path of a model, or no SHA-256.
        """
        target, part = self._places(path, sha256)
        if target.exists():
            found = await asyncio.to_thread(_hash, target)
            state = "present" if found == sha256 else "other"
            part_bytes = part.stat().st_size if part.exists() else 0
            return {"state": state, "n_bytes": target.stat().st_size, "sha256": found, "part_bytes": part_bytes}
        n_bytes = part.stat().st_size if part.exists() else 0
        return {"state": "partial" if n_bytes else "absent", "n_bytes": n_bytes, "sha256": "", "part_bytes": n_bytes}

    async def forget(self, path: str, sha256: str) -> None:
        """Delete the part of a file that is not to come any more; a whole file stays.

        Raises:
            FileError: no path of a model, or the part is being received.
        """
        _, part = self._places(path, sha256)
        if part in self._busy:
            raise FileError(409, f"'{path}' is being received.")
        part.unlink(missing_ok=True)

    async def receive(
        self, path: str, sha256: str, span: tuple[int, int], body: StreamReader, replaces: str = ""
    ) -> dict[str, Any]:
        """Append a body to the part; where it is whole, check it and give it its name.

        Args:
            path: path below the folder of models.
            sha256: hash of the whole file.
            span: byte that the body begins at, and bytes of the whole file.
            body: the rest of the file; where it ends early, what came stays.
            replaces: SHA-256 of the older version that may lie there and goes; empty: nothing is replaced.

        Raises:
            FileError: another file lies there, it begins at another byte, no room, wrong length or hash.
        """
        target, part = self._places(path, sha256)
        if part in self._busy:
            raise FileError(409, f"'{path}' is being received already.")
        self._busy.add(part)
        try:
            await _check_free(target, path, replaces)
            target.parent.mkdir(parents=True, exist_ok=True)
            n_bytes = await self._append(part, span, body)
            if n_bytes < span[1]:
                return {"state": "partial", "n_bytes": n_bytes, "sha256": "", "part_bytes": n_bytes}
            if await asyncio.to_thread(_hash, part) != sha256:
                part.unlink()
                raise FileError(422, "The file's SHA-256 is not the announced one; it was not kept.")
            await _check_free(target, path, replaces)
            return _finish(part, target, sha256, n_bytes)
        except OSError as error:
            raise FileError(507, f"'{path}' can not be written: {error.strerror}.") from error
        finally:
            self._busy.discard(part)

    def _places(self, path: str, sha256: str) -> tuple[Path, Path]:
        parts = path.split("/")
        bad = any(part.startswith(".") or not _PART.fullmatch(part) for part in parts)
        if bad or len(parts) < 2 or os.path.splitext(path)[1].lower() not in SUFFIXES:
            raise FileError(422, f"'{path}' is no path of a model.")
        if not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise FileError(422, "The SHA-256 is none.")
        target = self._root.joinpath(*parts)
        if not target.parent.resolve().is_relative_to(self._root.resolve()):
            raise FileError(422, f"'{path}' leads out of the folder of models.")
        return target, target.with_name(f".{target.name}.{sha256[:16]}.part")

    async def _append(self, part: Path, span: tuple[int, int], body: StreamReader) -> int:
        at = part.stat().st_size if part.exists() else 0
        if span[0] != at:
            raise FileError(409, f"{at} bytes lie there, so the rest begins there.", at=at)
        if span[1] - at > shutil.disk_usage(part.parent).free:
            raise FileError(507, "The disk of the models has no room for it.")
        with part.open("ab") as file:
            while block := await body.read(_BLOCK_BYTES):
                at += len(block)
                if at > span[1]:
                    raise FileError(422, "More bytes came than were announced.")
                await asyncio.to_thread(file.write, block)
        return at


async def _check_free(target: Path, path: str, replaces: str) -> None:
    """Refuse a place where another file lies than the older version that is to be replaced."""
    if not target.exists():
        return
    if not replaces:
        raise FileError(409, f"'{path}' lies there already; a file is never replaced unasked.")
    if await asyncio.to_thread(_hash, target) != replaces:
        raise FileError(409, f"Another file than the version to replace lies at '{path}'.")


def _finish(part: Path, target: Path, sha256: str, n_bytes: int) -> dict[str, Any]:
    if target.exists():  # the older version: whoever reads it keeps it until the file is closed
        part.replace(target)
    else:
        os.link(part, target)
        part.unlink()
    return {"state": "present", "n_bytes": n_bytes, "sha256": sha256, "part_bytes": 0}


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
        os.fsync(file.fileno())
    return digest.hexdigest()
