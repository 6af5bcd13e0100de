"""Places for a workflow's nodes on a canvas: columns from left to right, few crossings, no overlaps. Pure.

The layered drawing of Sugiyama, Tagawa and Toda (1981, "Methods for Visual Understanding of Hierarchical System
Structures"): longest-path layering, dummy nodes on long links, barycentre sweeps, then heights by neighbours.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from x121lib.comfyui.graph import links_of

NODE_WIDTH, NODE_HEIGHT = 184, 84
"""Pixels of a node."""
GAP_X, GAP_Y, BEND_HEIGHT = 52, 24, 14
"""Pixels between columns, between nodes of a column, and kept free for a link that passes a column."""
SWEEPS = 12
"""Passes over the columns in either direction; further ones hardly ever change anything."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """One link on the canvas."""

    source: str
    """Node that it comes from."""
    target: str
    """Node that it leads to."""
    input_name: str
    """Input that it leads to."""
    bends: tuple[Point, ...]
    """Points that it passes between its ends, in pixels, one per column on the way."""


@dataclass(frozen=True)
class Drawing:
    """A graph laid out."""

    places: Mapping[str, Point]
    """Left upper corner of each node, in pixels from the left upper corner of all."""
    lines: tuple[Line, ...]
    """Every link whose two ends exist."""
    size: Point
    """Width and height of all, in pixels."""


@dataclass(frozen=True)
class _Net:
    columns: list[list[str]]
    before: dict[str, list[str]]
    after: dict[str, list[str]]
    heights: dict[str, float]


def lay_out(graph: Mapping[str, Any]) -> Drawing:
    """Return places for the nodes of an API-form graph without cycles; links to nowhere are left out."""
    links = [
        (source, node_id, name)
        for node_id, node in graph.items()
        for name, source, _ in links_of(node)
        if source in graph
    ]  # fmt: skip
    pairs = list(dict.fromkeys((source, target) for source, target, _ in links))
    column = _columns(graph, pairs)
    net, chains = _with_bends(graph, pairs, column)
    _order(net)
    middles = _heights(net)
    top = min((middles[n] - h / 2 for n, h in net.heights.items()), default=0.0)
    xs = {n: index * float(NODE_WIDTH + GAP_X) for index, names in enumerate(net.columns) for n in names}
    places = {n: (xs[n], round(middles[n] - NODE_HEIGHT / 2 - top, 1)) for n in graph}
    bends = {
        pair: tuple((xs[b] + NODE_WIDTH / 2, round(middles[b] - top, 1)) for b in chain)
        for pair, chain in chains.items()
    }  # fmt: skip
    lines = tuple(Line(s, t, name, bends[s, t]) for s, t, name in links)
    bottom = max((middles[n] + h / 2 - top for n, h in net.heights.items()), default=0.0)
    return Drawing(places, lines, (max(len(net.columns) * (NODE_WIDTH + GAP_X) - GAP_X, 0.0), round(bottom, 1)))


def _neighbours(nodes: Iterable[str], pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, list[str]], ...]:
    before: dict[str, list[str]] = {n: [] for n in nodes}
    after: dict[str, list[str]] = {n: [] for n in before}
    for source, target in pairs:
        after[source].append(target)
        before[target].append(source)
    return before, after


def _columns(graph: Mapping[str, Any], pairs: list[tuple[str, str]]) -> dict[str, int]:
    """Return each node's column: after all that it needs, and what needs nothing just before its first use."""
    before, after = _neighbours(graph, pairs)
    column: dict[str, int] = {}
    waiting = {n: len(before[n]) for n in graph}
    ready = [n for n in graph if not waiting[n]]
    while ready:
        node = ready.pop()
        column[node] = max((column[b] + 1 for b in before[node]), default=0)
        for then in after[node]:
            waiting[then] -= 1
            if not waiting[then]:
                ready.append(then)
    for node in sorted(column, key=lambda n: -column[n]):
        if not before[node] and after[node]:
            column[node] = min(column[t] for t in after[node]) - 1
    return column


