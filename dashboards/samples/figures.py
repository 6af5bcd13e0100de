"""Fixed figures of the sample studio, piece by piece."""

from __future__ import annotations

import math
import random
from typing import Any

from .project import CHARACTERS, GATES, TYPES, VARIANTS, moment
from .rows import EVENTS, SPANS, TASKS, WORKERS


def note(key: str, who: str, frame: int | None, text: str, state: tuple[float, str, str]) -> dict[str, Any]:
    """Return one note written some minutes ago."""
    minutes, status, word = state
    initials = "".join(part[0] for part in who.split())
    note = {"id": key, "author": who, "initials": initials, "frame": frame, "text": text}
    return note | {"at": moment(minutes), "status": status, "word": word}


def workers() -> list[dict[str, Any]]:
    """Return five workers, one of them drained."""
    out = []
    for number, (name, kind, load, memory, total, heat, doing) in enumerate(WORKERS):
        rnd = random.Random(number)
        series = [max(0.0, (load or 0) - rnd.random() * 0.12) for _ in range(40)] if load else []
        out.append(
            {"id": name, "name": name, "kind": kind, "status": "generating" if load else "none"}
            | {"word": "Busy" if load else "Drained", "doing": doing, "utilisation": load}
            | {"memory_bytes": int(memory * 1e9) if memory else None, "memory_total_bytes": int(total * 1e9)}
            | {"temperature_c": heat, "load": series}
        )
    return out


def disk() -> dict[str, Any]:
    """Return the disk, 60 % full."""
    parts = [("Takes", 1.32), ("Sources and seeds", 0.41), ("Models", 0.56), ("Deliveries", 0.12)]
    named = [{"name": name, "bytes": int(size * 1e12)} for name, size in parts]
    return {"used_bytes": int(2.41e12), "total_bytes": int(4e12), "parts": named, "full_in_days": 26.0}


def budget() -> dict[str, Any]:
    """Return a budget on track."""
    days = [0, 6, 14, 21, 33, 45, 52, 52, 66, 81, 96, 109, 121, 130, 130, 142, 155, 163, 176, 187.4]
    return {
        "used_h": 187.4,
        "limit_h": 320,
        "today_h": 21.6,
        "forecast_h": 298,
        "days": days,
        "of": 30,
        "month": "November",
    }


def feed() -> list[dict[str, Any]]:
    """Return the activity, newest first."""
    return [
        {"id": str(i), "status": s, "who": who, "verb": verb, "what": what, "more": more, "at": moment(minutes)}
        | {"mine": who == "Ines Kaya", "problem": s in ("failed", "warning")}
        for i, (s, who, verb, what, more, minutes) in enumerate(EVENTS)
    ]


def source(character: str) -> dict[str, Any]:
    """Return a source image with its checks."""
    checks = [
        ("Face found", "1 face, 742 px"),
        ("Sharpness", "187, min 80"),
        ("Exposure", "0.4 % clipped"),
        ("Pose", "yaw 3°, pitch 1°"),
        ("Resolution", "1840 × 3510 px"),
        ("Duplicate", "none in 12"),
    ]
    rows = [{"name": name, "value": value, "status": "approved"} for name, value in checks]
    return {
        "image": f"/media/head-{character}.webp",
        "box": [0.24, 0.26, 0.5, 0.56],
        "box_word": "face .998",
        "checks": rows,
    }


def variant(character: str, number: int) -> dict[str, Any]:
    """Return one image variant."""
    name, letter, label = VARIANTS[number]
    picture = f"/media/head-mara-{letter}.webp" if character == "mara" and number else f"/media/head-{character}.webp"
    versions = [
        {"id": f"v{i}", "name": f"v{i}", "image": picture, "hero": i == 3, "score": 0.6 + i / 50} for i in (1, 2, 3)
    ]
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


