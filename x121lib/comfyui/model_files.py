"""Which model files a workflow's graph names. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from x121lib.terms.vocabulary import ModelKind

SUFFIXES = frozenset({".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".gguf", ".bin"})
"""Endings of the files that hold weights."""
_KINDS = {
    "ckpt_name": ModelKind.CHECKPOINT,
    "lora_name": ModelKind.LORA,
    "vae_name": ModelKind.VAE,
    "unet_name": ModelKind.DIFFUSION_MODEL,
    "clip_name": ModelKind.TEXT_ENCODER,
    "control_net_name": ModelKind.CONTROLNET,
    "style_model_name": ModelKind.STYLE_MODEL,
}
"""Input of ComfyUI's loaders, without a number at its end → what it loads."""


@dataclass(frozen=True)
class Named:
    """A model file that a node's input names."""

    node_id: str
    """The node."""
    input_name: str
    """The input."""
    name: str
    """The file as the loader names it, with ``/``."""
    kind: ModelKind | None
    """What the loader loads; None where the input does not say."""
    weight: float | None
    """The node's strength where it has one."""


def named_models(graph: Mapping[str, Any], overrides: Mapping[tuple[str, str], Any] | None = None) -> Iterator[Named]:
    """Yield each model file that the graph names.

    Args:
        graph: nodes by id, in API form.
        overrides: (node, input) → value that is sent instead of the graph's own.
    """
    for node_id, node in graph.items():
        inputs = node.get("inputs", {}) if isinstance(node, Mapping) else {}
        for input_name, own in inputs.items():
            value = (overrides or {}).get((node_id, input_name), own)
            if isinstance(value, str) and value.lower().endswith(tuple(SUFFIXES)):
                weight = inputs.get("strength_model", inputs.get("strength"))
                yield Named(
                    node_id, input_name, value.replace("\\", "/"), _kind(str(node.get("class_type", "")), input_name),
                    float(weight) if isinstance(weight, int | float) else None,
                )  # fmt: skip


def _kind(class_type: str, input_name: str) -> ModelKind | None:
    if class_type == "CLIPVisionLoader":
        return ModelKind.CLIP_VISION
    if class_type == "UpscaleModelLoader":
        return ModelKind.UPSCALE_MODEL
    if input_name.startswith("lora"):
        return ModelKind.LORA
    return _KINDS.get(input_name.rstrip("0123456789"))
