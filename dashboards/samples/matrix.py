"""The matrix of the sample studio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..contracts import CellNeed, MatrixCell, MatrixCells, SessionPerson
from .project import CHARACTERS, MEDIA, NAMES, PROGRESS, TYPES, VARIANTS

LETTERS = {
    "approved": "a", "review": "r", "generating": "g", "pending": "p", "rejected": "x", "failed": "f", "blocked": "b",
    "none": "n",
}  # fmt: skip
NOTICES = {"zuri": ("blocked", "Evening has no image"), "ravi": ("warning", "Release ends 28 Nov")}


NEED: CellNeed = {
    "what": "model", "text": "No worker has model loras/turn_v2.safetensors",
    "solve": "The studio's library has the file: send it to a worker", "href": "/models?find=turn_v2.safetensors",
    "command": 'x121 check "Aurora" --fix',
}  # fmt: skip


class SampleMatrix:
    """The matrix's part of ``StudioDoor`` over fixed figures."""

    empty: bool
    events: int
    changed: dict[str, str]

    def _status(self, character: str, kind: str, variant: int) -> str:
        raise NotImplementedError

    def _counts(self, wanted: Any = lambda key: True) -> dict[str, int]:
        raise NotImplementedError

    def matrix(self, person: SessionPerson, project: str | None) -> Any:
        """Return the matrix."""
        blocked = {"status": "blocked", "text": "Zuri Abara, Evening: no approved image, 6 scenes blocked"}
        ends = {"status": "warning", "text": "Ravi Menon: release ends 28 Nov, in 8 days"}
        rows = [
            {"id": key, "name": name, "sub": f"AUR-{number:03d} · {kind}", "thumb": f"/media/head-{key}.webp"}
            | {"notice": dict(zip(("status", "text"), NOTICES[key], strict=True)) if key in NOTICES else None}
            for number, (key, name, kind) in enumerate(CHARACTERS, 1)
        ]
        letters = [
            "".join(LETTERS[self._status(key, kind, n)] for kind in TYPES for n in range(len(VARIANTS)))
            for key, _, _ in CHARACTERS
        ]
        return {
            "scene_types": [{"id": t, "name": t, "sub": "12.0 s · 3 seg"} for t in TYPES],
            "variants": [{"name": n, "letter": letter, "label": label} for n, letter, label in VARIANTS],
            "characters": [] if self.empty else rows,
            "statuses": [] if self.empty else letters,
            "counts": self._counts(),
            "prerequisites": [
                blocked | {"link": "Choose image", "href": "/character?character=zuri"},
                ends | {"link": "Renew", "href": "/character?character=ravi"},
            ],
            "tiers": [{"id": "draft", "name": "Draft"}, {"id": "final", "name": "Final"}],
            "tier": "final",
            "may_submit": True,
            "may_deliver": True,
            "batch": {
                "scenes": 216,
                "approved": self._counts().get("approved", 0),
                "segments": 480,
                "generated": 371,
                "passed": 352,
                "open_takes": 118,
                "left_s": 5040.0,
            },
            "going": True,
            "stamp": self.events,
        }

    def matrix_cells(
        self, person: SessionPerson, project: str | None, characters: list[str], types: list[str]
    ) -> MatrixCells:
        """Return the details of a window."""
        del person, project
        return {"strip_frames": 3, "cells": {f"{c}|{t}": self._cell(c, t) for c in characters for t in types}}

    def _cell(self, character: str, kind: str) -> MatrixCell:
        statuses = [self._status(character, kind, n) for n in range(len(VARIANTS))]
        begun = any(status not in ("none", "pending", "blocked") for status in statuses)
        name = f"cell-{character}-{kind}.webp"
        return {
            "strip": f"/media/{name}" if begun and (MEDIA / name).exists() else None,
            "scenes": [self._scene(f"{character}-{kind}-{n}", status) for n, status in enumerate(statuses)],
            "needs": [NEED] if kind == TYPES[-1] and any(s in ("none", "failed") for s in statuses) else [],
        }

    def _scene(self, key: str, status: str) -> Any:
        blocked = status == "blocked"
        return {
            "id": key, "tier": "Final", "progress": PROGRESS.get(key) if status == "generating" else None,
            "reason": "out of memory at step 22" if status == "failed" else "",
            "lacks": "no approved image" if blocked else "",
            "href": f"/character?character={key.partition('-')[0]}" if blocked else "",
            "command": "x121 variant approve Aurora --kind evening" if blocked else "",
        }  # fmt: skip

    def propose_cells(
        self, person: SessionPerson, project: str | None, cells: list[tuple[str, str]], tier: str | None,
        variants: Sequence[str] = (),
    ) -> Any:  # fmt: skip
        """Say what would be queued of the selection."""
        del person, project
        kinds = [(n, name) for n, (name, _, _) in enumerate(VARIANTS) if not variants or name in variants]
        letters = {"none": "q", "failed": "q", "blocked": "b"}
        rows = [key for key, _, _ in CHARACTERS if any(c == key for c, _ in cells)]
        types = [t for t in TYPES if any(k == t for _, k in cells)]
        drawn = [
            {"name": NAMES[key], "cells": ["".join(letters.get(self._status(key, t, n), "t") for n, _ in kinds)
                                           if (key, t) in cells else "." * len(kinds) for t in types]}
            for key in rows
        ]  # fmt: skip
        count = "".join("".join(row["cells"]) for row in drawn).count
        lacks = (
            [f"{NAMES[key]} / {TYPES[-1]} / {name}" for key in rows for _, name in kinds] if TYPES[-1] in types else []
        )
        needs = [{"status": "warning", **NEED, "n": len(lacks), "cells": lacks[:4]}] if lacks else []
        return {
            "characters": len(rows), "scene_types": types, "more_types": 0, "variants": [name for _, name in kinds],
            "scenes": count("q") + count("t") + count("b"), "rows": drawn, "more_rows": 0, "takes": 3 * count("q"),
            "queue": count("q"), "present": count("t"), "blocked": count("b"), "tier": tier or "", "budgets": [],
            "warnings": [], "needs": needs,
        }  # fmt: skip

    def submit(
        self, person: SessionPerson, project: str | None, cells: list[tuple[str, str]], tier: str | None,
        variants: Sequence[str] = (),
    ) -> str:  # fmt: skip
        """Queue every scene of the selection that is not started."""
        return f"{self._move('submit', cells, variants, {'none': 'pending'})} scenes submitted"

    def cancel_cells(
        self, person: SessionPerson, project: str | None, cells: list[tuple[str, str]], variants: Sequence[str] = ()
    ) -> str:
        """Take what is queued or running out of the queue."""
        return (
            f"{self._move('cancel_cells', cells, variants, {'pending': 'none', 'generating': 'none'})} scenes cancelled"
        )

    def redo_cells(
        self, person: SessionPerson, project: str | None, cells: list[tuple[str, str]], variants: Sequence[str] = ()
    ) -> str:
        """Queue what failed or was rejected."""
        n = self._move("redo_cells", cells, variants, {"failed": "pending", "rejected": "pending"})
        return f"{n} scenes queued again"

    def raise_cells(
        self, person: SessionPerson, project: str | None, cells: list[tuple[str, str]], tier: str,
        variants: Sequence[str] = (),
    ) -> str:  # fmt: skip
        """Queue what is made."""
        n = self._move("raise_cells", cells, variants, {"review": "pending", "approved": "pending"})
        return f"{n} scenes queued at {tier}"

    def _move(self, name: str, cells: list[tuple[str, str]], variants: Sequence[str], to: dict[str, str]) -> int:
        found = [
            (f"{character}-{kind}-{n}", to[status])
            for character, kind in cells
            for n, (variant, _, _) in enumerate(VARIANTS)
            if (not variants or variant in variants) and (status := self._status(character, kind, n)) in to
        ]
        self.changed.update(found)
        self._did(name, cells)
        return len(found)

    def _did(self, name: str, what: Any) -> None:
        raise NotImplementedError
