"""Character metadata: a typed list of fields, and what is wrong with a file that should follow it.

The list is read from a JSON file of the form of ``data/schemas/character_metadata.json``. Unknown keys are kept, for
a delivery must not lose what a studio wrote, and reported as warnings.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from x121lib.base.errors import InvalidInputError
from x121lib.terms.vocabulary import FieldType, VerdictOutcome


@dataclass(frozen=True)
class FieldSpec:
    """One field of a metadata schema."""

    name: str
    """Key in the JSON file."""
    type: FieldType
    """Type of its value."""
    required: bool = False
    """Whether a file without it is refused."""
    label: str = ""
    """What a form shows."""
    category: str = ""
    """Group in a form."""
    minimum: float | None = None
    """Smallest number, or shortest text in characters."""
    maximum: float | None = None
    """Largest number, or longest text in characters."""
    choices: tuple[str, ...] = ()
    """Accepted values of a choice."""


@dataclass(frozen=True)
class FieldProblem:
    """What is wrong with one field, or with the whole file."""

    field: str
    """Name of the field; empty where the file itself is wrong."""
    outcome: VerdictOutcome
    """warn or fail."""
    reason: str
    """What is wrong."""
    hint: str
    """What to do."""


def load_fields(text: str) -> tuple[FieldSpec, ...]:
    """Return the fields of a schema file.

    Raises:
        InvalidInputError: no JSON, or a field without name or with an unknown type.
    """
    document = parse_json_object(text)
    fields = []
    for place, row in enumerate(document.get("fields") or []):
        try:
            fields.append(_field(row))
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise InvalidInputError(
                f"Field {place + 1} of the metadata schema is malformed: {error}.",
                hint=f"A field has a name and a type of {', '.join(FieldType)}.",
            ) from error
    return tuple(fields)


def _field(row: Mapping[str, Any]) -> FieldSpec:
    return FieldSpec(
        name=row["name"],
        type={kind.value: kind for kind in FieldType}[row["type"]],
        required=bool(row.get("required")),
        label=row.get("label", ""),
        category=row.get("category", ""),
        minimum=row.get("minimum", row.get("min_length")),
        maximum=row.get("maximum", row.get("max_length")),
        choices=tuple(row.get("choices", ())),
    )


def parse_json_object(text: str) -> dict[str, Any]:
    """Return the JSON object that a text holds.

    Raises:
        InvalidInputError: no JSON (with line and column), no object, a key twice, NaN or Infinity, nested too deep,
            or a value that can not be stored.
    """
    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise InvalidInputError(
            f"line {error.lineno}, column {error.colno}: {error.msg}.", hint="Correct the JSON there."
        ) from error
    except ValueError as error:  # Python reads no whole number of more than 4,300 digits
        raise InvalidInputError(f"The JSON can not be read: {error}.", hint="Shorten the number.") from error
    except RecursionError as error:
        raise InvalidInputError("The JSON is nested too deep.", hint="Use plain fields.") from error
    if not isinstance(document, dict):
        raise InvalidInputError("The JSON is no object.", hint='Write {"display_name": "…", …}.')
    _check_storable(document)
    return document


def _check_storable(document: dict[str, Any]) -> None:
    """Raise where a value is valid JSON and still fits neither PostgreSQL nor the delivered file."""
    try:
        again = json.dumps(document, ensure_ascii=False, allow_nan=False)
        again.encode()
    except ValueError as error:  # 1e999, or half of a surrogate pair
        raise InvalidInputError(f"A value can not be stored: {error}.", hint="Correct that value.") from error
    if "\\u0000" in again:
        raise InvalidInputError("A text contains the character U+0000.", hint="Remove it.")


def check_metadata(document: Mapping[str, Any], fields: Sequence[FieldSpec]) -> list[FieldProblem]:
    """Return everything wrong with a metadata object: failures for broken fields, warnings for unknown keys."""
    problems = []
    for field in fields:
        value = document.get(field.name)
        if value is None:
            if field.required:
                hint = f"Add it ({_describe(field)})."
                problems.append(FieldProblem(field.name, VerdictOutcome.FAIL, "The field is missing.", hint))
            continue
        if wrong := _wrong(value, field):
            problems.append(FieldProblem(field.name, VerdictOutcome.FAIL, wrong, f"Expected {_describe(field)}."))
    known = {field.name for field in fields}
    for key in document:
        if key not in known:
            reason = "The schema does not know this field; it is kept and delivered as it is."
            problems.append(FieldProblem(key, VerdictOutcome.WARN, reason, "Add it to the schema or correct its name."))
    return problems


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise InvalidInputError(f"The key '{key}' occurs twice.", hint="Keep one of them.")
        found[key] = value
    return found


def _no_constant(name: str) -> NoReturn:
    raise InvalidInputError(f"{name} is no JSON value.", hint="Use a number or null.")


def _describe(field: FieldSpec) -> str:
    if field.type is FieldType.CHOICE:
        return f"one of {', '.join(field.choices)}"
    words = {
        FieldType.TEXT: "text",
        FieldType.INTEGER: "a whole number",
        FieldType.NUMBER: "a number",
        FieldType.BOOLEAN: "true or false",
        FieldType.DATE: "a date such as 1990-12-31",
    }[field.type]
    unit = " characters" if field.type is FieldType.TEXT else ""
    bounds = [f"{word} {limit:g}{unit}" for word, limit in (("at least", field.minimum), ("at most", field.maximum))
              if limit is not None]  # fmt: skip
    return ", ".join([words, *bounds])


def _wrong(value: Any, field: FieldSpec) -> str:
    """Return what is wrong with a value that is there; empty where nothing is."""
    shown = json.dumps(value, ensure_ascii=False)
    shown = shown if len(shown) <= 60 else shown[:57] + "…"
    if field.type is FieldType.CHOICE:
        return "" if value in field.choices else f"{shown} is none of the choices."
    if not _has_type(value, field.type):
        return f"{shown} has the wrong type."
    measured = len(value) if field.type is FieldType.TEXT else value
    if field.type in (FieldType.TEXT, FieldType.INTEGER, FieldType.NUMBER):
        if field.minimum is not None and measured < field.minimum:
            return f"{shown} is too short." if field.type is FieldType.TEXT else f"{shown} is too small."
        if field.maximum is not None and measured > field.maximum:
            return f"{shown} is too long." if field.type is FieldType.TEXT else f"{shown} is too large."
    return ""


def _has_type(value: Any, kind: FieldType) -> bool:
    if kind is FieldType.DATE:
        return isinstance(value, str) and _is_date(value)
    if kind is FieldType.BOOLEAN:
        return isinstance(value, bool)
    accepted: dict[FieldType, tuple[type, ...]] = {
        FieldType.TEXT: (str,),
        FieldType.INTEGER: (int,),
        FieldType.NUMBER: (int, float),
    }
    return isinstance(value, accepted[kind]) and not isinstance(value, bool)


def _is_date(text: str) -> bool:
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
