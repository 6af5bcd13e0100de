"""The views of the sample studio: project Aurora's figures in the shapes of ``contracts``."""

from __future__ import annotations

import math
import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from .contracts import SessionPerson

CHARACTERS = [
    ("mara", "Mara Voss", "Real performer"),
    ("idris", "Idris Okoye", "Real performer"),
    ("lena", "Lena Sørensen", "Synthetic"),
    ("tomas", "Tomás Rivera", "Real performer"),
    ("aiko", "Aiko Tanabe", "Synthetic"),
    ("ravi", "Ravi Menon", "Real performer"),
    ("zuri", "Zuri Abara", "Synthetic"),
    ("jonas", "Jonas Keller", "Real performer"),
    ("nadia", "Nadia Haddad", "Synthetic"),
    ("callum", "Callum Reid", "Real performer"),
    ("mei", "Mei Lin Zhao", "Synthetic"),
    ("sofia", "Sofia Marchetti", "Real performer"),
]
TYPES = ["dance", "idle", "walk", "wave", "turn", "portrait"]
VARIANTS = [("studio", "A", "Studio"), ("street", "B", "Street"), ("evening", "C", "Evening")]
NAMES = {key: name for key, name, _ in CHARACTERS}
FIXED = {
    ("mara", "wave", 0): "review",
    ("mara", "dance", 2): "rejected",
    ("tomas", "walk", 1): "rejected",
    ("aiko", "wave", 0): "rejected",
    ("idris", "turn", 1): "rejected",
    ("ravi", "idle", 2): "failed",
    ("jonas", "dance", 0): "failed",
    ("nadia", "dance", 0): "generating",
    ("jonas", "walk", 1): "generating",
    ("sofia", "dance", 0): "generating",
}
PROGRESS = {"nadia-dance-0": 0.57, "jonas-walk-1": 0.77, "sofia-dance-0": 0.29}
ACTIVE = [
    ("t1", "nadia", "dance · Studio", "2 of 3", "21/30", 0.71, 54, "gpu-01"),
    ("t2", "jonas", "walk · Street", "3 of 3", "9/30", 0.32, 128, "gpu-02"),
    ("t3", "sofia", "dance · Studio", "1 of 3", "26/30", 0.88, 22, "gpu-03"),
]
GATES = [
    ("Face likeness", "cos", ".52", "min .45", 0.52, 0.45, "approved", None, 143),
    ("Seam 1 to 2", "LPIPS", ".048", "max .100", 0.24, 0.5, "approved", 2, 96),
    ("Seam 2 to 3", "LPIPS", ".104", "max .100", 0.52, 0.5, "warning", 3, 192),
    ("Motion", "degree", ".41", ".15–.80", 0.41, 0.15, "approved", None, None),
    ("Flicker", "1 − diff", ".981", "min .960", 0.82, 0.64, "approved", None, None),
    ("Colour drift", "dE", "1.6", "max 2.5", 0.38, 0.6, "approved", 3, 287),
    ("Artifacts", "", ".07", "max .15", 0.23, 0.5, "approved", None, None),
]
WAITING = ["mara-wave-0", "ravi-walk-1", "zuri-idle-1", "tomas-idle-2"]


def build_grid() -> dict[tuple[str, str, int], str]:
    """Return (character, scene type, variant number) → status."""
    rnd = random.Random(121)
    grid: dict[tuple[str, str, int], str] = {}
    for row, (character, _, _) in enumerate(CHARACTERS):
        for column, kind in enumerate(TYPES):
            for variant in range(3):
                late = (row >= 9 and column >= 2) or (row == 8 and column >= 4)
                rank = row * 18 + column * 4 + variant * 16 + rnd.uniform(-26, 26)
                status = "none" if late else "approved" if rank < 92 else "review" if rank < 160 else "pending"
                if character == "zuri" and variant == 2:
                    status = "blocked"
                grid[character, kind, variant] = FIXED.get((character, kind, variant), status)
    return grid


