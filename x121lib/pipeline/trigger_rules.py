"""What a trigger's rule may say, and what it means: events, fields, conditions, actions. Pure; nothing is evaluated.

A rule is data that pydantic validates: comparisons of known fields with given values, and known actions with known
options. There is no expression language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from x121lib.base.errors import InvalidInputError
from x121lib.terms.automation import ActionKind
from x121lib.terms.vocabulary import (
    DecisionOutcome,
    EventKind,
    PriorityClass,
    RoleName,
    SceneStatus,
    TaskStatus,
    VerdictOutcome,
    WorkerStatus,
)

Value = bool | int | float | str
"""What a field can hold; a comparison with another type never holds."""
NUMBERS = frozenset({"segment", "faces", "open_scenes", "open_scenes_project", "percent"})
"""Fields that hold a number."""
TEXTS = frozenset({"project", "character", "scene_type", "variant", "tier", "status", "before", "outcome", "error"})
"""Fields that hold a word."""
OPEN = ("score.", "metadata.")
"""Beginnings of fields that name a metric, or a field of the character's metadata."""
_SCENE = frozenset({"project", "character", "scene_type", "variant", "tier", "faces", "open_scenes",
                    "open_scenes_project"})  # fmt: skip
_VARIANT = frozenset({"project", "character", "variant", "faces", "open_scenes", "open_scenes_project"})
_PROJECT = frozenset({"project", "open_scenes_project"})


@dataclass(frozen=True)
class EventFacts:
    """What is known of a kind of event."""

    fields: frozenset[str]
    """Fields that conditions may use."""
    opens: tuple[str, ...] = ()
    """Beginnings of further ones."""
    values: Mapping[str, frozenset[str]] | None = None
    """Words that a field of this event can hold, where they are few."""


def _names(terms: Any) -> frozenset[str]:
    return frozenset(term.value for term in terms)


