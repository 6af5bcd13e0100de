"""The fleet of the sample studio."""

from __future__ import annotations

import math
import random
from typing import Any

from x121lib.base.errors import InvalidInputError

from ..contracts import SessionPerson
from .figures import workers as short
from .project import moment
from .rows import WORKERS

CURVES = (("utilisation", 0.9, 0.08), ("vram", 0.8, 0.02), ("temperature_c", 68.0, 3.0), ("power_w", 290.0, 25.0))
HISTORY = (
    (8, "Online", "approved", "It answers."), (95, "Offline", "failed", "It does not answer."),
    (1440, "Online", "approved", "It answers."), (1441, "Maintenance", "blocked", "Driver update."),
)  # fmt: skip
ALL = ["drain", "maintenance", "restart", "edit", "power", "agent", "remove"]


class SampleFleet:
    """The fleet's part of ``StudioDoor`` over fixed figures."""

    heard: list[tuple[str, Any]]
    events: int
    empty: bool

    def workers(self, person: SessionPerson, project: str | None, worker_id: str | None) -> Any:
        """Return five workers."""
        rows = [] if self.empty else [_row(number, told) for number, told in enumerate(short())]
        chosen = next((row for row in rows if row["id"] == worker_id), rows[0] if rows else None)
        return {
            "workers": rows, "chosen": _detail(chosen) if chosen else None, "slots": 4, "busy": 4, "minimum_fleet": 1,
            "wake_commands": [], "may_manage": True, "kwh_today": 18.42,
        }  # fmt: skip

    def sample(self) -> None:
        """Do nothing: the figures are fixed."""

    def worker_services(self, person: SessionPerson, worker_id: str) -> dict[str, Any]:
        """Return the one service that may be restarted."""
        return {"services": ["comfyui"]}

    def add_worker(self, person: SessionPerson, url: str, name: str, slots: str, tags: str) -> dict[str, Any]:
        """Note it; refuses what is no address."""
        if not url.startswith("http"):
            raise InvalidInputError(f"'{url}' is no http address.", hint="For example http://gpu-1:8188.")
        return self._noted("add_worker", (url, name, slots, tags), "gpu-01")

    def edit_worker(self, person: SessionPerson, worker_id: str, name: str, slots: str, tags: str) -> dict[str, Any]:
        """Note it."""
        return self._noted("edit_worker", (worker_id, name, slots, tags), worker_id)

    def attach_agent(self, person: SessionPerson, worker_id: str, url: str, key: str) -> dict[str, Any]:
        """Note it."""
        return self._noted("attach_agent", (worker_id, url), worker_id)

    def set_power(
        self, person: SessionPerson, worker_id: str, idle: str, wake: str, target: str, windows: str
    ) -> dict[str, Any]:
        """Note it."""
        return self._noted("set_power", (worker_id, idle, wake, target, windows), worker_id)

    def restart_service(self, person: SessionPerson, worker_id: str, service: str) -> dict[str, Any]:
        """Note it."""
        return self._noted("restart_service", (worker_id, service), worker_id)

    def hold_worker(self, person: SessionPerson, worker_id: str, how: str, reason: str = "") -> str:
        """Note it."""
        return str(self._noted("hold_worker", (worker_id, how, reason), worker_id)["text"])

    def switch_worker(self, person: SessionPerson, worker_id: str, *, on: bool) -> str:
        """Note it."""
        return str(self._noted("switch_worker", (worker_id, on), worker_id)["text"])

    def remove_worker(self, person: SessionPerson, worker_id: str) -> str:
        """Note it."""
        return str(self._noted("remove_worker", worker_id, worker_id)["text"])

    def _noted(self, name: str, what: Any, worker_id: str) -> dict[str, Any]:
        self.heard.append((name, what))
        self.events += 1
        return {"text": f"{worker_id}: done", "worker_id": worker_id}


def _row(number: int, told: dict[str, Any]) -> dict[str, Any]:
    runs = told["utilisation"] is not None
    name, kind, load, used, total, heat, doing = WORKERS[number]
    take = {
        "id": f"t{number}", "character": doing.split(" · ")[0], "detail": " · ".join(doing.split(" · ")[1:]),
        "segment": "2 of 3", "step": "", "progress": 0.31 + number * 0.14, "left_s": 60.0, "worker": name,
        "thumb": None, "can_cancel": True,
    }  # fmt: skip
    gpu = {
        "utilisation": load, "vram_used_bytes": int((used or 0) * 1e9), "vram_total_bytes": int(total * 1e9),
        "temperature_c": heat, "power_w": 230 + 40.0 * number, "throttled": "", "n_gpus": 1, "measured_at": moment(0),
    }  # fmt: skip
    hot = [{"text": "GPU 0 (RTX 4090) is at 74 °C, above 73 °C.", "at": moment(3)}] if number == 2 else []
    return {
        "id": name, "name": name, "url": f"http://{name}:8188", "kind": "ComfyUI", "device": kind, "version": "0.25.1",
        "status": told["status"], "word": told["word"], "doing": doing, "tasks": [take] if runs else [], "slots": 1,
        "busy": int(runs), "tags": ["high-vram"] if total > 32 else [], "error_streak": int(number == 3),
        "seen_at": moment(0 if runs else 90), "alerts": hot, "aside_until": None, "vram_bytes": int(total * 1e9),
        "gpu": gpu if runs else None, "load": {"of": "GPU, last 10 min", "values": told["load"]},
    }  # fmt: skip


def _detail(row: dict[str, Any]) -> dict[str, Any]:
    rnd = random.Random(row["id"])
    series = {
        name: [mean + spread * (math.sin(i / 7) + rnd.random() - 0.5) for i in range(100)] if row["gpu"] else []
        for name, mean, spread in CURVES
    }
    models = ("wan2.2_i2v_high_noise_14B.safetensors", "wan2.2_i2v_low_noise_14B.safetensors")
    return {
        "id": row["id"], "n_nodes": 812, "models": [{"folder": "diffusion_models", "name": name} for name in models],
        "asked_at": moment(4), "warm": list(models) if row["gpu"] else [],
        "speed": [{"workflow": "i2v-chain", "mean_s": 184.0, "takes": 20}], "series": series,
        "agent": {"url": f"http://{row['id']}:8190", "answered_at": moment(0), "trouble": "", "no_gpu": ""},
        "power": {
            "idle_minutes": 15.0, "wake": "lan", "wake_word": "Wake-on-LAN", "target": "AA:BB:CC:00:11:22",
            "windows": "", "woken_at": moment(600), "slept_at": moment(900),
        },
        "history": [
            {"id": str(i), "at": moment(minutes), "to": to, "status": status, "reason": reason, "who": "X121"}
            for i, (minutes, to, status, reason) in enumerate(HISTORY)
        ],
        "faults": [{"id": "f1", "task_id": "t9", "at": moment(61), "text": "KSampler: CUDA out of memory."}],
        "kwh_today": 4.61, "can": ALL if row["gpu"] else ["return", *ALL],
    }  # fmt: skip