def _with_bends(
    graph: Mapping[str, Any], pairs: list[tuple[str, str]], column: Mapping[str, int]
) -> tuple[_Net, dict[tuple[str, str], list[str]]]:
    """Return the graph with a bend for each column that a link passes, and the bends of each link."""
    columns: list[list[str]] = [[] for _ in range(max(column.values(), default=-1) + 1)]
    heights = {node: float(NODE_HEIGHT) for node in graph}
    for node in graph:
        columns[column[node]].append(node)
    steps, chains = [], {}
    for source, target in pairs:
        chain = [f"{source}\n{target}\n{at}" for at in range(column[source] + 1, column[target])]
        for at, bend in enumerate(chain, column[source] + 1):
            columns[at].append(bend)
            heights[bend] = float(BEND_HEIGHT)
        way = [source, *chain, target]
        steps += list(itertools.pairwise(way))
        chains[source, target] = chain
    before, after = _neighbours(heights, steps)
    return _Net(columns, before, after, heights), chains


def _order(net: _Net) -> None:
    """Order each column by the mean place of its neighbours, sweeping right and left in turn; keep the best."""
    best, fewest = [list(names) for names in net.columns], _crossings(net)
    for sweep in range(SWEEPS):
        rightwards = sweep % 2 == 0
        near = net.before if rightwards else net.after
        place = {n: i for names in net.columns for i, n in enumerate(names)}
        for names in net.columns if rightwards else reversed(net.columns):
            means = {n: _mean([place[b] for b in near[n]], float(place[n])) for n in names}
            names.sort(key=means.__getitem__)
            place.update({n: i for i, n in enumerate(names)})
        crossings = _crossings(net)
        if crossings < fewest:
            best, fewest = [list(names) for names in net.columns], crossings
    for names, kept in zip(net.columns, best, strict=True):
        names[:] = kept


def _crossings(net: _Net) -> int:
    """Return how many pairs of links cross between neighbouring columns."""
    total = 0
    for names, following in zip(net.columns, net.columns[1:], strict=False):
        place = {n: i for i, n in enumerate(following)}
        ends = [end for n in names for end in sorted(place[t] for t in net.after[n])]
        seen: list[int] = []
        for end in ends:
            total += sum(1 for other in seen if other > end)
            seen.append(end)
    return total


def _heights(net: _Net) -> dict[str, float]:
    """Return the middle of each node: as near to its neighbours' as order and gaps allow."""
    middles: dict[str, float] = {}
    for names in net.columns:
        at = 0.0
        for name in names:
            middles[name] = at + net.heights[name] / 2
            at += net.heights[name] + GAP_Y
    for sweep in range(SWEEPS):
        near = net.before if sweep % 2 == 0 else net.after
        for names in net.columns if sweep % 2 == 0 else reversed(net.columns):
            wanted = [_mean([middles[b] for b in near[n]], middles[n]) for n in names]
            middles.update(zip(names, _apart(wanted, [net.heights[n] for n in names]), strict=True))
    return middles


def _apart(wanted: list[float], heights: list[float]) -> list[float]:
    """Return middles in the given order that do not overlap, with the least squared distance from those wanted.

    Pool adjacent violators (Barlow et al. 1972) on the middles less the room that the ones before need.
    """
    rooms = [0.0]
    for above, below in itertools.pairwise(heights):
        rooms.append(rooms[-1] + (above + below) / 2 + GAP_Y)
    blocks: list[tuple[float, int]] = []
    for want, room in zip(wanted, rooms, strict=True):
        block = (want - room, 1)
        while blocks and blocks[-1][0] > block[0]:
            mean, n = blocks.pop()
            block = ((mean * n + block[0] * block[1]) / (n + block[1]), n + block[1])
        blocks.append(block)
    flat = [mean for mean, n in blocks for _ in range(n)]
    return [at + room for at, room in zip(flat, rooms, strict=True)]


def _mean(values: list[Any], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
