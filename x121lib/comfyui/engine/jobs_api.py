"""The jobs door: one view of what waits, runs and has ended, and cancelling by id (as ComfyUI 0.26 has it)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import web

from x121lib.comfyui.engine.engine import Engine

_STATUSES = ("pending", "in_progress", "completed", "failed", "cancelled")
_PREVIEWED = frozenset({"images", "video", "audio", "3d", "text"})
_ENDS = {"execution_success": "completed", "execution_error": "failed", "execution_interrupted": "cancelled"}
Job = dict[str, Any]


def job_routes(engine: Engine) -> list[web.RouteDef]:
    """Return the routes below ``/api/jobs``."""

    async def list_jobs(request: web.Request) -> web.Response:
        wanted, sort_by, order, limit, offset = _query(request.query)
        jobs = [job for job in _jobs(engine) if job["status"] in wanted]
        jobs.sort(key=_duration if sort_by == "execution_duration" else _created, reverse=order == "desc")
        page = jobs[offset:] if limit is None else jobs[offset : offset + limit]
        pagination = {
            "offset": offset, "limit": limit, "total": len(jobs), "has_more": offset + len(page) < len(jobs),
        }  # fmt: skip
        return web.json_response({"jobs": page, "pagination": pagination})

    async def get_job(request: web.Request) -> web.Response:
        job_id = request.match_info["id"]
        entry = engine.queue.history_of(job_id).get(job_id)
        held = (job for job in _held(engine) if job["id"] == job_id)
        found = _ended(job_id, entry, whole=True) if entry else next(held, None)
        return web.json_response(found or {"error": "Job not found"}, status=200 if found else 404)

    async def cancel_job(request: web.Request) -> web.Response:
        return web.json_response({"cancelled": engine.cancel(request.match_info["id"])})

    return [
        web.get("/api/jobs", list_jobs), web.get("/api/jobs/{id}", get_job),
        web.post("/api/jobs/{id}/cancel", cancel_job),
    ]  # fmt: skip


def _query(query: Mapping[str, str]) -> tuple[set[str], str, str, int | None, int]:
    wanted = {word.strip().lower() for word in query.get("status", "").split(",") if word.strip()}
    if unknown := wanted - set(_STATUSES):
        raise _refused(f"Invalid status value(s): {', '.join(sorted(unknown))}. Valid values: {', '.join(_STATUSES)}")
    sort_by, order = query.get("sort_by", "created_at").lower(), query.get("sort_order", "desc").lower()
    if sort_by not in ("created_at", "execution_duration"):
        raise _refused("sort_by must be 'created_at' or 'execution_duration'")
    if order not in ("asc", "desc"):
        raise _refused("sort_order must be 'asc' or 'desc'")
    limit = _number(query["limit"], "limit") if "limit" in query else None
    if limit is not None and limit <= 0:
        raise _refused("limit must be a positive integer")
    return wanted or set(_STATUSES), sort_by, order, limit, max(0, _number(query.get("offset", "0"), "offset"))


def _number(text: str, name: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise _refused(f"{name} must be an integer") from error


def _refused(message: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(body=web.json_response({"error": message}).body, content_type="application/json")


def _created(job: Job) -> float:
    return float(job.get("create_time", 0))


def _duration(job: Job) -> float:
    start, end = job.get("execution_start_time"), job.get("execution_end_time")
    return float(end - start) if start and end else 0.0


def _jobs(engine: Engine) -> list[Job]:
    return [*_held(engine), *(_ended(job_id, entry) for job_id, entry in engine.queue.history().items())]


def _held(engine: Engine) -> Iterator[Job]:
    snapshot = engine.queue.snapshot()
    for status, key in (("in_progress", "queue_running"), ("pending", "queue_pending")):
        for number, prompt_id, _graph, extra, _outputs in snapshot[key]:
            yield _said({
                "id": prompt_id, "status": status, "priority": number, "create_time": extra.get("create_time"),
                "outputs_count": 0, "workflow_id": _workflow_id(extra),
            })  # fmt: skip


def _ended(job_id: str, entry: Mapping[str, Any], *, whole: bool = False) -> Job:
    number, _id, graph, extra, _outputs = entry["prompt"]
    messages = dict(entry["status"]["messages"])
    end = next(messages[kind] for kind in _ENDS if kind in messages)
    shown = list(_shown(entry["outputs"]))
    job = _said({
        "id": job_id, "status": next(status for kind, status in _ENDS.items() if kind in messages),
        "priority": number, "create_time": extra.get("create_time"),
        "execution_start_time": messages["execution_start"]["timestamp"], "execution_end_time": end["timestamp"],
        "execution_error": messages.get("execution_error"), "outputs_count": len(shown),
        "preview_output": next((one for one in shown if one.get("type") == "output"), shown[0] if shown else None),
        "workflow_id": _workflow_id(extra),
    })  # fmt: skip
    if whole:
        workflow = {"prompt": graph, "extra_data": extra}
        job |= {"outputs": entry["outputs"], "execution_status": entry["status"], "workflow": workflow}
    return job


def _shown(outputs: Mapping[str, Any]) -> Iterator[Job]:
    for node, by_kind in outputs.items():
        for kind, items in by_kind.items():
            if kind in _PREVIEWED:
                yield from ({**item, "nodeId": node, "mediaType": kind} for item in items)


def _workflow_id(extra: Mapping[str, Any]) -> Any:
    workflow = (extra.get("extra_pnginfo") or {}).get("workflow") or {}
    return workflow.get("id") if isinstance(workflow, Mapping) else None


def _said(job: Job) -> Job:
    return {key: value for key, value in job.items() if value is not None}