GRID = build_grid()


def _at(minutes: float) -> str:
    return (datetime.now().astimezone() - timedelta(minutes=minutes)).isoformat(timespec="seconds")


class SampleViews:
    """Every view of ``StudioViews`` for the sample project."""

    def __init__(self) -> None:
        """Start with no changes."""
        self.changed: dict[str, str] = {}
        self.decisions: dict[str, dict[str, Any]] = {}
        self.cancelled: set[str] = set()
        self.paused = False
        self.empty = False
        self.notes: list[dict[str, Any]] = [
            _note("n1", "Ines Kaya", 192, "Slight pop in the sleeve at the seam. Acceptable at 1×?", 4, "warning", "Open"),
            _note("n2", "Ben Osei", 143, "Eyes are right again after the retake.", 7, "approved", "Carried from v2, f 139"),
            _note("n3", "Noor Aziz", None, "Keep the smile as in variant B.", 120, "approved", "Resolved"),
        ]

    # ------------------------------------------------------------ small parts
    def _status(self, character: str, kind: str, variant: int) -> str:
        return self.changed.get(f"{character}-{kind}-{variant}", GRID[character, kind, variant])

    def _counts(self, wanted: Any = lambda key: True) -> dict[str, int]:
        return dict(Counter(self._status(*key) for key in GRID if wanted(key)))

    def _cell(self, character: str, kind: str) -> dict[str, Any]:
        scenes = []
        for number, (name, _, _) in enumerate(VARIANTS):
            status = self._status(character, kind, number)
            key = f"{character}-{kind}-{number}"
            reason = {"blocked": "no approved image", "failed": "out of memory at step 22"}.get(status, "")
            progress = PROGRESS.get(key)
            scenes.append({"id": key, "variant": name, "status": status, "progress": progress, "reason": reason})
        begun = any(scene["status"] not in ("none", "pending", "blocked") for scene in scenes)
        selectable = any(scene["status"] == "none" for scene in scenes)
        strip = f"/media/cell-{character}-{kind}.webp" if begun else None
        return {"strip": strip, "strip_frames": 3, "scenes": scenes, "selectable": selectable}

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
        return {"running": len(items), "queued": 118, "progress": 0.61, "left_s": 5040, "items": items}

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
        types = [{"name": t, "counts": self._counts(lambda k, t=t: k[1] == t), "total": 36} for t in TYPES]
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
            "workers": _workers(),
            "disk": _disk(),
            "budget": _budget(),
            "feed": _feed(),
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
            "source": _source(character_id),
            "variants": [_variant(character_id, i) for i in range(3)],
            "identity_gate": 0.45,
            "identity_backend": "AuraFace-v1",
            "identity_types": [
                {"name": t, "mean": m, "low": low, "status": "warning" if t == "dance" else "approved"}
                for t, m, low in zip(TYPES, (0.55, 0.69, 0.63, 0.61, 0.58, 0.72), (0.46, 0.64, 0.55, 0.52, 0.48, 0.68), strict=True)
            ],
            "release": {
                "needed": kind != "Synthetic",
                "status": "approved",
                "word": "Valid" if kind != "Synthetic" else "Not needed",
                "rows": [["Performer", f"{name}, verified adult"], ["Document", "b71e02…9c4d · PDF"], ["Valid until", "31 May 2027"]],
                "covers": ["Studio", "Street", "Evening", "6 scene types"],
            },
            "metadata": [
                {"name": "hair", "label": "Hair", "value": "Brown, bob", "required": False, "missing": False},
                {"name": "eyes", "label": "Eyes", "value": "Brown", "required": False, "missing": False},
                {"name": "wardrobe", "label": "Wardrobe", "value": "Blue blazer, cream shirt", "required": False, "missing": False},
                {"name": "voice", "label": "Voice reference", "value": "", "required": True, "missing": True},
            ],
        }

    def matrix(self, person: SessionPerson, project: str | None) -> Any:
        """Return the matrix."""
        rows = []
        for number, (key, name, kind) in enumerate(CHARACTERS, 1):
            told = {"zuri": ("blocked", "Evening has no image"), "ravi": ("warning", "Release ends 28 Nov")}.get(key)
            approved = self._counts(lambda k, c=key: k[0] == c).get("approved", 0)
            rows.append(
                {"id": key, "name": name, "sub": f"AUR-{number:03d} · {kind}", "thumb": f"/media/head-{key}.webp"}
                | {"approved": approved, "total": 18, "cells": [self._cell(key, t) for t in TYPES]}
                | {"notice": {"status": told[0], "text": told[1]} if told else None}
            )
        blocked = {"status": "blocked", "text": "Zuri Abara, Evening: no approved image, 6 scenes blocked"}
        ends = {"status": "warning", "text": "Ravi Menon: release ends 28 Nov, in 8 days"}
        return {
            "scene_types": [{"id": t, "name": t, "sub": "12.0 s · 3 seg"} for t in TYPES],
            "variants": [{"name": n, "letter": letter, "label": label} for n, letter, label in VARIANTS],
            "rows": [] if self.empty else rows,
            "counts": self._counts(),
            "prerequisites": [
                blocked | {"link": "Choose image", "href": "/character?character=zuri"},
                ends | {"link": "Renew", "href": "/character?character=ravi"},
            ],
            "tiers": [{"id": "draft", "name": "Draft"}, {"id": "final", "name": "Final"}],
            "tier": "final",
            "may_submit": True,
        }

    def queue(self, person: SessionPerson, project: str | None) -> Any:
        """Return the queue."""
        return {
            "now": _at(0),
            "paused": self.paused,
            "running": 3,
            "queued": 118,
            "empty_at": _at(-84),
            "lanes": _lanes(),
            "tasks": [task for task in _tasks() if task["id"] not in self.cancelled],
            "done_today": 431,
            "shares": [
                {"name": "Aurora", "used": 0.58, "target": 0.55, "running": 3, "queued": 96, "note": "next in 0:22"},
                {"name": "Kestrel", "used": 0.27, "target": 0.3, "running": 1, "queued": 14, "note": "below its share"},
                {"name": "Lumen", "used": 0.15, "target": 0.15, "running": 0, "queued": 8, "note": "budget hold"},
            ],
            "plan": [["Queue empty at", "23:42"], ["Range, 80 %", "23:31–00:04"], ["Start delay, p95", "0.8 s"], ["Estimate error, 7 days", "± 6 %"]],
            "may_manage": True,
        }

    def review(self, person: SessionPerson, project: str | None, scene_id: str | None) -> Any:
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
        status = {"approve": "approved", "reject": "rejected", "flag": "warning"}[decision["outcome"]] if decision else "review"
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
            "segments": _segments(),
            "gates": [
                dict(zip(("name", "unit", "value", "limit", "fill", "mark", "status", "segment", "frame"), g, strict=True))
                | {"reason": ""}
                for g in GATES
            ],
            "profile": "final v6",
            "marks": [
                {"frame": 96, "end": None, "status": "approved", "text": "Seam .048"},
                {"frame": 148, "end": None, "status": "info", "text": "Blink"},
                {"frame": 192, "end": None, "status": "warning", "text": "Seam .104"},
                {"frame": 243, "end": None, "status": "info", "text": "Fast hand"},
            ],
            "curve": _curve(),
            "notes": self.notes,
            "receipt": [
                ["Workflow", "i2v-chain v14"],
                ["Seed", "881 204 377"],
                ["Tier", "Final · 960×540 · 24 fps"],
                ["Worker", "gpu-02 · ComfyUI 0.3.68"],
                ["GPU time", "9 min 12 s, 3 takes"],
                ["Hand-off", "PNG f 95, f 191, lossless"],
                ["SHA-256", "9f3c41d2…e21a07b6"],
            ],
            "fresh": True,
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
                {"status": "warning", "text": "Mara Voss: voice reference is missing", "href": "/character?character=mara"},
            ],
            "deliveries": [
                {"id": "p1", "name": "aurora_2026-11-18.zip", "status": "approved", "word": "Complete", "at": _at(2880)}
                | {"by": "Noor Aziz", "scenes": 61, "size_bytes": 1_480_000_000, "download": None, "note": "verified, 61 of 61 files"},
            ],
            "may_deliver": True,
        }


