"""Patches: applying what ``changes`` found gives the new view."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dashboards.components.changes import changes

leaves = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "b"])
views = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=12,
)


def apply(view: Any, ops: list[tuple[list[str | int], Any]]) -> Any:
    """Apply patches as the page does."""
    view = copy.deepcopy(view)
    for path, value in ops:
        if not path:
            view = value
            continue
        at = view
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = value
    return view


@given(views, views)
def test_applying_the_changes_gives_the_new_view(old: Any, new: Any) -> None:
    assert repr(apply(old, changes(old, new))) == repr(new) or apply(old, changes(old, new)) == new


def test_only_what_differs_is_sent() -> None:
    old = {"rows": [{"n": 1, "s": "a"}, {"n": 2, "s": "b"}], "k": 1}
    new = {"rows": [{"n": 1, "s": "a"}, {"n": 2, "s": "c"}], "k": 1}
    assert changes(old, new) == [(["rows", 1, "s"], "c")]


def test_equal_views_send_nothing() -> None:
    assert changes({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}) == []
