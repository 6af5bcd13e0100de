"""The HTTP and WebSocket doors."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import urllib.parse
import uuid
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from x121lib.comfyui.engine.catalogue import NODES
from x121lib.comfyui.engine.engine import VERSION, Engine
from x121lib.comfyui.engine.files_api import add_file_routes
from x121lib.comfyui.engine.folders import MODEL_FOLDERS
from x121lib.comfyui.engine.jobs_api import job_routes
from x121lib.comfyui.engine.recent_log import RECENT_LOG, keep_log
from x121lib.comfyui.engine.userdata_api import add_userdata_routes
from x121lib.comfyui.engine.validation import problem, validate


def make_app(engine: Engine) -> web.Application:
    """Return the application; every route is served below ``/api`` too."""
    keep_log()
    routes = web.RouteTableDef()
    _add_prompt_routes(routes, engine)
    _add_socket(routes, engine)
    _add_queue_routes(routes, engine)
    _add_history_routes(routes, engine)
    _add_information_routes(routes, engine)
    add_file_routes(routes, engine)
    add_userdata_routes(routes, engine)
    app = web.Application(client_max_size=engine.options.upload_bytes, middlewares=[_same_origin])
    app.add_routes(routes)
    app.add_routes([web.route(r.method, "/api" + r.path, r.handler) for r in routes if isinstance(r, web.RouteDef)])
    app.add_routes(job_routes(engine))
    return app


@web.middleware
async def _same_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what a page of another origin sends: the engine has no sign-in."""
    origin = request.headers.get("Origin")
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        return web.Response(status=403)
    if origin is not None and urllib.parse.urlsplit(origin).netloc.lower() != request.host.lower():
        return web.Response(status=403)
    return await handler(request)


