"""The library of models of the sample studio."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from x121lib.base.errors import InvalidInputError

from ..contracts import SessionPerson
from .project import moment

ROOT = "/data/ComfyUI/models"
FILES = (
    ("diffusion_models/wan2.2_i2v_high_noise_14B_fp8.safetensors", "Diffusion model", 14.3, "Wan 2.2", 5, 6, 4),
    ("diffusion_models/wan2.2_i2v_low_noise_14B_fp8.safetensors", "Diffusion model", 14.3, "Wan 2.2", 5, 6, 4),
    ("loras/aurora_motion_v3.safetensors", "LoRA", 0.31, "Wan 2.2", 4, 5, 3),
    ("loras/soft_light.safetensors", "LoRA", 0.16, "Wan 2.2", 3, 2, 4),
    ("loras/film_grain_v2.safetensors", "LoRA", 0.09, "SDXL", None, 0, 1),
    ("text_encoders/umt5_xxl_fp8.safetensors", "Text encoder", 6.7, "", None, 6, 4),
    ("vae/wan_2.1_vae.safetensors", "VAE", 0.25, "", None, 6, 4),
    ("clip_vision/clip_vision_h.safetensors", "CLIP vision", 1.3, "", None, 3, 4),
    ("upscale_models/4x_foolhardy.pth", "Upscale model", 0.07, "", 2, 0, 0),
)
STATE = {4: ("warning", "Changed"), 8: ("failed", "Missing")}
STATES = (
    ("present", "approved", "Present", 7),
    ("missing", "failed", "Missing", 1),
    ("altered", "warning", "Changed", 1),
)
DOWNLOADS = (
    ("diffusion_models/wan2.2_s2v_fp8.safetensors", 16.4, 0.68, "generating", "hf:Comfy-Org/Wan_2.2/s2v", ""),
    ("loras/slow_turn_v2.safetensors", 0.31, 0.0, "pending", "civitai:8812@20441", ""),
    ("loras/rim_light.safetensors", 0.16, 0.4, "failed", "https://models.example.test/rim_light.safetensors",
     "The server's SHA-256 is another one. Nothing was kept."),
    ("vae/wan_2.1_vae.safetensors", 0.25, 1.0, "approved", "hf:Comfy-Org/Wan_2.1/wan_2.1_vae", ""),
)  # fmt: skip
USES = (
    ("workflow", "i2v-chain", 14, 0.8, True), ("scene type", "dance", 7, 0.8, True),
    ("scene type", "walk", 5, 0.6, True), ("scene", "Mara Voss / dance / Studio", None, None, True),
    ("take", "Jonas Keller / walk / Street S2", 1, 0.6, False),
)  # fmt: skip


class SampleLibrary:
    """The library's part of ``StudioDoor`` over fixed figures."""

    heard: list[tuple[str, Any]]
    events: int
    empty: bool
    model_work: dict[str, Any] | None = None

    def models(self, person: SessionPerson, project: str | None, params: Mapping[str, str]) -> Any:
        """Return nine models."""
        rows = [] if self.empty else [_row(number) for number in range(len(FILES))]
        rows = [r for r in rows if params.get("find", "") in r["path"]]
        words = {key: word for key, _, word, _ in STATES}
        rows = [r for r in rows if not params.get("state") or r["word"] == words.get(params["state"])]
        chosen = next((r for r in rows if r["id"] == params.get("model")), rows[0] if rows else None)
        kinds = dict.fromkeys(f[1] for f in FILES)
        return {
            "rows": rows, "found": len(rows), "total": len(FILES), "bytes": int(sum(f[2] for f in FILES) * 1e9),
            "kinds": [{"id": k, "name": k, "n": sum(f[1] == k for f in FILES)} for k in kinds],
            "states": [{"id": i, "status": s, "word": w, "n": n} for i, s, w, n in STATES],
            "chosen": _detail(chosen) if chosen else None, "work": self.model_work, "folders": [ROOT], "n_workers": 4,
            "may_manage": True, "downloads": [] if self.empty else _downloads(), "live": False,
        }  # fmt: skip

    def add_download(self, person: SessionPerson, address: str, kind: str, name: str, sha256: str) -> dict[str, Any]:
        """Note it; refuses what is no address."""
        if ":" not in address:
            raise InvalidInputError(f"'{address}' is no address.", hint="A URL, hf:OWNER/REPO/FILE, or civitai:MODEL.")
        return {"text": self._heard("add_download", (address, kind))}

    def steer_download(self, person: SessionPerson, download_id: str, how: str) -> str:
        """Note it."""
        return self._heard("steer_download", (download_id, how))

    def scan_models(self, person: SessionPerson, folder: str) -> dict[str, Any]:
        """Pretend to be at a third of a scan."""
        self.model_work = {"what": "scan", "by": person.name, "done": 3, "total": 9, "status": "running", "text": ""}
        return {"text": self._heard("scan_models", folder)}

    def verify_models(self, person: SessionPerson) -> str:
        """Note it."""
        return self._heard("verify_models", None)

    def stop_model_work(self, person: SessionPerson) -> None:
        """Stop what is pretended."""
        if self.model_work is not None:
            self.model_work = {**self.model_work, "status": "stopped", "text": "Stopped. Nothing of it was stored."}
        self._heard("stop_model_work", None)

    def repair_models(self, person: SessionPerson) -> str:
        """Note it."""
        return self._heard("repair_models", None)

    def rate_model(self, person: SessionPerson, model_id: str, rating: int | None) -> None:
        """Note it."""
        self._heard("rate_model", (model_id, rating))

    def note_model(self, person: SessionPerson, model_id: str, text: str, other: str, warning: str) -> dict[str, Any]:
        """Note it; refuses an empty note."""
        if not text.strip():
            raise InvalidInputError("A note has 1 to 4000 characters.")
        return {"text": self._heard("note_model", (model_id, text, other, warning))}

    def remove_model(self, person: SessionPerson, model_id: str, file: str) -> dict[str, Any]:
        """Note it."""
        return {"text": self._heard("remove_model", (model_id, file))}

    def _heard(self, name: str, what: Any) -> str:
        self.heard.append((name, what))
        self.events += 1
        return "Done"


