"""What people write of a slot, read and checked. Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from x121lib.base.errors import InvalidInputError
from x121lib.comfyui.slots import Slot
from x121lib.terms.vocabulary import SlotType

CHANGEABLE = ("name", "label", "is_hidden", "default", "minimum", "maximum", "step", "choices")
"""What people may change of a slot."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,79}")
_LABEL_CHARS = 200
_MOST_CHOICES = 500


def checked_name(name: Any) -> str:
    """Return a slot's name; raises `InvalidInputError` for one that scene type files could not name."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidInputError(
            f"'{name}' can be no slot's name.",
            hint="Lower case letters, digits and underscores, a letter first, at most 80.",
        )
    return name


def checked_changes(slot: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes with numbers as numbers; raises `InvalidInputError` that names slot and value."""
    if unknown := sorted(set(changes) - set(CHANGEABLE)):
        raise InvalidInputError(f"Slot '{slot}' has no '{unknown[0]}'.", hint=f"It has: {', '.join(CHANGEABLE)}.")
    found = dict(changes)
    if "name" in found:
        checked_name(found["name"])
    if "label" in found and (not isinstance(found["label"], str) or len(found["label"]) > _LABEL_CHARS):
        raise InvalidInputError(f"Slot '{slot}': a label has at most {_LABEL_CHARS} characters.")
    for key in ("minimum", "maximum", "step"):
        value = found.get(key)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise InvalidInputError(f"Slot '{slot}': {key} must be a number, not {value!r}.")
        if key == "step" and value <= 0:
            raise InvalidInputError(f"Slot '{slot}': step must be above 0, not {value}.")
    choices = found.get("choices", [])
    if not isinstance(choices, list | tuple) or not all(isinstance(c, str) and c for c in choices):
        raise InvalidInputError(f"Slot '{slot}': choices are texts.")
    if len(choices) > _MOST_CHOICES:
        raise InvalidInputError(f"Slot '{slot}': at most {_MOST_CHOICES} choices.")
    return found


def parsed(slot: Slot, given: Any) -> Any:
    """Return a value of the slot's type from a text that a person wrote; others as they are.

    Raises:
        InvalidInputError: the text is no number or no switch where the slot takes one.
    """
    if not isinstance(given, str) or slot.type not in (SlotType.INT, SlotType.FLOAT, SlotType.BOOLEAN):
        return given
    try:
        return json.loads(given.strip())
    except ValueError as error:
        wanted = "true or false" if slot.type is SlotType.BOOLEAN else slot.range_words or "a number"
        raise InvalidInputError(f"Slot {slot.name} takes {wanted}, not '{given[:80]}'.") from error
