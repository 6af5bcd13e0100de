"""The shape of the fleet, and what may be asked of it."""

from __future__ import annotations

from typing import Any, Protocol, TypedDict

from .people import SessionPerson
from .pulse import ActiveTake
from .words import Status


class GpuNow(TypedDict):
    """A worker's GPUs together, as its agent measured them last."""

    utilisation: float | None
    vram_used_bytes: int | None
    vram_total_bytes: int | None
    temperature_c: float | None
    power_w: float | None
    throttled: str
    n_gpus: int
    measured_at: str


class WorkerRow(TypedDict):
    """One worker in the list."""

    id: str
    name: str
    url: str
    kind: str
    device: str
    version: str
    status: Status
    word: str
    doing: str
    tasks: list[ActiveTake]
    slots: int
    busy: int
    tags: list[str]
    error_streak: int
    seen_at: str | None
    alerts: list[dict[str, str]]  # text, at
    aside_until: str | None
    vram_bytes: int | None
    gpu: GpuNow | None
    load: dict[str, Any]  # of: what it is; values: shares, oldest first


class WorkerDetail(TypedDict):
    """All that is known of one worker beside its row."""

    id: str
    n_nodes: int
    models: list[dict[str, str]]  # folder, name
    asked_at: str | None
    warm: list[str]
    speed: list[dict[str, Any]]  # workflow, mean_s, takes
    series: dict[str, list[float]]
    agent: dict[str, Any] | None  # url, answered_at, trouble, no_gpu
    power: dict[str, Any] | None  # idle_minutes, wake, wake_word, target, windows, woken_at, slept_at
    history: list[dict[str, Any]]  # id, at, to, status, reason, who
    faults: list[dict[str, Any]]  # id, task_id, at, text
    kwh_today: float | None
    can: list[str]


class WorkersView(TypedDict):
    """``FleetDoor.workers``."""

    workers: list[WorkerRow]
    chosen: WorkerDetail | None
    slots: int  # of those that answer
    busy: int
    minimum_fleet: int
    wake_commands: list[str]
    may_manage: bool
    kwh_today: float | None


class FleetDoor(Protocol):
    """What the page of the GPU workers reads and does; forms get texts as they were typed."""

    def workers(self, person: SessionPerson, project: str | None, worker_id: str | None) -> WorkersView:
        """Return the fleet, and the worker asked for, else the first."""

    def sample(self) -> None:
        """Keep a sample of the GPUs' vitals; called every few seconds."""

    def worker_services(self, person: SessionPerson, worker_id: str) -> dict[str, Any]:
        """Return which services the worker's agent may restart."""

    def add_worker(self, person: SessionPerson, url: str, name: str, slots: str, tags: str) -> dict[str, Any]:
        """Add a ComfyUI server; returns ``text`` and ``worker_id``."""

    def edit_worker(self, person: SessionPerson, worker_id: str, name: str, slots: str, tags: str) -> dict[str, Any]:
        """Change a worker's name, slots and tags."""

    def attach_agent(self, person: SessionPerson, worker_id: str, url: str, key: str) -> dict[str, Any]:
        """Tell which agent runs on a worker's host."""

    def set_power(
        self, person: SessionPerson, worker_id: str, idle: str, wake: str, target: str, windows: str
    ) -> dict[str, Any]:
        """Set how a worker's power is switched."""

    def restart_service(self, person: SessionPerson, worker_id: str, service: str) -> dict[str, Any]:
        """Restart a service on a worker's host."""

    def hold_worker(self, person: SessionPerson, worker_id: str, how: str, reason: str = "") -> str:
        """Drain a worker, take it into maintenance, or take it back (``return``)."""

    def switch_worker(self, person: SessionPerson, worker_id: str, *, on: bool) -> str:
        """Wake a worker, or put it to sleep."""

    def remove_worker(self, person: SessionPerson, worker_id: str) -> str:
        """Remove a worker; its history stays."""
