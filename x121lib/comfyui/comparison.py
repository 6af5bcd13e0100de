"""Two workflow graphs compared: what was added and removed, set otherwise, and linked otherwise. Pure."""

from __future__ import annotations

import difflib
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from x121lib.comfyui.graph import Graph, is_link, links_of, title_of

_MISSING = object()
_MOST_PAIRS = 1_000_000
"""Beyond this, two graphs have so little in common that nodes are not told apart by likeness."""


@dataclass(frozen=True)
class NodeName:
    """A node as a person knows it."""

    id: str
    """Id in its own graph."""
    class_type: str
    """ComfyUI's class."""
    title: str
    """Title, empty for none."""

    def __str__(self) -> str:
        return f"{self.id} {self.title!r} ({self.class_type})" if self.title else f"{self.id} ({self.class_type})"


@dataclass(frozen=True)
class Source:
    """What feeds an input."""

    node: NodeName | None
    """The node that it is linked to, None for a value or nothing."""
    slot: int
    """Number of that node's output."""
    value: Any
    """The value where it is not linked, None for nothing."""

    def __str__(self) -> str:
        return f"node {self.node}, output {self.slot}" if self.node is not None else shown(self.value)


@dataclass(frozen=True)
class ParameterChange:
    """A value that differs."""

    node: NodeName
    """The node, as the later graph has it."""
    input_name: str
    """Its input."""
    before: Any
    """Earlier value, None where the input was absent."""
    after: Any
    """Later value, None where the input is gone."""


@dataclass(frozen=True)
class LinkChange:
    """An input that is fed from elsewhere, or was or is no link."""

    node: NodeName
    """The node, as the later graph has it."""
    input_name: str
    """Its input."""
    before: Source
    """What fed it."""
    after: Source
    """What feeds it."""


@dataclass(frozen=True)
class Comparison:
    """How a later graph differs from an earlier one; each part is sorted by node."""

    added: tuple[NodeName, ...]
    """Nodes that are only in the later graph."""
    removed: tuple[NodeName, ...]
    """Nodes that are only in the earlier graph."""
    changed: tuple[ParameterChange, ...]
    """Values that differ."""
    relinked: tuple[LinkChange, ...]
    """Links that differ."""
    renamed: tuple[tuple[NodeName, NodeName], ...]
    """Nodes of both whose id or title differs."""
    matched: Mapping[str, str]
    """Later id by earlier id, of the nodes that both have."""

    @property
    def is_empty(self) -> bool:
        """Whether the graphs do the same."""
        return not (self.added or self.removed or self.changed or self.relinked)

    def lines(self) -> list[str]:
        """Return one line for each difference, to be read by people."""
        return [
            *(f"added: node {node}" for node in self.added),
            *(f"removed: node {node}" for node in self.removed),
            *(f"set: node {c.node}, {c.input_name}: {shown(c.before)} → {shown(c.after)}" for c in self.changed),
            *(f"linked: node {c.node}, {c.input_name}: {c.before} → {c.after}" for c in self.relinked),
            *(f"renamed: node {before} → {after}" for before, after in self.renamed),
        ]


def compare(before: Graph, after: Graph) -> Comparison:
    """Compare two graphs.

    A node is the same in both where id and class agree; else where class, title and neighbours do, so that a
    graph that was numbered anew is not all removed and all added.
    """
    matched = match_nodes(before, after)
    known = set(matched.values())
    changed: list[ParameterChange] = []
    relinked: list[LinkChange] = []
    renamed: list[tuple[NodeName, NodeName]] = []
    for earlier, later in sorted(matched.items(), key=lambda pair: _order(pair[1])):
        if (earlier, title_of(before[earlier])) != (later, title_of(after[later])):
            renamed.append((_name(before, earlier), _name(after, later)))
        for change in _input_changes(before, after, earlier, matched):
            (relinked if isinstance(change, LinkChange) else changed).append(change)  # type: ignore[arg-type]
    return Comparison(
        tuple(_name(after, key) for key in sorted(set(after) - known, key=_order)),
        tuple(_name(before, key) for key in sorted(set(before) - set(matched), key=_order)),
        tuple(changed),
        tuple(relinked),
        tuple(renamed),
        matched,
    )


def match_nodes(before: Graph, after: Graph) -> dict[str, str]:
    """Return the later id of each earlier node that is in both graphs; each node is matched once at most."""
    classes = {key: node["class_type"] for key, node in after.items()}
    matched = {key: key for key, node in before.items() if classes.get(key) == node["class_type"]}
    left = [key for key in before if key not in matched]
    right = [key for key in after if key not in matched]
    earlier, later = _signatures(before), _signatures(after)
    by_signature: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for key in sorted(right, key=_order, reverse=True):
        by_signature[_full(after, key, later)].append(key)
    for key in sorted(left, key=_order):
        alike = by_signature.get(_full(before, key, earlier))
        if alike:
            matched[key] = alike.pop()
    taken = set(matched.values())
    _match_similar(
        (before, [key for key in left if key not in matched], earlier),
        (after, [key for key in right if key not in taken], later),
        matched,
    )
    return matched