def _note(key: str, who: str, frame: int | None, text: str, minutes: float, status: str, word: str) -> dict[str, Any]:
    initials = "".join(part[0] for part in who.split())
    note = {"id": key, "author": who, "initials": initials, "frame": frame, "text": text}
    return note | {"at": _at(minutes), "status": status, "word": word}


def _workers() -> list[dict[str, Any]]:
    rows = [
        ("gpu-01", "L40S", 0.97, 39.2, 48, 68, "Nadia Haddad · dance · Studio"),
        ("gpu-02", "L40S", 0.99, 38.6, 48, 71, "Jonas Keller · walk · Street"),
        ("gpu-03", "RTX 4090", 0.96, 20.9, 24, 74, "Sofia Marchetti · dance · Studio"),
        ("gpu-04", "RTX 5090", 0.92, 19.3, 32, 66, "Kestrel · kst-014 · idle"),
        ("gpu-05", "RTX 4090", None, None, 24, None, "Driver update, back 22:55"),
    ]
    out = []
    for number, (name, kind, load, memory, total, heat, doing) in enumerate(rows):
        rnd = random.Random(number)
        series = [max(0.0, (load or 0) - rnd.random() * 0.12) for _ in range(40)] if load else []
        out.append(
            {"id": name, "name": name, "kind": kind, "status": "generating" if load else "none"}
            | {"word": "Busy" if load else "Drained", "doing": doing, "utilisation": load}
            | {"memory_bytes": int(memory * 1e9) if memory else None, "memory_total_bytes": int(total * 1e9)}
            | {"temperature_c": heat, "load": series}
        )
    return out


