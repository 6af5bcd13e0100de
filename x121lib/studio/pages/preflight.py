"""The check of a project's batch, as the matrix shows it, and mending what can be mended."""

from __future__ import annotations

from typing import Any

from x121lib.pipeline.preflight import Blocked, Group, Preflight
from x121lib.studio.core import Studio
from x121lib.studio.mending import READ, Step
from x121lib.terms.roles import Permission

_SHOWN = 6


def check(studio: Studio, project: str) -> dict[str, Any]:
    """Return where the scenes that are still to be made can run, and what is missing."""
    found = studio.checks.project(project)
    return _view(studio, found, studio.checks.plan(found) if found.stuck else ())


def fix(studio: Studio, project: str) -> dict[str, Any]:
    """Carry out what the check plans now, and return the check after it with what became of each step."""
    done = studio.checks.fix(studio.checks.plan(studio.checks.project(project)))
    return check(studio, project) | {"done": [{"ok": one.ok, "text": one.text} for one in done]}


def _view(studio: Studio, found: Preflight, steps: tuple[Step, ...]) -> dict[str, Any]:
    groups = [_group(group) for group in found.groups]
    return {
        "fine": found.fine, "scenes": sum(row["n"] for row in groups), "held": found.held,
        "rows": sorted([*groups, *map(_blocked, found.blocked)], key=lambda row: row["status"] == "approved"),
        "disk_bytes": found.disk_bytes, "steps": [str(step) for step in steps], "done": [],
        "mends": any(step.kind != READ for step in steps),
        "may_fix": bool(steps) and studio.actor.may(Permission.SUBMIT),
    }  # fmt: skip


def _group(group: Group) -> dict[str, Any]:
    places = [*group.ready, *group.away]
    runs = f"Runs on {', '.join(places[:_SHOWN])}" + (f" and {len(places) - _SHOWN} more" if places[_SHOWN:] else "")
    return {
        "key": f"{group.scene_type}-{group.version}", "status": "failed" if group.reason else "approved",
        "name": group.scene_type, "sub": f"{group.workflow} {group.version}", "n": len(group.scenes),
        "text": group.reason or runs,
        "notes": [f"{name} was never asked what it has" for name in group.unknown]
        + [f"{w.worker} lacks {', '.join(str(one) for one in w.lacks)}" for w in group.lacking],
    }  # fmt: skip


def _blocked(blocked: Blocked) -> dict[str, Any]:
    return {
        "key": blocked.reason, "status": "blocked", "name": "Blocked", "sub": "", "n": len(blocked.scenes),
        "text": blocked.reason[:1].upper() + blocked.reason[1:], "notes": list(blocked.scenes[:_SHOWN]),
    }  # fmt: skip
