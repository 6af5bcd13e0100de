"""Checks of one image's facts, and names from paths."""

from __future__ import annotations

import dataclasses
import unicodedata
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x121lib.base.errors import InvalidInputError
from x121lib.intake.metadata import FieldSpec, check_metadata, load_fields
from x121lib.intake.paths import place_of, same_paths
from x121lib.intake.rules import FaceFacts, ImageFacts, check_image, worst
from x121lib.terms.vocabulary import FieldType, VerdictOutcome

PASS, WARN, FAIL = VerdictOutcome.PASS, VerdictOutcome.WARN, VerdictOutcome.FAIL
GOOD = ImageFacts(
    width_px=1024, height_px=1280, format="PNG", suffix=".png", faces=(FaceFacts((262, 320, 500, 500), 0.9),),
    chosen_face=None, backend="classical", sharpness=100.0, brightness=120.0,
)  # fmt: skip
KINDS = ("clothed", "evening")


def face(box: tuple[int, int, int, int] = (262, 320, 500, 500), confidence: float = 0.9) -> tuple[FaceFacts, ...]:
    return (FaceFacts(box, confidence),)


@pytest.mark.parametrize(
    ("check", "change", "outcome"),
    [
        ("resolution", {"width_px": 511}, FAIL),
        ("resolution", {"width_px": 512}, WARN),
        ("resolution", {"width_px": 767}, WARN),
        ("resolution", {"width_px": 768}, PASS),
        ("format", {"format": "GIF"}, FAIL),
        ("format", {"suffix": ".jpg"}, WARN),
        ("aspect_ratio", {"width_px": 3000}, WARN),
        ("aspect_ratio", {"width_px": 600}, WARN),
        ("sharpness", {"sharpness": 3.9}, FAIL),
        ("sharpness", {"sharpness": 4.0}, WARN),
        ("sharpness", {"sharpness": 15.0}, PASS),
        ("brightness", {"brightness": 34.0}, WARN),
        ("brightness", {"brightness": 231.0}, WARN),
        ("face_count", {"faces": ()}, FAIL),
        ("face_count", {"faces": face() * 2}, FAIL),
        ("face_count", {"faces": face() * 2, "chosen_face": 1}, PASS),
        ("face_count", {"chosen_face": 1}, FAIL),
        ("face_confidence", {"faces": face(confidence=0.649)}, WARN),
        ("face_confidence", {"faces": face(confidence=0.65)}, PASS),
        ("face_size", {"faces": face((450, 560, 150, 150))}, WARN),
        ("face_centring", {"faces": face((0, 320, 400, 400))}, WARN),
        ("face_centring", {"faces": face((262, 0, 300, 300))}, WARN),
    ],
)
def test_one_changed_fact_changes_its_check_alone(
    check: str, change: dict[str, object], outcome: VerdictOutcome
) -> None:
    before = {c.name: c.outcome for c in check_image(GOOD)}
    assert set(before.values()) == {PASS}
    checks = check_image(dataclasses.replace(GOOD, **change))  # type: ignore[arg-type]
    after = {c.name: c.outcome for c in checks}
    assert after[check] is outcome
    assert worst(checks) is max((outcome, *after.values()), key=lambda term: term.number)
    assert all(c.reason.endswith((".", ")")) for c in checks)


def test_low_confidence_is_said_in_the_words_of_the_specification() -> None:
    checks = check_image(dataclasses.replace(GOOD, faces=face(confidence=0.6)))
    (reason,) = [c.reason for c in checks if c.outcome is WARN]
    assert reason == (
        "Face detection confidence is low (0.60) — this may cause unreliable quality checks downstream. "
        "Consider using a clearer source image. (classical face backend)"
    )


NAME = st.text(st.characters(categories=("L", "N"), include_characters=" -'"), min_size=1, max_size=30).filter(
    lambda text: text.strip() and unicodedata.normalize("NFC", text).strip().casefold() not in {"con", "nul"}
)


@given(NAME, st.lists(NAME, max_size=3), st.sampled_from(["portrait", "clothed", "Evening"]))
def test_the_first_folder_decides_the_name_whatever_lies_below(name: str, below: list[str], stem: str) -> None:
    path = PurePosixPath(name, *below, f"{stem}.png")
    try:
        place = place_of(path, KINDS)
    except InvalidInputError:  # names that Windows reserves
        assert unicodedata.normalize("NFC", name).strip().casefold()[:3] in {"con", "prn", "aux", "nul", "com", "lpt"}
        return
    assert place.character == unicodedata.normalize("NFC", name).strip()
    assert place.kind_hint == (stem.casefold() if stem != "portrait" else None)
    decomposed = PurePosixPath(unicodedata.normalize("NFD", str(path)))
    assert place_of(decomposed, KINDS) == place
    assert bool(same_paths([path, decomposed])) == (path != decomposed)


@pytest.mark.parametrize("path", ["clothed.png", "metadata.json", "CON/portrait.png", " /portrait.png"])
def test_paths_that_name_no_character_are_refused(path: str) -> None:
    with pytest.raises(InvalidInputError):
        place_of(PurePosixPath(path), KINDS)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (FieldType.TEXT, ["", "a"], [1, ["a"]]),
        (FieldType.INTEGER, [0, -3], [1.5, "1", True]),
        (FieldType.NUMBER, [0, 1.5], ["1", False]),
        (FieldType.BOOLEAN, [True, False], [0, "true"]),
        (FieldType.DATE, ["1990-12-31"], ["31.12.1990", "19901231", "1990-02-30", 1990]),
        (FieldType.CHOICE, ["red"], ["blue", 1, ["red"]]),
    ],
)
def test_fields_are_held_to_their_type(kind: FieldType, good: list[object], bad: list[object]) -> None:
    field = FieldSpec("x", kind, choices=("red",))
    for value in good:
        assert check_metadata({"x": value}, [field]) == []
    for value in bad:
        (problem,) = check_metadata({"x": value}, [field])
        assert (problem.field, problem.outcome) == ("x", FAIL)
        assert problem.hint.startswith("Expected ")


def test_bounds_are_inclusive_and_count_characters_of_text() -> None:
    number, text = FieldSpec("n", FieldType.INTEGER, minimum=18, maximum=20), FieldSpec("t", FieldType.TEXT, maximum=3)
    assert check_metadata({"n": 18, "t": "abc"}, [number, text]) == []
    assert check_metadata({"n": 20}, [number]) == []
    wrong = check_metadata({"n": 17, "t": "abcd"}, [number, text])
    assert [(problem.field, problem.reason) for problem in wrong] == [
        ("n", "17 is too small."), ("t", '"abcd" is too long.')
    ]  # fmt: skip


def test_a_malformed_schema_is_named() -> None:
    with pytest.raises(InvalidInputError, match="Field 2 of the metadata schema"):
        load_fields('{"fields": [{"name": "a", "type": "text"}, {"name": "b", "type": "colour"}]}')