def _disk() -> dict[str, Any]:
    parts = [("Takes", 1.32), ("Sources and seeds", 0.41), ("Models", 0.56), ("Deliveries", 0.12)]
    named = [{"name": name, "bytes": int(size * 1e12)} for name, size in parts]
    return {"used_bytes": int(2.41e12), "total_bytes": int(4e12), "parts": named, "full_in_days": 26.0}


def _budget() -> dict[str, Any]:
    days = [0, 6, 14, 21, 33, 45, 52, 52, 66, 81, 96, 109, 121, 130, 130, 142, 155, 163, 176, 187.4]
    return {"used_h": 187.4, "limit_h": 320, "today_h": 21.6, "forecast_h": 298, "days": days, "of": 30, "month": "November"}


def _feed() -> list[dict[str, Any]]:
    rows = [
        ("generating", "gpu-02", "started", "Jonas Keller · walk · Street", "segment 3, take 1", 1),
        ("approved", "Ines Kaya", "approved", "Zuri Abara · dance · Studio", "v2, note resolved", 2),
        ("review", "X121", "sent to review", "Mara Voss · wave · Studio", "v3, seam 2 borderline", 3),
        ("rejected", "Ben Osei", "rejected", "Idris Okoye · turn · Street", "“Left ear drifts after frame 150.” Retake queued.", 9),
        ("failed", "gpu-04", "failed", "Ravi Menon · idle · Evening", "out of memory at step 22. Retry 2 of 3 runs on gpu-01.", 16),
        ("approved", "Ines Kaya", "approved 6 scenes of", "Lena Sørensen", "all gates passed", 24),
        ("warning", "X121", "warned", "Ravi Menon", "likeness release ends in 8 days", 40),
        ("pending", "Noor Aziz", "submitted", "32 scenes", "tier Final, 96 takes, 4.8 GPU h", 52),
        ("none", "Noor Aziz", "drained", "gpu-05", "driver update until 22:55", 64),
    ]
    return [
        {"id": str(i), "status": s, "who": who, "verb": verb, "what": what, "more": more, "at": _at(minutes)}
        | {"mine": who == "Ines Kaya", "problem": s in ("failed", "warning")}
        for i, (s, who, verb, what, more, minutes) in enumerate(rows)
    ]


