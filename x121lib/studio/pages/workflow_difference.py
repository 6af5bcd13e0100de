"""A workflow version beside another, for its page: one picture with what was added, removed and changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from x121lib import model as m
from x121lib.comfyui.comparison import compare
from x121lib.comfyui.graph import Graph, title_of
from x121lib.comfyui.marking import REMOVED, Change, changes_by_node, union
from x121lib.studio.pages.desk import Desk

CHANGES = 40
"""Changes shown of one node."""


@dataclass(frozen=True)
class Marked:
    """The graph that is drawn, and what is said of its nodes."""

    graph: Graph
    """The version's own graph, with what was removed."""
    marks: Mapping[str, str] = field(default_factory=dict)
    """``added``, ``removed`` or ``changed`` by node; absent: the same."""
    changes: Mapping[str, list[Change]] = field(default_factory=dict)
    """What changed on a node."""
    against: int | None = None
    """The version that it is compared with."""

    def on(self, node_id: str) -> dict[str, Any]:
        """Return what the page shows of a node beyond the node itself."""
        changes = [list(change) for change in self.changes.get(node_id, [])[:CHANGES]]
        return {"mark": self.marks.get(node_id, ""), "changes": changes}

    def summary(self) -> dict[str, Any] | None:
        """Return the list beside the picture, None where nothing is compared."""
        if self.against is None:
            return None
        counts = Counter(self.marks.values())
        order = {"removed": 0, "added": 1, "changed": 2}
        rows = [
            {
                "id": key, "mark": mark, "name": title_of(self.graph[key]) or self.graph[key]["class_type"],
                "lines": [f"{name}: {was} → {now}" for name, was, now in self.changes.get(key, [])[:CHANGES]],
            }
            for key, mark in sorted(self.marks.items(), key=lambda item: order[item[1]])
        ]  # fmt: skip
        return {"number": self.against, "rows": rows, **{mark: counts[mark] for mark in order}}


def marked(desk: Desk, version: m.WorkflowVersion, against: str | None) -> Marked:
    """Return a version's graph, marked against another of the same workflow where ``against`` is its number."""
    number = int(against) if against and against.isdecimal() and len(against) < 9 else None
    row = m.WorkflowVersion
    query = sa.select(row).where(row.workflow_id == version.workflow_id, row.number == number)
    other = desk.session.scalars(query).one_or_none() if number not in (None, version.number) else None
    if other is None:
        return Marked(version.graph)
    found = compare(other.graph, version.graph)
    changes = changes_by_node(found)
    marks = {
        **dict.fromkeys(changes, "changed"), **{node.id: "added" for node in found.added},
        **{REMOVED + node.id: "removed" for node in found.removed},
    }  # fmt: skip
    return Marked(union(other.graph, version.graph, found), marks, changes, other.number)
