"""Two workflow versions compared: node by node, slot by slot, and as text."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import InvalidInputError
from x121lib.catalogue import slots, workflows
from x121lib.comfyui.comparison import Comparison, LinkChange, NodeName, compare, textual_difference
from x121lib.terms.roles import Actor, Permission


@dataclass(frozen=True)
class Difference:
    """How a workflow version differs from another."""

    before: str
    """The earlier one, ``NAME@NUMBER``."""
    after: str
    """The later one."""
    graph: Comparison
    """Nodes, values and links."""
    text: str
    """Unified difference of both graphs as JSON text; empty for none."""
    slots_added: tuple[str, ...]
    """Slots that only the later one has."""
    slots_removed: tuple[str, ...]
    """Slots that only the earlier one has."""

    def lines(self) -> list[str]:
        """Return one line for each difference, to be read by people."""
        return [
            *self.graph.lines(),
            *(f"slot added: {name}" for name in self.slots_added),
            *(f"slot removed: {name}" for name in self.slots_removed),
        ]

    def facts(self) -> dict[str, Any]:
        """Return it as plain data."""
        graph = self.graph
        return {
            "before": self.before, "after": self.after,
            "added": [asdict(node) for node in graph.added], "removed": [asdict(node) for node in graph.removed],
            "changed": [
                {"node": asdict(c.node), "input": c.input_name, "before": c.before, "after": c.after}
                for c in graph.changed
            ],
            "relinked": [_link(change) for change in graph.relinked],
            "moved": [{"before": asdict(was), "after": asdict(now)} for was, now in graph.renamed],
            "slots_added": list(self.slots_added), "slots_removed": list(self.slots_removed),
        }  # fmt: skip


def difference(session: Session, actor: Actor, before: str, after: str | None = None) -> Difference:
    """Compare two versions (``NAME`` or ``NAME@NUMBER``); without the second, a version with the one before it.

    Raises:
        NotFoundError: no such workflow or version.
        InvalidInputError: there is no version before it.
    """
    actor.require(Permission.VIEW)
    later = workflows.referred(session, after or before)
    if after is not None:
        earlier = workflows.referred(session, before)
    else:
        name = workflows.name_of(session, later)
        if later.number == 1:
            raise InvalidInputError(f"'{name}' has no version before 1.", hint="Give two versions, NAME@NUMBER.")
        earlier = workflows.version(session, name, later.number - 1)
    names = [_reference(session, version) for version in (earlier, later)]
    had, has = ({slot.name for slot in slots.slots_of(session, v.id)} for v in (earlier, later))
    return Difference(
        names[0], names[1], compare(earlier.graph, later.graph),
        textual_difference(earlier.graph, later.graph, names=(names[0], names[1])),
        tuple(sorted(has - had)), tuple(sorted(had - has)),
    )  # fmt: skip


def _reference(session: Session, version: m.WorkflowVersion) -> str:
    return f"{workflows.name_of(session, version)}@{version.number}"


def _link(change: LinkChange) -> dict[str, Any]:
    ends = {
        key: {"node": _node(end.node), "output": end.slot, "value": end.value}
        for key, end in (("before", change.before), ("after", change.after))
    }
    return {"node": asdict(change.node), "input": change.input_name, **ends}


def _node(node: NodeName | None) -> dict[str, str] | None:
    return None if node is None else asdict(node)
