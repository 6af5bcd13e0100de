"""What changed between two views, as a list of assignments that a page can apply in place."""

from __future__ import annotations

from typing import Any

Path = list[str | int]
Change = tuple[Path, Any]


def changes(old: Any, new: Any) -> list[Change]:
    """Return assignments (path, value) that turn ``old`` into ``new``; an empty path replaces everything.

    Dicts with the same keys and lists of the same length are compared inside; anything else is replaced whole.
    """
    found: list[Change] = []
    _collect(old, new, [], found)
    return found


def _collect(old: Any, new: Any, path: Path, found: list[Change]) -> None:
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        for key, value in new.items():
            _collect(old[key], value, [*path, key], found)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, value in enumerate(new):
            _collect(old[index], value, [*path, index], found)
    elif old != new or type(old) is not type(new):
        found.append((path, new))
