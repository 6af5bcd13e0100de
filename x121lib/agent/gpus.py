"""GPUs through NVML."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pynvml

from x121lib.agent.vitals import Gpu

_THROTTLES = (
    (0x04, "power limit"), (0x20, "temperature (software)"), (0x40, "temperature (hardware)"), (0x80, "power brake"),
)  # fmt: skip
"""NVML's bits of the reasons that hold a clock down (nvml.h, ``nvmlClocksEventReason…``)."""


class Gpus:
    """Reads all GPUs of this host; opens NVML anew after it failed, e.g. while the driver is installed.

    Attributes:
        reason: why there is no GPU, in a sentence; empty where there is one.
    """

    def __init__(self, nvml: Any = pynvml) -> None:
        self._nvml = nvml
        self._open = False
        self.reason = "NVML has not been asked yet."

    def read(self) -> tuple[Gpu, ...]:
        """Return every GPU now; empty with a `reason` where there is none."""
        try:
            if not self._open:
                self._nvml.nvmlInit()
                self._open = True
            n = int(self._nvml.nvmlDeviceGetCount())
            found = tuple(self._gpu(index) for index in range(n))
        except self._nvml.NVMLError as error:
            self.close()
            self.reason = f"This host has no NVIDIA GPU that answers: {error}."
            return ()
        self.reason = "" if found else "The NVIDIA driver of this host knows no GPU."
        return found

    def close(self) -> None:
        """Close NVML."""
        if self._open:
            self._open = False
            self._maybe(self._nvml.nvmlShutdown)

    def _gpu(self, index: int) -> Gpu:
        nvml = self._nvml
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        rates = self._maybe(nvml.nvmlDeviceGetUtilizationRates, handle)
        memory = self._maybe(nvml.nvmlDeviceGetMemoryInfo, handle)
        milliwatts = self._maybe(nvml.nvmlDeviceGetPowerUsage, handle)
        celsius = self._maybe(nvml.nvmlDeviceGetTemperature, handle, nvml.NVML_TEMPERATURE_GPU)
        bits = self._maybe(nvml.nvmlDeviceGetCurrentClocksThrottleReasons, handle) or 0
        name = nvml.nvmlDeviceGetName(handle)
        return Gpu(
            index=index, name=name.decode(errors="replace") if isinstance(name, bytes) else str(name),
            utilisation=rates.gpu / 100 if rates is not None else None,
            vram_used_bytes=int(memory.used) if memory is not None else None,
            vram_total_bytes=int(memory.total) if memory is not None else None,
            temperature_c=float(celsius) if celsius is not None else None,
            power_w=milliwatts / 1000 if milliwatts is not None else None,
            throttled=tuple(words for bit, words in _THROTTLES if bits & bit),
        )  # fmt: skip

    def _maybe(self, ask: Callable[..., Any], *arguments: Any) -> Any:
        """Return an answer, or None where this card or driver has none."""
        try:
            return ask(*arguments)
        except self._nvml.NVMLError_NotSupported:
            return None
