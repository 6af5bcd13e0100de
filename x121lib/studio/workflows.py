"""The registry of workflows, as the façade offers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from x121lib.catalogue import differences, slots, workflows
from x121lib.catalogue.differences import Difference
from x121lib.catalogue.workflows import Upgrade
from x121lib.comfyui.slots import Slot
from x121lib.studio.workflow_imports import WorkflowImports
from x121lib.terms.roles import Permission

if TYPE_CHECKING:
    from x121lib.studio.core import Studio


class Workflows(WorkflowImports):
    """Workflow versions: imported, listed, compared, trusted, with their slots, and the upgrade of scene types."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def list(self, name: str | None = None) -> pd.DataFrame:
        """Return one row per version: name, number, status, hash, scene types that refer to it, last use, slots."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            rows = workflows.listing(session)
        data = [
            (workflow, v.number, v.status_id.label, v.graph_hash[:12], users, last, slots or "")
            for workflow, v, slots, users, last in rows
            if name in (None, workflow)
        ]
        return pd.DataFrame(
            data, columns=["workflow", "version", "status", "hash", "scene_types", "last_used", "slots"]
        )

    def set_status(self, name: str, status: str, *, version: int | None = None) -> None:
        """Move a version (default: the newest) one step between Draft, Tested and Production."""
        with self._studio.transaction() as session:
            workflows.set_status(session, self._studio.actor, name, status, version)

    def set_memory(self, name: str, gib: float | None, *, version: int | None = None) -> None:
        """State the GPU memory in GiB that a worker must have for a version (default: the newest); None: any."""
        with self._studio.transaction() as session:
            workflows.set_memory(session, self._studio.actor, name, gib, version)

    def upgrade(self, scene_type: str, *, version: int | None = None) -> Upgrade:
        """Let a scene type refer to another version of its workflow (default: the newest)."""
        with self._studio.transaction() as session:
            return workflows.upgrade(session, self._studio.actor, scene_type, version)

    def show(self, version: str) -> dict[str, Any]:
        """Return a version (``NAME`` or ``NAME@NUMBER``): name, number, status, hash, creation, slots, graph."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            row = workflows.referred(session, version)
            names = [slot.name for slot in slots.slots_of(session, row.id) if not slot.is_hidden]
            return {
                "workflow": workflows.name_of(session, row), "version": row.number, "status": row.status_id.label,
                "hash": row.graph_hash, "created_at": row.created_at, "repeats_seed_frame": row.repeats_seed_frame,
                "slots": list(dict.fromkeys(names)), "graph": row.graph,
            }  # fmt: skip

    def compare(self, before: str, after: str | None = None) -> Difference:
        """Compare two versions (``NAME`` or ``NAME@NUMBER``); without the second, a version with the one before it."""
        with self._studio.transaction() as session:
            return differences.difference(session, self._studio.actor, before, after)

    # Slots; ``version`` is a workflow's name for its newest version, or ``NAME@NUMBER``

    def slots(self, version: str) -> pd.DataFrame:
        """Return one row per slot of a version: name, type, range, default, label, node, who sets it, hidden, added."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            row = workflows.referred(session, version)
            setting = slots.setters(session, row.id)
            data = [
                _slot_row(known, slot, setting.get(slot.name, [])) for known, slot in slots.rows_of(session, row.id)
            ]
        return pd.DataFrame(data, columns=SLOT_COLUMNS, dtype=object)

    def change_slot(
        self, version: str, name: str, changes: Mapping[str, Any], *, node: str | None = None
    ) -> Mapping[str, Any]:
        """Change a slot; returns what was before, in the form of ``changes``, to take it back.

        Args:
            version: the workflow version.
            name: the slot.
            changes: of ``name``, ``label``, ``is_hidden``, ``default`` (None: the file's), ``minimum``, ``maximum``,
                ``step``, ``choices``.
            node: only the slot of this node, where several share the name.

        Raises:
            InvalidInputError: a value that does not fit; slot, value and range are named.
            RefusedError: it would be hidden while X121 fills it or a scene type sets it.
        """
        with self._studio.transaction() as session:
            row = workflows.referred(session, version)
            before = slots.change(session, self._studio.actor, row, name, changes, node)[0]
        return {key: before[key] for key in changes}

    def add_slot(self, version: str, node: str, input_name: str, **changes: Any) -> str:
        """Make an input of a node a slot; returns its name. ``changes`` are those of `change_slot`."""
        with self._studio.transaction() as session:
            row = workflows.referred(session, version)
            return slots.add(session, self._studio.actor, row, node, input_name, changes).name

    def remove_slot(self, version: str, name: str, *, node: str | None = None) -> None:
        """Remove a slot that a person added."""
        with self._studio.transaction() as session:
            slots.remove(session, self._studio.actor, workflows.referred(session, version), name, node)

    def describe_slots(self, version: str) -> int:
        """Take ranges, choices and class defaults anew from what workers say; returns how many slots changed."""
        with self._studio.transaction() as session:
            return slots.describe_again(session, self._studio.actor, workflows.referred(session, version))


SLOT_COLUMNS = [
    "slot", "type", "range", "default", "label", "node", "input", "is_hidden", "is_added", "set_by", "own_default",
    "class_default", "minimum", "maximum", "step", "choices",
]  # fmt: skip


def _slot_row(row: Any, slot: Slot, setting: Sequence[str]) -> dict[str, Any]:
    return {
        "slot": slot.name, "type": slot.type.value, "range": slot.range_words, "default": slot.default,
        "label": slot.label, "node": slot.node_id, "input": slot.input_name, "is_hidden": slot.is_hidden,
        "is_added": not row.found_name, "set_by": ", ".join(setting), "own_default": slot.has_own_default,
        "class_default": slot.class_default, "minimum": slot.minimum, "maximum": slot.maximum, "step": slot.step,
        "choices": list(slot.choices),
    }  # fmt: skip