def lanes() -> list[dict[str, Any]]:
    """Return each worker with past, running and planned takes."""
    rnd, lanes = random.Random(7), []
    for worker in workers():
        bars = []
        for number, (start, end) in enumerate(SPANS.get(worker["id"], [])):
            fail = end - start < 2
            kind = "fail" if fail else "past" if end < 0 else "plan" if start > 0 else "run"
            status = {"fail": "failed", "past": "approved", "plan": "pending", "run": "generating"}[kind]
            label = f"{rnd.choice(CHARACTERS)[1].split()[0]} · {rnd.choice(TYPES)} · {rnd.choice('ABC')}"
            bars.append(
                {"id": f"{worker['id']}-{number}", "kind": kind, "status": status, "label": label, "segments": 3}
                | {"project": "Aurora", "task_id": f"{worker['id']}-{number}"}
                | {"start_s": start * 60, "end_s": end * 60, "progress": -start / (end - start) if kind == "run" else 0}
            )
        if worker["id"] == "gpu-05":
            bars.append(
                {
                    "id": "down",
                    "kind": "down",
                    "status": "none",
                    "label": "Drained by Noor Aziz · driver update until 22:55",
                }
                | {"start_s": -1800, "end_s": 2220, "progress": 0, "segments": 1, "project": "", "task_id": None}
            )
        lanes.append({"worker": worker, "bars": bars})
    return lanes


def tasks() -> list[dict[str, Any]]:
    """Return the tasks of the queue."""
    return [
        {"id": key, "status": status, "word": word, "character": who, "detail": what, "take": take, "project": "Aurora"}
        | {"person": "Ines Kaya"}
        | {
            "priority": priority,
            "why": why,
            "start_at": None if start is None else moment(start),
            "estimate_s": estimate,
        }
        | {"progress": progress, "problem": status in ("failed", "warning"), "scene_id": "mara-wave-0"}
        | {"can": ["cancel"] if status == "generating" else ["cancel", "front", "edit", "pause"]}
        for key, status, word, who, what, take, priority, why, start, estimate, progress in TASKS
    ]


def other_cuts() -> list[dict[str, Any]]:
    """The same scene at the tier Draft, and an earlier cut; the draft's segments are four frames shorter."""
    whole = {"frames": 288, "fps": [24, 1], "poster": None, "gates": [
        {"name": "Face likeness", "value": ".49", "status": "approved"},
        {"name": "Flicker", "value": ".944", "status": "warning"}]}  # fmt: skip
    return [
        {"id": "cut-1", "version": "v1", "tier": "Draft", "video": "/media/mara-wave-draft.mp4", "width": 480,
         "height": 272, "segments": [[0, 92], [92, 184], [184, 276]], "run_s": 96.0, **whole, "frames": 276},
        {"id": "cut-2", "version": "v2", "tier": "Production", "video": "/media/mara-wave.mp4", "width": 960,
         "height": 540, "segments": [[0, 96], [96, 192], [192, 288]], "run_s": 540.0, **whole},
    ]  # fmt: skip


def higher_tiers() -> dict[str, Any]:
    """Return where the scene can be raised to."""
    tiers = [{"name": "Master", "gpu_s": 1620.0, "low_s": 1490.0, "high_s": 1750.0},
             {"name": "Cinema", "gpu_s": None, "low_s": None, "high_s": None}]  # fmt: skip
    return {"tier": "Production", "takes": 3, "tiers": tiers, "may": True}


def segments() -> list[dict[str, Any]]:
    """Return three segments with their takes."""
    takes = [
        [("rejected", "Rejected"), ("approved", "In cut")],
        [("approved", "In cut")],
        [("failed", "Failed"), ("rejected", "Rejected"), ("approved", "In cut")],
    ]
    out = []
    for number, row in enumerate(takes):
        cards = [
            {
                "id": f"s{number}t{i}",
                "number": i + 1,
                "status": status,
                "word": word,
                "thumb": "/media/frame-mara-wave.webp",
            }
            | {"in_cut": status == "approved"}
            for i, (status, word) in enumerate(row)
        ]
        strip = f"/media/strip-wave-{number}.webp"
        out.append(
            {"id": f"s{number}", "number": number + 1, "start": number * 96, "end": number * 96 + 96, "strip": strip}
            | {"strip_frames": 5, "takes": cards}
        )
    return out


