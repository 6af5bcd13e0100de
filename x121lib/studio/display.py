"""Rich displays for notebooks: matrix, project, scene. HTML with escaped text and inline images only."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from x121lib.pipeline.submission import Cell

_SHAPES = {
    "Not started": "◌", "Generating": "◔", "In review": "◉", "Approved": "●", "Rejected": "✕", "Failed": "▲",
    "Blocked": "■",
}  # fmt: skip


class Matrix:
    """Characters × scene types with one line per variant; a data frame behind a styled table."""

    def __init__(self, project: str, cells: list[Cell]) -> None:
        self.project = project
        self.cells = cells

    @property
    def frame(self) -> pd.DataFrame:
        """One row per cell: character, scene_type, variant, status, blocked, scene_id."""
        columns = ["character", "scene_type", "variant", "status", "blocked", "scene_id"]
        rows = [(c.character, c.scene_type, c.variant_kind, _word(c), c.blocked, c.scene_id) for c in self.cells]
        return pd.DataFrame(rows, columns=columns)

    @property
    def table(self) -> pd.DataFrame:
        """Characters as rows, scene types as columns, `variant: status` lines as values."""
        frame = self.frame
        if frame.empty:
            return pd.DataFrame()
        frame["line"] = frame["variant"] + ": " + frame["status"]
        return frame.pivot_table(
            index="character", columns="scene_type", values="line", aggfunc=lambda lines: "\n".join(lines)
        )

    def __repr__(self) -> str:
        return self.table.to_string() if self.cells else f"Project '{self.project}' has no scenes to plan yet."

    def _repr_html_(self) -> str:
        if not self.cells:
            return f"<p>Project <b>{escape(self.project)}</b> has no characters or scene types yet.</p>"
        table = self.table
        head = "".join(f"<th style='text-align:left'>{escape(str(c))}</th>" for c in table.columns)
        rows = []
        for name, row in table.iterrows():
            lines = "".join(f"<td style='text-align:left;vertical-align:top'>{_lines(v)}</td>" for v in row)
            rows.append(f"<tr><th style='text-align:left;vertical-align:top'>{escape(str(name))}</th>{lines}</tr>")
        return f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _word(cell: Cell) -> str:
    return "Blocked" if cell.blocked else cell.status.label


def _lines(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    shown = []
    for line in value.split("\n"):
        status = line.partition(": ")[2]
        shown.append(f"{_SHAPES.get(status, '')} {escape(line)}")
    return "<br>".join(shown)


def project_html(name: str, summary: dict[str, int]) -> str:
    """Return a project's name with its scenes by status."""
    facts = " · ".join(f"{_SHAPES.get(label, '')} {n} {escape(label.lower())}" for label, n in summary.items())
    return f"<h4>{escape(name)}</h4><p>{facts or 'No scenes yet.'}</p>"


def scene_html(head: dict[str, Any], strip: Path | None, scores: pd.DataFrame) -> str:
    """Return a scene's filmstrip with the gated scores of each segment's newest take under it."""
    title = f"{head['character']} / {head['scene_type']} / {head['variant']} — {head['status']}"
    picture = ""
    if strip is not None:
        data = base64.b64encode(strip.read_bytes()).decode()
        picture = f"<img alt='Filmstrip, AI-generated' src='data:image/webp;base64,{data}' style='max-width:100%'>"
    gated = scores[scores["outcome"] != ""]
    table = gated.pivot_table(index="metric", columns=["segment", "take"], values="value").round(3)
    return f"<h4>{escape(title)}</h4>{picture}{table.to_html() if not table.empty else '<p>No scores yet.</p>'}"
