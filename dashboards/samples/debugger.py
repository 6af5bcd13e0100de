"""The debugger of the sample studio."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from x121lib.base.errors import InvalidInputError

from ..contracts import SessionPerson
from .project import ACTIVE, NAMES, moment

STOPS = {"node": "when the node that runs has ended", "now": "at once; what the running node did so far is lost"}
NODES = (
    ("62", "Hand-off frame", "LoadImage", "done", 0.3), ("38", "Text encoder", "CLIPLoader", "cached", None),
    ("39", "VAE", "VAELoader", "cached", None), ("6", "Prompt", "CLIPTextEncode", "done", 1.2),
    ("7", "Negative prompt", "CLIPTextEncode", "cached", None),
    ("37", "Model, high noise", "UNETLoader", "cached", None),
    ("63", "Image to video", "WanImageToVideo", "done", 2.4),
    ("57", "Sampler, steps 0-15", "KSamplerAdvanced", "done", 68.4),
    ("58", "Sampler, steps 15-30", "KSamplerAdvanced", "running", None),
    ("8", "Decode", "VAEDecode", "waiting", None),
    ("60", "Frame interpolation", "FrameInterp", "waiting", None), ("47", "Save frames", "SaveVideo", "waiting", None),
)  # fmt: skip
NODE = ("id", "name", "class", "state", "seconds")
VALUES = (
    ("cfg", "5.0", False), ("seed", "880412", False), ("steps", "30", True), ("width", "832", False),
    ("text_prompt", "Nadia Haddad dances slowly, studio light, 35 mm, the camera stands still", False),
)  # fmt: skip
PROMPT = "0192f0c4-7a11-7c2e-9f3d-5b8f2f1d7e90"
KINDS = ("progress", "progress_state", "progress", "executing", "progress", "execution_cached", "execution_start")


class SampleDebugger:
    """The debugger's part of ``StudioDoor`` over fixed figures."""

    heard: list[tuple[str, Any]]
    events: int
    empty: bool
    paused_task = False
    pending: dict[str, str] | None = None

    def debugger(self, person: SessionPerson, project: str | None, params: Mapping[str, str]) -> Any:
        """Return the first running take."""
        running = [
            {"id": key, "character": NAMES[who], "detail": what, "segment": seg, "step": step, "progress": share}
            | {"left_s": left, "worker": gpu, "can_cancel": True, "thumb": None}
            for key, who, what, seg, step, share, left, gpu in ACTIVE
        ]
        return {"task": None if self.empty else self._task(params.get("raw", "events")), "running": running}

    def _task(self, which: str) -> dict[str, Any]:
        _, who, what, *_ = ACTIVE[0]
        values = [{"name": n, "value": v, "own": own, "fixed": False, "long": len(v) > 40} for n, v, own in VALUES]
        fixed = [{"name": "seed_image", "value": "handoff_41.png", "own": False, "fixed": True, "long": False}]
        return {
            "id": ACTIVE[0][0], "status": "blocked" if self.paused_task else "generating",
            "word": "Paused" if self.paused_task else "Pausing" if self.pending else "Running",
            "character": NAMES[who], "detail": what, "take": "S2 take 1", "project": "Aurora", "scene_id": None,
            "trigger": {"id": "t1", "name": "clothed scenes"},
            "worker": "gpu-01", "attempt": 1, "progress": 0.71, "pausing": self.pending is not None,
            "node": "KSamplerAdvanced (Sampler, steps 15-30), node 58", "node_id": "58", "step": 9, "n_steps": 15,
            "n_done": 8, "nodes": [dict(zip(NODE, node, strict=True)) for node in NODES],
            "error": None, "failure": None, "preview": f"/media/frame-{who}-{what.split()[0]}.webp",
            "heard_at": moment(0),
            "parameters": values + fixed,
            "pending": self.pending, "said": None, "stops": STOPS,
            "can": ["resume", "change", "cancel"] if self.paused_task else ["pause", "stop", "change", "cancel"],
            "raw": _raw(which),
        }  # fmt: skip

    def pause_task(self, person: SessionPerson, task_id: str, at: str) -> str:
        """Pause it."""
        self.paused_task = True
        self._said("pause_task", (task_id, at))
        return f"It stops {STOPS[at]}"

    def resume_task(self, person: SessionPerson, task_id: str) -> str:
        """Let it go on."""
        self.paused_task = False
        self._said("resume_task", task_id)
        return "It goes on as soon as a worker is free"

    def change_task(
        self, person: SessionPerson, task_id: str, values: Mapping[str, str | None], *, go_on: bool
    ) -> dict[str, Any]:
        """Keep the change as one that waits for the safe point."""
        if not (values.get("steps") or "0").isdecimal():
            raise InvalidInputError(f"steps: '{values['steps']}' is no number.")
        self.pending = {name: text or "" for name, text in values.items()}
        self._said("change_task", (task_id, dict(values), go_on))
        return {"text": f"It stops {STOPS['node']}, with the new values"}

    def _said(self, name: str, what: Any) -> None:
        self.heard.append((name, what))
        self.events += 1


def _raw(which: str) -> dict[str, Any]:
    graph = {i: {"class_type": kind, "_meta": {"title": name}} for i, name, kind, _, _ in NODES}
    rows = [
        {"at": f"2026-11-20T22:18:{40 - n:02}.{n * 37 % 1000:03}Z", "type": kind, "node": "58"}
        | {"data": json.dumps({"value": 9 - n, "max": 15, "prompt_id": PROMPT, "node": "58"})}
        for n, kind in enumerate(KINDS)
    ]  # fmt: skip
    text = json.dumps(graph, indent=2) if which == "request" else ""
    return {"which": which, "text": text, "cut": False, "events": rows if which == "events" else []}
