"""Whether triggers can set each other off without end. Pure.

Each action is known by the events that may follow from it without a person's doing: a submitted scene is rendered,
scored, assembled and sent to review; it is never approved. Trigger A leads to trigger B where an event that may follow
from an action of A is one that B listens to and nothing that both say rules it out. What is not known for certain
counts as possible, so a set that passes can not loop; `at_most` bounds a loop that is wanted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from x121lib.pipeline.trigger_rules import Action, Condition, Deliver, Retake, Rule, Submit
from x121lib.terms.automation import ActionKind
from x121lib.terms.vocabulary import EventKind, SceneStatus


@dataclass(frozen=True)
class Effect:
    """An event that may follow from an action, with what its fields can be."""

    kind: EventKind
    """Kind of the event."""
    fields: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """For fields of which it is known: the words that they can hold."""


def _status(*statuses: SceneStatus) -> dict[str, frozenset[str]]:
    return {"status": frozenset(s.value for s in statuses)}


_RENDERED = (
    Effect(EventKind.TASK_COMPLETED),
    Effect(EventKind.TASK_FAILED),
    Effect(EventKind.TAKE_SCORED),
    Effect(
        EventKind.SCENE_STATUS_CHANGED,
        _status(SceneStatus.PENDING, SceneStatus.GENERATING, SceneStatus.REVIEW, SceneStatus.FAILED),
    ),
    Effect(EventKind.SCENE_ASSEMBLED),
    Effect(EventKind.RETAKE_QUEUED),
    Effect(EventKind.SEGMENT_ESCALATED),
    Effect(EventKind.BUDGET_WARNED),
    Effect(EventKind.BUDGET_USED_UP),
    Effect(EventKind.WORKER_CHANGED),
    Effect(EventKind.WORKER_ALERTED),
)
EFFECTS: dict[ActionKind, tuple[Effect, ...]] = {
    ActionKind.SUBMIT: (Effect(EventKind.BATCH_SUBMITTED), *_RENDERED),
    ActionKind.RETAKE: _RENDERED,
    ActionKind.RERUN_QA: (Effect(EventKind.TAKE_SCORED),),
    ActionKind.ASSEMBLE: (
        Effect(EventKind.SCENE_ASSEMBLED),
        Effect(EventKind.SCENE_STATUS_CHANGED, _status(SceneStatus.REVIEW, SceneStatus.FAILED)),
    ),
    ActionKind.DELIVER: (Effect(EventKind.DELIVERY_WRITTEN),),
    ActionKind.NOTIFY: (),
    ActionKind.WEBHOOK: (),
}
"""What may follow from each action without a person."""


def leads_to(a: Rule, b: Rule) -> bool:
    """Return whether a firing of ``a`` may set ``b`` off."""
    if a.project is not None and b.project is not None and a.project.casefold() != b.project.casefold():
        return False
    return any(
        effect.kind == b.on and _possible(b, {**_given(a, action), **effect.fields})
        for action in a.actions
        for effect in EFFECTS[ActionKind(action.action)]
    )


def _given(rule: Rule, action: Action) -> dict[str, frozenset[str]]:
    """Return the names that an action fixes for what it sets going."""
    found: dict[str, frozenset[str]] = {}
    if rule.project is not None:
        found["project"] = frozenset({rule.project})
    if isinstance(action, Submit):
        for name, chosen in (("character", action.characters), ("scene_type", action.scene_types),
                             ("variant", action.variants)):  # fmt: skip
            if isinstance(chosen, tuple):
                found[name] = frozenset(chosen)
        if action.tier is not None:
            found["tier"] = frozenset({action.tier})
    if isinstance(action, Submit | Deliver) and action.characters == "same" and rule.character is not None:
        found["character"] = frozenset({rule.character})
    if isinstance(action, Retake):
        for name in ("character", "scene_type"):
            if getattr(rule, name) is not None:
                found[name] = frozenset({getattr(rule, name)})
    return found


def _possible(rule: Rule, known: Mapping[str, frozenset[str]]) -> bool:
    for name in ("project", "character", "scene_type"):
        wanted = getattr(rule, name)
        if wanted is not None and name in known and wanted.casefold() not in {w.casefold() for w in known[name]}:
            return False
    needed: Iterable[Condition] = rule.when if rule.otherwise else (*rule.when, *rule.if_)
    return all(
        any(condition.holds(word) for word in known[condition.field])
        for condition in needed
        if condition.field in known
    )


def endless(candidate: Rule, others: Sequence[Rule]) -> tuple[str, ...]:
    """Return the names along the shortest loop through ``candidate`` that nothing bounds; empty where there is none.

    The first name is repeated at the end. A trigger with `at_most` ends every loop that it is on.
    """
    if candidate.at_most is not None:
        return ()
    rules = [candidate, *(r for r in others if r.at_most is None and r.name != candidate.name)]
    paths: list[tuple[Rule, ...]] = [(candidate,)]
    seen: set[str] = set()
    while paths:
        path = paths.pop(0)
        for rule in rules:
            if not leads_to(path[-1], rule):
                continue
            if rule.name == candidate.name:
                return (*(r.name for r in path), candidate.name)
            if rule.name not in seen:
                seen.add(rule.name)
                paths.append((*path, rule))
    return ()
