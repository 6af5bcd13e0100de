"""Notebook displays: what they show, that text from outside stays text, that colours read on light and dark pages."""

from __future__ import annotations

import uuid
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from x121lib.base.errors import InvalidInputError
from x121lib.pipeline.submission import Cell
from x121lib.studio import display
from x121lib.studio.filmstrip import cut_strip
from x121lib.studio.reports import typed_value
from x121lib.terms.vocabulary import SceneStatus

EVIL = "<script>alert('x')</script>\"'&"
HEAD = {
    "character": EVIL, "scene_type": "dance", "variant": "clothed", "tier": EVIL, "status": "In review",
    "segments_done": 1, "segments": 2, "frames": 49, "version": 1, "failure_reason": EVIL,
}  # fmt: skip
SCORES = (
    ("face_similarity", 0.71234, "passed", "fine"), ("black_frames", 0.0, "passed", "none"),
    ("seam_ssim", 0.5, "borderline", EVIL), ("motion_jitter", 9.0, "failed", "too much"), ("raw", 3.0, "", ""),
)  # fmt: skip


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> _Reader:
    """Parse a display; every tag that opens must close, and nothing may run."""
    reader = _Reader()
    reader.feed(html)
    assert reader.open == []
    assert "script" not in reader.tags
    return reader


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb`` (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21 (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def segment(index: int, *, picture: bytes | None = b"RIFF") -> display.SegmentView:
    """Return a segment of 48 frames with every kind of score."""
    return display.SegmentView(index, 2, EVIL, 48 * (index - 1), 48 * index, SCORES, picture)


@pytest.mark.parametrize("page", ["#ffffff", "#111111"])
def test_shapes_stand_out_on_light_and_dark_pages(page: str) -> None:
    assert {word: colour for word, (_, colour) in display.STATUSES.items() if contrast(colour, page) < 3} == {}


def test_every_status_has_a_shape_of_its_own() -> None:
    words = [*(s.label for s in SceneStatus), "Queued", "Blocked"]
    shapes = [display.STATUSES[word][0] for word in words]
    assert len(set(shapes)) == len(words)


def test_a_scene_shows_each_segment_with_its_scores() -> None:
    html = display.scene_html(HEAD, [segment(1), segment(2)])
    shown = read(html)
    assert shown.tags.count("img") == 2
    assert shown.text.count("AI-generated") == 1
    assert "frames 48–95" in shown.text
    assert EVIL in shown.text
    first = shown.text[shown.text.index("frames 0–47") : shown.text.index("frames 48–95")]
    assert first.index("motion jitter") < first.index("seam ssim") < first.index("face similarity")
    assert first.index("face similarity") < first.index("1 more, passed") < first.index("black frames")
    assert "▲seam ssim0.5" in first
    assert "●face similarity0.712" in first
    assert "■motion jitter9" in first
    assert "raw" not in first


def test_a_scene_without_a_cut_says_so() -> None:
    bare = display.SegmentView(1, None, "Pending", 0, 48, ())
    text = read(display.scene_html(HEAD | {"frames": None, "failure_reason": None}, [bare])).text
    assert "No cut yet." in text
    assert "no take" in text
    assert "No scores yet." in text
    assert "AI-generated" not in text
    assert "withheld" in read(display.scene_html(HEAD, [bare], "withheld")).text


def test_the_matrix_shows_words_and_keeps_text_text() -> None:
    cells = [
        Cell(EVIL, "dance", "clothed", uuid.UUID(int=1), SceneStatus.REVIEW),
        Cell(EVIL, "dance", "evening", None, SceneStatus.PENDING, blocked=EVIL),
        Cell("Mira", "idle", "clothed", None, SceneStatus.PENDING),
    ]
    matrix = display.Matrix("Aurora", cells)
    shown = read(matrix._repr_html_())
    for text in (EVIL, "In review", "Blocked", "Not started", "1 in review", "1 blocked"):
        assert text in shown.text
    assert list(matrix.frame["status"]) == ["In review", "Blocked", "Not started"]
    assert "clothed: In review · evening: Blocked" in repr(matrix)
    assert "no characters" in display.Matrix(EVIL, [])._repr_html_()
    read(display.Matrix(EVIL, [])._repr_html_())


def test_overviews_keep_text_text() -> None:
    shown = read(display.studio_html({"home": EVIL}, {EVIL: {"In review": 2, "Failed": 1}, "Empty": {}}))
    assert shown.text.count(EVIL) == 2
    assert "2 in review" in shown.text
    assert "no scenes yet" in shown.text
    assert "3 scenes" in read(display.project_html(EVIL, {"In review": 2, "Failed": 1})).text
    assert "No scenes yet" in read(display.project_html(EVIL, {})).text


def test_bars_are_as_long_as_their_numbers() -> None:
    frame = pd.DataFrame({"gate": ["a", EVIL], "n_passed": [3, 1], "n_failed": [1, 1]})
    shown = display.bars(frame, "gate", {"n_passed": "passed", "n_failed": "failed"}, unit="takes")
    assert EVIL in read(shown.html).text
    assert "width:75.00%" in shown.html
    assert shown.html.count("width:25.00%") == 3
    assert "n_passed" in repr(shown)
    assert "Nothing" in display.bars(frame.head(0), "gate", ["n_passed"]).html


def test_progress_stays_inside_its_bar() -> None:
    assert "width:100.0%" in display.progress_html(1.2, "x")
    assert "width:0.0%" in display.progress_html(-1.0, "x")
    assert EVIL in read(display.progress_html(0.5, EVIL)).text


def test_a_strip_is_cut_where_segments_meet(tmp_path: Path) -> None:
    picture = Image.new("RGB", (120, 10), "white")
    picture.paste("black", (40, 0, 120, 10))
    picture.save(tmp_path / "strip.webp", lossless=True)
    parts = cut_strip(tmp_path / "strip.webp", [49, 98])
    for index, data in enumerate(parts):
        (tmp_path / f"{index}.webp").write_bytes(data)
    first, second = (Image.open(tmp_path / f"{i}.webp") for i in range(2))
    assert (first.width, second.width) == (40, 80)
    assert min(first.convert("L").tobytes()) > 200
    assert max(second.convert("L").tobytes()) < 60
    assert cut_strip(tmp_path / "strip.webp", []) == []


@pytest.mark.parametrize(
    ("text", "default", "annotation", "value"),
    [
        ("yes", "True", "bool", True), ("OFF", "True", "bool", False), ("3", "6", "int", 3), ("3", "6", "", 3),
        ("a, b", "[]", "list[str]", ["a", "b"]), ("['a']", "[]", "", ["a"]), ("", "[]", "list[str]", []),
        ("none", "None", "", None), ("/data", "None", "", "/data"), ("none", '"x"', "str", "none"),
        ("2.5", "1.0", "float", 2.5),
    ],
)  # fmt: skip
def test_parameters_take_the_type_of_their_default(text: str, default: str, annotation: str, value: object) -> None:
    found = typed_value("key", text, {"default": default, "inferred_type_name": annotation})
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "default"), [("maybe", "True"), ("3.5", "6"), ("x", "1.5"), ("[1]", "[]"), ("[a", "[]")]
)
def test_a_value_of_another_type_is_refused(text: str, default: str) -> None:
    with pytest.raises(InvalidInputError, match="Parameter 'key' is"):
        typed_value("key", text, {"default": default, "inferred_type_name": ""})
