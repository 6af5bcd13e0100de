"""The nodes that hold one value, so that many inputs can take it."""

from __future__ import annotations

from x121lib.comfyui.engine.specs import Inputs, NodeResult, NodeRun, NodeSpec

_LARGEST = 2**63 - 1


def _value(run: NodeRun, inputs: Inputs) -> NodeResult:
    del run
    return NodeResult((inputs["value"],))


PRIMITIVE_NODES = [
    NodeSpec(
        "PrimitiveInt", "Int", "utils/primitive", "comfy_extras.nodes_primitive", _value,
        {"value": ("INT", {"min": -_LARGEST, "max": _LARGEST, "control_after_generate": True})},
        outputs=(("INT", "INT"),), v3=True,
    ),
    NodeSpec(
        "PrimitiveFloat", "Float", "utils/primitive", "comfy_extras.nodes_primitive", _value,
        {"value": ("FLOAT", {"min": -float(_LARGEST), "max": float(_LARGEST)})},
        outputs=(("FLOAT", "FLOAT"),), v3=True,
    ),
]  # fmt: skip
"""The classes of this module."""
