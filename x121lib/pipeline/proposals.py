"""From a failure to what a person can do about it; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_GIB = 2**30


def propose(code: str, message: str, context: Mapping[str, Any]) -> str:
    """Return what to do about a failure, in a sentence or two; the error's own hint where nothing is known of it.

    Args:
        code: stable code of the error.
        message: what it said.
        context: ``exception_type``, ``exception_message``, ``traceback``, ``node_type``, ``devices``, ``hint``, where
            known.
    """
    by_code = _BY_CODE.get(code)
    if by_code is not None:
        return by_code
    said = " ".join(str(context.get(k, "")) for k in ("exception_type", "exception_message")) + " " + message
    for pattern, advice in _BY_TEXT:
        if pattern.search(said):
            return advice(context)
    return str(context.get("hint", ""))


def _memory(context: Mapping[str, Any]) -> str:
    devices = context.get("devices") or []
    known = [d for d in devices if d.get("vram_total_bytes")]
    size = f" of {max(d['vram_total_bytes'] for d in known) / _GIB:.0f} GiB" if known else ""
    return (
        f"The GPU{size} ran out of memory. Retake with fewer frames or a smaller picture ('x121 retake … --set'), "
        "choose a lower tier, or let the workflow run only on workers with more memory ('x121 worker require')."
    )


def _always(text: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda _context: text


_BY_CODE = {
    "comfyui.stalled": "The server counts the prompt as running and does nothing: restart ComfyUI on that host ('x121 "
    "worker restart'); the take is tried again elsewhere.",
    "comfyui.prompt_lost": "The server was restarted or somebody cleared its queue; the take is tried again.",
    "comfyui.certificate": "Give the worker a certificate that this machine trusts, or add its authority to the "
    "system's.",
    "access.release_missing": "Record a release that covers it ('x121 release add'), then submit the scene again.",
    "store.disk_full": "Free space on the studio's disk; takes go on by themselves then.",
}
_BY_TEXT: tuple[tuple[re.Pattern[str], Callable[[Mapping[str, Any]], str]], ...] = (
    (re.compile(r"out of memory|OutOfMemory|Allocation on device|CUBLAS_STATUS_ALLOC_FAILED", re.I), _memory),
    (
        re.compile(r"no such node class|missing_node_type|node type .*not found", re.I),
        _always(
            "Install the node pack that has this class on the worker ('x121 check PROJECT --fix'), or correct the "
            "workflow; workers that have it are chosen by themselves."
        ),
    ),
    (
        re.compile(r"value not in list|No such file|FileNotFound|not found in.*(models|checkpoints|loras)", re.I),
        _always(
            "A file that the workflow names is not on that worker: send it there ('x121 model distribute', or 'x121 "
            "check PROJECT --fix'), or choose one that is."
        ),
    ),
    (
        re.compile(r"SafetensorError|HeaderTooLarge|invalid header|UnpicklingError|incomplete metadata", re.I),
        _always(
            "A model's file is damaged on that worker: 'x121 model verify' says which, 'x121 model distribute' sends "
            "it again."
        ),
    ),
    (
        re.compile(r"shapes? cannot be multiplied|size mismatch|sizes of tensors must match|size of tensor", re.I),
        _always(
            "Model, LoRA, VAE and text encoder do not belong together, or the size is not one that the model takes: "
            "compare with a version that ran ('x121 workflow diff'), and use multiples of 16."
        ),
    ),
    (
        re.compile(r"not implemented for|Float8|fp8|no kernel image|CUDA capability|bfloat16", re.I),
        _always(
            "This GPU can not compute in the number format that the workflow wants: let it run only on workers that "
            "can ('x121 worker require'), or choose another format in the model's loader."
        ),
    ),
    (
        re.compile(r"\bnan\b|invalid value encountered", re.I),
        _always(
            "The computation gave no numbers: try another seed ('x121 retake'), a lower cfg, or a VAE in full "
            "precision."
        ),
    ),
    (
        re.compile(r"CUDA error|device-side assert|illegal memory access|cuDNN", re.I),
        _always(
            "The GPU's driver failed: restart ComfyUI on that host ('x121 worker restart'). If it comes back, take the "
            "worker out ('x121 worker maintenance')."
        ),
    ),
)
"""Patterns of exception names and texts of PyTorch, safetensors and ComfyUI, the most telling first."""
