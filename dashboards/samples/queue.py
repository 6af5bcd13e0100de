"""The queue of the sample studio."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from x121lib.base.errors import InvalidInputError
from x121lib.scheduling import cron as schedules

from ..contracts import SessionPerson
from .figures import lanes, tasks
from .project import CHARACTERS, TYPES


def _clock(minutes: float) -> str:
    """Return the time of the day in so many minutes."""
    return f"{datetime.fromisoformat(_moment(minutes)):%H:%M}"


def _moment(minutes: float) -> str:
    return (datetime.now().astimezone() + timedelta(minutes=minutes)).isoformat()


class SampleQueue:
    """The queue's part of ``StudioDoor`` over fixed figures; changes are noted and tell what they would do."""

    heard: list[tuple[str, Any]]
    paused: bool
    cancelled: set[str]

    def queue(self, person: SessionPerson, project: str | None, at: str | None = None) -> Any:
        """Return the queue."""
        del person, project
        return {
            "now": _moment(0), "paused": self.paused, "running": 3, "queued": 118, "held": 8, "empty_at": _moment(84),
            "lanes": lanes(), "tasks": [task for task in tasks() if task["id"] not in self.cancelled],
            "done_today": 431,
            "shares": [
                {"name": "Aurora", "used": 0.58, "target": 0.55, "running": 3, "queued": 96, "note": "next in 0:22"},
                {"name": "Kestrel", "used": 0.27, "target": 0.3, "running": 1, "queued": 14, "note": "below its share"},
                {"name": "Lumen", "used": 0.15, "target": 0.15, "running": 0, "queued": 8, "note": "budget hold"},
            ],
            "plan": [
                ["Queue empty at", _clock(84)], ["Range, 80 %", f"{_clock(73)}–{_clock(106)}"],
                ["Start delay, p95", "0.8 s"], ["Estimate error, 7 days", "± 6 %"],
            ],
            "may_manage": True, "may_schedule": True, "may_order": True,
            "history": self._history(at) if at else None, "pauses": [],
            "more_pauses": 0,
            "schedules": [
                {"id": "s1", "name": "Nightly", "cron": "30 22 * * mon-fri · Europe/Berlin", "project": "Aurora",
                 "person": "Ines Kaya", "enabled": True, "next_at": _moment(240), "last": "submitted", "may": True},
                {"id": "s2", "name": "Regression", "cron": "@weekly · UTC", "project": "Kestrel", "person": "Noor Aziz",
                 "enabled": False, "next_at": None, "last": "skipped", "may": False},
            ],
        }  # fmt: skip

    def _history(self, at: str) -> dict[str, Any]:
        until = datetime.fromisoformat(at)
        workers = [
            {"id": lane["worker"]["id"], "takes": len(lane["bars"]), "busy_s": 61_000.0, "utilisation": 0.71,
             "idle": [[-39_600.0, -30_000.0]]}
            for lane in lanes()
        ]  # fmt: skip
        since = (until - timedelta(hours=24)).isoformat()
        return {"from": since, "until": until.isoformat(), "workers": workers, "complete": True}

    def task_details(self, person: SessionPerson, task_id: str) -> Any:
        """Return one task in full."""
        del person
        return {
            "id": task_id, "title": "Nadia Haddad · dance · A", "project": "Aurora", "scene_id": "mara-wave-0",
            "facts": [["State", "Running"], ["Segment", "2 of 3, take 1"], ["Workflow", "i2v_dance v14"],
                      ["Priority", "50, Normal"], ["Submitted by", "Ines Kaya"]],
            "parameters": [["cfg", "6.0"], ["steps", "28"]],
            "attempts": [{"number": 1, "worker": "gpu-01", "outcome": "under way", "run_s": None,
                          "started_at": _moment(-2), "error": ""}],
        }  # fmt: skip

    def move_tasks(
        self, person: SessionPerson, task_ids: list[str], where: str, anchor: str | None = None
    ) -> dict[str, Any]:
        """Note a move."""
        del person
        self.heard.append(("move_tasks", (task_ids, where, anchor)))
        return {"text": f"{len(task_ids)} tasks moved {where}", "change_id": "c1"}

    def edit_tasks(self, person: SessionPerson, task_ids: list[str], changes: dict[str, Any]) -> dict[str, Any]:
        """Note an edit."""
        del person
        self.heard.append(("edit_tasks", (task_ids, changes)))
        return {"text": f"{len(task_ids)} tasks changed", "change_id": "c2"}

    def undo_change(self, person: SessionPerson, change_id: str) -> str:
        """Note an undo."""
        del person
        self.heard.append(("undo_change", change_id))
        return "Undone"

    def hold_work(self, person: SessionPerson, kind: str, keys: list[str], reason: str = "") -> str:
        """Note a pause."""
        del person
        self.heard.append(("hold_work", (kind, keys, reason)))
        return "Paused; what runs is finished"

    def go_on(self, person: SessionPerson, kind: str, keys: list[str]) -> str:
        """Note that it goes on."""
        del person
        self.heard.append(("go_on", (kind, keys)))
        return "It goes on"

    def schedule_offers(self, person: SessionPerson) -> dict[str, Any]:
        """Return what the form of a new schedule offers."""
        del person
        return {
            "projects": [{"name": "Aurora", "characters": [name for _, name, _ in CHARACTERS]},
                         {"name": "Kestrel", "characters": []}],
            "scene_types": TYPES, "variants": ["clothed", "evening"], "tiers": ["Draft", "Production"],
            "zones": ["Europe/Berlin", "UTC"],
        }  # fmt: skip

    def schedule_times(self, person: SessionPerson, cron: str, zone: str) -> dict[str, Any]:
        """Return the next five times; a sixth field is refused."""
        del person
        self.heard.append(("schedule_times", (cron, zone)))
        when, clock, at = schedules.read(cron), ZoneInfo(zone), datetime.now(UTC)
        found = [at := schedules.next_after(when, clock, at) for _ in range(5)]
        return {"times": [{"at": at.isoformat(), "words": f"{at.astimezone(clock):%a %d %b %Y %H:%M %Z}"}
                          for at in found]}  # fmt: skip

    def add_schedule(self, person: SessionPerson, given: Mapping[str, Any]) -> dict[str, Any]:
        """Note a schedule; one without a name is refused."""
        del person
        if not given["name"]:
            raise InvalidInputError("A schedule's name has 1 to 100 characters.")
        self.heard.append(("add_schedule", dict(given)))
        return {"text": f"{given['name']} is set", "schedule_id": "s3"}

    def schedule(self, person: SessionPerson, schedule_id: str) -> dict[str, Any]:
        """Return the schedule as it was set."""
        del person
        given = {"name": "Nightly", "project": "Aurora", "cron": "30 22 * * mon-fri", "zone": "Europe/Berlin",
                 "characters": ["Mara"], "scene_types": [], "variants": [], "tier": "", "priority": "Normal",
                 "off_peak": False, "failed_only": True, "run_missed": True}  # fmt: skip
        return {"schedule_id": schedule_id, "version": 1, "person": "Ines Kaya", "lost": 0, "given": given}

    def change_schedule(
        self, person: SessionPerson, schedule_id: str, given: Mapping[str, Any], version: int | None = None
    ) -> dict[str, Any]:
        """Note the change of a schedule."""
        before = self.schedule(person, schedule_id)["given"]
        self.heard.append(("change_schedule", (schedule_id, dict(given), version)))
        return {"text": f"{given['name']} is changed", "schedule_id": schedule_id, "version": 2, "before": before}

    def steer_schedule(self, person: SessionPerson, name: str, how: str) -> str:
        """Note what is done to a schedule."""
        del person
        self.heard.append(("steer_schedule", (name, how)))
        return f"{name}: {how}"