_META = ("metadata.",)
EVENTS: dict[EventKind, EventFacts] = {
    EventKind.CHARACTER_IMPORTED: EventFacts(
        frozenset({"project", "character", "open_scenes", "open_scenes_project"}), _META
    ),
    EventKind.VARIANT_GENERATED: EventFacts(_VARIANT, _META),
    EventKind.VARIANT_APPROVED: EventFacts(_VARIANT, _META),
    EventKind.VARIANT_REJECTED: EventFacts(_VARIANT, _META),
    EventKind.BATCH_SUBMITTED: EventFacts(_PROJECT),
    EventKind.TASK_COMPLETED: EventFacts(_SCENE | {"segment", "status"}, _META,
                                         {"status": _names([TaskStatus.COMPLETE])}),
    EventKind.TASK_FAILED: EventFacts(_SCENE | {"segment", "status", "error"}, _META,
                                      {"status": _names([TaskStatus.FAILED])}),
    EventKind.TAKE_SCORED: EventFacts(_SCENE | {"segment", "outcome"}, OPEN, {"outcome": _names(VerdictOutcome)}),
    EventKind.SCENE_STATUS_CHANGED: EventFacts(_SCENE | {"status", "before"}, OPEN,
                                               {"status": _names(SceneStatus), "before": _names(SceneStatus)}),
    EventKind.SCENE_ASSEMBLED: EventFacts(_SCENE, OPEN),
    EventKind.DECISION_MADE: EventFacts(_SCENE | {"outcome"}, OPEN, {"outcome": _names(DecisionOutcome)}),
    EventKind.RETAKE_QUEUED: EventFacts(_SCENE, _META),
    EventKind.SEGMENT_ESCALATED: EventFacts(_SCENE | {"segment"}, OPEN),
    EventKind.DELIVERY_WRITTEN: EventFacts(_PROJECT),
    EventKind.BUDGET_WARNED: EventFacts(_PROJECT | {"percent"}),
    EventKind.BUDGET_USED_UP: EventFacts(_PROJECT | {"percent"}),
    EventKind.WORKER_CHANGED: EventFacts(frozenset({"status"}), (), {"status": _names(WorkerStatus)}),
    EventKind.WORKER_ALERTED: EventFacts(frozenset()),
    EventKind.WORKFLOW_IMPORTED: EventFacts(frozenset()),
    EventKind.WORKFLOW_STATUS_CHANGED: EventFacts(frozenset()),
    EventKind.SCENE_TYPE_LOADED: EventFacts(frozenset({"scene_type"})),
    EventKind.MODEL_DOWNLOADED: EventFacts(frozenset()),
    EventKind.MODEL_WENT_MISSING: EventFacts(frozenset()),
    EventKind.RELEASE_REVOKED: EventFacts(frozenset()),
}  # fmt: skip
"""Events that a trigger can listen to."""
WITH_SCENE = frozenset(
    kind for kind, facts in EVENTS.items() if "scene_type" in facts.fields and "tier" in facts.fields
)
"""Events that are about one scene."""
WITH_CHARACTER = frozenset(kind for kind, facts in EVENTS.items() if "character" in facts.fields)
"""Events that are about one character."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Names = Annotated[tuple[Name, ...], Field(min_length=1, max_length=200)]
Same = Literal["same", "all"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Condition(_Strict):
    """One comparison of a field with given values; exactly one of the comparisons is given."""

    field: Name
    is_: Value | tuple[Value, ...] | None = Field(None, alias="is")
    is_not: Value | tuple[Value, ...] | None = None
    at_least: float | None = None
    at_most: float | None = None
    above: float | None = None
    below: float | None = None

    @field_validator("field")
    @classmethod
    def _known(cls, field: str) -> str:
        if field not in NUMBERS | TEXTS and not (field.startswith(OPEN) and field.split(".", 1)[1]):
            known = ", ".join(sorted(NUMBERS | TEXTS))
            raise ValueError(f"there is no field '{field}'; known: {known}, score.METRIC, metadata.FIELD")
        return field

    @model_validator(mode="after")
    def _one_comparison(self) -> Condition:
        given = [name for name in _COMPARISONS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"'{self.field}' needs exactly one of is, is_not, at_least, at_most, above, below")
        if self.field in TEXTS and given[0] not in ("is_", "is_not"):
            raise ValueError(f"'{self.field}' holds a word: compare it by is or is_not")
        return self

    def holds(self, value: Value | None) -> bool:
        """Return whether a field's value meets this; a field without a value meets only ``is_not``."""
        (name,) = (name for name in _COMPARISONS if getattr(self, name) is not None)
        wanted = getattr(self, name)
        return _COMPARISONS[name](value, wanted)

    def words(self) -> str:
        """Return it as people read it: ``variant is clothed``."""
        (name,) = (name for name in _COMPARISONS if getattr(self, name) is not None)
        wanted = getattr(self, name)
        shown = " or ".join(map(str, wanted)) if isinstance(wanted, tuple) else str(wanted)
        return f"{self.field} {name.rstrip('_').replace('_', ' ')} {shown}"


def _is(value: Value | None, wanted: Any) -> bool:
    options = wanted if isinstance(wanted, tuple) else (wanted,)
    return value is not None and any(_folded(value) == _folded(option) for option in options)


def _folded(value: Value) -> Value:
    """Return a value as `is` compares it: words without regard to case, 1 equal to 1.0."""
    return value.casefold() if isinstance(value, str) else value


