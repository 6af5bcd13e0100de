"""The views of the sample studio in the shapes of ``dashboards.contracts``."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..contracts import SessionPerson
from .budgets import SampleBudgets
from .figures import (
    budget,
    curve,
    disk,
    drift,
    feed,
    gates,
    higher_tiers,
    marks,
    metadata,
    note,
    other_cuts,
    receipt,
    release,
    segments,
    source,
    variant,
    workers,
)
from .messages import SampleMessages
from .project import ACTIVE, CHARACTERS, GRID, NAMES, TYPES, VARIANTS, WAITING, moment
from .triggers import SampleTriggers


class SampleViews(SampleMessages, SampleTriggers, SampleBudgets):
    """Every view of ``StudioViews`` for the sample project."""

    def __init__(self) -> None:
        """Start with no changes."""
        super().__init__()
        self.changed: dict[str, str] = {}
        self.decisions: dict[str, dict[str, Any]] = {}
        self.cancelled: set[str] = set()
        self.paused = False
        self.empty = False
        self.notes: list[dict[str, Any]] = [
            note(
                "n1",
                "Ines Kaya",
                192,
                "Slight pop in the sleeve at the seam. Acceptable at 1×?",
                (4, "warning", "Open"),
            ),
            note(
                "n2",
                "Ben Osei",
                143,
                "Eyes are right again after the retake.",
                (7, "approved", "Carried from v2, f 139"),
            ),
            note("n3", "Noor Aziz", None, "Keep the smile as in variant B.", (120, "approved", "Resolved")),
        ]

    # ------------------------------------------------------------ small parts
    def _status(self, character: str, kind: str, variant: int) -> str:
        return self.changed.get(f"{character}-{kind}-{variant}", GRID[character, kind, variant])

    def _counts(self, wanted: Any = lambda key: True) -> dict[str, int]:
        return dict(Counter(self._status(*key) for key in GRID if wanted(key)))

    def _scene_name(self, scene_id: str) -> str:
        character, kind, variant = scene_id.split("-")
        return f"{NAMES[character]} · {kind} · {VARIANTS[int(variant)][2]}"

    def _next_waiting(self, scene_id: str) -> str | None:
        return next((s for s in WAITING if s != scene_id and s not in self.decisions), None)

    def _jobs(self) -> dict[str, Any]:
        items = [
            {"id": key, "title": NAMES[who], "detail": f"{what} · segment {seg}", "status": "generating"}
            | {"progress": share, "left_s": left, "can_cancel": True}
            for key, who, what, seg, _, share, left, _ in ACTIVE
            if key not in self.cancelled
        ]
        busy = [{"name": w["name"], "status": w["status"], "word": w["word"]} for w in workers()]
        return {
            "running": len(items),
            "queued": 118,
            "held": 8,
            "progress": 0.61,
            "left_s": 5040,
            "items": items,
            "workers": busy,
        }

    # ------------------------------------------------------------ views
    def shell(self, person: SessionPerson, project: str | None) -> Any:
        """Return the shell."""
        projects = [{"id": "aurora", "name": "Aurora"}, {"id": "kestrel", "name": "Kestrel"}]
        chosen = next((p for p in projects if p["id"] == project), projects[0])
        initials = "".join(word[0] for word in person.name.split())
        waiting = [s for s in WAITING if s not in self.decisions]
        return {
            "project": chosen,
            "projects": projects,
            "person": {"name": person.name, "initials": initials, "role": person.role},
            "jobs": self._jobs(),
            "inbox": self.inbox(),
            "review_count": 43 + len(waiting),
            "status_items": [
                {"label": "All services well", "value": "", "status": "approved"},
                {"label": "Database", "value": "4 ms"},
                {"label": "GPU workers", "value": "4 of 5 online", "icon": "cpu"},
                {"label": "Disk", "value": "2.41 of 4.00 TB", "icon": "hard-drive", "share": 0.6},
            ],
            "commands": [
                {"group": "Characters", "label": name, "href": f"/character?character={key}", "icon": "users"}
                for key, name, _ in CHARACTERS
            ],
        }

    def pulse(self, person: SessionPerson, project: str | None) -> Any:
        """Return Pulse."""
        if self.empty:
            return {"facts": {"characters": 0, "scene_types": 0, "variants": 0, "scenes": 0}}
        active = [
            {"id": key, "character": NAMES[who], "detail": what, "segment": seg, "step": step, "progress": share}
            | {"left_s": left, "worker": gpu, "can_cancel": True, "thumb": f"/media/frame-{who}-{what.split()[0]}.webp"}
            for key, who, what, seg, step, share, left, gpu in ACTIVE
            if key not in self.cancelled
        ]
        types: list[dict[str, Any]] = [
            {"name": t, "counts": self._counts(lambda k, t=t: k[1] == t), "total": 36} for t in TYPES
        ]
        return {
            "facts": {"characters": 12, "scene_types": 6, "variants": 3, "scenes": 216},
            "active": active,
            "next": [
                {"id": "t4", "character": "Sofia Marchetti", "detail": "dance · Studio, segment 2", "worker": "gpu-03"}
                | {"start_s": 22},
                {"id": "t5", "character": "Nadia Haddad", "detail": "dance · Studio, segment 3", "worker": "gpu-01"}
                | {"start_s": 54},
            ],
            "takes_per_hour": 78.0,
            "review": self._review_card_row(),
            "counts": self._counts(),
            "types": [t | {"approved": t["counts"].get("approved", 0)} for t in types],
            "due": "2026-11-30T18:00:00+00:00",
            "workers": workers(),
            "disk": disk(),
            "budget": budget(),
            "feed": feed(),
        }

    def _review_card_row(self) -> dict[str, Any]:
        words = {"mara-wave-0": ("warning", "Seam 2"), "tomas-idle-2": ("rejected", "Artifacts")}
        cards = []
        for key in WAITING:
            if key in self.decisions:
                continue
            who, kind, variant = key.split("-")
            status, word = words.get(key, ("approved", "All passed"))
            card = {"scene_id": key, "character": NAMES[who], "detail": f"{kind} · {VARIANTS[int(variant)][2]}"}
            thumb = f"/media/frame-{who}-{kind}.webp"
            cards.append(card | {"thumb": thumb, "duration_s": 12.0, "status": status, "word": word})
        total = 43 + len(cards)
        return {"total": total, "passed": total - 18, "borderline": 13, "flagged": 5, "oldest_s": 11400, "cards": cards}

    def characters(self, person: SessionPerson, project: str | None) -> Any:
        """Return the gallery."""
        cards = []
        for key, name, kind in CHARACTERS:
            counts = self._counts(lambda k, c=key: k[0] == c)
            notice = {"zuri": ("blocked", "Evening has no approved image"), "ravi": ("warning", "Release ends 28 Nov")}
            told = notice.get(key)
            cards.append(
                {"id": key, "name": name, "kind": kind, "thumb": f"/media/head-{key}.webp", "counts": counts}
                | {"scenes": 18, "approved": counts.get("approved", 0), "tags": ["lead cast"]}
                | {"variants": [{"name": v[2], "status": "approved"} for v in VARIANTS]}
                | {"notice": {"status": told[0], "text": told[1]} if told else None}
            )
        return {"characters": cards, "import_command": "x121 import aurora ./portraits --dry-run"}

    def character(self, person: SessionPerson, project: str | None, character_id: str) -> Any:
        """Return one character."""
        keys = [key for key, _, _ in CHARACTERS]
        at = keys.index(character_id)
        _, name, kind = CHARACTERS[at]
        return {
            "id": character_id,
            "name": name,
            "code": f"AUR-{at + 1:03d}",
            "kind": kind,
            "added": "added 2 Nov by Noor Aziz",
            "position": at + 1,
            "total": len(keys),
            "previous_id": keys[at - 1] if at else None,
            "next_id": keys[at + 1] if at + 1 < len(keys) else None,
            "badges": [
                {"status": "approved", "text": "16 of 18 scenes approved"},
                {"status": "review", "text": "1 in review"},
                {"status": "rejected", "text": "1 rejected"},
            ],
            "source": source(character_id),
            "variants": [variant(character_id, i) for i in range(3)],
            "identity_gate": 0.45,
            "identity_backend": "AuraFace-v1",
            "identity_types": [
                {"name": t, "mean": m, "low": low, "status": "warning" if t == "dance" else "approved"}
                for t, m, low in zip(
                    TYPES, (0.55, 0.69, 0.63, 0.61, 0.58, 0.72), (0.46, 0.64, 0.55, 0.52, 0.48, 0.68), strict=True
                )
            ],
            "release": release(name, kind),
            "metadata": metadata(),
        }

    def review(self, person: SessionPerson, project: str | None, scene_id: str | None, group: str | None = None) -> Any:
        """Return the scene asked for, else the first that waits."""
        waiting = [s for s in WAITING if s not in self.decisions]
        chosen = scene_id or (waiting[0] if waiting else None)
        reasons = {
            "reject": ["Seam visible", "Face drifts", "Hands", "Motion wrong", "Background", "Other"],
            "flag": ["Check likeness", "Ask director", "Legal"],
        }
        at = WAITING.index(chosen) if chosen in WAITING else 0
        following = self._next_waiting(chosen) if chosen else None
        return {
            "group": {"id": group, "name": group.partition(":")[2]} if group else None,
            "scene": self._review_scene(chosen) if chosen else None,
            "position": 23 + at,
            "total": 43 + len(waiting),
            "previous_id": WAITING[at - 1] if at else None,
            "next_id": following,
            "next_video": "/media/mara-wave.mp4",
            "reasons": {k: [{"id": x.lower(), "name": x} for x in v] for k, v in reasons.items()},
            "may_decide": True,
            "undo_s": 10.0,
            "decision": self.decisions.get(chosen) if chosen else None,
        }

    def _review_scene(self, scene_id: str) -> dict[str, Any]:
        who, kind, variant = scene_id.split("-")
        label = f"{kind} · {VARIANTS[int(variant)][1]} {VARIANTS[int(variant)][2]}"
        decision = self.decisions.get(scene_id)
        status = (
            {"approve": "approved", "reject": "rejected", "flag": "warning"}[decision["outcome"]]
            if decision
            else "review"
        )
        word = {"approved": "Approved", "rejected": "Rejected", "warning": "Flagged", "review": "In review"}[status]
        return {
            "id": scene_id,
            "character": NAMES[who],
            "thumb": f"/media/head-{who}.webp",
            "detail": label,
            "version": "v3",
            "status": status,
            "word": word,
            "badges": [{"status": "warning", "text": "1 gate borderline"}],
            "video": "/media/mara-wave.mp4",
            "poster": None,
            "mime": "video/mp4",
            "fps": [24, 1],
            "frames": 288,
            "width": 960,
            "height": 540,
            "segments": segments(),
            "gates": gates(),
            "profile": "final v6",
            "marks": marks(),
            "drift": drift(),
            "curve": curve(),
            "notes": list(self.notes),
            "receipt": receipt(),
            "fresh": True,
            "tier": "Production",
            "others": other_cuts(),
            "higher": higher_tiers(),
            "credit": f"AI-generated · {NAMES[who]} {kind} v3 · preview for I. Kaya",
        }

    def deliveries(self, person: SessionPerson, project: str | None) -> Any:
        """Return the deliveries."""
        counts = self._counts()
        return {
            "ready": counts.get("approved", 0),
            "total": 216,
            "missing": [
                {"status": "review", "text": f"{counts.get('review', 0)} scenes wait for review", "href": "/review"},
                {
                    "status": "warning",
                    "text": "Mara Voss: voice reference is missing",
                    "href": "/character?character=mara",
                },
            ],
            "deliveries": [
                {
                    "id": "p1",
                    "name": "aurora_2026-11-18.zip",
                    "status": "approved",
                    "word": "Complete",
                    "at": moment(2880),
                }
                | {
                    "by": "Noor Aziz",
                    "scenes": 61,
                    "size_bytes": 1_480_000_000,
                    "download": None,
                    "note": "verified, 61 of 61 files",
                },
            ],
            "may_deliver": True,
        }
