"""Change one metadata field of a character: read as its type, checked against the schema, written to the audit log."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import InvalidInputError, NotFoundError
from x121lib.intake.metadata import FieldSpec, check_metadata
from x121lib.intake.service import typed_column
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import FieldType, VerdictOutcome

_YES = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_COLUMNS = ("text_value", "integer_value", "number_value", "boolean_value", "date_value")


def save_field(
    session: Session, actor: Actor, character_id: uuid.UUID, given: tuple[str, str], fields: Sequence[FieldSpec]
) -> str:
    """Save one field, ``given`` as (name, text); an empty text removes the value. Returns the field's label.

    Raises:
        ForbiddenError: the actor may not import.
        NotFoundError: no such character or field.
        InvalidInputError: the text breaks a rule of the schema, or a required field would be empty.
    """
    actor.require(Permission.IMPORT)
    name, text = given
    field = next((f for f in fields if f.name == name), None)
    row = session.scalars(sa.select(m.MetadataField).where(m.MetadataField.name == name)).one_or_none()
    if field is None or row is None:
        known = ", ".join(f.name for f in fields)
        raise NotFoundError(f"There is no metadata field '{name}'.", hint=f"Known: {known}.")
    if session.get(m.Character, character_id, with_for_update=True) is None:
        raise NotFoundError("There is no such character.")
    value = _parse(field, text.strip())
    wrong = [p for p in check_metadata({name: value}, [field]) if p.outcome == VerdictOutcome.FAIL]
    if wrong:
        raise InvalidInputError(f"{field.label or name}: {wrong[0].reason}", hint=wrong[0].hint)
    before = _write(session, character_id, row.id, field, value)
    audit.record(session, actor, "character.metadata", ("character", character_id),
                 before={name: before}, after={name: value})  # fmt: skip
    return field.label or name


def _parse(field: FieldSpec, text: str) -> Any:
    """Return the text as the field's type; text that is none stays text, and the check names it."""
    if text == "":
        return None
    try:
        if field.type == FieldType.INTEGER:
            return int(text)
        if field.type == FieldType.NUMBER:
            return float(text)
    except ValueError:
        return text
    if field.type == FieldType.BOOLEAN:
        return _YES.get(text.lower(), text)
    return text


def _write(session: Session, character_id: uuid.UUID, field_id: uuid.UUID, field: FieldSpec, value: Any) -> Any:
    """Replace the stored value; returns the one before."""
    known = session.get(m.CharacterMetadataValue, (character_id, field_id))
    before = None
    if known is not None:
        before = next(v for c in _COLUMNS if (v := getattr(known, c)) is not None)
        session.delete(known)
        session.flush()
    if value is not None:
        column, typed = typed_column(field.type, value)
        row = m.CharacterMetadataValue(character_id=character_id, field_id=field_id, updated_at=sa.func.now())
        setattr(row, column, typed)
        session.add(row)
    session.flush()
    return before
