"""Rich displays for notebooks and reports: studio, project, matrix, scene, progress, bars.

Pieces of HTML with escaped text, inline styles and inline pictures only: they need no script, no file and no network,
so they look the same in JupyterLab, in an exported page and on paper. Text takes the notebook's own colour, so that
light and dark themes both read well; a status has a shape, a word and a colour, never a colour alone.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from x121lib.pipeline.submission import Cell
from x121lib.terms.vocabulary import VerdictOutcome

_GREY, _CYAN, _VIOLET, _GREEN, _AMBER, _ORANGE, _RED = (
    "#788392", "#1f93a6", "#8668d6", "#3f9a68", "#a97f1c", "#c8742f", "#d9605c",
)  # fmt: skip
"""Middle tones of the design's ramps: at least 3:1 against white and against JupyterLab's dark page."""

STATUSES: Mapping[str, tuple[str, str]] = {
    "Not started": ("◌", _GREY), "Queued": ("◔", _CYAN), "Generating": ("◑", _CYAN), "In review": ("◉", _VIOLET),
    "Approved": ("●", _GREEN), "Rejected": ("✕", _ORANGE), "Failed": ("■", _RED), "Blocked": ("⊘", _GREY),
    VerdictOutcome.PASS.label: ("●", _GREEN), VerdictOutcome.WARN.label: ("▲", _AMBER),
    VerdictOutcome.FAIL.label: ("■", _RED),
}  # fmt: skip
"""Shape and colour of each word that people see: statuses of scenes, outcomes of gates."""

_LINE = "color-mix(in srgb, currentColor 22%, transparent)"
_HEADLINES = ("face_similarity", "seam_ssim", "sharpness_ratio", "motion_energy", "colour_drift")
"""Metrics shown under every segment, in this order; the others unfold, and show themselves when not passed."""


@dataclass(frozen=True)
class Html:
    """Something that shows itself: HTML where there is a notebook, text elsewhere."""

    html: str
    """Self-contained piece of HTML."""
    text: str
    """The same in plain words."""

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


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
        if not self.cells:
            return f"Project '{self.project}' has no scenes to plan yet."
        return str(self.table.fillna("").map(lambda lines: lines.replace("\n", " · ")).to_string())

    def _repr_html_(self) -> str:
        if not self.cells:
            return f"<p>Project <b>{escape(self.project)}</b> has no characters or scene types yet.</p>"
        types = list(dict.fromkeys(c.scene_type for c in self.cells))
        names = list(dict.fromkeys(c.character for c in self.cells))
        grid: dict[tuple[str, str], list[Cell]] = {}
        for cell in self.cells:
            grid.setdefault((cell.character, cell.scene_type), []).append(cell)
        rows = [[_heading(n), *(_cell_lines(grid.get((n, t), [])) for t in types)] for n in names]
        return _table(["", *map(escape, types)], rows) + counts_html(_count(_word(c) for c in self.cells))


def _word(cell: Cell) -> str:
    return "Blocked" if cell.blocked else cell.status.label


def _cell_lines(cells: Sequence[Cell]) -> str:
    lines = (
        f"<div title='{escape(c.blocked, quote=True)}' style='white-space:nowrap;margin:2px 0'>"
        f"{chip(_word(c))} <span style='opacity:.75'>{escape(c.variant_kind)}</span></div>"
        for c in cells
    )
    return "".join(lines)


def chip(word: str, text: str | None = None) -> str:
    """Return a status or outcome as shape and word, tinted; ``text`` replaces the word."""
    shape, colour = STATUSES.get(word, ("○", _GREY))
    return (
        f"<span style='display:inline-block;padding:0 7px;border-radius:9px;font-size:12px;line-height:18px;"
        f"border:1px solid {colour};background:{colour}22;color:inherit;white-space:nowrap'>"
        f"<span style='color:{colour}'>{shape}</span> {escape(word if text is None else text)}</span>"
    )


def counts_html(counts: Mapping[str, int]) -> str:
    """Return numbers by status as one bar and its legend."""
    total = sum(counts.values())
    if not total:
        return ""
    parts = "".join(
        f"<span style='flex:{n};background:{STATUSES.get(word, ('', _GREY))[1]}'></span>" for word, n in counts.items()
    )
    legend = " ".join(chip(word, f"{n} {word.lower()}") for word, n in counts.items())
    bar = f"<div style='display:flex;gap:2px;height:6px;max-width:640px;margin:8px 0 6px'>{parts}</div>"
    return f"{bar}<div>{legend}</div>"


def _count(words: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts


def project_html(name: str, summary: Mapping[str, int]) -> str:
    """Return a project's name with its scenes by status."""
    total = sum(summary.values())
    head = f"<div style='font-size:15px;font-weight:600'>{escape(name)}</div>"
    return head + (
        f"<div style='opacity:.75'>{total} scenes</div>{counts_html(summary)}"
        if total
        else "<p>No scenes yet: submit some.</p>"
    )


