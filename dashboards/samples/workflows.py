"""The workflows of the sample studio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
RUNS = (
    ("Mara Voss · dance", "S2 take 1", "generating", "Running", "gpu-01", None, 3),
    ("Jonas Keller · walk", "S4 take 1", "approved", "Complete", "gpu-02", 181.4, 9),
    ("Lena Sørensen · dance", "S1 take 2", "approved", "Complete", "gpu-04", 186.0, 14),
    ("Lena Sørensen · dance", "S1 take 1", "failed", "Failed", "gpu-03", 12.2, 22),
)


class SampleWorkflows:
    """The workflows' part of ``StudioDoor`` over fixed figures."""

    empty: bool

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
            "chosen": self._chosen(number),
            "may_manage": True,
        }

    def _chosen(self, version: dict[str, Any]) -> dict[str, Any]:
        graph = {k: {"class_type": n[1], "inputs": n[4], "_meta": {"title": n[0]}} for k, n in NODES.items()}
        drawing, total = lay_out(graph), sum(n[2] for n in NODES.values())
        nodes = [
            {
                "id": key, "name": title, "kind": kind, "x": drawing.places[key][0], "y": drawing.places[key][1],
                "slots": [slot] if slot else [], "seconds": seconds, "low_s": seconds * 0.95, "high_s": seconds * 1.07,
                "share": seconds / total,
                "values": [[name, str(v)] for name, v in inputs.items() if not isinstance(v, list)],
            }
            for key, (title, kind, seconds, slot, inputs) in NODES.items()
        ]  # fmt: skip
        homes = {slot: key for key, (_, _, _, slot, _) in NODES.items() if slot}
        return {
            "id": f"wf-{version['number']}", "name": "i2v-chain", "number": version["number"],
            "status": version["status"], "word": version["word"], "node_width": NODE_WIDTH, "node_height": NODE_HEIGHT,
            "width": drawing.size[0], "height": drawing.size[1], "nodes": nodes,
            "links": [[x.source, x.target, x.input_name, [list(p) for p in x.bends]] for x in drawing.lines],
            "n_measured": 64, "total_s": total,
            "slots": [
                {"name": name, "kind": kind, "node_id": homes[name], "input": FIELDS[name],
                 "value": str(NODES[homes[name]][4][FIELDS[name]]), "set_by": setters}
                for name, (kind, setters) in SLOTS.items()
            ],
            "used_by": ["dance", "idle", "sway", "turn", "walk", "wave"],
            "runs": [
                {"id": f"run-{i}", "scene_id": "s1", "name": name, "take": take, "status": status, "word": word,
                 "worker": worker, "seconds": seconds, "at": moment(minutes)}
                for i, (name, take, status, word, worker, seconds, minutes) in enumerate(RUNS)
            ],
            "workers": self._workers(),
            "trials": [
                {"id": "t2", "status": "generating", "word": "Running", "worker": "gpu-01", "seconds": None,
                 "at": moment(1), "text": "", "may_cancel": True},
                {"id": "t1", "status": "approved", "word": "Complete", "worker": "gpu-02", "seconds": 18.4,
                 "at": moment(130), "text": "832×480 h264, 9 frames", "may_cancel": False},
            ],
        }  # fmt: skip

    def _workers(self) -> list[dict[str, Any]]:
        ready = [self._worker(name, "approved", "Ready") for name in ("gpu-01", "gpu-02", "gpu-04")]
        lacking = self._worker("gpu-03", "failed", "Can not run it") | {"classes": ["FrameInterp"]}
        return sorted([*ready, lacking, self._worker("gpu-05", "none", "Not checked")], key=lambda w: w["name"])

    def _worker(self, name: str, status: str, word: str) -> dict[str, Any]:
        return {"name": name, "status": status, "word": word, "classes": [], "models": [], "problems": [],
                "n_classes": 11, "n_models": 5}  # fmt: skip
