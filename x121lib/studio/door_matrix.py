"""The matrix's part of the web door."""

from __future__ import annotations

from x121lib.studio.door_base import DoorBase
from x121lib.studio.pages import SessionPerson, actions, estimates, matrix, matrix_cells
from x121lib.studio.pages.desk import View


class MatrixDoor(DoorBase):
    """What the matrix reads and does."""

    def matrix(self, person: SessionPerson, project: str | None) -> View:
        """Return the matrix."""
        return self._view(person, project, matrix.matrix)

    def matrix_cells(self, person: SessionPerson, project: str | None, characters: list[str], types: list[str]) -> View:
        """Return the details of a window of the matrix."""
        return self._view(person, project, lambda desk: matrix_cells.cells(desk, characters, types))

    def estimate(
        self, person: SessionPerson, project: str | None, cells: list[tuple[str, str]], tier: str | None
    ) -> View:
        """Estimate a selection of (character id, scene type id)."""
        return self._view(person, project, lambda desk: estimates.estimate(desk, cells, tier))

    def submit(self, person: SessionPerson, project: str | None, cells: list[tuple[str, str]], tier: str | None) -> str:
        """Submit every scene of the selection that can be."""
        return actions.submit(self._as(person), project, [(str(a), str(b)) for a, b in cells], tier)
