"""The pipeline's own chain as a graph, with the triggers in it: which steps go by themselves, which need a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

STAGES = (
    ("source", "Source QA", "auto", "Each imported image is checked"),
    ("variant", "Variant", "auto", "A GPU worker makes it from the source"),
    ("approval", "Variant approval", "human", "A person approves the image"),
    ("scenes", "Scenes", "auto", "GPU workers render the takes in order"),
    ("qa", "QA", "auto", "Every take passes its gates, the scene is joined"),
    ("review", "Review", "human", "A person approves or rejects"),
    ("delivery", "Delivery", "auto", "Approved scenes are packed and verified"),
)
"""Stages in the pipeline's order: id, name, who does it, what happens there."""
_STEPS = (
    ("source", "variant", "human", "make"),
    ("variant", "approval", "auto", ""),
    ("approval", "scenes", "human", "submit"),
    ("scenes", "qa", "auto", ""),
    ("qa", "review", "auto", ""),
    ("review", "delivery", "human", "deliver"),
)
"""Steps from stage to stage, and who takes them where no trigger does."""
_TAKES_OVER = {"submit": "scenes", "deliver": "delivery"}
_STAGE_OF_EVENT = {
    "character.imported": "source", "variant.generated": "variant", "variant.approved": "approval",
    "variant.rejected": "approval", "batch.submitted": "scenes", "task.completed": "scenes", "task.failed": "scenes",
    "retake.queued": "scenes", "take.scored": "qa", "scene.assembled": "qa", "decision.made": "review",
    "delivery.written": "delivery",
}  # fmt: skip
_STAGE_OF_STATUS = {"Review": "qa", "Failed": "qa", "Approved": "review", "Rejected": "review"}
_STAGE_OF_ACTION = {
    "submit": "scenes", "retake": "scenes", "rerun_qa": "qa", "assemble": "qa", "deliver": "delivery",
}  # fmt: skip


@dataclass(frozen=True)
class Link:
    """What the graph needs to know of a trigger."""

    key: str
    """Its key."""
    name: str
    """Its name."""
    enabled: bool
    """Whether it acts."""
    event: str
    """Kind of its event."""
    statuses: tuple[str, ...]
    """Scene statuses that its conditions name."""
    actions: tuple[str, ...]
    """Its actions, of both branches."""


def chain(links: Sequence[Link]) -> dict[str, Any]:
    """Return stages, steps between them, and triggers with the stage that sets them off and those they lead to.

    A step that a person takes is a trigger's where an enabled one leads from the stage before to it.
    """
    taken = {(start(link), _TAKES_OVER[a]) for link in links if link.enabled for a in link.actions if a in _TAKES_OVER}
    return {
        "stages": [{"id": key, "label": label, "by": by, "note": note} for key, label, by, note in STAGES],
        "steps": [
            {"from": a, "to": b, "by": "trigger" if by == "human" and (a, b) in taken else by, "label": label}
            for a, b, by, label in _STEPS
        ],
        "triggers": [
            {
                "id": link.key, "name": link.name, "enabled": link.enabled, "event": link.event, "from": start(link),
                "to": list(dict.fromkeys(_STAGE_OF_ACTION[a] for a in link.actions if a in _STAGE_OF_ACTION)),
                "says": [a for a in dict.fromkeys(link.actions) if a in ("notify", "webhook")],
            }
            for link in links
        ],
    }  # fmt: skip


def start(link: Link) -> str:
    """Return the stage that sets a trigger off; empty for what happens outside of the pipeline."""
    if link.event == "scene.status_changed":
        found = {_STAGE_OF_STATUS.get(status, "scenes") for status in link.statuses}
        return found.pop() if len(found) == 1 else "scenes"
    return _STAGE_OF_EVENT.get(link.event, "")
