"""Where a downloaded file goes: kind → folder below the root, and names that stay inside it. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import PurePosixPath

from x121lib.base.errors import InvalidInputError
from x121lib.comfyui.model_files import SUFFIXES
from x121lib.models.scan import kind_and_name
from x121lib.terms.vocabulary import ModelKind

LONGEST_NAME = 180
"""Longest file name in UTF-8 bytes; file systems take 255, the part's own name needs the rest."""
_FORBIDDEN = re.compile(r'[/\\:*?"<>|]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def safe_name(name: str) -> str:
    """Return a file name that is one plain component: NFC, no separators, no leading dot, no device name.

    Raises:
        InvalidInputError: nothing is left of it, or its ending is not one of a model file.
    """
    name = unicodedata.normalize("NFC", name)
    name = _FORBIDDEN.sub("_", "".join(c for c in name if c.isprintable())).strip(" .")
    suffix = PurePosixPath(name).suffix
    if suffix.lower() not in SUFFIXES or len(suffix) == len(name):
        raise InvalidInputError(
            f"'{name or 'the file'}' does not end like a model file.",
            hint=f"Give one with --name; endings: {', '.join(sorted(SUFFIXES))}.",
        )
    stem = name[: -len(suffix)].rstrip(" .") or "model"
    while len((stem + suffix).encode()) > LONGEST_NAME:
        stem = stem[:-1]
    return f"_{stem}{suffix}" if _DEVICES.fullmatch(stem + suffix) else stem + suffix


def kind_named(text: str) -> ModelKind:
    """Return the kind of that name or label; raises `InvalidInputError` that lists them."""
    for kind in ModelKind:
        if text.strip().lower() in (kind.value, kind.label.lower()):
            return kind
    raise InvalidInputError(f"There is no kind '{text}'.", hint=f"Kinds: {', '.join(k.value for k in ModelKind)}.")


def kind_of_path(path: str) -> ModelKind | None:
    """Return the kind that a folder of a repository's path names, as in ``split_files/vae/x.safetensors``."""
    for part in PurePosixPath(path).parts[:-1]:
        kind = kind_and_name(f"{part.lower()}/x")[0]
        if kind is not ModelKind.OTHER:
            return kind
    return None


def place(kind: ModelKind, name: str, base_model: str, rules: Mapping[str, str]) -> str:
    """Return the path below the root: the rule of the kind, else ComfyUI's folder of the kind.

    A rule is a folder such as ``loras/{base_model}``; it begins with a folder that ComfyUI reads for that kind.

    Raises:
        InvalidInputError: a rule leaves the root or leads to another kind's folder.
    """
    rule = rules.get(kind.value, kind.value)
    base = _FORBIDDEN.sub("_", "".join(c for c in base_model if c.isprintable())).strip(" .") or "unknown"
    parts = [part.replace("{base_model}", base) for part in rule.split("/")]
    path = "/".join([*parts, safe_name(name)])
    bad = any(part in ("", ".", "..") or _FORBIDDEN.search(part) for part in parts)
    if bad or kind_and_name(path)[0] is not kind:
        raise InvalidInputError(
            f"X121_DOWNLOAD_FOLDERS: '{rule}' is no folder for {kind.label}.",
            hint=f"Begin it with '{kind.value}'; no '..', no '/' at its ends.",
        )
    return path