async def _json(request: web.Request) -> dict[str, Any]:
    """Return the body as an object; anything else is answered like ComfyUI does, 500 in plain text."""
    try:
        body = json.loads(await request.read())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise web.HTTPInternalServerError(text=f"The body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise web.HTTPInternalServerError(text="The body must be a JSON object.")
    return body


def _refused(error: dict[str, Any], node_errors: dict[str, Any] | None = None) -> web.Response:
    return web.json_response({"error": error, "node_errors": node_errors or {}}, status=400)


def _add_prompt_routes(routes: web.RouteTableDef, engine: Engine) -> None:
    @routes.get("/prompt")
    async def get_prompt(request: web.Request) -> web.Response:
        return web.json_response(engine.status()["status"])

    @routes.post("/prompt")
    async def post_prompt(request: web.Request) -> web.Response:
        body = await _json(request)
        number = engine.queue.number(explicit=_explicit_number(body), front=bool(body.get("front")))
        if "prompt" not in body:
            return _refused(problem("no_prompt", "No prompt provided", "No prompt provided"))
        prompt = body["prompt"]
        if not isinstance(prompt, dict) or not all(isinstance(node, dict) for node in prompt.values()):
            raise web.HTTPInternalServerError(text="The prompt must be a graph in API format.")
        extra = body.get("extra_data", {})
        if not isinstance(extra, dict):
            raise web.HTTPInternalServerError(text="extra_data must be an object.")
        prompt_id = body.get("prompt_id", str(uuid.uuid4()))
        if not _is_canonical(prompt_id):
            message = "prompt_id must be a canonical lowercase UUID"
            return _refused(problem("invalid_prompt_id", message, f"{prompt_id!r}"))
        verdict = await asyncio.to_thread(validate, prompt, engine.folders, body.get("partial_execution_targets"))
        if verdict.error is not None:
            return _refused(verdict.error, verdict.node_errors)
        extra = {**extra, "create_time": int(time.time() * 1000)}
        if "client_id" in body:
            extra["client_id"] = body["client_id"]
        engine.queue.put(number, prompt_id, (prompt, extra, verdict.outputs))
        return web.json_response(
            {
                "prompt_id": prompt_id,
                "number": number,
                "node_errors": verdict.node_errors,
            }
        )


def _add_socket(routes: web.RouteTableDef, engine: Engine) -> None:
    @routes.get("/ws")
    async def websocket(request: web.Request) -> web.WebSocketResponse:
        client = request.query.get("clientId")
        mine = client is not None and engine.queue.running_client() == client
        resume = engine.executor.current_node if mine else None
        return await engine.hub.serve(request, engine.status(), resume)


def _explicit_number(body: dict[str, Any]) -> float | None:
    if "number" not in body:
        return None
    try:
        return float(body["number"])
    except (TypeError, ValueError) as error:
        raise web.HTTPInternalServerError(text="number must be a number.") from error


def _is_canonical(prompt_id: object) -> bool:
    try:
        return isinstance(prompt_id, str) and str(uuid.UUID(prompt_id)) == prompt_id
    except ValueError:
        return False


def _add_queue_routes(routes: web.RouteTableDef, engine: Engine) -> None:
    queue = engine.queue

    @routes.get("/queue")
    async def get_queue(request: web.Request) -> web.Response:
        return web.json_response(queue.snapshot())

    @routes.post("/queue")
    async def post_queue(request: web.Request) -> web.Response:
        body = await _json(request)
        if body.get("clear"):
            queue.clear()
        for prompt_id in body.get("delete", ()):
            queue.delete(prompt_id)
        return web.Response()

    @routes.post("/interrupt")
    async def post_interrupt(request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.read() or b"{}")
        except (json.JSONDecodeError, UnicodeDecodeError):
            body = {}
        wanted = body.get("prompt_id") if isinstance(body, dict) else None
        engine.interrupt(str(wanted) if wanted else None)
        return web.Response()

    @routes.post("/free")
    async def post_free(request: web.Request) -> web.Response:
        if (await _json(request)).get("free_memory"):
            engine.free()
        return web.Response()


def _add_history_routes(routes: web.RouteTableDef, engine: Engine) -> None:
    queue = engine.queue

    @routes.get("/history")
    async def get_history(request: web.Request) -> web.Response:
        try:
            limit = None if (text := request.query.get("max_items")) is None else int(text)
            offset = int(request.query.get("offset", "-1"))
        except ValueError as error:
            raise web.HTTPInternalServerError(text="max_items and offset must be whole numbers.") from error
        return web.json_response(queue.history(max_items=limit, offset=offset))

    @routes.get("/history/{prompt_id}")
    async def get_history_of(request: web.Request) -> web.Response:
        return web.json_response(queue.history_of(request.match_info["prompt_id"]))

    @routes.post("/history")
    async def post_history(request: web.Request) -> web.Response:
        body = await _json(request)
        if body.get("clear"):
            queue.forget()
        for prompt_id in body.get("delete", ()):
            queue.forget(str(prompt_id))
        return web.Response()


def _add_information_routes(routes: web.RouteTableDef, engine: Engine) -> None:
    @routes.get("/object_info")
    async def object_info(request: web.Request) -> web.Response:
        return web.json_response({name: spec.info(engine.folders) for name, spec in NODES.items()})

    @routes.get("/object_info/{name}")
    async def object_info_of(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        return web.json_response({name: NODES[name].info(engine.folders)} if name in NODES else {})

    @routes.get("/system_stats")
    async def system_stats(request: web.Request) -> web.Response:
        return web.json_response(_system_stats())

    @routes.get("/internal/logs")
    async def logs(request: web.Request) -> web.Response:
        return web.json_response("".join(RECENT_LOG.lines))

    @routes.get("/features")
    async def features(request: web.Request) -> web.Response:
        return web.json_response(engine.features)

    @routes.get("/models")
    async def models(request: web.Request) -> web.Response:
        return web.json_response(list(MODEL_FOLDERS))

    @routes.get("/models/{folder}")
    async def models_of(request: web.Request) -> web.Response:
        known = request.match_info["folder"] in MODEL_FOLDERS
        return web.json_response([]) if known else web.Response(status=404)

    @routes.get("/embeddings")
    async def embeddings(request: web.Request) -> web.Response:
        return web.json_response([])


def _system_stats() -> dict[str, Any]:
    page = os.sysconf("SC_PAGE_SIZE")
    total = page * os.sysconf("SC_PHYS_PAGES")
    free = page * os.sysconf("SC_AVPHYS_PAGES") if "SC_AVPHYS_PAGES" in os.sysconf_names else total
    device = {
        "name": "cpu",
        "type": "cpu",
        "index": None,
        "vram_total": total,
        "vram_free": free,
        "torch_vram_total": total,
        "torch_vram_free": free,
    }
    system = {
        "os": sys.platform,
        "ram_total": total,
        "ram_free": free,
        "comfyui_version": VERSION,
        "python_version": sys.version,
        "pytorch_version": None,
        "embedded_python": False,
        "argv": sys.argv,
    }
    return {"system": system, "devices": [device]}