def curve() -> dict[str, Any]:
    """Return likeness over the scene."""
    values = [
        0.55 + 0.03 * math.sin(i / 9) + 0.015 * math.sin(i / 3.1) - (0.06 if 66 < i < 74 else 0) for i in range(144)
    ]
    return {"name": "Likeness", "low": 0.4, "high": 0.65, "limit": 0.45, "values": values, "status": "approved"}


def release(name: str, kind: str) -> dict[str, Any]:
    """Return the state of a likeness release."""
    return {
        "needed": kind != "Synthetic",
        "status": "approved",
        "word": "Valid" if kind != "Synthetic" else "Not needed",
        "rows": [
            ["Performer", f"{name}, verified adult"],
            ["Document", "b71e02…9c4d · PDF"],
            ["Valid until", "31 May 2027"],
        ],
        "covers": ["Studio", "Street", "Evening", "6 scene types"],
    }


def metadata() -> list[dict[str, Any]]:
    """Return four fields, one of them missing."""
    return [
        {"name": "hair", "label": "Hair", "value": "Brown, bob", "required": False, "missing": False},
        {"name": "eyes", "label": "Eyes", "value": "Brown", "required": False, "missing": False},
        {
            "name": "wardrobe",
            "label": "Wardrobe",
            "value": "Blue blazer, cream shirt",
            "required": False,
            "missing": False,
        },
        {"name": "voice", "label": "Voice reference", "value": "", "required": True, "missing": True},
    ]


def gates() -> list[dict[str, Any]]:
    """Return the gates of a scene."""
    return [
        dict(zip(("name", "unit", "value", "limit", "fill", "mark", "status", "segment", "frame"), g, strict=True))
        | {"reason": ""}
        for g in GATES
    ]


def drift() -> list[dict[str, Any]]:
    """Return the drift meter of a scene of three segments."""
    names = ("name", "unit", "value", "values", "segments", "limit", "status", "note", "words")
    rows = (
        ("Colour drift", "ΔE2000", "1.6", [0.6, 1.1, 1.6], [1, 2, 3], 2.5, "approved", "",
         "Colour drift is 1.6 ΔE2000 at segment 3: too few takes for a trend."),
        ("Contrast kept", "", "1.04", [1.0, 1.02, 1.04], [1, 2, 3], None, "approved", "",
         "Contrast kept is 1.04 at segment 3: too few takes for a trend."),
        ("Mean face likeness", "cosine", ".71", [0.78, 0.74, 0.71], [1, 2, 3], None, "approved", "",
         "Mean face likeness is 0.71 at segment 3: too few takes for a trend."),
    )  # fmt: skip
    return [dict(zip(names, row, strict=True)) for row in rows]


def marks() -> list[dict[str, Any]]:
    """Return what was found at which frame."""
    return [
        {"frame": 96, "end": None, "status": "approved", "text": "Seam .048"},
        {"frame": 148, "end": None, "status": "info", "text": "Blink"},
        {"frame": 192, "end": None, "status": "warning", "text": "Seam .104"},
        {"frame": 243, "end": None, "status": "info", "text": "Fast hand"},
    ]


def receipt() -> list[list[str]]:
    """Return the rows of a receipt."""
    return [
        ["Workflow", "i2v-chain v14"],
        ["Seed", "881 204 377"],
        ["Tier", "Final · 960×540 · 24 fps"],
        ["Worker", "gpu-02 · ComfyUI 0.3.68"],
        ["GPU time", "9 min 12 s, 3 takes"],
        ["Hand-off", "PNG f 95, f 191, lossless"],
        ["SHA-256", "9f3c41d2…e21a07b6"],
    ]
