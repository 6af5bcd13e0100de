"""The names in a trigger's rule, looked up: its scope as keys, and that what its actions name exists."""

from __future__ import annotations

import uuid
from typing import TypedDict

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import InvalidInputError, NotFoundError
from x121lib.catalogue import queries as catalogue
from x121lib.pipeline.trigger_rules import CallWebhook, Notify, Rule, Submit
from x121lib.terms.automation import TriggerScope


class Scope(TypedDict):
    """Whose events a trigger listens to."""

    scope_id: TriggerScope
    project_id: uuid.UUID | None
    character_id: uuid.UUID | None
    scene_type_id: uuid.UUID | None


def scope(session: Session, rule: Rule) -> Scope:
    """Return the scope of a rule; raises `NotFoundError` that lists the known names."""
    found = Scope(scope_id=TriggerScope.STUDIO, project_id=None, character_id=None, scene_type_id=None)
    if rule.project is not None:
        found["project_id"] = catalogue.project(session, rule.project).id
        found["scope_id"] = TriggerScope.PROJECT
    if rule.character is not None and found["project_id"] is not None:
        (character,) = catalogue.characters(session, found["project_id"], [rule.character])
        found["character_id"], found["scope_id"] = character.id, TriggerScope.CHARACTER
    if rule.scene_type is not None:
        ((scene_type, _),) = catalogue.latest_scene_types(session, [rule.scene_type])
        found["scene_type_id"], found["scope_id"] = scene_type.id, TriggerScope.SCENE_TYPE
    return found


def check(session: Session, rule: Rule, project_id: uuid.UUID | None) -> None:
    """Refuse a rule that names what does not exist: it would fail at each firing.

    Raises:
        NotFoundError: no such webhook, person, scene type, variant kind, tier or character.
        InvalidInputError: characters by name without their project.
    """
    for action in rule.actions:
        if isinstance(action, CallWebhook):
            if session.scalar(sa.select(m.Webhook.id).where(m.Webhook.name == action.name)) is None:
                raise NotFoundError(f"There is no webhook '{action.name}'.", hint="'x121 webhook list'.")
        elif isinstance(action, Notify):
            _check_people(session, action)
        elif isinstance(action, Submit):
            _check_recipes(session, action)
        named = getattr(action, "characters", None)
        if isinstance(named, tuple):
            if project_id is None:
                raise InvalidInputError("Characters by name need the project that they are in.", hint="Add project.")
            catalogue.characters(session, project_id, list(named))


def _check_people(session: Session, action: Notify) -> None:
    for email in (name for name in action.to if "@" in name):
        if session.scalar(sa.select(m.Person.id).where(m.Person.email == email)) is None:
            raise NotFoundError(f"Nobody has the address '{email}'.", hint="'x121 person list'.")


def _check_recipes(session: Session, action: Submit) -> None:
    if isinstance(action.scene_types, tuple):
        catalogue.latest_scene_types(session, list(action.scene_types))
    for variant in action.variants if isinstance(action.variants, tuple) else ():
        catalogue.variant_kind(session, variant)
    if action.tier is not None:
        catalogue.tier(session, action.tier)