def studio_html(facts: Mapping[str, str], projects: Mapping[str, Mapping[str, int]]) -> str:
    """Return where a studio lies, who acts, and each project's scenes by status."""
    line = " · ".join(f"{escape(k)} <b>{escape(v)}</b>" for k, v in facts.items())
    rows = [[_heading(name), str(sum(s.values())), counts_html(s) or "no scenes yet"] for name, s in projects.items()]
    body = _table(["project", "scenes", ""], rows) if rows else "<p>No project yet: <code>create_project</code>.</p>"
    return f"<div style='font-size:15px;font-weight:600'>Studio</div><div style='opacity:.75'>{line}</div>{body}"


@dataclass(frozen=True)
class SegmentView:
    """One segment of a scene as its display shows it."""

    index: int
    """Its place in the scene, from 1."""
    take: int | None
    """Number of the take in the cut, or of the newest one; None where there is none."""
    status: str
    """Word for where it stands."""
    start: int
    """First frame in the cut."""
    stop: int
    """Frame after its last one in the cut; planned ones where there is no cut."""
    scores: tuple[tuple[str, float, str, str], ...]
    """(metric, value, outcome's word or empty, reason) of that take."""
    picture: bytes | None = None
    """Its part of the filmstrip, as WebP."""


def scene_html(head: Mapping[str, Any], segments: Sequence[SegmentView], note: str = "") -> str:
    """Return a scene's filmstrip cut into segments, with the scores of each under it."""
    names = " / ".join(str(head[k]) for k in ("character", "scene_type", "variant"))
    facts = [f"{head['tier']}", f"{head['segments_done']} of {head['segments']} segments"]
    if head["frames"]:
        facts.append(f"{int(head['frames'])} frames, cut {int(head['version'])}")
    line = f"{chip(str(head['status']))} <span style='opacity:.75'>{escape(' · '.join(facts))}</span>"
    if head.get("failure_reason"):
        line += f"<div>{escape(str(head['failure_reason']))}</div>"
    shown = any(s.picture for s in segments)
    label = "AI-generated" if shown else note or "No cut yet."
    columns = "".join(_segment_html(s) for s in segments)
    return (
        f"<div style='font-size:15px;font-weight:600'>{escape(names)}</div><div>{line}</div>"
        f"<div style='display:flex;gap:14px;margin:8px 0 4px'>{columns}</div>"
        f"<div style='font-size:12px;opacity:.75'>{escape(label)}</div>"
    )


def _segment_html(segment: SegmentView) -> str:
    picture = ""
    if segment.picture:
        data = base64.b64encode(segment.picture).decode()
        picture = (
            f"<img alt='Segment {segment.index}, AI-generated' src='data:image/webp;base64,{data}' "
            "style='display:block;width:100%;border-radius:3px'>"
        )
    take = f"take {segment.take}" if segment.take is not None else "no take"
    title = f"<b>{segment.index}</b> · {take} · {escape(segment.status)} · frames {segment.start}–{segment.stop - 1}"
    width = max(1, segment.stop - segment.start)
    return (
        f"<div style='flex:{width} 1 0;min-width:150px'>{picture}"
        f"<div style='font-size:12px;margin:4px 0'>{title}</div>{_scores_html(segment.scores)}</div>"
    )


def _scores_html(scores: Sequence[tuple[str, float, str, str]]) -> str:
    gated = [s for s in scores if s[2]]
    if not gated:
        return "<div style='font-size:12px;opacity:.75'>No scores yet.</div>"
    passed = VerdictOutcome.PASS.label
    first = [s for s in gated if s[2] != passed or s[0] in _HEADLINES]
    worst_first = [outcome.label for outcome in reversed(VerdictOutcome)]
    first.sort(key=lambda s: (worst_first.index(s[2]), _HEADLINES.index(s[0]) if s[0] in _HEADLINES else 99))
    rest = [s for s in gated if s not in first]
    counts = _count(s[2] for s in gated)
    summary = " ".join(chip(word, str(counts[word])) for word in STATUSES if word in counts)
    more = ""
    if rest:
        lines = "".join(map(_score_html, rest))
        more = f"<details style='font-size:12px'><summary>{len(rest)} more, passed</summary>{lines}</details>"
    return f"<div>{summary}</div>{''.join(map(_score_html, first))}{more}"


