"""What a person is told to do about a failure."""

from __future__ import annotations

import pytest

from x121lib.pipeline.proposals import propose

OOM = {
    "exception_type": "torch.OutOfMemoryError",
    "exception_message": "Allocation on device 0 would exceed allowed memory. (out of memory)",
    "devices": [{"name": "cuda:0", "vram_total_bytes": 24 * 2**30, "vram_free_bytes": 2**28}],
    "hint": "Correct the workflow.",
}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("ComfyUI refused the workflow: node 7 (Nope): this server has no such node class", "node pack"),
        ("Value not in list (ckpt_name: 'a.safetensors' not in [])", "x121 model distribute"),
        ("safetensors_rust.SafetensorError: Error while deserializing header: HeaderTooLarge", "x121 model verify"),
        ("mat1 and mat2 shapes cannot be multiplied (77x2048 and 768x320)", "do not belong together"),
        ("\"upsample_nearest2d_channels_last\" not implemented for 'BFloat16'", "number format"),
        ("RuntimeError: CUDA error: device-side assert triggered", "driver failed"),
        ("ValueError: invalid value encountered in cast", "another seed"),
    ],
)
def test_what_pytorch_safetensors_and_comfyui_say_has_an_answer(said: str, expected: str) -> None:
    assert expected in propose("comfyui.prompt_failed", said, {"hint": "Correct the workflow."})


def test_lack_of_memory_names_the_gpus_size() -> None:
    told = propose("comfyui.prompt_failed", "Node 3 (KSampler) failed", OOM)
    assert told.startswith("The GPU of 24 GiB ran out of memory. Retake with fewer frames")
    assert propose("x", "out of memory", {}).startswith("The GPU ran out of memory.")


def test_what_is_unknown_keeps_the_errors_own_hint() -> None:
    assert (
        propose("comfyui.prompt_failed", "Something odd.", {"hint": "Correct the workflow."}) == "Correct the workflow."
    )
    assert "x121 worker restart" in propose("comfyui.stalled", "Nothing moves.", {})
