"""Look at a folder of portraits and say, before anything is stored, what an import would make of it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

from x121lib.base.errors import ConflictError, InvalidInputError
from x121lib.identity.faces import DetectedFace, Embedding, FaceBackend
from x121lib.intake import paths
from x121lib.intake.files import Problem, UnreadableFileError, read_once, walk
from x121lib.intake.metadata import FieldSpec, check_metadata, parse_json_object
from x121lib.intake.pictures import UnusableImageError, measure
from x121lib.intake.rules import IMAGE_SUFFIXES, Check, ImageLimits, check_image, worst
from x121lib.terms.vocabulary import VerdictOutcome

_MAX_METADATA_BYTES = 1_000_000
_FAIL, _WARN = VerdictOutcome.FAIL, VerdictOutcome.WARN
Progress = Callable[[int, int, PurePosixPath], None]
"""Called with (files done, files in all, path just read)."""


@dataclass(frozen=True)
class ScanOptions:
    """What the studio knows before it looks."""

    kinds: tuple[str, ...]
    """Names of the variant kinds; a file's stem that is one of them decides its kind."""
    default_kind: str
    """Kind of a file whose name and ``kind`` say nothing."""
    kind: str | None = None
    """Kind given on the command line."""
    limits: ImageLimits = field(default_factory=ImageLimits)
    """Thresholds of the image checks."""
    fields: tuple[FieldSpec, ...] = ()
    """Metadata schema."""
    chosen_faces: Mapping[str, int] = field(default_factory=dict)
    """Relative path → place of the primary face, largest first from 0."""


@dataclass(frozen=True, eq=False)
class ScannedImage:
    """One image that could be decoded."""

    path: Path
    """Where it lies."""
    relative: PurePosixPath
    """Path below the imported folder, as it is on disk."""
    kind_hint: str | None
    """Variant kind that its stem names."""
    kind: str
    """Variant kind that it is imported as."""
    sha256: str
    """Hex digest of the file's bytes."""
    size_bytes: int
    """Length of the file."""
    width_px: int
    """Width, upright."""
    height_px: int
    """Height, upright."""
    format: str
    """Format by content, e.g. ``PNG``."""
    checks: tuple[Check, ...]
    """Source image QA."""
    faces: tuple[DetectedFace, ...]
    """Faces found, largest first."""
    face: DetectedFace | None
    """The primary face; None where there is none or nobody chose."""
    embedding: Embedding | None
    """Embedding of the primary face, with its backend's name."""

    @property
    def outcome(self) -> VerdictOutcome:
        """Worst outcome of its checks."""
        return worst(self.checks)


@dataclass(frozen=True, eq=False)
class ScannedCharacter:
    """Everything that the folder holds of one character; imported whole or not at all."""

    name: str
    """Name in NFC."""
    images: tuple[ScannedImage, ...]
    """Images that could be decoded, by path."""
    metadata: Mapping[str, Any] | None
    """Content of its metadata.json; None where there is none or it is broken."""
    problems: tuple[Problem, ...]
    """What is wrong with its files, image checks not repeated."""

    @property
    def importable(self) -> bool:
        """Whether nothing failed: no problem and no image check, with at least one image."""
        clean = all(problem.outcome is not _FAIL for problem in self.problems)
        return clean and bool(self.images) and all(image.outcome is not _FAIL for image in self.images)

    def reasons(self) -> list[str]:
        """Return each failure as one line that names its path."""
        lines = [str(problem) for problem in self.problems if problem.outcome is _FAIL]
        for image in self.images:
            lines += [f"{image.relative}: {check.reason}" for check in image.checks if check.outcome is _FAIL]
        return lines


@dataclass(frozen=True, eq=False)
class ScanReport:
    """What an import would make of a folder."""

    root: Path
    """The folder."""
    characters: tuple[ScannedCharacter, ...]
    """Characters by name."""
    problems: tuple[Problem, ...]
    """Problems that belong to no character."""

    @property
    def importable(self) -> tuple[ScannedCharacter, ...]:
        """Characters that would be imported."""
        return tuple(character for character in self.characters if character.importable)

    @property
    def refused(self) -> tuple[ScannedCharacter, ...]:
        """Characters that would not be."""
        return tuple(character for character in self.characters if not character.importable)


