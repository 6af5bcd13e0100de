"""Compare plain data with a TypedDict of the pages' contract, key by key (pydantic wants Python 3.12 for that)."""

from __future__ import annotations

import types
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict


def problems(value: Any, shape: Any, at: str = "$") -> list[str]:
    """Return what in ``value`` is not of ``shape``: wrong types, keys that lack, keys that are too many."""
    if is_typeddict(shape):
        return _of_typed_dict(value, shape, at)
    origin, arguments = get_origin(shape), get_args(shape)
    if shape is Any:
        return []
    if origin is NotRequired:
        return problems(value, arguments[0], at)
    if origin is Literal:
        return [] if value in arguments else [f"{at}: {value!r} is none of {arguments}"]
    if origin in (Union, types.UnionType):
        return [] if any(not problems(value, each, at) for each in arguments) else [f"{at}: {value!r} is no {shape}"]
    if origin is list:
        if not isinstance(value, list):
            return [f"{at}: {value!r} is no list"]
        return [p for i, each in enumerate(value) for p in problems(each, arguments[0], f"{at}[{i}]")]
    if origin is dict:
        if not isinstance(value, dict):
            return [f"{at}: {value!r} is no dict"]
        return [
            p for k, v in value.items() for p in problems(k, arguments[0], at) + problems(v, arguments[1], f"{at}.{k}")
        ]
    return _of_plain(value, shape, at)


def _of_typed_dict(value: Any, shape: Any, at: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{at}: {value!r} is no dict"]
    hints = get_type_hints(shape, include_extras=True)
    optional = {name for name, hint in hints.items() if get_origin(hint) is NotRequired}
    found = [f"{at}.{name} lacks" for name in hints if name not in value and name not in optional]
    found += [f"{at}.{name} is too many" for name in value if name not in hints]
    return found + [
        p for name, hint in hints.items() if name in value for p in problems(value[name], hint, f"{at}.{name}")
    ]


def _of_plain(value: Any, shape: Any, at: str) -> list[str]:
    if shape is type(None):
        return [] if value is None else [f"{at}: {value!r} is not None"]
    if shape is float:
        fine = isinstance(value, int | float) and not isinstance(value, bool)
    elif shape is int:
        fine = isinstance(value, int) and not isinstance(value, bool)
    else:
        fine = isinstance(value, shape)
    return [] if fine else [f"{at}: {value!r} is no {shape.__name__}"]