def _source(character: str) -> dict[str, Any]:
    checks = [("Face found", "1 face, 742 px"), ("Sharpness", "187, min 80"), ("Exposure", "0.4 % clipped"), ("Pose", "yaw 3°, pitch 1°"), ("Resolution", "1840 × 3510 px"), ("Duplicate", "none in 12")]
    rows = [{"name": name, "value": value, "status": "approved"} for name, value in checks]
    return {"image": f"/media/head-{character}.webp", "box": [0.24, 0.26, 0.5, 0.56], "box_word": "face .998", "checks": rows}


def _variant(character: str, number: int) -> dict[str, Any]:
    name, letter, label = VARIANTS[number]
    picture = f"/media/head-mara-{letter}.webp" if character == "mara" and number else f"/media/head-{character}.webp"
    versions = [{"id": f"v{i}", "name": f"v{i}", "image": picture, "hero": i == 3, "score": 0.6 + i / 50} for i in (1, 2, 3)]
    return {
        "id": f"{character}-{name}",
        "name": f"{letter} {label}",
        "prefix": "" if number == 0 else f"{name}_",
        "status": "approved" if number < 2 else "review",
        "word": "Approved" if number < 2 else "Waits for approval",
        "image": picture,
        "version": "v3",
        "identity": (0.71, 0.68, 0.63)[number],
        "scenes": "6 scenes: 5 approved, 1 in review",
        "versions": versions,
        "can_decide": number == 2,
    }


def _lanes() -> list[dict[str, Any]]:
    spans = {
        "gpu-01": [(-30, -24.6), (-24.4, -15.2), (-15, -5.7), (-5.4, 4.1), (4.3, 13.5), (13.7, 22.9), (23.1, 32.3), (32.5, 41.7), (41.9, 50)],
        "gpu-02": [(-30, -27.1), (-26.8, -17.6), (-17.4, -8.2), (-7.9, 2.2), (2.4, 11.6), (11.8, 21), (21.2, 30.4), (30.6, 39.8), (40, 49.2)],
        "gpu-03": [(-30, -21.2), (-20.9, -11.6), (-11.4, -3), (-2.7, 6.6), (6.8, 16), (16.2, 25.4), (25.6, 34.8), (35, 44.2)],
        "gpu-04": [(-30, -17.5), (-17.2, -16), (-15.7, -5.7), (-5.4, 7.8), (8, 21.3), (21.5, 30.7), (30.9, 43.1)],
    }
    rnd, lanes = random.Random(7), []
    for worker in _workers():
        bars = []
        for number, (start, end) in enumerate(spans.get(worker["id"], [])):
            fail = end - start < 2
            kind = "fail" if fail else "past" if end < 0 else "plan" if start > 0 else "run"
            status = {"fail": "failed", "past": "approved", "plan": "pending", "run": "generating"}[kind]
            label = f"{rnd.choice(CHARACTERS)[1].split()[0]} · {rnd.choice(TYPES)} · {rnd.choice('ABC')}"
            bars.append(
                {"id": f"{worker['id']}-{number}", "kind": kind, "status": status, "label": label, "segments": 3}
                | {"start_s": start * 60, "end_s": end * 60, "progress": -start / (end - start) if kind == "run" else 0}
            )
        if worker["id"] == "gpu-05":
            bars.append({"id": "down", "kind": "down", "status": "none", "label": "Drained by Noor Aziz · driver update until 22:55"} | {"start_s": -1800, "end_s": 2220, "progress": 0, "segments": 1})
        lanes.append({"worker": worker, "bars": bars})
    return lanes


