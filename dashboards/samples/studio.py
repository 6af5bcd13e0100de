"""A studio made of fixed figures: for the component catalogue, for screenshots and for tests of the door itself.

It implements ``StudioDoor`` in memory with the project *Aurora* (12 characters × 6 scene types × 3 variants).
Nothing in it is stored; ``python -m dashboards --sample`` shows it.
"""

from __future__ import annotations

import itertools
import random
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from x121lib.base.errors import ConflictError, InvalidInputError

from ..contracts import Decided, Estimate, MediaFile, SessionPerson
from .checks import SampleChecks
from .debugger import SampleDebugger
from .fleet import SampleFleet
from .library import SampleLibrary
from .matrix import SampleMatrix
from .project import MEDIA, VARIANTS
from .queue import SampleQueue
from .views import SampleViews
from .workflows import SampleWorkflows

KINDS = {".webp": "image/webp", ".mp4": "video/mp4"}
UNDO_S = 10.0
TAKE_S = 180.0


class SampleStudio(
    SampleQueue, SampleViews, SampleMatrix, SampleFleet, SampleLibrary, SampleWorkflows, SampleChecks, SampleDebugger
):
    """``StudioDoor`` over fixed figures; decisions, cancellations and notes change them in memory."""

    def __init__(self, *, email: str = "ines@example.test", password: str = "aurora", media: Path = MEDIA) -> None:
        """Take the one account that may sign in, and the folder of pictures and videos."""
        super().__init__()
        self.account = (email, password)
        self.media_folder = media
        self.sessions: dict[str, SessionPerson] = {}
        self.once: set[str] = set()
        self.numbers = itertools.count(1)
        self.events = 1
        self.heard: list[tuple[str, Any]] = []
        self.random = random.Random(121)

    # ------------------------------------------------------------ people
    def issue_once(self) -> str:
        """Return a new one-time token."""
        token = secrets.token_urlsafe(24)
        self.once.add(token)
        return token

    def sign_in(self, email: str, password: str, source: str = "") -> SessionPerson | None:
        """Sign the one account in."""
        return self._session() if (email, password) == self.account else None

    def redeem_once(self, token: str) -> SessionPerson | None:
        """Spend a one-time token."""
        if token not in self.once:
            return None
        self.once.discard(token)
        return self._session()

    def person_for(self, session: str) -> SessionPerson | None:
        """Return who a session belongs to."""
        return self.sessions.get(session)

    def sign_out(self, session: str) -> None:
        """End a session."""
        self.sessions.pop(session, None)

    def _session(self) -> SessionPerson:
        token = secrets.token_urlsafe(24)
        self.sessions[token] = SessionPerson(id="p1", name="Ines Kaya", role="Reviewer", session=token)
        return self.sessions[token]

    # ------------------------------------------------------------ reads that are not views
    def media(self, person: SessionPerson, key: str) -> MediaFile | None:
        """Return a sample picture or video by its file name."""
        path = (self.media_folder / key).resolve()
        if path.parent != self.media_folder or not path.is_file():
            return None
        return MediaFile(path=path, mime=KINDS[path.suffix], etag=path.stem)

    def position(self) -> int:
        """Return the number of things that happened."""
        return self.events

    def estimate(
        self, person: SessionPerson, project: str | None, cells: list[tuple[str, str]], tier: str | None,
        variants: Sequence[str] = (),
    ) -> Estimate:  # fmt: skip
        """Estimate three takes of 180 s for each scene that is not started."""
        scenes = sum(
            self._status(character, kind, n) == "none"
            for character, kind in cells
            for n, (variant, _, _) in enumerate(VARIANTS)
            if not variants or variant in variants
        )
        seconds = scenes * 3 * TAKE_S
        return {
            "cells": len(cells),
            "scenes": scenes,
            "takes": scenes * 3,
            "gpu_s": seconds,
            "gpu_low_s": seconds * 0.81,
            "gpu_high_s": seconds * 1.24,
            "done_at": (datetime.now().astimezone() + timedelta(seconds=seconds / 4 + 1800)).isoformat(),
            "basis": "from 23 past takes",
            "tiers": [{"name": "Draft", "gpu_s": seconds / 6}, {"name": "Final", "gpu_s": seconds}],
            "disk_bytes": scenes * 42_000_000,
            "blocked": [],
        }

    # ------------------------------------------------------------ writes
    def _did(self, name: str, what: Any) -> None:
        self.heard.append((name, what))
        self.events += 1

    def decide(
        self, person: SessionPerson, scene_id: str, outcome: str, *, reason: str | None = None, frame: int | None = None
    ) -> Decided:
        """Decide a scene that still waits."""
        if scene_id in self.decisions:
            raise ConflictError("Ben Osei decided this scene 4 s ago.", hint="Open the next one.")
        decision_id = f"d{next(self.numbers)}"
        after = self._next_waiting(scene_id)
        self.decisions[scene_id] = {"id": decision_id, "outcome": outcome, "reason": reason, "by": person.name}
        self._did("decide", (scene_id, outcome, frame))
        word = {"approve": "approved", "reject": "rejected", "flag": "flagged"}[outcome]
        more = "A retake of segment 2 starts in 10 s." if outcome == "reject" else "All segments are in the cut."
        text = f"{self._scene_name(scene_id)} {word}"
        return {
            "decision_id": decision_id,
            "outcome": outcome,
            "undo_s": UNDO_S,
            "next_id": after,
            "text": text,
            "more": more,
        }

    def give_reason(self, person: SessionPerson, decision_id: str, reason: str) -> None:
        """Note the reason of a decision."""
        self._did("give_reason", (decision_id, reason))

    def undo(self, person: SessionPerson, decision_id: str) -> str:
        """Take a decision back."""
        scene = next((s for s, d in self.decisions.items() if d["id"] == decision_id), None)
        if scene is None:
            raise InvalidInputError("There is nothing to undo.")
        del self.decisions[scene]
        self._did("undo", decision_id)
        return f"{self._scene_name(scene)} is back in review"

    def note(self, person: SessionPerson, scene_id: str, text: str, frame: int | None) -> str:
        """Write a note."""
        note = {"author": person.name, "initials": "IK", "frame": frame, "text": text, "status": "warning"}
        at = datetime.now().astimezone().isoformat()
        self.notes.insert(0, note | {"id": f"n{next(self.numbers)}", "at": at, "word": "Open"})
        self._did("note", (scene_id, text, frame))
        return "Note saved"

    def retake(self, person: SessionPerson, scene_id: str, frame: int) -> str:
        """Plan a retake."""
        self._did("retake", (scene_id, frame))
        return f"Retake planned from segment {frame // 96 + 1}"

    def raise_scene(self, person: SessionPerson, scene_id: str, tier: str) -> dict[str, Any]:
        """Queue a scene at a higher tier."""
        self._did("raise_scene", (scene_id, tier))
        return {"text": f"Queued at {tier}, 3 takes; what is made stays"}

    def cancel(self, person: SessionPerson, task_ids: list[str]) -> str:
        """Cancel takes."""
        self.cancelled |= set(task_ids)
        self._did("cancel", task_ids)
        return f"{len(task_ids)} {'take' if len(task_ids) == 1 else 'takes'} cancelled"

    def to_front(self, person: SessionPerson, task_ids: list[str]) -> str:
        """Put takes first."""
        self._did("to_front", task_ids)
        return "Goes first now"

    def retry(self, person: SessionPerson, task_ids: list[str]) -> str:
        """Try takes again."""
        self._did("retry", task_ids)
        return "Tried again now"

    def pause(self, person: SessionPerson) -> str:
        """Pause the queue."""
        self.paused = True
        self._did("pause", None)
        return "The queue pauses after the takes that run now"

    def resume(self, person: SessionPerson) -> str:
        """Let the queue go on."""
        self.paused = False
        self._did("resume", None)
        return "The queue goes on"

    def decide_variant(self, person: SessionPerson, variant_id: str, outcome: str) -> str:
        """Decide an image variant."""
        self._did("decide_variant", (variant_id, outcome))
        return "Variant approved" if outcome == "approve" else "Variant rejected"

    def save_field(self, person: SessionPerson, character_id: str, name: str, value: str) -> str:
        """Save one metadata field."""
        self._did("save_field", (character_id, name, value))
        return "Saved"

    def deliver(self, person: SessionPerson, project: str | None, *, partial: bool) -> str:
        """Start a delivery."""
        self._did("deliver", partial)
        return "The package is being written"
