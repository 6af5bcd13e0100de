"""Output files of a prompt, found under whatever key a node puts them and classified by extension."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any


class OutputKind(StrEnum):
    """What a file is, by its extension."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    OTHER = "other"


_EXTENSIONS: Mapping[OutputKind, frozenset[str]] = {
    OutputKind.IMAGE: frozenset(["png", "jpg", "jpeg", "webp", "gif", "apng", "avif", "bmp", "tif", "tiff", "exr"]),
    OutputKind.VIDEO: frozenset(["mp4", "m4v", "mov", "webm", "mkv", "avi", "mpg", "mpeg", "ts"]),
    OutputKind.AUDIO: frozenset(["wav", "flac", "mp3", "ogg", "opus", "m4a", "aac"]),
}


@dataclass(frozen=True)
class OutputFile:
    """One file that a prompt made, as ``/view`` names it.

    Attributes:
        node_id: the output node.
        filename: the file's name on the server.
        subfolder: the folder below the server's folder of ``folder_type``; empty for none.
        folder_type: ``output``, ``temp`` (gone at the server's next start) or ``input``.
        kind: by extension; a GIF or an animated WebP is an image with ``animated`` set.
        animated: whether the node said so.
    """

    node_id: str
    filename: str
    subfolder: str
    folder_type: str
    kind: OutputKind
    animated: bool = False


def kind_of(filename: str) -> OutputKind:
    """Return what a file is, by its extension alone: the key that a node reports it under says little."""
    suffix = PurePosixPath(filename).suffix.lower().lstrip(".")
    return next((kind for kind, suffixes in _EXTENSIONS.items() if suffix in suffixes), OutputKind.OTHER)


def parse_outputs(outputs: Any) -> tuple[OutputFile, ...]:
    """Collect every file of a history entry's ``outputs``, sorted by node id, folder and name.

    Takes any key (``images``, ``gifs``, ``audio``, a custom one) and skips what is no file: None, text,
    numbers. The server's own order is not stable, hence the sorting.
    """
    found: dict[OutputFile, None] = {}
    for node_id, by_key in outputs.items() if isinstance(outputs, Mapping) else ():
        if not isinstance(by_key, Mapping):
            continue
        animated = by_key.get("animated")
        flag = bool(animated[0]) if isinstance(animated, list) and animated else False
        for value in by_key.values():
            for item in _files_in(value):
                found[_output_file(str(node_id), item, flag)] = None
    return tuple(sorted(found, key=lambda file: (file.node_id, file.subfolder, file.filename)))


def _files_in(value: Any) -> Iterator[Mapping[str, Any]]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, Mapping) and isinstance(item.get("filename"), str) and item["filename"]:
            yield item


def _output_file(node_id: str, item: Mapping[str, Any], animated: bool) -> OutputFile:
    return OutputFile(
        node_id=node_id,
        filename=item["filename"],
        subfolder=str(item.get("subfolder") or ""),
        folder_type=str(item.get("type") or "output"),
        kind=kind_of(item["filename"]),
        animated=animated,
    )
