"""A submission before it is made: the whole matrix of the selection, what would be queued, and what lacks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from x121lib.pipeline import submission
from x121lib.pipeline.submission import Cell, Selection, Submission
from x121lib.studio.core import Studio
from x121lib.studio.pages.desk import need_project
from x121lib.studio.pages.matrix_needs import need
from x121lib.terms.roles import Permission

SHOWN_ROWS, SHOWN_COLUMNS, SHOWN_CELLS = 60, 24, 4
"""Rows and columns of the proposal that are drawn, and scenes that a line names."""
QUEUE, PRESENT, BLOCKED, ABSENT = "q", "t", "b", "."
"""Letters of a proposal: enters the queue, is there already, is blocked, does not apply."""


def propose(studio: Studio, project: str | None, selection: Selection) -> dict[str, Any]:
    """Return what submitting a selection would do; changes nothing.

    Raises:
        ForbiddenError: the person may not submit.
        NotFoundError: the selection is of another project.
        InvalidInputError: more takes than one submission may queue.
    """
    studio.actor.require(Permission.SUBMIT)
    with studio.transaction() as session:
        row = need_project(session, project)
        done = submission.submit(session, studio.actor, row, selection, studio.house.now(), dry_run=True)
        made = submission.to_make(session, row, selection, studio.house.now())
        name = row.name
    return {
        **_axes(done), "takes": sum(n for *_, n in made), "queue": len(done.planned), "present": len(done.present),
        "blocked": len(done.blocked), "budgets": list(done.budgets),
        "warnings": [str(warned) for warned in done.warnings],
        "needs": [*_blocked(done.blocked, name), *_lacking(done, name)],
    }  # fmt: skip


def _axes(done: Submission) -> dict[str, Any]:
    letters = {
        (cell.character, cell.scene_type, cell.variant_kind): letter
        for letter, cells in ((QUEUE, done.planned), (PRESENT, done.present), (BLOCKED, done.blocked))
        for cell in cells
    }
    rows, columns, kinds = (sorted({place[part] for place in letters}) for part in range(3))
    shown = columns[:SHOWN_COLUMNS]
    return {
        "characters": len(rows), "scene_types": shown, "more_types": len(columns) - len(shown), "variants": kinds,
        "scenes": len(letters), "more_rows": max(0, len(rows) - SHOWN_ROWS),
        "rows": [
            {"name": r, "cells": ["".join(letters.get((r, c, k), ABSENT) for k in kinds) for c in shown]}
            for r in rows[:SHOWN_ROWS]
        ],
    }  # fmt: skip


def _blocked(cells: Sequence[Cell], project: str) -> list[dict[str, Any]]:
    reasons: dict[str, list[Cell]] = {}
    for cell in cells:
        reasons.setdefault(cell.blocked, []).append(cell)
    found = []
    for reason, those in sorted(reasons.items(), key=lambda pair: -len(pair[1])):
        image = reason.startswith("no approved")
        approve = f'x121 variant approve "{project}" --kind {those[0].variant_kind}'
        found.append(
            {"status": "blocked", "what": "image" if image else "release", "text": reason.rstrip("."), "solve": "",
             "href": "/characters", "command": approve if image else "x121 release add --help", **_some(those)}
        )  # fmt: skip
    return found


def _lacking(done: Submission, project: str) -> list[dict[str, Any]]:
    return [{"status": "warning", **need(each.lacking, None, project), **_some(each.cells)} for each in done.needs]


def _some(cells: Iterable[Cell]) -> dict[str, Any]:
    names = [str(cell) for cell in cells]
    return {"n": len(names), "cells": names[:SHOWN_CELLS]}
