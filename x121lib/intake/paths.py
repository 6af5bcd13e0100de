"""Which character a file belongs to, by its path alone (PRD-16; pure).

The first folder below the imported one names the character (``Jane/Bio/portrait.png`` is of *Jane*). A file that
lies directly in the imported folder names its character by its stem (``jane.png``), so that a flat folder of
portraits works too; a stem that only names a variant kind names nobody and is refused. Names are compared in NFC and
without case, for some file systems keep two such paths apart and a delivery can not.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from x121lib.base.errors import InvalidInputError
from x121lib.terms.naming import character_folder

METADATA_NAME = "metadata.json"


@dataclass(frozen=True)
class Place:
    """What a relative path says."""

    character: str
    """Character's name in NFC."""
    kind_hint: str | None
    """Variant kind that the file's stem names, if it names one."""


def place_of(relative: PurePosixPath, kinds: Iterable[str]) -> Place:
    """Return the character and variant kind that a path below the imported folder names.

    Raises:
        InvalidInputError: the path names no character, or one that can name no folder.
    """
    stem = nfc(relative.stem)
    hint = next((kind for kind in kinds if kind.casefold() == stem.casefold()), None)
    if len(relative.parts) > 1:
        name = nfc(relative.parts[0]).strip()
    elif hint is not None or relative.name.casefold() == METADATA_NAME:
        raise InvalidInputError(
            f"{relative} lies directly in the imported folder, so it names no character.",
            hint="Put it into a folder with the character's name.",
        )
    else:
        name = stem.strip()
    character_folder(name)
    return Place(name, hint)


def nfc(text: str) -> str:
    """Return text in Unicode's composed form, in which names are stored."""
    return unicodedata.normalize("NFC", text)


def identity_of(relative: PurePosixPath) -> str:
    """Return what decides uniqueness: the full relative path in NFC without case."""
    return nfc(str(relative)).casefold()


def same_paths(paths: Sequence[PurePosixPath]) -> list[tuple[PurePosixPath, PurePosixPath]]:
    """Return pairs of paths that differ only in case or Unicode form, each with the first of its kind."""
    first: dict[str, PurePosixPath] = {}
    pairs = []
    for path in paths:
        other = first.setdefault(identity_of(path), path)
        if other != path:
            pairs.append((other, path))
    return pairs


def same_characters(folders: Sequence[tuple[str, PurePosixPath]]) -> list[tuple[PurePosixPath, PurePosixPath]]:
    """Return pairs of places, of (name, place) given, whose characters would share a delivery folder."""
    first: dict[str, PurePosixPath] = {}
    pairs = []
    for name, place in folders:
        other = first.setdefault(character_folder(name).casefold(), place)
        if other != place:
            pairs.append((other, place))
    return pairs
