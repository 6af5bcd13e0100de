"""Folders as users have them: good ones, and each way in which one can be bad."""

from __future__ import annotations

import io
import json
import os
import struct
import unicodedata
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from x121lib.base.errors import ConflictError, InvalidInputError, NotFoundError
from x121lib.identity.classical import ClassicalBackend
from x121lib.intake.metadata import load_fields
from x121lib.intake.scan import ScannedCharacter, ScanOptions, ScanReport, read_unchanged, scan_folder
from x121lib.terms.vocabulary import VerdictOutcome

DATA = Path(__file__).parents[3] / "data"
PORTRAITS = DATA / "sample" / "characters"
BACKEND = ClassicalBackend()
OPTIONS = ScanOptions(
    kinds=("clothed", "evening"),
    default_kind="clothed",
    fields=load_fields((DATA / "schemas" / "character_metadata.json").read_text(encoding="utf-8")),
)


def scan(root: Path, options: ScanOptions = OPTIONS) -> ScanReport:
    return scan_folder(root, BACKEND, options)


def portrait(name: str = "Mara") -> Image.Image:
    with Image.open(PORTRAITS / name / "portrait.png") as image:
        return image.convert("RGB")


def put(path: Path, content: bytes | Image.Image | None = None, format_: str = "PNG") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is None:
        content = (PORTRAITS / "Mara" / "portrait.png").read_bytes()
    if isinstance(content, Image.Image):
        buffer = io.BytesIO()
        content.save(buffer, format=format_)
        content = buffer.getvalue()
    path.write_bytes(content)
    return path


def only(report: ScanReport) -> ScannedCharacter:
    assert len(report.characters) == 1
    return report.characters[0]


