"""The form of a schedule: what it offers, when it would come, adding and changing one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.errors import InvalidInputError
from x121lib.studio.core import Studio
from x121lib.studio.pages.words import iso
from x121lib.studio.schedules import NewSchedule
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import PriorityClass

MOST_CHARACTERS = 200
"""Characters of a project that the form offers; of a project with more, all of them are submitted or none is named."""
_NAMES = ("characters", "scene_types", "variants")
_FLAGS = ("off_peak", "failed_only", "run_missed")
_TEXTS = ("name", "project", "cron", "zone", "tier", "priority")


def offers(studio: Studio) -> dict[str, Any]:
    """Return what the form offers: projects with their characters, scene types, variants, tiers, time zones."""
    studio.actor.require(Permission.VIEW)
    with studio.transaction() as session:
        projects: dict[str, list[str]] = {
            name: [] for name in session.scalars(sa.select(m.Project.name).order_by(m.Project.name))
        }
        rows = sa.select(m.Project.name, m.Character.name).join(m.Project, m.Project.id == m.Character.project_id)
        for project, character in session.execute(rows.order_by(m.Character.name)):
            projects[project].append(character)

        def names(column: Any) -> list[str]:
            return list(session.scalars(sa.select(column).order_by(column)))

        return {
            "projects": [
                {"name": name, "characters": found if len(found) <= MOST_CHARACTERS else []}
                for name, found in projects.items()
            ],
            "scene_types": names(m.SceneType.name), "variants": names(m.VariantKind.name), "tiers": names(m.Tier.name),
            "zones": sorted(available_timezones()),
        }  # fmt: skip


def times(studio: Studio, cron: str, zone: str) -> dict[str, Any]:
    """Return when a cron expression comes next, as ISO 8601 and in the zone's own clock."""
    found = studio.schedules.times(cron, zone)
    clock = ZoneInfo(zone)
    return {"times": [{"at": iso(at), "words": f"{at.astimezone(clock):%a %d %b %Y %H:%M %Z}"} for at in found]}


def add(studio: Studio, given: Mapping[str, Any]) -> dict[str, Any]:
    """Set a schedule that submits as the actor; answers with its key."""
    wanted = _wanted(given)
    key = studio.schedules.add(wanted)
    return {"text": f"{wanted.name} is set", "schedule_id": str(key)}


def show(studio: Studio, schedule_id: str) -> dict[str, Any]:
    """Return a schedule as the form fills its fields, as whom it submits, and what it chose that is gone."""
    found = studio.schedules.show(schedule_id)
    return {"schedule_id": str(found.schedule_id), "version": found.version, "person": found.person,
            "lost": found.n_lost, "given": _as_given(found.given)}  # fmt: skip


def change(studio: Studio, schedule_id: str, given: Mapping[str, Any], version: int | None) -> dict[str, Any]:
    """Change a schedule unless it was changed since a version; answers with what it was, for Undo.

    Nothing for Undo where a change back would not restore it: something it chose is gone, or it had another's rights.
    """
    wanted, before = _wanted(given), studio.schedules.show(schedule_id)
    done = studio.schedules.change(schedule_id, wanted, version=int(version) if version is not None else None)
    passed_on = done.person != before.person
    whose = f"; it submits as {done.person} now" if passed_on else ""
    return {"text": f"{wanted.name} is changed{whose}", "schedule_id": str(done.schedule_id), "version": done.version,
            "before": _as_given(before.given) if not (before.n_lost or passed_on) else None}  # fmt: skip


def _as_given(given: NewSchedule) -> dict[str, Any]:
    return {
        "name": given.name, "project": given.project, "cron": given.cron, "zone": given.zone,
        "characters": list(given.characters), "scene_types": list(given.scene_types),
        "variants": list(given.variants), "tier": given.tier or "", "priority": given.priority_class.value,
        "off_peak": given.off_peak, "failed_only": given.failed_only, "run_missed": given.runs_missed,
    }  # fmt: skip


def _wanted(given: Mapping[str, Any]) -> NewSchedule:
    if not isinstance(given, Mapping) or set(given) - {*_NAMES, *_FLAGS, *_TEXTS}:
        raise InvalidInputError("This is no schedule.", hint="Fill in the form.")
    text = {name: str(given.get(name) or "").strip() for name in _TEXTS}
    chosen = {name: tuple(map(str, given.get(name) or ())) for name in _NAMES}
    try:
        kind = PriorityClass(text["priority"] or "Normal")
    except ValueError as error:
        raise InvalidInputError(
            f"There is no class '{text['priority']}'.", hint="Urgent, Normal, Background."
        ) from error
    return NewSchedule(
        text["name"], text["project"], text["cron"], text["zone"], **chosen, tier=text["tier"] or None,
        priority_class=kind, off_peak=given.get("off_peak") is True, failed_only=given.get("failed_only") is True,
        runs_missed=given.get("run_missed") is True,
    )  # fmt: skip