def textual_difference(before: Graph, after: Graph, *, names: tuple[str, str] = ("before", "after")) -> str:
    """Return a unified difference of both graphs as indented JSON with nodes and inputs in order; empty for none."""
    lines = difflib.unified_diff(_text(before), _text(after), *names, lineterm="")
    return "\n".join(lines)


def _text(graph: Graph) -> list[str]:
    ordered = {key: graph[key] for key in sorted(graph, key=_order)}
    nodes = {key: dict(sorted((k, _sorted(v)) for k, v in node.items())) for key, node in ordered.items()}
    return json.dumps(nodes, indent=2, ensure_ascii=False).splitlines()


def _sorted(value: Any) -> Any:
    return dict(sorted(value.items())) if isinstance(value, Mapping) else value


_Side: TypeAlias = tuple[Graph, Sequence[str], Mapping[str, frozenset[tuple[str, ...]]]]


def _match_similar(before: _Side, after: _Side, matched: dict[str, str]) -> None:
    """Match what is left by class, the pair with most in common first; something beside the class must agree."""
    (graph, left, earlier), (other, right, later) = before, after
    if len(left) * len(right) > _MOST_PAIRS:
        return
    by_class: dict[str, list[str]] = defaultdict(list)
    for key in right:
        by_class[other[key]["class_type"]].append(key)
    pairs: list[tuple[int, tuple[Any, ...], tuple[Any, ...], str, str]] = []
    for key in left:
        for candidate in by_class[graph[key]["class_type"]]:
            title = title_of(graph[key])
            shared = len(earlier[key] & later[candidate])
            score = 2 * shared + 3 * (bool(title) and title == title_of(other[candidate]))
            if score:
                pairs.append((-score, _order(key), _order(candidate), key, candidate))
    taken: set[str] = set()
    for *_, key, candidate in sorted(pairs):
        if key not in matched and candidate not in taken:
            matched[key] = candidate
            taken.add(candidate)


def _signatures(graph: Graph) -> dict[str, frozenset[tuple[str, ...]]]:
    """Neighbours of each node without ids: what feeds which input, and what its outputs feed."""
    found: dict[str, set[tuple[str, ...]]] = {key: set() for key in graph}
    for key, node in graph.items():
        for name, source, slot in links_of(node):
            found[key].add(("in", name, graph[source]["class_type"], str(slot)))
            found[source].add(("out", str(slot), node["class_type"], name))
    return {key: frozenset(marks) for key, marks in found.items()}


def _full(graph: Graph, key: str, signatures: Mapping[str, frozenset[tuple[str, ...]]]) -> tuple[Any, ...]:
    return graph[key]["class_type"], title_of(graph[key]), signatures[key]


def _input_changes(
    before: Graph, after: Graph, earlier: str, matched: Mapping[str, str]
) -> Iterator[ParameterChange | LinkChange]:
    later = matched[earlier]
    old, new = before[earlier]["inputs"], after[later]["inputs"]
    for name in sorted({*old, *new}):
        was, now = old.get(name, _MISSING), new.get(name, _MISSING)
        if is_link(was) or is_link(now):
            if not (is_link(was) and is_link(now) and [matched.get(was[0]), was[1]] == now):
                yield LinkChange(_name(after, later), name, _source(before, was), _source(after, now))
        elif not _same(was, now):
            yield ParameterChange(_name(after, later), name, *(None if v is _MISSING else v for v in (was, now)))


def _same(was: Any, now: Any) -> bool:
    # True equals 1 in Python, but not in a workflow; 1 and 1.0 are one number in both.
    return bool(was == now) and isinstance(was, bool) == isinstance(now, bool)


def _source(graph: Graph, value: Any) -> Source:
    if is_link(value):
        return Source(_name(graph, value[0]), value[1], None)
    return Source(None, 0, None if value is _MISSING else value)


def _name(graph: Graph, key: str) -> NodeName:
    return NodeName(key, graph[key]["class_type"], title_of(graph[key]))


def _order(key: str) -> tuple[tuple[int, int, str], ...]:
    """Sort ids as numbers, those of subgraphs by each part."""
    return tuple((0, int(part), "") if re.fullmatch(r"[0-9]+", part) else (1, 0, part) for part in key.split(":"))


def shown(value: Any) -> str:
    """Return a value as people read it, cut after 120 characters; None is *nothing*."""
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:119]}…"