def bomb(width: int, height: int) -> bytes:
    """Return a small, valid PNG of 1-bit pixels of any size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def test_the_sample_folder_is_importable_without_a_single_warning() -> None:
    report = scan(PORTRAITS)
    assert [character.name for character in report.importable] == ["Aiko", "Jonas", "Lena", "Mara"]
    assert report.problems == ()
    for character in report.characters:
        image = character.images[0]
        assert (image.width_px, image.height_px, image.format, image.kind) == (1024, 1280, "PNG", "clothed")
        assert image.outcome is VerdictOutcome.PASS, [check.reason for check in image.checks]
        assert image.embedding is not None
        assert image.embedding.backend == "classical"
        assert character.problems == ()
        assert character.metadata is not None
        assert character.metadata["display_name"] == character.name


def test_the_first_folder_names_the_character_and_the_stem_the_kind(tmp_path: Path) -> None:
    put(tmp_path / "Jane" / "Bio" / "portrait.png")
    put(tmp_path / "Jane" / "Bio" / "Evening.png")
    put(tmp_path / "lena.png", portrait("Lena"))
    jane, lena = sorted(scan(tmp_path).importable, key=lambda character: character.name)
    assert {str(image.relative): image.kind for image in jane.images} == {
        "Jane/Bio/portrait.png": "clothed", "Jane/Bio/Evening.png": "evening"
    }  # fmt: skip
    assert (lena.name, lena.images[0].kind_hint) == ("lena", None)
    evening = ScanOptions(OPTIONS.kinds, "clothed", kind="evening")
    assert {image.kind for image in only(scan_folder(tmp_path / "Jane", BACKEND, evening)).images} == {"evening"}


def truncated_png(path: Path) -> None:
    put(path, (PORTRAITS / "Mara" / "portrait.png").read_bytes()[:20_000])


def truncated_jpeg(path: Path) -> None:
    buffer = io.BytesIO()
    portrait().save(buffer, format="JPEG")
    put(path, buffer.getvalue()[:9_000])


def two_faces(path: Path) -> None:
    pair = Image.new("RGB", (2048, 1280))
    pair.paste(portrait("Mara"), (0, 0))
    pair.paste(portrait("Lena"), (1024, 0))
    put(path, pair)


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated PNG": (truncated_png, "damaged or cut short"),
    "truncated JPEG": (truncated_jpeg, "damaged or cut short"),
    "text named as an image": (lambda path: put(path, b"hello, no image"), "no image that can be read"),
    "empty file": (lambda path: put(path, b""), "is empty"),
    "format nobody accepts": (lambda path: put(path, portrait(), "TIFF"), "TIFF is not accepted"),
    "bomb": (lambda path: put(path, bomb(20_000, 20_000)), "20,000 × 20,000 pixels"),
    "smaller bomb": (lambda path: put(path, bomb(10_001, 10_001)), "10,001 × 10,001 pixels"),
    "too small": (lambda path: put(path, portrait().resize((400, 500))), "too small: the short side needs 512"),
    "no face": (lambda path: put(path, Image.new("RGB", (800, 1000), "teal")), "No face found"),
    "several faces": (two_faces, "Several faces: 2 found"),
    "blurred": (lambda path: put(path, portrait().filter(ImageFilter.GaussianBlur(12))), "is blurred"),
}


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_image_is_named_and_refuses_its_whole_character_only(tmp_path: Path, bad: str) -> None:
    make, words = BAD[bad]
    make(tmp_path / "Jane" / "evening.png")
    put(tmp_path / "Jane" / "clothed.png")
    put(tmp_path / "Mara" / "clothed.png")
    report = scan(tmp_path)
    assert [character.name for character in report.importable] == ["Mara"]
    (jane,) = report.refused
    assert any(words in line and line.startswith("Jane/evening.png: ") for line in jane.reasons()), jane.reasons()


def test_a_primary_face_can_be_chosen_among_several(tmp_path: Path) -> None:
    two_faces(tmp_path / "Jane" / "portrait.png")
    for choice in (0, 1):
        options = ScanOptions(OPTIONS.kinds, "clothed", chosen_faces={"Jane/portrait.png": choice})
        image = only(scan(tmp_path, options)).images[0]
        assert only(scan(tmp_path, options)).importable
        assert image.face is image.faces[choice]
        assert image.embedding is not None
    wrong = ScanOptions(OPTIONS.kinds, "clothed", chosen_faces={"Jane/portrait.png": 2})
    assert "Choose one from 1 to 2" in only(scan(tmp_path, wrong)).reasons()[0]


def test_a_lying_extension_is_read_by_content_and_warned_of(tmp_path: Path) -> None:
    put(tmp_path / "Jane" / "portrait.png", portrait(), "JPEG")
    character = only(scan(tmp_path))
    assert character.importable
    assert character.images[0].format == "JPEG"
    assert "the content is JPEG" in character.images[0].checks[0].reason
    assert character.images[0].outcome is VerdictOutcome.WARN


def test_a_sideways_photograph_is_turned_upright_first(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "Jane" / "portrait.jpg"
    path.parent.mkdir()
    portrait().rotate(90, expand=True).save(path, exif=exif)
    image = only(scan(tmp_path)).images[0]
    assert (image.width_px, image.height_px) == (1024, 1280)
    assert image.face is not None


def test_symlinks_are_named_and_never_followed(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    put(outside / "portrait.png")
    put(root / "Mara" / "portrait.png")
    (root / "Jane").mkdir()
    (root / "Jane" / "portrait.png").symlink_to(outside / "portrait.png")
    (root / "Mara" / "again.png").symlink_to("portrait.png")
    (root / "Lena").symlink_to(outside)
    report = scan(root)
    assert [character.name for character in report.importable] == ["Mara"]
    assert len(report.importable[0].images) == 1
    assert report.importable[0].problems[0].code == "symlink_inside"
    (jane,) = report.refused
    assert "Jane/portrait.png: This symbolic link points out of the folder" in jane.reasons()[0]
    assert [(str(problem.path), problem.code) for problem in report.problems] == [("Lena", "symlink_outside")]


@pytest.mark.parametrize(("first", "second"), [("Mara", "mara"), ("Zoé", "Zoé")])
def test_folders_that_are_one_name_are_refused_with_both_named(tmp_path: Path, first: str, second: str) -> None:
    if first == second:
        first, second = unicodedata.normalize("NFC", first), unicodedata.normalize("NFD", second)
    put(tmp_path / first / "clothed.png")
    put(tmp_path / second / "evening.png")
    if len(os.listdir(tmp_path)) == 1:
        pytest.skip("this file system does not keep the two names apart")
    report = scan(tmp_path)
    assert report.importable == ()
    text = "\n".join(line for character in report.refused for line in character.reasons())
    assert f"'{first}'" in text
    assert f"'{second}'" in text
    assert "would name the same character" in text


def test_paths_that_differ_only_in_case_are_refused_with_both_named(tmp_path: Path) -> None:
    put(tmp_path / "Jane" / "Bio" / "portrait.png")
    put(tmp_path / "Jane" / "bio" / "Portrait.png")
    reasons = "\n".join(only(scan(tmp_path)).reasons())
    assert "Jane/Bio/portrait.png: This path and Jane/bio/Portrait.png differ only in case" in reasons


def test_two_images_of_one_kind_are_refused(tmp_path: Path) -> None:
    put(tmp_path / "Jane" / "a.png")
    put(tmp_path / "Jane" / "b.png")
    assert (
        "Jane/b.png: This image and Jane/a.png would both be the variant 'clothed'" in only(scan(tmp_path)).reasons()[0]
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'{"display_name": "Jane",\n  "age": }', "line 2, column 10"),
        (b'["Jane"]', "is no object"),
        (b'{"display_name": "J\xff"}', "is no UTF-8"),
        (b'{"display_name": "Jane", "age": 30, "age": 31}', "'age' occurs twice"),
        (b'{"display_name": "Jane", "age": "thirty"}', "Field 'age': \"thirty\" has the wrong type"),
        (b'{"display_name": "Jane"}', "Field 'age': The field is missing"),
        (b'{"display_name": "Jane", "age": 30, "x": "\\u0000"}', "U+0000"),
        (b'{"display_name": "Jane", "age": NaN}', "NaN is no JSON value"),
        (b"[" * 100_000, "nested too deep"),
    ],
)
def test_broken_metadata_is_named_with_its_place_and_refuses_the_character(
    tmp_path: Path, text: bytes, words: str
) -> None:
    put(tmp_path / "Jane" / "portrait.png")
    put(tmp_path / "Jane" / "metadata.json", text)
    (reason,) = only(scan(tmp_path)).reasons()
    assert reason.startswith("Jane/metadata.json: ")
    assert words in reason


def test_unknown_metadata_is_kept_and_warned_of(tmp_path: Path) -> None:
    put(tmp_path / "Jane" / "portrait.png")
    document = {"display_name": "Jane", "age": 30, "shoe_size": 38}
    put(tmp_path / "Jane" / "metadata.json", b"\xef\xbb\xbf" + json.dumps(document).encode())
    character = only(scan(tmp_path))
    assert character.importable
    assert dict(character.metadata or {}) == document
    assert "Field 'shoe_size'" in character.problems[0].reason


def test_other_files_and_hidden_ones_are_left_alone(tmp_path: Path) -> None:
    put(tmp_path / "Jane" / "portrait.png")
    put(tmp_path / "Jane" / "notes.txt", b"a note")
    put(tmp_path / "Jane" / ".hidden.png", b"not looked at")
    put(tmp_path / ".cache" / "x.png", b"not looked at")
    report = scan(tmp_path)
    assert only(report).importable
    assert [(str(problem.path), problem.code) for problem in report.problems] == [("Jane/notes.txt", "ignored")]


def test_special_files_and_huge_ones_are_not_read(tmp_path: Path) -> None:
    put(tmp_path / "Jane" / "portrait.png")
    os.mkfifo(tmp_path / "Jane" / "pipe.png")
    with put(tmp_path / "Lena" / "portrait.png", b"x").open("r+b") as stream:
        stream.truncate(100_000_001)
    report = scan(tmp_path)
    assert [character.name for character in report.importable] == ["Jane"]
    assert "100,000,001 bytes" in report.refused[0].reasons()[0]


def test_metadata_without_an_image_and_root_metadata_are_named(tmp_path: Path) -> None:
    put(tmp_path / "Jane" / "metadata.json", b'{"display_name": "Jane", "age": 30}')
    put(tmp_path / "metadata.json", b"{}")
    report = scan(tmp_path)
    assert "no image of this character" in only(report).reasons()[0]
    assert report.problems[0].code == "no_character"


def test_a_file_changed_after_the_scan_is_not_stored(tmp_path: Path) -> None:
    path = put(tmp_path / "Jane" / "portrait.png")
    image = only(scan(tmp_path)).images[0]
    assert read_unchanged(image) == path.read_bytes()
    put(path, portrait("Lena"))
    with pytest.raises(ConflictError, match="changed since it was checked"):
        read_unchanged(image)


def test_a_missing_folder_and_an_unknown_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no folder"):
        scan(tmp_path / "absent")
    with pytest.raises(InvalidInputError, match="no variant kind 'winter'"):
        scan(tmp_path, ScanOptions(("clothed",), "clothed", kind="winter"))


def test_progress_counts_every_file(tmp_path: Path) -> None:
    for name in ("Jane", "Lena"):
        put(tmp_path / name / "portrait.png", Image.fromarray(np.zeros((8, 8, 3), np.uint8)))
    seen: list[tuple[int, int, str]] = []
    scan_folder(tmp_path, BACKEND, OPTIONS, lambda done, total, path: seen.append((done, total, str(path))))
    assert seen == [(1, 2, "Jane/portrait.png"), (2, 2, "Lena/portrait.png")]
