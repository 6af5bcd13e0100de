"""The dependency graph of a model as an SVG picture: a column per kind of thing, edges from its parts. Pure."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from x121lib.models.usage import Use

COLUMNS = ("model", "workflow", "scene type", "scene", "takes")
WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 250, 34, 70, 14, 24
"""Pixels of a box, between boxes, and around all."""
LONGEST_LABEL = 36
MOST_ROWS = 60
"""Most boxes of a column; the last one says how many more there are."""


@dataclass(frozen=True)
class Box:
    """One thing in the picture."""

    key: uuid.UUID | str
    """What it stands for."""
    column: int
    """Index into `COLUMNS`."""
    label: str
    """What is written in it."""
    is_current: bool
    """Whether it forbids removing the model."""
    parent: uuid.UUID | str
    """Box that it hangs on; the model where nothing nearer is shown."""


def draw(model: str, uses: Sequence[Use], parents: Mapping[uuid.UUID, uuid.UUID]) -> str:
    """Return an SVG document.

    Args:
        model: the model's path.
        uses: everything that uses it.
        parents: scene type version → workflow version, scene → scene type version, take → scene.
    """
    boxes = layout(uses, parents)
    places = {"model": (0, 0)}
    columns: dict[int, list[Box]] = {}
    for box in boxes:
        rows = columns.setdefault(box.column, [])
        if len(rows) < MOST_ROWS:
            places[str(box.key)] = (box.column, len(rows))
            rows.append(box)
    parts = [_box((0, 0), model, is_current=True)]
    for rows in columns.values():
        for box in rows:
            at = places[str(box.key)]
            parts.append(_edge(places.get(str(box.parent), (0, 0)), at, is_current=box.is_current))
            parts.append(_box(at, box.label, is_current=box.is_current))
    parts += _overflow(boxes, columns)
    used = max((box.column for box in boxes), default=0) + 1
    height = 2 * MARGIN + HEIGHT + (max((len(rows) for rows in columns.values()), default=0) + 2) * (HEIGHT + GAP_Y)
    width = 2 * MARGIN + used * WIDTH + (used - 1) * GAP_X
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="12" fill="currentColor">\n'
        f"<title>Where {escape(model)} is used</title>\n"
        + "\n".join([*(_head(index) for index in range(used)), *parts])
        + "\n</svg>\n"
    )


def layout(uses: Sequence[Use], parents: Mapping[uuid.UUID, uuid.UUID]) -> list[Box]:
    """Return the boxes in the order in which they are drawn: a child stands near its parent, takes are counted."""
    takes = Counter(parents[use.key] for use in uses if use.what == "take" and use.key in parents)
    named = {
        parents[use.key]: use.name.rpartition(" S")[0] for use in uses if use.what == "take" and use.key in parents
    }
    boxes = [
        Box(use.key, COLUMNS.index(use.what), _label(use), use.is_current, parents.get(use.key, "model"))
        for use in uses
        if use.what != "take"
    ]
    shown = {box.key for box in boxes}
    boxes += [Box(key, 3, named[key], False, parents.get(key, "model")) for key in takes if key not in shown]
    boxes += [Box(f"takes {key}", 4, f"{n} take{'s' if n > 1 else ''}", False, key) for key, n in takes.items()]
    order: dict[str, int] = {"model": 0}
    done: list[Box] = []
    for column in range(1, len(COLUMNS)):
        mine = [box for box in boxes if box.column == column]
        for box in sorted(mine, key=lambda b: (order.get(str(b.parent), len(order)), not b.is_current, b.label)):
            order[str(box.key)] = len(order)
            done.append(box)
    return done


def _label(use: Use) -> str:
    version = f" v{use.version}" if use.version is not None else ""
    weight = f" ×{use.weight:g}" if use.weight is not None else ""
    return f"{use.name}{version}{weight}"


def _at(place: tuple[int, int]) -> tuple[int, int]:
    return MARGIN + place[0] * (WIDTH + GAP_X), MARGIN + HEIGHT + place[1] * (HEIGHT + GAP_Y)


def _head(column: int) -> str:
    return f'<text x="{_at((column, 0))[0]}" y="{MARGIN + 12}" opacity="0.6">{COLUMNS[column]}</text>'


def _box(place: tuple[int, int], label: str, *, is_current: bool) -> str:
    x, y = _at(place)
    short = label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"
    dash = "" if is_current else ' stroke-dasharray="4 3"'
    return (
        f'<g><title>{escape(label)}</title><rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="none" '
        f'stroke="currentColor"{dash}/><text x="{x + 10}" y="{y + 21}">{escape(short)}</text></g>'
    )


def _edge(start: tuple[int, int], stop: tuple[int, int], *, is_current: bool) -> str:
    x0, y0 = _at(start)[0] + WIDTH, _at(start)[1] + HEIGHT // 2
    x1, y1 = _at(stop)[0], _at(stop)[1] + HEIGHT // 2
    bend = (x0 + x1) // 2
    look = 'fill="none" stroke="currentColor" opacity="0.5"' + ("" if is_current else ' stroke-dasharray="4 3"')
    return f'<path d="M{x0} {y0}C{bend} {y0} {bend} {y1} {x1} {y1}" {look}/>'


def _overflow(boxes: Sequence[Box], columns: Mapping[int, Sequence[Box]]) -> list[str]:
    found = []
    for column, rows in columns.items():
        more = sum(box.column == column for box in boxes) - len(rows)
        if more:
            x, y = _at((column, len(rows)))
            found.append(f'<text x="{x + 10}" y="{y + 21}" opacity="0.6">and {more} more</text>')
    return found
