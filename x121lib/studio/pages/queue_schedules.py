"""The form of a new schedule: what it offers, when it would come, and adding it."""

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
    """Set a schedule that submits as the actor; answers with its key and when it comes first."""
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
    wanted = NewSchedule(
        text["name"], text["project"], text["cron"], text["zone"], **chosen, tier=text["tier"] or None,
        priority_class=kind, off_peak=given.get("off_peak") is True, failed_only=given.get("failed_only") is True,
        runs_missed=given.get("run_missed") is True,
    )  # fmt: skip
    key = studio.schedules.add(wanted)
    return {"text": f"{wanted.name} is set", "schedule_id": str(key)}
