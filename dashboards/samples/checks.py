"""The check of the sample studio's batch."""

from __future__ import annotations

from typing import Any

from ..contracts import BatchCheck, SessionPerson


class SampleChecks:
    """The checks' part of ``StudioDoor`` over fixed figures; mending sends the model that one worker lacks."""

    heard: list[tuple[str, Any]]

    def check_project(self, person: SessionPerson, project: str | None) -> BatchCheck:
        """Return one scene type that runs, one that lacks a model, and two blocked scenes."""
        del person, project
        lora = "model loras/aurora_motion_v3.safetensors"
        return {
            "fine": False, "scenes": 14, "held": "", "disk_bytes": 2_400_000_000, "done": [], "mends": True,
            "may_fix": True, "steps": ["send model loras/aurora_motion_v3.safetensors to gpu-02"],
            "rows": [
                self._row("failed", "dance", "i2v_dance 14", 6, f"No worker has {lora}.", [f"gpu-02 lacks {lora}"]),
                self._row("blocked", "Blocked", "", 2, "No approved 'evening' image: make or import one and approve it",
                          ["Mara / idle / evening", "Mara / dance / evening"]),
                self._row("approved", "idle", "i2v_idle 9", 8, "Runs on gpu-01, gpu-02, gpu-04", []),
            ],
        }  # fmt: skip

    def fix_project(self, person: SessionPerson, project: str | None) -> BatchCheck:
        """Say that the model is on its way."""
        self.heard.append(("fix_project", project))
        done = {"ok": True, "text": "loras/aurora_motion_v3.safetensors is on its way to gpu-02"}
        return {**self.check_project(person, project), "steps": [], "mends": False, "may_fix": False, "done": [done]}

    def try_workflow(self, person: SessionPerson, workflow: str, version: int) -> dict[str, Any]:
        """Say where it is tried."""
        del person
        self.heard.append(("try_workflow", (workflow, version)))
        return {"text": f"{workflow} v{version} is being tried on gpu-02"}

    def cancel_try(self, person: SessionPerson, trial_id: str) -> str:
        """Say that it stops."""
        del person
        self.heard.append(("cancel_try", trial_id))
        return "The dry run stops"

    def _row(self, status: str, name: str, sub: str, n: int, text: str, notes: list[str]) -> dict[str, Any]:
        return {"key": name, "status": status, "name": name, "sub": sub, "n": n, "text": text, "notes": notes}