def _downloads() -> list[dict[str, Any]]:
    words = {"generating": "Running", "pending": "Queued", "failed": "Failed", "approved": "Complete"}
    can = {"generating": ["pause", "cancel"], "pending": ["pause", "cancel"], "failed": ["resume", "cancel"]}
    return [
        {
            "id": f"d{n}", "path": path, "status": status, "word": words[status], "done_bytes": int(size * share * 1e9),
            "n_bytes": int(size * 1e9), "rate": 84_000_000 if status == "generating" else 0, "share": share,
            "left_s": 62 if status == "generating" else None, "trouble": trouble, "address": address, "sha256": None,
            "model_id": None, "can": can.get(status, []),
        }
        for n, (path, size, share, status, address, trouble) in enumerate(DOWNLOADS)
    ]  # fmt: skip


def _row(number: int) -> dict[str, Any]:
    path, kind, size, base, rating, used, workers = FILES[number]
    status, word = STATE.get(number, ("approved", "Present"))
    return {
        "id": f"m{number}", "name": path.split("/")[1], "path": path, "root": ROOT, "kind": kind, "status": status,
        "word": word, "rating": rating, "n_bytes": int(size * 1e9), "version": 3 if number == 2 else 1,
        "base_model": base, "sha256": hashlib.sha256(path.encode()).hexdigest(), "workers": workers, "used": used,
    }  # fmt: skip


def _detail(row: dict[str, Any]) -> dict[str, Any]:
    lora, workers = row["kind"] == "LoRA", [f"gpu-0{i}" for i in range(1, 5)]
    uses: list[dict[str, Any]] = [
        {
            "id": str(i),
            "what": what,
            "name": name,
            "version": version,
            "current": now,
            "weight": weight if lora else None,
        }
        for i, (what, name, version, weight, now) in enumerate(USES if row["used"] else ())
    ]
    facts = {"sha256": row["sha256"], "n_bytes": row["n_bytes"]}
    note = {"id": "n1", "text": "Above 0.9 faces drift in the third segment.", "with": "loras/soft_light.safetensors"}
    stale = {"id": "s1", "name": "Mara Voss / dance / Studio S1 take 2", "why": "made with version 2, now version 3"}
    updated = row["version"] > 1
    return {
        "id": row["id"], "name": row["name"], "path": row["path"], "rating": row["rating"], "verified_at": moment(600),
        "words": ["aurora motion", "slow turn"] if lora else [], "duplicates": [],
        "versions": [facts | {"number": n, "at": moment(9000 * (4 - n))} for n in range(row["version"], 0, -1)],
        "uses": uses, "n_uses": len(uses), "holding": sum(bool(u["current"]) for u in uses),
        "stale": [stale | {"scene_id": "mara-wave-0"}] if updated else [], "n_stale": int(updated),
        "notes": [note | {"warning": True, "by": "Noor Aziz", "at": moment(300)}] if lora else [],
        "have": workers[: row["workers"]], "lack": workers[row["workers"] :], "others": [f[0] for f in FILES],
    }  # fmt: skip
