"""What GPUs measured in the last minutes: a short memory of this process, for the small curves of the pages."""

from __future__ import annotations

import threading
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m

SAMPLES = 120
"""Samples kept of each worker; with one each five seconds ten minutes."""
MEASURES = ("utilisation", "vram", "temperature_c", "power_w")


@dataclass(frozen=True)
class Vitals:
    """A worker's GPUs together at one moment; None where no driver says.

    Attributes:
        utilisation: mean share, 0 to 1.
        vram_used_bytes: sum.
        vram_total_bytes: sum.
        temperature_c: of the hottest.
        power_w: sum.
        throttled: why clocks are held down, in words.
        n_gpus: how many there are.
        measured_at: when.
    """

    utilisation: float | None
    vram_used_bytes: int | None
    vram_total_bytes: int | None
    temperature_c: float | None
    power_w: float | None
    throttled: str
    n_gpus: int
    measured_at: datetime

    @property
    def vram(self) -> float | None:
        """Share of the video memory that is used."""
        if self.vram_used_bytes is None or not self.vram_total_bytes:
            return None
        return self.vram_used_bytes / self.vram_total_bytes


def newest(session: Session) -> dict[uuid.UUID, Vitals]:
    """Return the newest vitals by worker."""
    by_worker: dict[uuid.UUID, list[m.GpuVital]] = {}
    for row in session.scalars(sa.select(m.GpuVital).order_by(m.GpuVital.worker_id, m.GpuVital.device_index)):
        by_worker.setdefault(row.worker_id, []).append(row)
    return {key: together(rows) for key, rows in by_worker.items()}


def together(rows: Sequence[Any]) -> Vitals:
    """Return the vitals of a worker's GPUs as one."""

    def known(name: str) -> list[Any]:
        return [value for row in rows if (value := getattr(row, name)) is not None]

    load, heat, power = known("utilisation"), known("temperature_c"), known("power_w")
    used, total = known("vram_used_bytes"), known("vram_total_bytes")
    return Vitals(
        sum(load) / len(load) if load else None, sum(used) if used else None, sum(total) if total else None,
        max(heat) if heat else None, sum(power) if power else None,
        ", ".join(dict.fromkeys(row.throttled for row in rows if row.throttled)), len(rows),
        max(row.measured_at for row in rows),
    )  # fmt: skip


@dataclass
class VitalsLog:
    """The last samples of every worker; safe from any thread."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _kept: dict[uuid.UUID, deque[Vitals]] = field(default_factory=dict)

    def sample(self, session: Session) -> None:
        """Keep the newest vitals; one that was seen already is not kept twice, and who has none is forgotten."""
        found = newest(session)
        with self._lock:
            for gone in self._kept.keys() - found.keys():
                del self._kept[gone]
            for key, vitals in found.items():
                kept = self._kept.setdefault(key, deque(maxlen=SAMPLES))
                if not kept or kept[-1].measured_at != vitals.measured_at:
                    kept.append(vitals)

    def series(self, worker_id: uuid.UUID, measure: str) -> list[float]:
        """Return one of `MEASURES` of a worker, oldest first; what was not measured is left out."""
        with self._lock:
            kept = list(self._kept.get(worker_id, ()))
        values = (getattr(each, measure) for each in kept)
        return [round(float(value), 4) for value in values if value is not None]
