"""NVML without a GPU: what a test says is what the cards answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any


class NVMLError(Exception):
    """As NVML's own: any trouble."""


class NVMLError_NotSupported(NVMLError):
    """As NVML's own: this card has no such figure."""


@dataclass
class Card:
    """One GPU; None: not supported."""

    name: str = "NVIDIA H100"
    utilisation: int | None = 50
    used: int | None = 10 << 30
    total: int = 80 << 30
    celsius: int | None = 60
    milliwatts: int | None = 300_000
    throttle_bits: int | None = 0


@dataclass
class FakeNvml:
    """Stands in for the module `pynvml`.

    Attributes:
        cards: the GPUs.
        no_driver: whether NVML cannot be opened.
    """

    cards: list[Card] = field(default_factory=list)
    no_driver: bool = False
    NVMLError = NVMLError
    NVMLError_NotSupported = NVMLError_NotSupported
    NVML_TEMPERATURE_GPU = 0

    def nvmlInit(self) -> None:  # noqa: D102
        if self.no_driver:
            raise NVMLError("Driver Not Loaded")

    def nvmlShutdown(self) -> None:  # noqa: D102
        return

    def nvmlDeviceGetCount(self) -> int:  # noqa: D102
        return len(self.cards)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Card:  # noqa: D102
        return self.cards[index]

    def nvmlDeviceGetName(self, card: Card) -> str:  # noqa: D102
        return card.name

    def nvmlDeviceGetUtilizationRates(self, card: Card) -> Any:  # noqa: D102
        return SimpleNamespace(gpu=_supported(card.utilisation))

    def nvmlDeviceGetMemoryInfo(self, card: Card) -> Any:  # noqa: D102
        return SimpleNamespace(used=_supported(card.used), total=card.total)

    def nvmlDeviceGetTemperature(self, card: Card, _sensor: int) -> int:  # noqa: D102
        return _supported(card.celsius)

    def nvmlDeviceGetPowerUsage(self, card: Card) -> int:  # noqa: D102
        return _supported(card.milliwatts)

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, card: Card) -> int:  # noqa: D102
        return _supported(card.throttle_bits)


def _supported(value: int | None) -> int:
    if value is None:
        raise NVMLError_NotSupported("Not Supported")
    return value
