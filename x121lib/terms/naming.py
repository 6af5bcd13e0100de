"""The contractual names: scene videos, variant images and folders of a delivery (PRD-01).

A scene video is ``{prefix_}{content}{_transition}{_index}.mp4``. A name must parse back to what made it, so a
scene type or variant kind whose name would make some file name ambiguous is refused, whichever comes second.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from x121lib.base.errors import ConflictError, InvalidInputError

_SNAKE = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*")
_TRAILING_INDEX = re.compile(r"_(\d+)$")
_FORBIDDEN_IN_FOLDER = re.compile(r'[/\\:*?"<>|\x00-\x1f]')
_RESERVED_ON_WINDOWS = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


@dataclass(frozen=True)
class NamingRules:
    """What a studio's file names are built from."""

    prefixes: tuple[tuple[str, str], ...]
    """(variant kind, filename prefix) pairs; a prefix is empty or ends in an underscore."""
    transition_suffixes: tuple[tuple[str, str], ...] = ()
    """(transition mode, filename suffix) pairs, e.g. ``("clothes_off", "_clothes_off")``; normal has none."""

    def prefix_of(self, kind: str) -> str:
        """Return the prefix of a variant kind; raises `InvalidInputError` for an unknown one."""
        for name, prefix in self.prefixes:
            if name == kind:
                return prefix
        raise InvalidInputError(f"There is no variant kind '{kind}'.", hint=f"Known: {', '.join(dict(self.prefixes))}.")


@dataclass(frozen=True)
class SceneName:
    """The parts of a scene video's file name."""

    variant_kind: str
    """Variant kind whose prefix the name carries."""
    content: str
    """Scene type, lowercase snake_case."""
    transition: str | None = None
    """Transition mode; None is normal."""
    index: int | None = None
    """1, 2, … where several videos share the content; None where there is one."""


def scene_file_name(name: SceneName, rules: NamingRules) -> str:
    """Return the file name of a scene video, e.g. ``evening_walk_2.mp4``.

    Raises:
        InvalidInputError: the content is no snake_case name, the kind or mode is unknown, or the index is below 1.
    """
    check_snake_case(name.content, what="scene type")
    if name.index is not None and name.index < 1:
        raise InvalidInputError(f"A video's index starts at 1, not {name.index}.")
    suffix = dict(rules.transition_suffixes).get(name.transition or "", "")
    if name.transition is not None and not suffix:
        raise InvalidInputError(f"There is no transition mode '{name.transition}' with a file suffix.")
    index = "" if name.index is None else f"_{name.index}"
    return f"{rules.prefix_of(name.variant_kind)}{name.content}{suffix}{index}.mp4"


def parse_scene_file_name(file_name: str, rules: NamingRules) -> SceneName:
    """Return what made a file name; the inverse of `scene_file_name` for names that the rules accept.

    Raises:
        InvalidInputError: the name does not follow the convention.
    """
    stem, dot, extension = file_name.rpartition(".")
    if not dot or extension != "mp4" or not _SNAKE.fullmatch(stem):
        raise InvalidInputError(
            f"'{file_name}' does not follow the naming convention.",
            hint="Expected {prefix_}{content}{_transition}{_index}.mp4 in lowercase snake_case.",
        )
    index = None
    if found := _TRAILING_INDEX.search(stem):
        index, stem = int(found.group(1)), stem[: found.start()]
    transition = None
    for mode, suffix in sorted(rules.transition_suffixes, key=lambda pair: -len(pair[1])):
        if suffix and stem.endswith(suffix):
            transition, stem = mode, stem[: -len(suffix)]
            break
    kind, prefix = max(
        ((k, p) for k, p in rules.prefixes if stem.startswith(p)), key=lambda pair: len(pair[1]), default=("", "")
    )
    content = stem[len(prefix) :]
    if not kind or not _SNAKE.fullmatch(content):
        raise InvalidInputError(f"'{file_name}' carries no known variant prefix.")
    name = SceneName(kind, content, transition, index)
    if index == 0 or scene_file_name(name, rules) != file_name:
        raise InvalidInputError(f"'{file_name}' does not follow the naming convention: an index is 1, 2, 3, …")
    return name


def check_snake_case(name: str, *, what: str) -> None:
    """Raise `InvalidInputError` unless ``name`` is lowercase snake_case of ASCII letters and digits."""
    if not _SNAKE.fullmatch(name):
        raise InvalidInputError(
            f"The {what} name '{name}' is not lowercase snake_case.",
            hint="Use a–z, 0–9 and single underscores, e.g. 'slow_walk'.",
        )


def check_scene_type_name(name: str, rules: NamingRules) -> None:
    """Raise unless videos of a scene type of this name parse back: no kind's prefix, no suffix, no index.

    Raises:
        InvalidInputError: not snake_case.
        ConflictError: the name would be ambiguous; the message names with what.
    """
    check_snake_case(name, what="scene type")
    if _TRAILING_INDEX.search(name):
        raise ConflictError(f"The scene type name '{name}' ends in '_<digits>', which a file name reads as an index.")
    for kind, prefix in rules.prefixes:
        if prefix and name.startswith(prefix):
            raise ConflictError(
                f"The scene type name '{name}' begins with '{prefix}', the file prefix of variant kind '{kind}'."
            )
    for mode, suffix in rules.transition_suffixes:
        if suffix and name.endswith(suffix):
            raise ConflictError(f"The scene type name '{name}' ends with '{suffix}', the mark of transition '{mode}'.")
    _check_reads_back([name], rules)


