"""What is done with a workflow's slots from its page; each answer can be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

_WORDS = {"name": "is renamed", "label": "has another label", "default": "has another default"}


def edit(studio: Studio, version: str, slot: str, node_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Change a slot of one node; answers with what takes it back."""
    before = studio.workflows.change_slot(version, slot, changes, node=node_id)
    if "is_hidden" in changes:
        word = "is hidden" if changes["is_hidden"] else "can be set"
    else:
        word = next((text for key, text in _WORDS.items() if key in changes), "is changed")
    name = changes.get("name", slot)
    return {"text": f"{slot} {word}", "undo": {"name": "edit_slot", "slot": name, "changes": dict(before)}}


def add(studio: Studio, version: str, node_id: str, input_name: str) -> dict[str, Any]:
    """Make an input a slot; answers with what takes it back."""
    name = studio.workflows.add_slot(version, node_id, input_name)
    return {"text": f"{name} is a slot", "undo": {"name": "remove_slot", "slot": name}}


def remove(studio: Studio, version: str, slot: str, node_id: str) -> dict[str, Any]:
    """Remove a slot that was added."""
    studio.workflows.remove_slot(version, slot, node=node_id)
    return {"text": f"{slot} is no slot any more", "undo": None}
