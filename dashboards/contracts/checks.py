"""The shape of the check of a batch."""

from __future__ import annotations

from typing import Any, Protocol, TypedDict

from .people import SessionPerson


class BatchCheck(TypedDict):
    """``ChecksDoor.check_project``."""

    fine: bool
    scenes: int  # still to be made and not blocked
    held: str  # what holds all takes back; empty where nothing does
    rows: list[dict[str, Any]]  # key, status, name, sub, n, text, notes; what is wrong first
    disk_bytes: int | None
    steps: list[str]  # what Fix would do
    done: list[dict[str, Any]]  # ok, text of each step that was carried out
    mends: bool  # whether a step changes something
    may_fix: bool


class ChecksDoor(Protocol):
    """What the matrix and the workflows ask before work begins."""

    def check_project(self, person: SessionPerson, project: str | None) -> BatchCheck:
        """Return which scenes that are still to be made can run where, and what is missing."""

    def try_workflow(self, person: SessionPerson, workflow: str, version: int) -> dict[str, Any]:
        """Begin a dry run on the least busy worker that has all it needs."""

    def cancel_try(self, person: SessionPerson, trial_id: str) -> str:
        """Ask a dry run to stop."""

    def fix_project(self, person: SessionPerson, project: str | None) -> BatchCheck:
        """Mend what the check plans, and check again."""