@dataclass
class _Draft:
    """A character while its files are read."""

    images: list[ScannedImage] = field(default_factory=list)
    metadata: tuple[PurePosixPath, Mapping[str, Any]] | None = None
    problems: list[Problem] = field(default_factory=list)
    places: list[PurePosixPath] = field(default_factory=list)


def scan_folder(root: Path, backend: FaceBackend, options: ScanOptions, progress: Progress | None = None) -> ScanReport:
    """Return what an import of ``root`` would make, having read each file once and written nothing.

    Every bad file is named in the report; only a missing folder, an unknown kind or far too many files raise.

    Raises:
        NotFoundError: ``root`` is no folder.
        InvalidInputError: ``kind`` or ``default_kind`` is unknown, or the folder holds too many files.
    """
    for kind in {options.kind or options.default_kind, options.default_kind}:
        if kind not in options.kinds:
            raise InvalidInputError(f"There is no variant kind '{kind}'.", hint=f"Known: {', '.join(options.kinds)}.")
    found = list(walk(root))
    drafts: dict[str, _Draft] = defaultdict(_Draft)
    loose: list[Problem] = []
    files = [item for item in found if not isinstance(item, Problem)]
    for problem in (item for item in found if isinstance(item, Problem)):
        _problems_of(problem.path, options, drafts, loose).append(problem)
    for done, relative in enumerate(files, start=1):
        _read_file(root, relative, backend, options, (drafts, loose))
        if progress is not None:
            progress(done, len(files), relative)
    _refuse_same_paths(files, drafts, loose, options)
    _refuse_same_characters(drafts)
    characters = tuple(_finish(name, draft) for name, draft in sorted(drafts.items()))
    return ScanReport(root.resolve(), characters, tuple(loose))


def read_unchanged(image: ScannedImage) -> bytes:
    """Return the bytes of a scanned image again, for storing them.

    Raises:
        ConflictError: the file is no longer the one that was scanned.
        UnreadableFileError: it can not be read any more.
    """
    content = read_once(image.path)
    if hashlib.sha256(content).hexdigest() != image.sha256:
        raise ConflictError(f"{image.relative} changed since it was checked.", hint="Import again.")
    return content


def _problems_of(
    relative: PurePosixPath, options: ScanOptions, drafts: dict[str, _Draft], loose: list[Problem]
) -> list[Problem]:
    """Return the list for problems of a path: its character's, or the report's own."""
    if len(relative.parts) == 1 and relative.suffix.lower() not in IMAGE_SUFFIXES:
        return loose
    try:
        return drafts[paths.place_of(relative, options.kinds).character].problems
    except InvalidInputError:
        return loose


def _read_file(
    root: Path,
    relative: PurePosixPath,
    backend: FaceBackend,
    options: ScanOptions,
    into: tuple[dict[str, _Draft], list[Problem]],
) -> None:
    """Read one file into the draft of its character."""
    drafts, loose = into
    is_metadata = relative.name.casefold() == paths.METADATA_NAME
    if not is_metadata and relative.suffix.lower() not in IMAGE_SUFFIXES:
        loose.append(Problem(relative, "ignored", "This is no image; it is left alone.", outcome=_WARN))
        return
    try:
        place = paths.place_of(relative, options.kinds)
    except InvalidInputError as error:
        loose.append(Problem(relative, "no_character", error.message, error.hint))
        return
    draft = drafts[place.character]
    draft.places.append(relative)
    if is_metadata:
        _read_metadata(root, relative, draft, options.fields)
        return
    try:
        draft.images.append(_read_image(root, relative, place, backend, options))
    except (UnreadableFileError, UnusableImageError) as error:
        draft.problems.append(Problem(relative, error.code.removeprefix("intake."), error.message, error.hint))