def _score_html(score: tuple[str, float, str, str]) -> str:
    metric, value, outcome, reason = score
    shape, colour = STATUSES[outcome]
    return (
        f"<div title='{escape(f'{outcome}. {reason}', quote=True)}' style='display:flex;gap:6px;font-size:12px;"
        f"line-height:18px;font-variant-numeric:tabular-nums'><span style='color:{colour}'>{shape}</span>"
        f"<span style='flex:1'>{escape(metric.replace('_', ' '))}</span><span>{value:.3g}</span></div>"
    )


def progress_html(fraction: float, text: str, *, failed: bool = False) -> str:
    """Return a progress bar with its line of text.

    Args:
        fraction: 0 to 1.
        text: what stands beside it.
        failed: whether something failed for good.
    """
    share = f"{min(1.0, max(0.0, fraction)) * 100:.1f}%"
    colour = _RED if failed else _GREEN if fraction >= 1 else _CYAN
    return (
        f"<div role='progressbar' aria-valuemin='0' aria-valuemax='100' aria-valuenow='{share[:-1]}' "
        "style='display:flex;gap:12px;align-items:center'>"
        f"<div style='flex:0 0 240px;height:8px;border-radius:4px;background:{_LINE}'>"
        f"<div style='width:{share};height:8px;border-radius:4px;background:{colour}'></div></div>"
        f"<span style='font-variant-numeric:tabular-nums'>{escape(text)}</span></div>"
    )


def bars(frame: pd.DataFrame, label: str, parts: Sequence[str] | Mapping[str, str], *, unit: str = "") -> Html:
    """Return horizontal bars of a data frame's columns, one row each.

    Args:
        frame: what to draw.
        label: column that names a row.
        parts: columns drawn one after the other; a mapping gives each the status or outcome whose colour it takes.
        unit: unit of the numbers.
    """
    if frame.empty:
        return Html("<p>Nothing to show yet.</p>", "Nothing to show yet.")
    words = dict(parts) if isinstance(parts, Mapping) else dict.fromkeys(parts, "Generating")
    columns = list(words)
    numbers = frame[columns].fillna(0).astype(float)
    longest = max(float(numbers.sum(axis=1).max()), 1e-9)
    rows = []
    for name, values in zip(frame[label].astype(str), numbers.to_numpy(), strict=True):
        drawn = "".join(
            f"<span title='{escape(c, quote=True)}: {v:g}' style='display:inline-block;height:12px;"
            f"width:{v / longest * 100:.2f}%;background:{STATUSES[words[c]][1]}'></span>"
            for c, v in zip(columns, values, strict=True)
        )
        figures = " ".join(
            (f"<span style='color:{STATUSES[words[c]][1]}'>{STATUSES[words[c]][0]}</span> " if len(words) > 1 else "")
            + f"{v:.4g}"
            for c, v in zip(columns, values, strict=True)
            if v or len(words) == 1
        )
        bar = f"<div style='width:320px;line-height:0;white-space:nowrap'>{drawn}</div>"
        rows.append([_heading(name), bar, f"{figures} {escape(unit)}"])
    return Html(_table(["", "", ""], rows), frame[[label, *columns]].to_string(index=False))


def _heading(text: str) -> str:
    return f"<b style='font-weight:600'>{escape(text)}</b>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of cells that are HTML already."""
    cell = f"text-align:left;vertical-align:top;padding:4px 14px 4px 0;border:0;border-bottom:1px solid {_LINE}"
    top = "".join(f"<th style='{cell};font-weight:600;opacity:.75'>{h}</th>" for h in head) if any(head) else ""
    body = "".join(
        f"<tr style='background:none'>{''.join(f'<td style={chr(34)}{cell}{chr(34)}>{c}</td>' for c in row)}</tr>"
        for row in rows
    )
    return (
        "<table style='border-collapse:collapse;border:0;margin:8px 0;font-size:13px'>"
        f"{f'<thead><tr>{top}</tr></thead>' if top else ''}<tbody>{body}</tbody></table>"
    )
