"""The workflows of the sample studio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from x121lib.base.errors import InvalidInputError
from x121lib.comfyui.layout import NODE_HEIGHT, NODE_WIDTH, lay_out

from ..contracts import SessionPerson
from .project import moment

NODES: dict[str, tuple[str, str, float, str, dict[str, Any]]] = {
    # title, class, seconds, slot, inputs
    "1": ("Hand-off frame", "LoadImage", 0.3, "seed_image", {"image": "frame.png"}),
    "2": ("Text encoder", "CLIPLoader", 6.1, "", {"clip_name": "umt5_xxl_fp8.safetensors"}),
    "3": ("Model, high noise", "UNETLoader", 9.8, "", {"unet_name": "wan2.2_i2v_high_noise_14B_fp8.safetensors"}),
    "4": ("Model, low noise", "UNETLoader", 8.9, "", {"unet_name": "wan2.2_i2v_low_noise_14B_fp8.safetensors"}),
    "5": ("Prompt", "CLIPTextEncode", 1.2, "text_prompt", {"clip": ["2", 0], "text": "a slow turn to the camera"}),
    "6": ("Negative prompt", "CLIPTextEncode", 1.1, "negative_prompt", {"clip": ["2", 0], "text": "blurred"}),
    "7": ("Motion LoRA", "LoraLoaderModelOnly", 0.8, "lora", {
        "model": ["3", 0], "lora_name": "aurora_motion_v3.safetensors", "strength_model": 0.8}),
    "8": ("VAE", "VAELoader", 1.0, "", {"vae_name": "wan_2.1_vae.safetensors"}),
    "9": ("Image to video", "WanImageToVideo", 2.4, "frames", {
        "positive": ["5", 0], "negative": ["6", 0], "vae": ["8", 0], "start_image": ["1", 0], "length": 97}),
    "10": ("Sampler, steps 0–15", "KSamplerAdvanced", 68.4, "seed", {
        "model": ["7", 0], "positive": ["9", 0], "negative": ["9", 1], "latent_image": ["9", 2], "noise_seed": 121}),
    "11": ("Sampler, steps 15–30", "KSamplerAdvanced", 59.7, "", {
        "model": ["4", 0], "positive": ["9", 0], "negative": ["9", 1], "latent_image": ["10", 0]}),
    "12": ("Decode", "VAEDecode", 17.9, "", {"samples": ["11", 0], "vae": ["8", 0]}),
    "13": ("Frame interpolation", "FrameInterp", 4.6, "", {"frames": ["12", 0], "multiplier": 2}),
    "14": ("Save frames", "SaveImage", 1.8, "", {"images": ["13", 0], "filename_prefix": "take"}),
}  # fmt: skip
SLOTS = {
    "frames": ("Integer", ["walk"]), "lora": ("String", ["dance", "walk"]), "negative_prompt": ("String", []),
    "seed": ("Integer", []), "seed_image": ("Image", []), "text_prompt": ("String", []),
}  # fmt: skip
FIELDS = {"frames": "length", "lora": "lora_name", "negative_prompt": "text", "seed": "noise_seed",
          "seed_image": "image", "text_prompt": "text"}  # fmt: skip
MARKED = {"13": "added", "10": "changed", "9": "changed", "14": "changed"}
CHANGES = {
    "10": [["steps", "12", "15"], ["cfg", "4.0", "3.5"]], "9": [["length", "81", "97"]],
    "14": [["images", "node 13 'Interpolation, old' (RIFEInterpolate), output 0",
            "node 13 'Frame interpolation' (FrameInterp), output 0"]],
}  # fmt: skip
RUNS = (
    ("Mara Voss · dance", "S2 take 1", "generating", "Running", "gpu-01", None, 3),
    ("Jonas Keller · walk", "S4 take 1", "approved", "Complete", "gpu-02", 181.4, 9),
    ("Lena Sørensen · dance", "S1 take 2", "approved", "Complete", "gpu-04", 186.0, 14),
    ("Lena Sørensen · dance", "S1 take 1", "failed", "Failed", "gpu-03", 12.2, 22),
)


def _removed(like: dict[str, Any], at: tuple[float, float]) -> dict[str, Any]:
    return {
        **like, "id": "removed:13", "name": "Interpolation, old", "kind": "RIFEInterpolate", "x": at[0], "y": at[1],
        "slots": [], "values": [["factor", "2"]], "seconds": None, "low_s": None, "high_s": None, "share": 0.0,
        "mark": "removed", "changes": [],
    }  # fmt: skip


def _difference(nodes: list[dict[str, Any]], against: str) -> dict[str, Any]:
    order = ["removed", "added", "changed"]
    marked = sorted((n for n in nodes if n["mark"]), key=lambda n: order.index(n["mark"]))
    rows = [
        {"id": n["id"], "mark": n["mark"], "name": n["name"],
         "lines": [f"{what}: {was} → {now}" for what, was, now in n["changes"]]}
        for n in marked
    ]  # fmt: skip
    return {"number": int(against), "rows": rows, **{mark: sum(r["mark"] == mark for r in rows) for mark in order}}


class SampleWorkflows:
    """The workflows' part of ``StudioDoor`` over fixed figures."""

    empty: bool
    events: int
    heard: list[tuple[str, Any]]
    slot_edits: dict[str, dict[str, Any]] | None = None

    def edit_slot(
        self, person: SessionPerson, version: str, slot: str, node_id: str, changes: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Change a slot in memory; a default that is no number is refused where it must be one."""
        name = next(name for name in SLOTS if self._named(name) == slot)
        if "default" in changes and SLOTS[name][0] == "Integer" and not str(changes["default"] or 0).isdigit():
            raise InvalidInputError(f"Slot {slot} takes 1 to 241, not '{changes['default']}'.")
        self.slot_edits = self.slot_edits or {}
        edits = self.slot_edits.setdefault(name, {})
        plain = {"name": name, "label": "", "is_hidden": False, "default": None}
        before = {key: edits.get(key, plain[key]) for key in changes}
        edits |= changes
        self.heard.append(("edit_slot", (slot, dict(changes))))
        self.events += 1
        undo = {"name": "edit_slot", "slot": self._named(name), "changes": before}
        return {"text": f"{slot} is changed", "undo": undo}

    def add_slot(self, person: SessionPerson, version: str, node_id: str, input_name: str) -> dict[str, Any]:
        """Note it."""
        self.heard.append(("add_slot", (node_id, input_name)))
        return {"text": f"{input_name} is a slot", "undo": None}

    def remove_slot(self, person: SessionPerson, version: str, slot: str, node_id: str) -> dict[str, Any]:
        """Note it."""
        self.heard.append(("remove_slot", (slot, node_id)))
        return {"text": f"{slot} is no slot any more", "undo": None}

    def _edits(self, name: str) -> dict[str, Any]:
        return (self.slot_edits or {}).get(name, {})

    def _named(self, name: str) -> str:
        return str(self._edits(name).get("name", name))

    def _slot(self, name: str, kind: str, node: str, setters: list[str]) -> dict[str, Any]:
        edits, value = self._edits(name), str(NODES[node][4][FIELDS[name]])
        own = edits.get("default")
        return {
            "name": self._named(name), "kind": kind, "node_id": node, "input": FIELDS[name], "value": value,
            "set_by": setters, "label": edits.get("label", ""), "default": value if own is None else str(own),
            "own_default": own is not None, "range": "1 to 241" if kind == "Integer" else "", "step": None,
            "hidden": bool(edits.get("is_hidden")), "added": False, "choices": [],
        }  # fmt: skip

    def workflows(self, person: SessionPerson, project: str | None, params: Mapping[str, str]) -> Any:
        """Return three workflows, the first with its graph."""
        if self.empty:
            return {"rows": [], "chosen": None, "may_manage": True}
        versions = [
            {"number": 14, "status": "review", "word": "Tested", "at": moment(90)},
            {"number": 13, "status": "approved", "word": "Production", "at": moment(9000)},
            {"number": 12, "status": "none", "word": "Draft", "at": moment(14000)},
        ]
        others = [
            {"name": "image-edit", "versions": [versions[1] | {"number": 3}], "used": 1},
            {"name": "transition", "versions": [versions[2] | {"number": 1}], "used": 0},
        ]
        number = next((v for v in versions if str(v["number"]) == params.get("version")), versions[0])
        return {
            "rows": [{"name": "i2v-chain", "versions": versions, "used": 6}, *others],
            "chosen": self._chosen(number, params.get("against")),
            "may_manage": True,
        }

    def _chosen(self, version: dict[str, Any], against: str | None) -> dict[str, Any]:
        graph = {k: {"class_type": n[1], "inputs": n[4], "_meta": {"title": n[0]}} for k, n in NODES.items()}
        if against:
            graph["removed:13"] = {"class_type": "RIFEInterpolate", "inputs": {"frames": ["12", 0], "factor": 2},
                                   "_meta": {"title": "Interpolation, old"}}  # fmt: skip
        marks = MARKED if against else {}
        drawing, total = lay_out(graph), sum(n[2] for n in NODES.values())
        nodes = [
            {
                "id": key, "name": title, "kind": kind, "x": drawing.places[key][0], "y": drawing.places[key][1],
                "slots": [self._named(slot)] if slot and not self._edits(slot).get("is_hidden") else [],
                "seconds": seconds, "low_s": seconds * 0.95, "high_s": seconds * 1.07,
                "share": seconds / total,
                "values": [[name, str(v)] for name, v in inputs.items() if not isinstance(v, list)],
                "mark": marks.get(key, ""), "changes": CHANGES.get(key, []) if key in marks else [],
            }
            for key, (title, kind, seconds, slot, inputs) in NODES.items()
        ]  # fmt: skip
        nodes += [_removed(nodes[0], drawing.places["removed:13"])] if against else []
        homes = {slot: key for key, (_, _, _, slot, _) in NODES.items() if slot}
        return {
            "id": f"wf-{version['number']}", "name": "i2v-chain", "number": version["number"],
            "status": version["status"], "word": version["word"], "node_width": NODE_WIDTH, "node_height": NODE_HEIGHT,
            "width": drawing.size[0], "height": drawing.size[1], "nodes": nodes,
            "links": [[x.source, x.target, x.input_name, [list(p) for p in x.bends]] for x in drawing.lines],
            "difference": _difference(nodes, against) if against else None, "n_measured": 64, "total_s": total,
            "slots": [
                self._slot(name, kind, homes[name], setters) for name, (kind, setters) in SLOTS.items()
            ],
            "used_by": ["dance", "idle", "sway", "turn", "walk", "wave"],
            "runs": [
                {"id": f"run-{i}", "scene_id": "s1", "name": name, "take": take, "status": status, "word": word,
                 "worker": worker, "seconds": seconds, "at": moment(minutes)}
                for i, (name, take, status, word, worker, seconds, minutes) in enumerate(RUNS)
            ],
            "workers": self._workers(),
            "trials": self._trials(),
        }  # fmt: skip

    def _trials(self) -> list[dict[str, Any]]:
        return [
            {"id": "t2", "status": "generating", "word": "Running", "worker": "gpu-01", "seconds": None,
             "at": moment(1), "text": "", "may_cancel": True},
            {"id": "t1", "status": "approved", "word": "Complete", "worker": "gpu-02", "seconds": 18.4,
             "at": moment(130), "text": "832×480 h264, 9 frames", "may_cancel": False},
        ]  # fmt: skip

    def _workers(self) -> list[dict[str, Any]]:
        ready = [self._worker(name, "approved", "Ready") for name in ("gpu-01", "gpu-02", "gpu-04")]
        lacking = self._worker("gpu-03", "failed", "Can not run it") | {"classes": ["FrameInterp"]}
        return sorted([*ready, lacking, self._worker("gpu-05", "none", "Not checked")], key=lambda w: w["name"])

    def _worker(self, name: str, status: str, word: str) -> dict[str, Any]:
        return {"name": name, "status": status, "word": word, "classes": [], "models": [], "problems": [],
                "n_classes": 11, "n_models": 5}  # fmt: skip
