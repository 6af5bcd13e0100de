"""The retake policies' part of the web door."""

from __future__ import annotations

from typing import Any

from x121lib.base.errors import InvalidInputError
from x121lib.generation.retakes import Policy
from x121lib.pipeline import retake_policies
from x121lib.studio.door_base import DoorBase
from x121lib.studio.pages import SessionPerson, retake_rules

SCOPES = ("project", "scene type")


class RetakesDoor(DoorBase):
    """What the panel of the retake policies does; each change answers with what takes it back."""

    def set_retakes(
        self, person: SessionPerson, scope: str, name: str, policy: dict[str, Any]
    ) -> dict[str, Any]:  # fmt: skip
        """Set the policy of a project or scene type instead of the one that it has."""
        holder, given = _holder(scope, name), policy_of(policy)
        before = self._before(person, scope, name)
        self._as(person).retakes.set(given, **holder)
        self._note_change()
        back = {"name": "remove_retakes", "args": {"scope": scope, "name": name}}
        if before is not None:
            back = {"name": "set_retakes", "args": {"scope": scope, "name": name, "policy": before}}
        text = f"Takes of {name} that fail a gate are retaken up to {given.most_retakes} times"
        return {"text": text, "undo": back}

    def remove_retakes(self, person: SessionPerson, scope: str, name: str) -> dict[str, Any]:
        """Remove a policy: what fails a gate from now on waits for a person."""
        holder, before = _holder(scope, name), self._before(person, scope, name)
        self._as(person).retakes.remove(**holder)
        self._note_change()
        again = {"name": "set_retakes", "args": {"scope": scope, "name": name, "policy": before}}
        return {"text": f"Takes of {name} are no longer retaken by their own policy", "undo": again}

    def _before(self, person: SessionPerson, scope: str, name: str) -> dict[str, Any] | None:
        with self._as(person).transaction() as session:
            rows = retake_policies.listing(session)
        return next((retake_rules.written(p) for s, n, p in rows if (s, n) == (scope, name)), None)


def _holder(scope: str, name: str) -> dict[str, str]:
    if scope not in SCOPES:
        raise InvalidInputError(f"There is no scope '{scope}'.", hint="A project or a scene type.")
    return {scope.replace(" ", "_"): name}


def policy_of(given: dict[str, Any]) -> Policy:
    """Return a policy from what a page sends: numbers as text, lists, or text with commas (phrases: one a line).

    Raises:
        InvalidInputError: a number is none, or a variation is not SLOT=RANGE.
    """
    spreads = {}
    for text in listed(given.get("vary", ()), ","):
        slot, sign, spread = text.partition("=")
        try:
            spreads[slot.strip()] = float(spread)
        except ValueError as error:
            raise InvalidInputError(f"Vary: '{text}' is not SLOT=RANGE.", hint="For example cfg=0.5.") from error
        if not sign or not slot.strip():
            raise InvalidInputError(f"Vary: '{text}' is not SLOT=RANGE.", hint="For example cfg=0.5.")
    return Policy(
        _whole(given.get("most"), "Retakes at most"), _whole(given.get("best_of"), "Best of"),
        frozenset(listed(given.get("gates", ()), ",")), spreads, tuple(listed(given.get("phrases", ()), "\n")),
    )  # fmt: skip


def _whole(given: Any, what: str) -> int:
    try:
        return int(str(given).strip())
    except ValueError as error:
        raise InvalidInputError(f"{what}: '{given}' is no whole number.", hint="Give a number such as 3.") from error


def listed(given: Any, sign: str) -> list[str]:
    """Return the parts of a list, or of text with a sign between them; empty ones fall away."""
    parts = given.split(sign) if isinstance(given, str) else given
    return [text for text in (str(part).strip() for part in parts) if text]
