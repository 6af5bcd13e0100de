"""Two versions as one picture: what was removed stays beside what is there."""

from __future__ import annotations

import copy
from typing import Any

from x121lib.comfyui.comparison import compare
from x121lib.comfyui.layout import lay_out
from x121lib.comfyui.marking import changes_by_node, union


def node(class_type: str, title: str = "", **inputs: Any) -> dict[str, Any]:
    """Return a node."""
    return {"class_type": class_type, "inputs": inputs, **({"_meta": {"title": title}} if title else {})}


BEFORE = {"1": node("Load", file="a"), "2": node("Blur", image=["1", 0], radius=2), "3": node("Save", image=["2", 0])}


def test_removed_nodes_stay_in_the_picture_with_their_links() -> None:
    after = copy.deepcopy(BEFORE)
    after["2"] = node("Sharpen", image=["1", 0])
    found = compare(BEFORE, after)
    picture = union(BEFORE, after, found)
    assert set(picture) == {"1", "2", "3", "removed:2"}
    assert picture["removed:2"]["inputs"] == {"image": ["1", 0], "radius": 2}
    assert picture["3"]["inputs"] == {"image": ["2", 0], "removed:image": ["removed:2", 0]}
    assert {(line.source, line.target) for line in lay_out(picture).lines} == {
        ("1", "2"), ("1", "removed:2"), ("2", "3"), ("removed:2", "3"),
    }  # fmt: skip
    assert after["3"]["inputs"] == {"image": ["2", 0]}, "the version itself is not touched"


def test_a_circle_through_a_removed_node_is_left_open() -> None:
    before = {"1": node("A", x=["9", 0]), "9": node("Gone", y=["2", 0]), "2": node("B", v=1)}
    after = {"1": node("A", v=1), "2": node("B", x=["1", 0])}
    picture = union(before, after, compare(before, after))
    assert picture["removed:9"]["inputs"] == {"y": ["2", 0]}
    assert "removed:x" not in picture["1"]["inputs"]
    assert len(lay_out(picture).places) == 3


def test_what_changed_is_told_node_by_node() -> None:
    after = copy.deepcopy(BEFORE)
    after["2"]["inputs"]["radius"] = 5
    after["3"] = node("Save", "out", image=["1", 0])
    assert changes_by_node(compare(BEFORE, after)) == {
        "2": [("radius", "2", "5")],
        "3": [("image", "node 2 (Blur), output 0", "node 1 (Load), output 0"), ("title", "none", "out")],
    }