def check_variant_kind(kind: str, prefix: str, rules: NamingRules, scene_types: Collection[str]) -> None:
    """Raise unless a new variant kind leaves every file name readable.

    Raises:
        InvalidInputError: the kind or its prefix is malformed.
        ConflictError: the prefix is taken, extends another, begins an existing scene type's name, or some file name
            could then be read in two ways.
    """
    check_snake_case(kind, what="variant kind")
    if prefix and not (prefix.endswith("_") and _SNAKE.fullmatch(prefix[:-1])):
        raise InvalidInputError(f"The prefix '{prefix}' must be snake_case followed by one underscore, or empty.")
    for other, taken in rules.prefixes:
        if other != kind and taken == prefix:
            raise ConflictError(f"Variant kind '{other}' already uses the prefix '{prefix}'.")
        if other != kind and prefix and taken and (taken.startswith(prefix) or prefix.startswith(taken)):
            raise ConflictError(f"The prefixes '{prefix}' and '{taken}' (variant kind '{other}') overlap.")
    for content in scene_types:
        if prefix and content.startswith(prefix):
            raise ConflictError(f"The prefix '{prefix}' begins the name of scene type '{content}'.")
    others = tuple(pair for pair in rules.prefixes if pair[0] != kind)
    _check_reads_back(scene_types, replace(rules, prefixes=(*others, (kind, prefix))))


def check_transition_mode(mode: str, suffix: str, rules: NamingRules, scene_types: Collection[str]) -> None:
    """Raise unless a new transition mode leaves every file name readable.

    Raises:
        InvalidInputError: the mode or its suffix is malformed.
        ConflictError: the suffix is taken, or some file name could then be read in two ways.
    """
    check_snake_case(mode, what="transition mode")
    if suffix and not (suffix.startswith("_") and _SNAKE.fullmatch(suffix[1:])):
        raise InvalidInputError(f"The suffix '{suffix}' must be one underscore followed by snake_case, or empty.")
    if _TRAILING_INDEX.search(suffix):
        raise ConflictError(f"The suffix '{suffix}' ends in '_<digits>', which a file name reads as an index.")
    for other, taken in rules.transition_suffixes:
        if other != mode and suffix and taken == suffix:
            raise ConflictError(f"Transition mode '{other}' already uses the suffix '{suffix}'.")
    others = tuple(pair for pair in rules.transition_suffixes if pair[0] != mode)
    _check_reads_back(scene_types, replace(rules, transition_suffixes=(*others, (mode, suffix))))


def _check_reads_back(scene_types: Iterable[str], rules: NamingRules) -> None:
    """Raise `ConflictError` where a file of some kind, scene type and transition would be read as another's.

    Parts that are fine alone can meet: kind ``evening`` of scene type ``coat_off`` and scene type ``evening`` with
    transition ``coat_off`` would both be ``evening_coat_off.mp4``.
    """
    modes = (None, *(mode for mode, suffix in rules.transition_suffixes if suffix))
    for content, (kind, _), mode in itertools.product(scene_types, rules.prefixes, modes):
        made = SceneName(kind, content, mode)
        file_name = scene_file_name(made, rules)
        try:
            read = parse_scene_file_name(file_name, rules)
        except InvalidInputError:
            read = None
        if read != made:
            raise ConflictError(f"The file name '{file_name}' of scene type '{content}' could be read in two ways.")


def variant_file_name(kind: str) -> str:
    """Return the file name of a variant's image in a delivery, e.g. ``clothed.png``."""
    check_snake_case(kind, what="variant kind")
    return f"{kind}.png"


def character_folder(name: str) -> str:
    r"""Return the folder of a character: its name in NFC with ``/ \ : * ? " < > |`` replaced by ``_``.

    Raises:
        InvalidInputError: nothing is left of the name, or a file system reserves it.
    """
    folder = _FORBIDDEN_IN_FOLDER.sub("_", unicodedata.normalize("NFC", name)).strip().rstrip(".")
    if not folder or folder in {".", ".."} or _RESERVED_ON_WINDOWS.fullmatch(folder):
        raise InvalidInputError(f"'{name}' can not name a folder.", hint="Give the character another name.")
    if len(folder.encode()) > 200:
        raise InvalidInputError(f"The character name '{name[:40]}…' is too long for a folder (200 bytes at most).")
    return folder


def colliding_folders(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return pairs of character names whose folders are the same where case does not count."""
    seen: dict[str, str] = {}
    clashes = []
    for name in names:
        key = character_folder(name).casefold()
        if key in seen and seen[key] != name:
            clashes.append((seen[key], name))
        seen.setdefault(key, name)
    return clashes
