"""What a server's description of a node class says of one input. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from x121lib.terms.vocabulary import SlotType

_TYPES = {"INT": SlotType.INT, "FLOAT": SlotType.FLOAT, "STRING": SlotType.STRING, "BOOLEAN": SlotType.BOOLEAN}
_FILE = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,11}$")
_MOST_CHOICES = 500


@dataclass(frozen=True)
class InputSpec:
    """One input as its class declares it."""

    type: SlotType | None
    """What it takes; None for what only a link gives."""
    minimum: float | None = None
    """Smallest number, None for no bound."""
    maximum: float | None = None
    """Largest number, None for no bound."""
    step: float | None = None
    """By how much the editor changes the number, None where the class does not say."""
    choices: tuple[str, ...] = ()
    """Values of a list; empty for lists of files, which differ from server to server and from day to day."""
    default: Any = None
    """What a new node starts with, None where the class does not say."""


def input_spec(object_info: Mapping[str, Any] | None, class_type: str, input_name: str) -> InputSpec | None:
    """Return what a server says of an input, None where it does not know class or input."""
    described = (object_info or {}).get(class_type)
    inputs = described.get("input") if isinstance(described, Mapping) else None
    groups = [inputs.get(group) for group in ("required", "optional")] if isinstance(inputs, Mapping) else []
    declared = next((g[input_name] for g in groups if isinstance(g, Mapping) and input_name in g), None)
    if not isinstance(declared, list) or not declared:
        return None
    options = declared[1] if len(declared) > 1 and isinstance(declared[1], Mapping) else {}
    default = options.get("default")
    if isinstance(declared[0], list) or declared[0] == "COMBO":
        listed = declared[0] if isinstance(declared[0], list) else options.get("options")
        return InputSpec(SlotType.CHOICE, choices=_choices(listed), default=default)
    low, high, step = (_number(options.get(key)) for key in ("min", "max", "step"))
    return InputSpec(_TYPES.get(str(declared[0])), low, high, step, default=default)


def _choices(listed: Any) -> tuple[str, ...]:
    if not isinstance(listed, list) or len(listed) > _MOST_CHOICES or not all(isinstance(c, str) for c in listed):
        return ()
    return () if any(_FILE.search(choice) for choice in listed) else tuple(listed)


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