def _read_image(
    root: Path, relative: PurePosixPath, place: paths.Place, backend: FaceBackend, options: ScanOptions
) -> ScannedImage:
    path = root.resolve() / relative
    content = read_once(path)
    measured = measure(content, relative.suffix, backend, options.chosen_faces.get(str(relative)))
    return ScannedImage(
        path=path,
        relative=relative,
        kind_hint=place.kind_hint,
        kind=place.kind_hint or options.kind or options.default_kind,
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        width_px=measured.facts.width_px,
        height_px=measured.facts.height_px,
        format=measured.facts.format,
        checks=check_image(measured.facts, options.limits),
        faces=measured.faces,
        face=measured.primary,
        embedding=measured.embedding,
    )


def _read_metadata(root: Path, relative: PurePosixPath, draft: _Draft, fields: Sequence[FieldSpec]) -> None:
    if draft.metadata is not None:
        reason = f"This character has metadata in {draft.metadata[0]} already."
        draft.problems.append(Problem(relative, "duplicate_metadata", reason, "Keep one of the two files."))
        return
    try:
        text = read_once(root.resolve() / relative, max_bytes=_MAX_METADATA_BYTES).decode("utf-8-sig")
        document = parse_json_object(text)
    except UnicodeDecodeError as error:
        reason = f"The file is no UTF-8 (byte {error.start})."
        draft.problems.append(Problem(relative, "metadata", reason, "Save it as UTF-8."))
        return
    except InvalidInputError as error:
        draft.problems.append(Problem(relative, "metadata", error.message, error.hint))
        return
    draft.metadata = (relative, MappingProxyType(document))
    for wrong in check_metadata(document, fields):
        reason = f"Field '{wrong.field}': {wrong.reason}"
        draft.problems.append(Problem(relative, "metadata", reason, wrong.hint, wrong.outcome))


def _refuse_same_paths(
    files: Sequence[PurePosixPath], drafts: dict[str, _Draft], loose: list[Problem], options: ScanOptions
) -> None:
    for first, second in paths.same_paths(files):
        for path, other in ((first, second), (second, first)):
            reason = f"This path and {other!s} differ only in case or Unicode form."
            problems = _problems_of(path, options, drafts, loose)
            problems.append(Problem(path, "duplicate_path", reason, "Rename one of them."))


def _refuse_same_characters(drafts: dict[str, _Draft]) -> None:
    """Refuse characters that a delivery could not keep apart, and folders whose names are one name in NFC."""
    places = [(name, _home(place)) for name, draft in drafts.items() for place in draft.places]
    by_home = {home: name for name, home in places}
    for first, second in paths.same_characters(sorted(set(places), key=lambda pair: str(pair[1]))):
        for path, other in ((first, second), (second, first)):
            reason = f"'{path}' and '{other}' would name the same character."
            problem = Problem(path, "duplicate_character", reason, "Rename one of them, or put their files together.")
            drafts[by_home[path]].problems.append(problem)


def _home(place: PurePosixPath) -> PurePosixPath:
    """Return the folder that names a character, or its file where it lies in the root."""
    return PurePosixPath(place.parts[0])


def _finish(name: str, draft: _Draft) -> ScannedCharacter:
    problems = list(draft.problems)
    problems += _same_kinds(draft.images)
    if not draft.images and all(problem.outcome is not _FAIL for problem in problems):
        place = PurePosixPath(name)
        problems.append(Problem(place, "no_image", "There is no image of this character.", "Add a portrait."))
    metadata = None if draft.metadata is None else draft.metadata[1]
    return ScannedCharacter(name, tuple(draft.images), metadata, tuple(problems))


def _same_kinds(images: Iterable[ScannedImage]) -> list[Problem]:
    """Return a problem for each image whose variant kind another image of the character took."""
    first: dict[str, ScannedImage] = {}
    problems = []
    for image in images:
        other = first.setdefault(image.kind, image)
        if other is not image:
            reason = f"This image and {other.relative} would both be the variant '{image.kind}'."
            hint = "Name each file for its variant kind, or keep one."
            problems.append(Problem(image.relative, "duplicate_kind", reason, hint))
    return problems
