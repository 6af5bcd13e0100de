"""The header of a safetensors file: base model and trigger words. Reads at most the header, never tensors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LARGEST_HEADER_BYTES = 32 * 1024 * 1024
"""Longest header that is read; the format's own limit is 100 MB, real files stay below 10."""
MOST_WORDS = 50
"""Most trigger words that are kept, the most frequent first."""
LONGEST_TEXT = 200
"""Longest word or name that is kept."""
_BASE_KEYS = ("modelspec.architecture", "ss_base_model_version", "ss_sd_model_name")


@dataclass(frozen=True)
class Header:
    """What a file says of itself."""

    base_model: str = ""
    """The model family that it belongs to; empty where it does not say."""
    trigger_words: tuple[str, ...] = ()
    """Words that it was trained on."""


def read_header(path: Path) -> Header:
    """Return what a safetensors file's header says; an empty `Header` for other files and broken headers.

    Raises:
        OSError: the file can not be read.
    """
    if path.suffix.lower() not in {".safetensors", ".sft"}:
        return Header()
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(LARGEST_HEADER_BYTES, path.stat().st_size - 8):
            return Header()
        raw = file.read(length)
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return Header()
    meta = body.get("__metadata__") if isinstance(body, dict) else None
    return _header(meta) if isinstance(meta, dict) else Header()


def _header(meta: dict[str, Any]) -> Header:
    base = next((str(meta[key]) for key in _BASE_KEYS if isinstance(meta.get(key), str) and meta[key]), "")
    said = meta.get("modelspec.trigger_phrase")
    words = [w.strip() for w in said.split(",")] if isinstance(said, str) else []
    return Header(_clean(base), _distinct([*words, *_frequent(meta.get("ss_tag_frequency"))]))


def _frequent(raw: Any) -> list[str]:
    """Return the tags of kohya's ``ss_tag_frequency`` (JSON: folder → tag → count), the most frequent first."""
    try:
        folders = json.loads(raw) if isinstance(raw, str) else {}
    except (ValueError, RecursionError):
        return []
    counts: dict[str, int] = {}
    for tags in folders.values() if isinstance(folders, dict) else ():
        for tag, n in tags.items() if isinstance(tags, dict) else ():
            if isinstance(n, int):
                counts[tag] = counts.get(tag, 0) + n
    return sorted(counts, key=lambda tag: (-counts[tag], tag))


def _distinct(words: list[str]) -> tuple[str, ...]:
    clean = (_clean(word) for word in words)
    return tuple(dict.fromkeys(word for word in clean if word))[:MOST_WORDS]


def _clean(text: str) -> str:
    return "".join(c for c in text if c.isprintable()).strip()[:LONGEST_TEXT]