def _tasks() -> list[dict[str, Any]]:
    rows = [
        ("t1", "generating", "Running", "Nadia Haddad", "dance · Studio", "S2 take 1", 50, "Runs since 22:16 on gpu-01", 2, 185, 0.71),
        ("t2", "generating", "Running", "Jonas Keller", "walk · Street", "S3 take 1", 50, "Runs since 22:17 on gpu-02", 1, 185, 0.32),
        ("t3", "generating", "Running", "Sofia Marchetti", "dance · Studio", "S1 take 1", 50, "Runs since 22:15 on gpu-03", 3, 185, 0.88),
        ("t5", "pending", "Queued", "Nadia Haddad", "dance · Studio", "S3 take 1", 50, "Needs the last frame of S2 (chain)", -1, 185, 0),
        ("t6", "failed", "Retrying", "Ravi Menon", "idle · Evening", "S1 take 2", 60, "Retry 2 of 3: out of memory on gpu-04, now 48 GB only", -4, 190, 0),
        ("t7", "pending", "Queued", "Idris Okoye", "turn · Street", "S1 retake", 60, "Retake goes first: gpu-02 keeps its model warm", -2, 185, 0),
        ("t8", "pending", "Queued", "Jonas Keller", "turn · Studio", "S1 take 1", 50, "Fair share: Kestrel is 3 % below its share", -7, 185, 0),
        ("t9", "warning", "Held", "lum-003", "portrait", "S1 take 1", 40, "Budget hold: 20.0 of 20 GPU h used today", -100, 100, 0),
        ("t10", "pending", "Queued", "Mei Lin Zhao", "idle · Street", "S1 take 1", 50, "59 takes of Aurora are ahead", -44, 185, 0),
        ("t11", "blocked", "Paused", "lum-005", "walk", "S1 take 1", 40, "Paused by its owner", None, 100, 0),
    ]
    return [
        {"id": key, "status": status, "word": word, "character": who, "detail": what, "take": take, "project": "Aurora"}
        | {"priority": priority, "why": why, "start_at": None if start is None else _at(start), "estimate_s": estimate}
        | {"progress": progress, "problem": status in ("failed", "warning"), "scene_id": "mara-wave-0"}
        | {"can": ["cancel"] if status == "generating" else ["cancel", "front"]}
        for key, status, word, who, what, take, priority, why, start, estimate, progress in rows
    ]


def _segments() -> list[dict[str, Any]]:
    takes = [[("rejected", "Rejected"), ("approved", "In cut")], [("approved", "In cut")], [("failed", "Failed"), ("rejected", "Rejected"), ("approved", "In cut")]]
    out = []
    for number, row in enumerate(takes):
        cards = [
            {"id": f"s{number}t{i}", "number": i + 1, "status": status, "word": word, "thumb": "/media/frame-mara-wave.webp"}
            | {"in_cut": status == "approved"}
            for i, (status, word) in enumerate(row)
        ]
        strip = f"/media/strip-wave-{number}.webp"
        out.append({"id": f"s{number}", "number": number + 1, "start": number * 96, "end": number * 96 + 96, "strip": strip} | {"strip_frames": 5, "takes": cards})
    return out


def _curve() -> dict[str, Any]:
    values = [0.55 + 0.03 * math.sin(i / 9) + 0.015 * math.sin(i / 3.1) - (0.06 if 66 < i < 74 else 0) for i in range(144)]
    return {"name": "Likeness", "low": 0.4, "high": 0.65, "limit": 0.45, "values": values, "status": "approved"}
