"""The matrix's part of the web door."""

from __future__ import annotations

from collections.abc import Sequence

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
        self, person: SessionPerson, project: str | None, cells: list[tuple[str, str]], tier: str | None,
        variants: Sequence[str] = (),
    ) -> View:  # fmt: skip
        """Estimate a selection of (character id, scene type id)."""
        return self._view(person, project, lambda desk: estimates.estimate(desk, cells, tier, variants))

    def propose_cells(
        self, person: SessionPerson, project: str | None, cells: list[tuple[str, str]], tier: str | None,
        variants: Sequence[str] = (),
    ) -> View:  # fmt: skip
        """Say what submitting the selection would do: the whole matrix of it, and what lacks."""
        return actions.propose_cells(self._as(person), project, _pairs(cells), tier, variants)

    def submit(
        self, person: SessionPerson, project: str | None, cells: list[tuple[str, str]], tier: str | None,
        variants: Sequence[str] = (),
    ) -> str:  # fmt: skip
        """Submit every scene of the selection that can be."""
        return actions.submit(self._as(person), project, _pairs(cells), tier, variants)

    def cancel_cells(
        self, person: SessionPerson, project: str | None, cells: list[tuple[str, str]], variants: Sequence[str] = ()
    ) -> str:
        """Cancel what is queued or running of the selection."""
        return actions.cancel_cells(self._as(person), project, _pairs(cells), variants)

    def redo_cells(
        self, person: SessionPerson, project: str | None, cells: list[tuple[str, str]], variants: Sequence[str] = ()
    ) -> str:
        """Make the failed and rejected scenes of the selection again."""
        return actions.redo_cells(self._as(person), project, _pairs(cells), variants)

    def raise_cells(
        self, person: SessionPerson, project: str | None, cells: list[tuple[str, str]], tier: str,
        variants: Sequence[str] = (),
    ) -> str:  # fmt: skip
        """Make the finished scenes of the selection again at a higher tier."""
        return actions.raise_cells(self._as(person), project, _pairs(cells), tier, variants)


def _pairs(cells: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(str(a), str(b)) for a, b in cells]
