"""Texts that the editor changes before it sends them: choices in prompts, values in file names. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_ESCAPED = re.compile(r"\\([{}|])")
_PATTERN = re.compile(r"%([^%]+)%")
_UNSAFE = re.compile(r'[/?<>\\:*|"\x00-\x1f\x7f]')


def resolve_choices(text: str) -> str:
    """Return a prompt without comments and with each ``{a|b}`` replaced by its first choice.

    The editor draws a choice anew for each run; a workflow that is stored must say the same every time.
    """
    result, rest = "", _COMMENT.sub("", text)
    position = 0
    while position < len(rest):
        char = rest[position]
        if char == "\\":
            result += rest[position : position + 2]
            position += 2
        elif char == "{":
            first, position = _first_choice(rest, position + 1)
            rest, position = first + rest[position:], 0
        else:
            result += char
            position += 1
    return _ESCAPED.sub(r"\1", result)


def _first_choice(text: str, start: int) -> tuple[str, int]:
    """Return the first choice of a block and the position after the block."""
    first, depth, chosen, position = "", 0, False, start
    while position < len(text):
        char = text[position]
        width = 2 if char == "\\" else 1
        if char == "}" and depth == 0:
            return first, position + 1
        depth += (char == "{") - (char == "}")
        chosen = chosen or (char == "|" and depth == 0)
        if not chosen:
            first += text[position : position + width]
        position += width
    return first, position


def replace_values(text: str, find: Callable[[str, str], str | None]) -> str:
    """Return a file name with each ``%node.widget%`` replaced by that widget's value.

    ``%date:…%`` is left, as there is no clock here; so is what ``find`` does not know.
    """

    def replaced(match: re.Match[str]) -> str:
        parts = match.group(1).split(".")
        value = find(parts[0], parts[1]) if len(parts) == 2 else None
        return match.group(0) if value is None else _UNSAFE.sub("_", value)

    return _PATTERN.sub(replaced, text)
