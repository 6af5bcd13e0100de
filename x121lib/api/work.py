"""The queue and the GPU workers."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from x121lib.api import shapes
from x121lib.api.caller import Acting
from x121lib.api.errors import CREATED
from x121lib.api.route import ApiRoute
from x121lib.api.shapes import Limit, Offset, Page, page

router = APIRouter(route_class=ApiRoute, tags=["work"])


@router.get("/queue", response_model=Page[shapes.Task])
def list_tasks(studio: Acting, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List the GPU tasks that are not over, in the order in which they will be served."""
    return page(studio.queue(), limit, offset)


@router.post("/tasks/cancel", response_model=shapes.Changed)
def cancel(studio: Acting, given: shapes.TaskKeys) -> Any:
    """Cancel GPU tasks and what waits for them; finished segments stay."""
    return {"changed": studio.cancel(given.task_ids)}


@router.post("/tasks/pause", response_model=shapes.Changed)
def pause(studio: Acting, given: shapes.TaskKeys) -> Any:
    """Pause waiting GPU tasks; a running take is finished first."""
    return {"changed": studio.pause(given.task_ids)}


@router.post("/tasks/resume", response_model=shapes.Changed)
def resume(studio: Acting, given: shapes.TaskKeys) -> Any:
    """Put paused GPU tasks back into the queue."""
    return {"changed": studio.resume(given.task_ids)}


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
def maintain_worker(studio: Acting, name: str) -> Any:
    """Take a GPU worker out for work on it; it finishes what it runs."""
    studio.workers.maintenance(name)
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


@router.get("/vitals", response_model=Page[shapes.GpuVitals])
def list_vitals(studio: Acting, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List the newest vitals of every GPU whose host runs an agent."""
    return page(studio.agents.vitals(), limit, offset)


@router.get("/alerts", response_model=Page[shapes.WorkerAlert])
def list_alerts(studio: Acting, limit: Limit = 100, offset: Offset = 0) -> Any:
    """List the thresholds that GPU hosts pass at the moment."""
    return page(studio.agents.alerts(), limit, offset)
