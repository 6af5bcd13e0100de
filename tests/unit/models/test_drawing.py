"""The dependency graph: who hangs on whom, and a picture that is well-formed whatever the names."""

from __future__ import annotations

import uuid
from xml.etree import ElementTree

from x121lib.models.drawing import MOST_ROWS, draw, layout
from x121lib.models.usage import Use

FLOW, RECIPE, OPEN, OVER, ONE, TWO = (uuid.UUID(int=n) for n in range(1, 7))
USES = [
    Use("workflow", "flow", 2, 0.6, True, FLOW),
    Use("scene type", "<sway> & co", 1, None, True, RECIPE),
    Use("scene", "Aiko / sway / clothed", None, None, False, OPEN),
    Use("take", "Ben / sway / clothed S0", 1, 0.6, False, ONE),
    Use("take", "Ben / sway / clothed S1", 1, 0.6, False, TWO),
]
PARENTS = {RECIPE: FLOW, OPEN: RECIPE, ONE: OVER, TWO: OVER, OVER: RECIPE}


def test_boxes_hang_on_what_they_are_made_of_and_takes_are_counted() -> None:
    found = {(box.label, box.column, box.parent) for box in layout(USES, PARENTS)}
    assert found == {
        ("flow v2 ×0.6", 1, "model"), ("<sway> & co v1", 2, FLOW), ("Aiko / sway / clothed", 3, RECIPE),
        ("Ben / sway / clothed", 3, RECIPE), ("2 takes", 4, OVER),
    }  # fmt: skip


def test_the_picture_has_a_box_and_an_edge_for_each() -> None:
    svg = ElementTree.fromstring(draw("loras/a&b.safetensors", USES, PARENTS))
    name = "{http://www.w3.org/2000/svg}"
    assert len(svg.findall(f".//{name}rect")) == 6
    assert len(svg.findall(f".//{name}path")) == 5
    assert "<sway> & co v1" in [text.text for text in svg.iter(f"{name}text")]
    dashed = [path for path in svg.findall(f".//{name}path") if path.get("stroke-dasharray")]
    assert len(dashed) == 3


def test_a_long_column_says_how_many_more_there_are() -> None:
    many = [Use("workflow", f"flow {n}", 1, None, True, uuid.UUID(int=n)) for n in range(1, MOST_ROWS + 8)]
    assert "and 7 more" in draw("a", many, {})
    assert ElementTree.fromstring(draw("unused", [], {})) is not None