def _number(compare: Callable[[float, float], bool]) -> Callable[[Value | None, Any], bool]:
    def holds(value: Value | None, wanted: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and compare(float(value), wanted)

    return holds


_COMPARISONS: dict[str, Callable[[Value | None, Any], bool]] = {
    "is_": _is,
    "is_not": lambda value, wanted: not _is(value, wanted),
    "at_least": _number(lambda value, wanted: value >= wanted),
    "at_most": _number(lambda value, wanted: value <= wanted),
    "above": _number(lambda value, wanted: value > wanted),
    "below": _number(lambda value, wanted: value < wanted),
}


class Submit(_Strict):
    """Queue scenes that are not being made: by default every scene of the event's character and variant."""

    action: Literal["submit"]
    characters: Same | Names = "same"
    scene_types: Same | Names = "all"
    variants: Same | Names = "same"
    tier: Name | None = None
    priority: PriorityClass = PriorityClass.NORMAL
    off_peak: bool = False


class RerunQa(_Strict):
    """Examine the event's take, or every chosen take of its scene, again under the scene type's QA profile."""

    action: Literal["rerun_qa"]


class Retake(_Strict):
    """Queue new takes of the event's scene, from its segment (of a scene's event: the first) or a given one."""

    action: Literal["retake"]
    from_segment: Annotated[int, Field(ge=1, le=10_000)] | None = None


class Assemble(_Strict):
    """Join the takes of the event's scene into its cut."""

    action: Literal["assemble"]


class Deliver(_Strict):
    """Write a delivery of the event's project: of the event's character, or of all."""

    action: Literal["deliver"]
    characters: Same | Names = "same"
    partial: bool = False


class Notify(_Strict):
    """Tell people something: ``owner`` is who enabled the trigger, else a role or an e-mail address."""

    action: Literal["notify"]
    to: Names = ("owner",)
    text: Annotated[str, StringConstraints(min_length=1, max_length=500)] = "{trigger}: {what}"

    @field_validator("to")
    @classmethod
    def _known(cls, to: tuple[str, ...]) -> tuple[str, ...]:
        roles = {role.value for role in RoleName}
        for name in to:
            if name != "owner" and name not in roles and "@" not in name:
                raise ValueError(f"'{name}' is nobody: give owner, {', '.join(sorted(roles))} or an e-mail address")
        return to

    @field_validator("text")
    @classmethod
    def _fields(cls, text: str) -> str:
        for name in PLACEHOLDER.findall(text):
            if name not in TEXTS | NUMBERS | {"trigger", "what", "event"}:
                raise ValueError(
                    f"'{{{name}}}' is no field; known: {', '.join(sorted(TEXTS | NUMBERS))}, trigger, what"
                )
        return text


class CallWebhook(_Strict):
    """Send the event with what is known of it to a webhook."""

    action: Literal["webhook"]
    name: Name


Action = Annotated[Submit | RerunQa | Retake | Assemble | Deliver | Notify | CallWebhook, Field(discriminator="action")]
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
COSTLY = frozenset({ActionKind.SUBMIT, ActionKind.RETAKE})
"""Actions that cost GPU time: only an Admin enables a trigger that has one."""
NEEDS_SCENE = frozenset({ActionKind.RERUN_QA, ActionKind.RETAKE, ActionKind.ASSEMBLE})


class Rule(_Strict):
    """A whole rule, as a file or a form gives it."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]
    on: EventKind
    project: Name | None = None
    character: Name | None = None
    scene_type: Name | None = None
    description: Annotated[str, StringConstraints(max_length=500)] = ""
    when: Annotated[tuple[Condition, ...], Field(max_length=20)] = ()
    if_: Annotated[tuple[Condition, ...], Field(max_length=20)] = Field((), alias="if")
    do: Annotated[tuple[Action, ...], Field(max_length=10)] = ()
    otherwise: Annotated[tuple[Action, ...], Field(max_length=10)] = ()
    together: bool = False
    at_most: Annotated[int, Field(ge=1, le=50)] | None = None

    @field_validator("on", mode="before")
    @classmethod
    def _event(cls, on: Any) -> Any:
        known = [kind.value for kind in EVENTS]
        if str(on) not in known:
            raise ValueError(f"no trigger can listen to '{on}'; known: {', '.join(known)}")
        return on

    @model_validator(mode="after")
    def _fits(self) -> Rule:
        if not self.do and not self.otherwise:
            raise ValueError("it does nothing: give at least one action under do")
        if self.otherwise and not self.if_:
            raise ValueError("otherwise needs conditions under if")
        if self.character is not None and self.project is None:
            raise ValueError("a character needs its project")
        facts = EVENTS[self.on]
        for scope, known in (("project", "project"), ("character", "character"), ("scene_type", "scene_type")):
            if getattr(self, scope) is not None and known not in facts.fields:
                raise ValueError(f"'{self.on.value}' is about no {scope.replace('_', ' ')}")
        for condition in (*self.when, *self.if_):
            _check_field(self.on, condition)
        for action in (*self.do, *self.otherwise):
            _check_action(self.on, action)
        return self

    @property
    def actions(self) -> tuple[Action, ...]:
        """Every action of both branches."""
        return (*self.do, *self.otherwise)

    @property
    def is_costly(self) -> bool:
        """Whether an action costs GPU time."""
        return any(ActionKind(action.action) in COSTLY for action in self.actions)

    def document(self) -> dict[str, Any]:
        """Return it as it is stored, and as `parse` takes it back."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _check_field(on: EventKind, condition: Condition) -> None:
    facts = EVENTS[on]
    if condition.field not in facts.fields and not condition.field.startswith(facts.opens or ("\x00",)):
        known = ", ".join([*sorted(facts.fields), *(f"{start}…" for start in facts.opens)]) or "none"
        raise ValueError(f"'{on.value}' has no field '{condition.field}'; it has: {known}")
    allowed = (facts.values or {}).get(condition.field)
    given = condition.is_ if condition.is_ is not None else condition.is_not
    if allowed is not None and given is not None:
        options = given if isinstance(given, tuple) else (given,)
        for word in options:
            if str(word).casefold() not in {a.casefold() for a in allowed}:
                raise ValueError(f"'{condition.field}' is never '{word}'; it is one of: {', '.join(sorted(allowed))}")


def _check_action(on: EventKind, action: Action) -> None:
    kind = ActionKind(action.action)
    if kind in NEEDS_SCENE and on not in WITH_SCENE:
        raise ValueError(f"'{action.action}' needs a scene, and '{on.value}' is about none")
    if isinstance(action, Submit | Deliver):
        if "project" not in EVENTS[on].fields:
            raise ValueError(f"'{action.action}' needs a project, and '{on.value}' is about none")
        if action.characters == "same" and on not in WITH_CHARACTER:
            raise ValueError(f"'{on.value}' is about no character: give characters, or \"all\"")
    if isinstance(action, Submit):
        if action.scene_types == "same" and on not in WITH_SCENE:
            raise ValueError(f"'{on.value}' is about no scene: give scene_types, or \"all\"")
        if action.variants == "same" and "variant" not in EVENTS[on].fields:
            raise ValueError(f"'{on.value}' is about no variant: give variants, or \"all\"")


def parse(document: Mapping[str, Any], source: str = "The trigger") -> Rule:
    """Return the rule of a document.

    Raises:
        InvalidInputError: names the source, the place and what is wrong there, of the first three faults.
    """
    try:
        return Rule.model_validate(dict(document))
    except ValidationError as error:
        found = [f"{_place(e['loc'])}{_said(e)}" for e in error.errors()[:3]]
        raise InvalidInputError(f"{source}: {'; '.join(found)}.", hint="docs/triggers.md has every field.") from error


def _place(location: tuple[int | str, ...]) -> str:
    """Return where a fault is, actions and conditions counted from 1, without pydantic's names of union members."""
    tags = {kind.value for kind in ActionKind}
    parts = [str(p + 1) if isinstance(p, int) else p for p in location if p not in tags and not _is_type_name(p)]
    return f"{'.'.join(parts)}: " if parts else ""


def _is_type_name(part: int | str) -> bool:
    return isinstance(part, str) and (part[:1].isupper() or "[" in part or part in {"bool", "int", "float", "str"})


def _said(error: Any) -> str:
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        return "there is no such key"
    if error["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return f"action must be one of {', '.join(kind.value for kind in ActionKind)}"
    return message
