"""Nodes on a canvas: in order from left to right, apart from each other, links past what is between."""

from __future__ import annotations

import random
from itertools import combinations
from typing import Any

import pytest

from x121lib.comfyui.layout import BEND_HEIGHT, GAP_Y, NODE_HEIGHT, NODE_WIDTH, lay_out


def graph(**needs: str) -> dict[str, Any]:
    """Return a graph from what each node needs, ``b="a a"`` for two links from a."""
    return {
        name: {"class_type": "Any", "inputs": {f"in{i}": [source, 0] for i, source in enumerate(text.split())}}
        for name, text in needs.items()
    }


def large(n: int) -> dict[str, Any]:
    rng = random.Random(121)
    return graph(**{
        f"n{i}": " ".join(f"n{rng.randrange(max(0, i - 12), i)}" for _ in range(2)) if i > 5 else "" for i in range(n)
    })  # fmt: skip


@pytest.mark.capability("PRD-33/workflow-graph-canvas")
@pytest.mark.parametrize("wide", [large(60), large(300), graph(a="", b="", c="a b", d="a c", e="d a"), graph(a="")])
def test_links_lead_right_and_nothing_overlaps(wide: dict[str, Any]) -> None:
    drawing = lay_out(wide)
    assert set(drawing.places) == set(wide)
    for line in drawing.lines:
        assert drawing.places[line.source][0] + NODE_WIDTH < drawing.places[line.target][0]
    boxes = [(x, y, NODE_HEIGHT) for x, y in drawing.places.values()]
    for (ax, ay, height), (bx, by, _) in combinations(boxes, 2):
        assert ax != bx or abs(ay - by) >= height + GAP_Y - 0.2
    assert min(y for _, y in drawing.places.values()) >= 0
    assert max(x for x, _ in drawing.places.values()) + NODE_WIDTH <= drawing.size[0]
    assert max(y for _, y in drawing.places.values()) + NODE_HEIGHT <= drawing.size[1] + 0.1


def test_a_long_link_passes_beside_the_nodes_between() -> None:
    drawing = lay_out(graph(a="", b="a", c="b", d="c a"))
    (long,) = [line for line in drawing.lines if (line.source, line.target) == ("a", "d")]
    assert [round(x) for x, _ in long.bends] == [round(drawing.places[n][0] + NODE_WIDTH / 2) for n in "bc"]
    for (_, y), node in zip(long.bends, "bc", strict=True):
        top = drawing.places[node][1]
        assert y <= top - BEND_HEIGHT / 2 or y >= top + NODE_HEIGHT + BEND_HEIGHT / 2


def test_a_loader_stands_just_before_its_first_use() -> None:
    drawing = lay_out(graph(a="", b="a", c="b", loader="", d="c loader"))
    assert drawing.places["loader"][0] == drawing.places["c"][0]


def test_two_chains_do_not_cross() -> None:
    drawing = lay_out(graph(a="", b="", c="b", d="a", e="c", f="d"))
    upper = [drawing.places[n][1] < drawing.places[m][1] for n, m in (("a", "b"), ("d", "c"), ("f", "e"))]
    assert len(set(upper)) == 1


def test_two_links_between_the_same_nodes_are_two_lines_and_none_leads_to_nowhere() -> None:
    drawing = lay_out(graph(a="", b="a a gone"))
    assert [(line.source, line.target, line.input_name) for line in drawing.lines] == [
        ("a", "b", "in0"), ("a", "b", "in1"),
    ]  # fmt: skip
    assert lay_out({}).size == (0.0, 0.0)
