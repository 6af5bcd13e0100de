"""All node classes of the local engine."""

from __future__ import annotations

from x121lib.comfyui.engine.nodes_image import IMAGE_NODES
from x121lib.comfyui.engine.nodes_output import OUTPUT_NODES
from x121lib.comfyui.engine.nodes_post import POST_NODES
from x121lib.comfyui.engine.nodes_primitive import PRIMITIVE_NODES
from x121lib.comfyui.engine.specs import NodeSpec

NODES: dict[str, NodeSpec] = {spec.name: spec for spec in (*IMAGE_NODES, *POST_NODES, *PRIMITIVE_NODES, *OUTPUT_NODES)}
"""Class name -> node class: a documented subset of ComfyUI's core nodes."""
