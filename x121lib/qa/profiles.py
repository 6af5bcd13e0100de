"""QA profiles: named sets of gates, read from TOML files."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from x121lib.base.errors import InvalidInputError, NotFoundError
from x121lib.qa.metrics import metric
from x121lib.terms.quality import Gate

_BOUNDS = ("warn_below", "fail_below", "warn_above", "fail_above")


@dataclass(frozen=True)
class Profile:
    """A named set of gates."""

    name: str
    """Name that scene types refer to."""
    description: str
    """When to use it, in a sentence."""
    gates: tuple[Gate, ...]
    """The gates, in the file's order; at most one per metric."""


def load_profile(path: Path) -> Profile:
    """Return the profile in a TOML file.

    Raises:
        InvalidInputError: the file is missing, is no TOML, lacks a key or holds an unknown or wrong one; the message
            names the file, the gate and the key.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInputError(f"{path} cannot be read as a QA profile: {error}.") from error
    _only(content, ("name", "description", "gate"), f"{path}")
    gates = content.get("gate")
    if not isinstance(gates, list) or not gates or not all(isinstance(entry, dict) for entry in gates):
        raise InvalidInputError(
            f"{path} has no gate.",
            hint="Write at least one [[gate]] with its metric and a bound.",
        )
    read = tuple(_gate(entry, f"{path}, gate {number}") for number, entry in enumerate(gates, start=1))
    names = [gate.metric for gate in read]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidInputError(
            f"{path} gates {', '.join(twice)} more than once.",
            hint="Keep one [[gate]] a metric.",
        )
    return Profile(_text(content, "name", path), _text(content, "description", path), read)


def _text(content: dict[str, Any], key: str, path: Path) -> str:
    value = content.get(key)
    if not isinstance(value, str) or not value.strip():
        raise InvalidInputError(f"{path}: {key} must be a text and is {value!r}.")
    return value


def _gate(entry: dict[str, Any], where: str) -> Gate:
    _only(entry, ("metric", *_BOUNDS), where)
    name = entry.get("metric")
    if not isinstance(name, str):
        raise InvalidInputError(f"{where}: metric must be a metric's name and is {name!r}.")
    bounds = {key: _bound(entry[key], f"{where} ({name}): {key}") for key in _BOUNDS if key in entry}
    try:
        metric(name)
        return Gate(name, **bounds)
    except (NotFoundError, InvalidInputError) as error:
        raise InvalidInputError(f"{where}: {error.message}", hint=error.hint) from error


def _bound(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInputError(f"{where} must be a number and is {value!r}.")
    return float(value)


def _only(content: dict[str, Any], allowed: tuple[str, ...], where: str) -> None:
    unknown = sorted(set(content) - set(allowed))
    if unknown:
        raise InvalidInputError(
            f"{where}: {unknown[0]} is not a known key.",
            hint=f"Known: {', '.join(allowed)}.",
        )
