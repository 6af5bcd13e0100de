"""Project Aurora: who is in it, what is made, and how far each scene is."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path

MEDIA = Path(__file__).parent / "media"
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


def moment(minutes: float) -> str:
    """Return the time so many minutes ago, ISO 8601."""
    return (datetime.now().astimezone() - timedelta(minutes=minutes)).isoformat(timespec="seconds")
