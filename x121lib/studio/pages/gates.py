"""Gates as the review page draws them: pure, from verdicts and the layout of the cut."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from x121lib.studio.pages.words import OUTCOME_STATUS, many
from x121lib.terms.vocabulary import VerdictOutcome

_SUBJECTS = ("face", "seam", "motion", "frozen", "colour", "brightness", "sharpness", "blockiness")
_RANK = {VerdictOutcome.FAIL: 0, VerdictOutcome.WARN: 1, VerdictOutcome.PASS: 2}


@dataclass(frozen=True)
class CutTake:
    """One take where it lies in the cut."""

    take_id: uuid.UUID
    """The take."""
    segment_id: uuid.UUID
    """Its segment."""
    number: int
    """The segment's number, from 1."""
    start: int
    """First frame in the scene."""
    end: int
    """One past its last frame in the scene."""
    skipped: int
    """Frames of the take's file before the cut begins."""

    def place(self, frame: int | None) -> int | None:
        """Return where a frame of the take's file lies in the scene, clamped to the segment."""
        if frame is None:
            return None
        return min(max(self.start + frame - self.skipped, self.start), self.end - 1)


def lay_out(rows: Sequence[Any]) -> list[CutTake]:
    """Return the takes of a cut with their frames in the scene."""
    found, start = [], 0
    for number, row in enumerate(rows, start=1):
        end = start + row["stop_frame"] - row["start_frame"]
        found.append(CutTake(row["take_id"], row["segment_id"], number, start, end, row["start_frame"]))
        start = end
    return found


def gates(verdicts: Sequence[Any], cuts: Sequence[CutTake]) -> list[dict[str, Any]]:
    """Return one gate per metric: its worst verdict over the takes of the cut; the worst first, then by subject."""
    worst: dict[str, Any] = {}
    for row in verdicts:
        known = worst.get(row["name"])
        if known is None or _RANK[row["outcome_id"]] < _RANK[known["outcome_id"]]:
            worst[row["name"]] = row
    by_take = {cut.take_id: cut for cut in cuts}
    order = sorted(worst.values(), key=lambda r: (_RANK[r["outcome_id"]], _subject(r["name"]), r["name"]))
    return [_gate(row, by_take[row["take_id"]]) for row in order]


def _subject(name: str) -> int:
    """Return where a metric stands among gates of the same outcome: what a reviewer looks for comes first."""
    return next((i for i, subject in enumerate(_SUBJECTS) if name.startswith(subject)), len(_SUBJECTS))


def _gate(row: Any, cut: CutTake) -> dict[str, Any]:
    limit, mark_at = _limit(row)
    fill, mark = _scale(row["value"], mark_at)
    passed = row["outcome_id"] == VerdictOutcome.PASS
    return {
        "name": _title(row), "unit": "" if row["unit"] == "1" else row["unit"],
        "value": number(row["value"]), "limit": limit, "fill": fill, "mark": mark,
        "status": OUTCOME_STATUS[row["outcome_id"]], "segment": None if passed else cut.number,
        "frame": cut.place(row["start_frame"]), "reason": row["reason"],
    }  # fmt: skip


def _title(row: Any) -> str:
    return str(row["name"]).replace("_", " ").capitalize()


def number(value: float | None) -> str:
    """Return a score as shown: three significant figures at most."""
    if value is None:
        return "–"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _limit(row: Any) -> tuple[str, float | None]:
    """Return the limit in words, and the number that the mark stands at."""
    low = row["fail_below"] if row["fail_below"] is not None else row["warn_below"]
    high = row["fail_above"] if row["fail_above"] is not None else row["warn_above"]
    if low is not None and high is not None:
        return f"{number(low)}–{number(high)}", high
    if low is not None:
        return f"min {number(low)}", low
    return (f"max {number(high)}", high) if high is not None else ("", None)


def _scale(value: float | None, limit: float | None) -> tuple[float, float | None]:
    """Return score and threshold on a scale from 0 to 1 on which the threshold stands in the middle."""
    if value is None:
        return 0.0, None
    if not limit:
        return (0.0 if value <= 0 else 1.0), None
    return max(0.0, min(1.0, value / (2 * limit))), 0.5


def badges(shown: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """Return how many gates failed or are borderline."""
    counts = [("failed", "failed"), ("warning", "borderline")]
    return [
        {"status": status, "text": f"{many(n, 'gate')} {word}"}
        for status, word in counts
        if (n := sum(g["status"] == status for g in shown))
    ]


def marks(verdicts: Sequence[Any], cuts: Sequence[CutTake]) -> list[dict[str, Any]]:
    """Return the seams, and what gates found at a frame, by frame."""
    by_take = {cut.take_id: cut for cut in cuts}
    found = [
        {"frame": cut.start, "end": None, "status": "info", "text": f"Seam {cut.number - 1} to {cut.number}"}
        for cut in cuts[1:]
    ]
    for row in verdicts:
        cut = by_take[row["take_id"]]
        at, end = cut.place(row["start_frame"]), cut.place(row["stop_frame"])
        if row["outcome_id"] == VerdictOutcome.PASS or at is None:
            continue
        span = end if end is not None and end > at + 1 else None
        text = f"{_title(row)} {number(row['value'])}"
        found.append({"frame": at, "end": span, "status": OUTCOME_STATUS[row["outcome_id"]], "text": text})
    return sorted(found, key=lambda mark: int(str(mark["frame"])))
