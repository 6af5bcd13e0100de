"""One window of the matrix in full: progress, filmstrips, and what each scene lacks with the way to solve it."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from x121lib.base.errors import InvalidInputError
from x121lib.studio.pages import grid as grids
from x121lib.studio.pages import matrix_needs, matrix_queries, queries
from x121lib.studio.pages.desk import Desk, View, keys_of
from x121lib.studio.pages.matrix import Axes, Gaps, axes
from x121lib.studio.pages.words import full
from x121lib.terms.vocabulary import SceneStatus

STRIP_FRAMES = 12
"""Frames in the filmstrip that assembly makes."""
MOST = 4000
"""Cells of one window: a screen of 60 × 60 cells is 3,600."""
_BEST = (
    SceneStatus.APPROVED, SceneStatus.REVIEW, SceneStatus.REJECTED, SceneStatus.FAILED, SceneStatus.GENERATING,
    SceneStatus.PENDING,
)  # fmt: skip
"""Whose filmstrip a cell shows: the first in this order."""


def cells(desk: Desk, characters: list[str], types: list[str]) -> View:
    """Return the details of a window of the matrix, by ``character|scene type``. A constant number of statements.

    Args:
        desk: where the view is made.
        characters: keys of its rows.
        types: keys of its columns.

    Raises:
        InvalidInputError: no row, no column, or more than `MOST` cells.
        NotFoundError: a key that is none.
    """
    rows, columns = keys_of(characters, "character"), keys_of(types, "scene type")
    if len(rows) * len(columns) > MOST:
        raise InvalidInputError(f"A window of the matrix has at most {MOST} cells, not {len(rows) * len(columns)}.")
    on = axes(desk)
    here = [c for c in on.characters if c["id"] in set(rows)]
    gaps = grids.gaps_of(desk, [c["id"] for c in here], on.kinds)
    stored = matrix_queries.window(desk.session, _project(desk), rows, columns)
    found = _Details(desk, on, gaps, stored)
    wanted = set(columns)
    needs = matrix_needs.of_cells(desk, on, [c["id"] for c in here], wanted, stored)
    return {
        "strip_frames": STRIP_FRAMES,
        "cells": {
            f"{c['id']}|{t}": found.cell(c, t) | {"needs": needs.get((c["id"], t), [])}
            for c in here for t in on.type_ids if t in wanted
        },
    }  # fmt: skip


def _project(desk: Desk) -> uuid.UUID:
    return desk.project.id if desk.project else uuid.UUID(int=0)


class _Details:
    """Cells of one window."""

    def __init__(self, desk: Desk, on: Axes, gaps: Gaps, rows: list[sa.RowMapping]) -> None:
        self._on, self._gaps, self._name = on, gaps, desk.project.name if desk.project else ""
        self._rows = {(r["character_id"], r["scene_type_id"], r["variant_kind_id"]): r for r in rows}
        making = [r["id"] for r in rows if r["status"] == SceneStatus.GENERATING]
        self._made = queries.progress(desk.session, _project(desk), making) if making else {}

    def cell(self, character: sa.RowMapping, type_id: uuid.UUID) -> dict[str, Any]:
        """Return one cell: its scenes in the order of the variant kinds, absent ones as None."""
        applies = self._on.applies[type_id]
        rows = [self._rows.get((character["id"], type_id, k)) if k in applies else None for k in self._on.kind_ids]
        shown = [r for r in rows if r is not None and r["strip"] is not None]
        best = min(shown, key=lambda r: _BEST.index(r["status"]), default=None)
        scenes = [
            self._scene(character, row, k) if k.id in applies else None
            for row, k in zip(rows, self._on.kinds, strict=True)
        ]
        return {"strip": full(best["strip"]) if best is not None else None, "scenes": scenes}

    def _scene(self, character: sa.RowMapping, row: sa.RowMapping | None, kind: Any) -> dict[str, Any]:
        gap = self._gaps.get((character["id"], kind.id), "")
        failure = (row["failure_reason"] or "") if row is not None and row["status"] == SceneStatus.FAILED else ""
        return {
            "id": str(row["id"]) if row is not None else None, "tier": row["tier"] if row is not None else "",
            "progress": self._progress(row), "reason": failure, **self._lacks(character, kind.name, gap),
        }  # fmt: skip

    def _progress(self, row: sa.RowMapping | None) -> float | None:
        made = self._made.get(row["id"]) if row is not None else None
        if made is None or not (made["leased"] or made["done"]):
            return None
        return min(1.0, (int(made["done"]) + float(made["part"])) / max(1, int(made["segments"])))

    def _lacks(self, character: sa.RowMapping, kind: str, gap: str) -> dict[str, str]:
        """Return what is missing, where to solve it on a page, and by which command."""
        if not gap:
            return {"lacks": "", "href": "", "command": ""}
        who = f'"{self._name}" --kind {kind} -c "{character["name"]}"'
        command = f"x121 variant approve {who}" if gap.startswith("no approved") else "x121 release add --help"
        return {"lacks": gap, "href": f"/character?character={character['id']}", "command": command}
