"""The GPU workers: their state, their agents and their power."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from x121lib.api import shapes
from x121lib.api.caller import Acting
from x121lib.api.errors import CREATED, NO_CONTENT
from x121lib.api.route import ApiRoute
from x121lib.api.shapes import Given, Limit, Name, Offset, Page, page

router = APIRouter(route_class=ApiRoute, tags=["work"])
Words = Annotated[str, Field(max_length=2000)]


class Maintenance(Given):
    """Why a worker is taken out."""

    reason: Words = ""


class NewAgent(Given):
    """Which agent runs on a worker's host."""

    url: Words = Field(min_length=1)
    key: Words = Field(min_length=1, description="What the agent's key file holds; stored encrypted, never shown.")


class PowerPlan(Given):
    """How a worker's power is switched; all of it replaces what was set before."""

    idle_minutes: float | None = Field(None, ge=1, le=7 * 24 * 60, description="null: it never sleeps.")
    wake: Literal["lan", "command", "http"] | None = Field(None, description="null: it is not woken.")
    target: Words = Field("", description="MAC address, name of a command in the settings, or URL.")
    windows: Annotated[list[Name], Field(max_length=50)] = Field([], examples=[["mon-fri 08:00-22:00"]])


class Power(BaseModel):
    """How a worker's power is switched, and what was done last."""

    worker: str
    status: str
    idle_minutes: float | None
    wake: str | None
    target: str
    windows: str
    woken_at: datetime | None
    put_to_sleep_at: datetime | None
    minimum_fleet: int


class Energy(BaseModel):
    """Measured energy of a worker on one day (UTC)."""

    worker: str
    day: date
    kwh: float
    measured_h: float


class NodePack(BaseModel):
    """A node pack that a worker's host allows."""

    name: str
    repo: str
    commit: str
    installed: str


class InstalledPack(BaseModel):
    """A node pack that was brought to its pinned commit."""

    name: str
    commit: str
    before: str


class Tags(Given):
    """Tags that a worker must have."""

    tags: Annotated[tuple[Name, ...], Field(max_length=50)]


@router.get("/workers", response_model=Page[shapes.Worker])
def list_workers(studio: Acting, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List the GPU workers."""
    return page(studio.workers.list(), limit, offset)


@router.post("/workers", status_code=CREATED, response_model=shapes.WorkerKey)
def add_worker(studio: Acting, given: shapes.NewWorker) -> Any:
    """Add a ComfyUI server as a GPU worker."""
    return {"worker_id": studio.workers.add(given.url, name=given.name, slots=given.slots, tags=given.tags)}


@router.get("/workers/{name}", response_model=shapes.WorkerDetail)
def show_worker(studio: Acting, name: str) -> Any:
    """Show a GPU worker (by name or key) with its node classes, models and mean seconds per take."""
    return studio.workers.show(name)


@router.patch("/workers/{name}", response_model=shapes.WorkerDetail)
def change_worker(studio: Acting, name: str, given: shapes.WorkerChange) -> Any:
    """Give a GPU worker another name, other slots or other tags."""
    studio.workers.change(name, rename=given.name, slots=given.slots, tags=given.tags)
    return studio.workers.show(given.name or name)


@router.get("/workers/{name}/history", response_model=Page[shapes.WorkerStatusChange])
def worker_history(studio: Acting, name: str, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List a GPU worker's changes of status, newest first."""
    return page(studio.workers.history(name, limit=limit + offset), limit, offset)


@router.post("/workers/{name}/drain", response_model=shapes.WorkerDetail)
def drain_worker(studio: Acting, name: str) -> Any:
    """Let a GPU worker finish what it runs and send it nothing more."""
    studio.workers.drain(name)
    return studio.workers.show(name)


@router.post("/workers/{name}/maintenance", response_model=shapes.WorkerDetail)
def maintain_worker(studio: Acting, name: str, given: Maintenance | None = None) -> Any:
    """Take a GPU worker out for work on it; it finishes what it runs."""
    studio.workers.maintenance(name, given.reason if given else "")
    return studio.workers.show(name)


@router.post("/workers/{name}/resume", response_model=shapes.WorkerDetail)
def resume_worker(studio: Acting, name: str) -> Any:
    """Take a GPU worker back that was drained, in maintenance or set aside."""
    studio.workers.reopen(name)
    return studio.workers.show(name)


@router.delete("/workers/{name}", response_model=shapes.Changed)
def remove_worker(studio: Acting, name: str) -> Any:
    """Remove a GPU worker; its history stays."""
    studio.workers.remove(name)
    return {"changed": 1}


@router.post("/workers/{name}/services/{service}/restart", response_model=shapes.CommandResult)
def restart_service(studio: Acting, name: str, service: str) -> Any:
    """Restart a service on a GPU worker's host by the command that its agent has configured."""
    code, output = studio.agents.restart(name, service)
    return {"exit_code": code, "output": output}


@router.get("/workers/{name}/packs", response_model=list[NodePack])
def list_packs(studio: Acting, name: str) -> Any:
    """List the node packs that a GPU worker's host allows, each with its pinned commit and the one installed."""
    return studio.agents.packs(name).to_dict("records")


@router.post("/workers/{name}/packs/{pack}/install", response_model=InstalledPack)
def install_pack(studio: Acting, name: str, pack: str) -> Any:
    """Bring a node pack that a GPU worker's host allows to the commit pinned there."""
    return studio.agents.install_pack(name, pack)


@router.get("/vitals", response_model=Page[shapes.GpuVitals])
def list_vitals(studio: Acting, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List the newest vitals of every GPU whose host runs an agent."""
    return page(studio.agents.vitals(), limit, offset)


@router.get("/alerts", response_model=Page[shapes.WorkerAlert])
def list_alerts(studio: Acting, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List the thresholds that GPU hosts pass at the moment."""
    return page(studio.agents.alerts(), limit, offset)


@router.put("/workers/{name}/agent", status_code=NO_CONTENT)
def attach_agent(studio: Acting, name: str, given: NewAgent) -> None:
    """Tell which agent runs on a GPU worker's host; it is asked at once."""
    studio.agents.attach(name, given.url, given.key)


@router.get("/workers/{name}/power", response_model=Power)
def show_power(studio: Acting, name: str) -> Any:
    """Show how a GPU worker's power is switched."""
    return studio.power.show(name)


@router.put("/workers/{name}/power", response_model=Power)
def set_power(studio: Acting, name: str, given: PowerPlan) -> Any:
    """Set how a GPU worker's power is switched, instead of what was set before."""
    studio.power.configure(
        name, idle_minutes=given.idle_minutes, wake=given.wake, target=given.target, windows=given.windows
    )
    return studio.power.show(name)


@router.post("/workers/{name}/wake", response_model=Power)
def wake_worker(studio: Acting, name: str) -> Any:
    """Wake a GPU worker now."""
    studio.power.wake(name)
    return studio.power.show(name)


@router.post("/workers/{name}/sleep", response_model=Power)
def sleep_worker(studio: Acting, name: str) -> Any:
    """Put an idle GPU worker's host to sleep now; refused in mid-take."""
    studio.power.sleep(name)
    return studio.power.show(name)


@router.get("/energy", response_model=Page[Energy])
def list_energy(studio: Acting, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List the measured energy per GPU worker and day, newest first."""
    return page(studio.agents.energy(), limit, offset)


@router.put("/workflows/{workflow}/tags", status_code=NO_CONTENT)
def require_tags(studio: Acting, workflow: str, given: Tags) -> None:
    """Let a workflow run only on GPU workers that have all of these tags; none lifts the restriction."""
    studio.workers.require_tags(workflow, given.tags)
