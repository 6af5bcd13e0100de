"""What the agent measures, as values, and which thresholds they pass. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from x121lib.agent.config import Thresholds


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Gpu(_Value):
    """One GPU at one moment; None where the driver does not say."""

    index: int
    name: str
    utilisation: float | None
    """Share of the last second in which it computed, 0 to 1."""
    vram_used_bytes: int | None
    vram_total_bytes: int | None
    temperature_c: float | None
    power_w: float | None
    throttled: tuple[str, ...]
    """Why its clock is held down, in words; empty where it is not."""


class Disk(_Value):
    """A disk by a folder on it."""

    folder: str
    free_bytes: int
    total_bytes: int


class Alert(_Value):
    """A threshold that is passed."""

    name: str
    """Stable while the alert lasts, e.g. ``gpu-0-temperature``."""
    message: str
    """One sentence for a person."""


class Report(_Value):
    """All vitals at one moment."""

    gpus: tuple[Gpu, ...]
    no_gpu_reason: str
    """Why there is no GPU to report, in a sentence; empty where there is one."""
    disks: tuple[Disk, ...]
    alerts: tuple[Alert, ...]
    services: tuple[str, ...]
    """Names of the services that may be restarted."""
    can_power_off: bool
    age_s: float
    """Seconds since the GPUs were measured."""


def alerts(gpus: Sequence[Gpu], disks: Sequence[Disk], limits: Thresholds) -> tuple[Alert, ...]:
    """Return an alert for each threshold that is passed, and for each GPU that is throttled."""
    found = []
    for gpu in gpus:
        who = f"GPU {gpu.index} ({gpu.name})"
        if gpu.temperature_c is not None and gpu.temperature_c > limits.temperature_c:
            text = f"{who} is at {gpu.temperature_c:.0f} °C, above {limits.temperature_c:.0f} °C."
            found.append(Alert(name=f"gpu-{gpu.index}-temperature", message=text))
        if gpu.vram_used_bytes is not None and gpu.vram_total_bytes:
            share = gpu.vram_used_bytes / gpu.vram_total_bytes
            if share > limits.vram_fraction:
                text = f"{who} uses {share:.0%} of its memory."
                found.append(Alert(name=f"gpu-{gpu.index}-memory", message=text))
        if gpu.throttled:
            text = f"{who} is slowed down: {', '.join(gpu.throttled)}."
            found.append(Alert(name=f"gpu-{gpu.index}-throttled", message=text))
    for disk in disks:
        if disk.free_bytes < limits.disk_free_gb * 1e9:
            text = f"The disk of {disk.folder} has {disk.free_bytes / 1e9:.1f} GB free."
            found.append(Alert(name=f"disk-{disk.folder}", message=text))
    return tuple(found)
