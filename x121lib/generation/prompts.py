"""Prompt templates: `{slot}` is filled from the character's metadata. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def resolve(template: str, values: Mapping[str, object]) -> str:
    """Return the template with its slots filled; a slot without a value falls away with one space before it."""
    filled = _SLOT.sub(lambda found: str(values.get(found.group(1), "")), template)
    return re.sub(r"\s{2,}", " ", filled).strip()


def slots_of(template: str) -> list[str]:
    """Return the slots that a template names, in order, each once."""
    return list(dict.fromkeys(_SLOT.findall(template)))
