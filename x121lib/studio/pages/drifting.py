"""The drift meter as the review page draws it."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from x121lib.qa import drift, queries
from x121lib.qa.metrics import metric
from x121lib.studio.pages.gates import number
from x121lib.studio.pages.words import OUTCOME_STATUS
from x121lib.terms.quality import Outcome


def drift_of(session: Session, scene_id: uuid.UUID) -> list[dict[str, Any]]:
    """Return what was measured along a scene of several segments: what failed or will fail stands first."""
    values: dict[str, list[tuple[int, float]]] = {}
    for _, name, segment, value in queries.chain_scores(session, [scene_id], drift.QUANTITIES):
        values.setdefault(name, []).append((segment, value))
    gates = queries.gates_of_scenes(session, [scene_id]).get(scene_id, {})
    shown = [each for each in drift.courses(values, gates) if len(each.values) > 1]
    return [_course(each) for each in sorted(shown, key=_urgency)]


def _urgency(course: drift.Course) -> tuple[bool, bool, int]:
    return course.breach is None, course.forecast is None, -list(Outcome).index(course.outcome)


def _course(course: drift.Course) -> dict[str, Any]:
    known = metric(course.metric)
    outcome = Outcome.WARN if course.forecast is not None and course.outcome is Outcome.PASS else course.outcome
    return {
        "name": known.label, "unit": known.unit, "value": number(course.values[-1][1]),
        "values": [value for _, value in course.values], "segments": [segment for segment, _ in course.values],
        "limit": course.limit, "status": OUTCOME_STATUS[outcome], "note": _note(course), "words": course.words,
    }  # fmt: skip


def _note(course: drift.Course) -> str:
    if course.breach is not None:
        return f"past at S{course.breach}"
    if course.forecast is not None:
        return f"limit at S{course.forecast}"
    if course.trend is None:
        return ""
    return f"{course.trend.per_segment:+.2g} / seg" if course.trend.is_sure else "steady"
