"""A scripted ComfyUI server for faults that a real one cannot be made to have on demand.

It executes nothing: a `Script` says what each answer is. The contract of a healthy server is tested against the
local engine and a real ComfyUI instead.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

FILE = b"the content of every file; nobody decodes it"


@dataclass
class Script:
    """How the server behaves.

    Attributes:
        post_status: statuses of successive ``/prompt`` answers; 200 when used up.
        queue_on_error: whether a prompt answered with an error is queued nevertheless.
        post_hangs: how many first ``/prompt`` requests are queued and never answered.
        node_errors: put into the 200 answer.
        rejection: body of a 400 answer to ``/prompt``; None accepts.
        ends: ``success``, ``error``, ``interrupted``, ``never`` (stall), ``restart`` (forgets all).
        outputs: of the history entry.
        messages: extra history messages before the last one.
        late_history_s: how long after ``execution_success`` and ``executing: null`` the history is written.
        gone_files: names that ``/view`` does not have.
        drop_sockets: whether the WebSocket is dropped when the prompt starts.
        refuse_sockets: whether ``/ws`` is refused.
        raw_nan: whether history answers carry NaN tokens.
        mute: whether it sends no events, as behind a client that reads nothing or after a doubled client id.
        deaf: whether interrupts have no effect, as on a worker whose thread is dead or in its last node.
        answers: (status, text) for whatever path begins so, instead of its own answer.
        cut_files: whether `/view` ends in the middle of a file.
        version: what it says of itself.
        features: answer of ``/features``; None answers 404, as servers before July 2025 do.
        has_jobs: whether ``/api/jobs`` is there.
        can_cancel: whether ``/api/jobs/{id}/cancel`` is there.
        global_interrupt: whether ``/interrupt`` ends whatever runs, as servers before 0.3.57 do.
        previews: binary messages that are sent while node 1 runs; ``{prompt}`` in them becomes the prompt's id.
    """

    post_status: list[int] = field(default_factory=list)
    queue_on_error: bool = True
    post_hangs: int = 0
    node_errors: Mapping[str, Any] = field(default_factory=dict)
    rejection: Mapping[str, Any] | None = None
    ends: str = "success"
    outputs: Mapping[str, Any] = field(
        default_factory=lambda: {"2": {"images": [{"filename": "a.png", "subfolder": "", "type": "output"}]}}
    )
    messages: list[list[Any]] = field(default_factory=list)
    late_history_s: float = 0.0
    gone_files: frozenset[str] = frozenset()
    drop_sockets: bool = False
    refuse_sockets: bool = False
    raw_nan: bool = False
    mute: bool = False
    deaf: bool = False
    answers: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    cut_files: bool = False
    version: str = "9.9"
    features: Mapping[str, Any] | None = None
    has_jobs: bool = False
    can_cancel: bool = False
    global_interrupt: bool = False
    previews: list[bytes] = field(default_factory=list)


class FakeComfy:
    """The server's state, and what a test may look at.

    Attributes:
        posts: prompt ids in the order of their submissions.
        client_ids: of every WebSocket that was opened.
        interrupts: bodies of ``/interrupt``.
        cancels: prompt ids of ``/api/jobs/{id}/cancel``, whether it is there or not.
        n_sockets: how many WebSockets are open.
        uploads: how many requests came to ``/upload/image``.
        deleted: prompt ids taken out of the queue.
        hold: while it is set, prompts stay pending.
        release: prompts run to their end only once it is set.
    """

    def __init__(self, script: Script) -> None:
        self.script = script
        self.posts: list[str] = []
        self.client_ids: list[str] = []
        self.interrupts: list[Any] = []
        self.cancels: list[str] = []
        self.n_sockets = 0
        self.uploads = 0
        self.deleted: list[str] = []
        self.hold = asyncio.Event()
        self.release = asyncio.Event()
        self.release.set()
        self.url = ""
        self._pending: dict[str, list[Any]] = {}
        self._running: dict[str, list[Any]] = {}
        self._history: dict[str, Any] = {}
        self._sockets: dict[str, web.WebSocketResponse] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._interrupted: set[str] = set()

    @asynccontextmanager
    async def serving(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[FakeComfy]:
        """Serve on a free loopback port, with ``tls`` over HTTPS."""
        app = web.Application(middlewares=[self._instead])
        app.add_routes(
            [
                web.post("/prompt", self._post),
                web.get("/queue", self._get_queue),
                web.post("/queue", self._post_queue),
                web.get("/history/{id}", self._get_history),
                web.post("/interrupt", self._interrupt),
                web.get("/system_stats", self._stats),
                web.get("/features", self._features),
                web.get("/api/jobs", self._jobs),
                web.post("/api/jobs/{id}/cancel", self._cancel),
                web.post("/upload/image", self._upload),
                web.get("/view", self._view),
                web.get("/ws", self._ws),
            ]
        )
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for socket in list(self._sockets.values()):
                await socket.close()
            await runner.cleanup()

    def enqueue(self, prompt_id: str, client_id: str = "") -> None:
        """Take a prompt in, as an earlier process would have submitted it."""
        self._pending[prompt_id] = [len(self.posts), prompt_id, {}, {"client_id": client_id}, ["2"]]
        task = asyncio.create_task(self._run(prompt_id, client_id))
        self._tasks.add(task)

    @web.middleware
    async def _instead(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        for path, (status, text) in self.script.answers.items():
            if request.path.startswith(path):
                return web.Response(status=status, text=text)
        return await handler(request)

    async def _post(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        prompt_id, script = body["prompt_id"], self.script
        self.posts.append(prompt_id)
        if script.rejection is not None:
            return web.json_response(script.rejection, status=400)
        status = script.post_status.pop(0) if script.post_status else 200
        if status < 400 or script.queue_on_error:
            self.enqueue(prompt_id, body["client_id"])
        if len(self.posts) <= script.post_hangs:
            await asyncio.Event().wait()
        if status >= 400:
            return web.Response(status=status, text="Internal Server Error")
        return web.json_response({"prompt_id": prompt_id, "number": 0, "node_errors": dict(script.node_errors)})

    async def _run(self, prompt_id: str, client_id: str) -> None:
        while self.hold.is_set():
            await asyncio.sleep(0.01)
        if prompt_id not in self._pending:
            return
        self._running[prompt_id] = self._pending.pop(prompt_id)
        await self._send(client_id, "execution_start", {"prompt_id": prompt_id})
        await self._send(client_id, "execution_cached", {"prompt_id": prompt_id, "nodes": []})
        for node in ("1", "2"):
            states = {node: {"value": 0, "max": 1, "state": "running", "display_node_id": node}}
            await self._send(client_id, "progress_state", {"prompt_id": prompt_id, "nodes": states})
            for preview in self.script.previews if node == "1" and client_id in self._sockets else ():
                await self._sockets[client_id].send_bytes(preview.replace(b"{prompt}", prompt_id.encode()))
            states[node]["state"] = "finished"
            await self._send(client_id, "progress_state", {"prompt_id": prompt_id, "nodes": states})
        if self.script.drop_sockets and client_id in self._sockets:
            await self._sockets[client_id].close()
        await self.release.wait()
        await self._end(prompt_id, client_id)

    async def _end(self, prompt_id: str, client_id: str) -> None:
        ends = "interrupted" if prompt_id in self._interrupted else self.script.ends
        while ends == "never":
            await asyncio.sleep(0.01)
            ends = "interrupted" if prompt_id in self._interrupted else ends
        if ends == "restart":
            self._running.clear()
            return
        await self._send(client_id, f"execution_{ends}", {"prompt_id": prompt_id})
        await self._send(client_id, "executing", {"prompt_id": prompt_id, "node": None})
        if self.script.late_history_s:
            await asyncio.sleep(self.script.late_history_s)
        self._history[prompt_id] = self._entry(prompt_id, ends)
        self._running.pop(prompt_id, None)

    def _entry(self, prompt_id: str, ends: str) -> dict[str, Any]:
        last: dict[str, Any] = {"prompt_id": prompt_id, "timestamp": 3500}
        if ends == "error":
            last |= {"node_id": "2", "node_type": "SaveImage", "exception_type": "ValueError"}
            last |= {"exception_message": "no disk\n", "traceback": ["line 1\n", "line 2\n"]}
        start = ["execution_start", {"prompt_id": prompt_id, "timestamp": 1500}]
        cached = ["execution_cached", {"nodes": ["1"], "prompt_id": prompt_id, "timestamp": 1501}]
        return {
            "prompt": [0, prompt_id, {}, {"create_time": 1000}, ["2"]],
            "outputs": self.script.outputs if ends == "success" else {},
            "status": {
                "status_str": "success" if ends == "success" else "error",
                "completed": ends == "success",
                "messages": [start, cached, *self.script.messages, [f"execution_{ends}", last]],
            },
        }

    async def _send(self, client_id: str, kind: str, data: Mapping[str, Any]) -> None:
        socket = self._sockets.get(client_id)
        if socket is not None and not socket.closed and not (self.script.mute and kind != "status"):
            await socket.send_str(json.dumps({"type": kind, "data": data}))

    async def _get_queue(self, _request: web.Request) -> web.Response:
        queue = {"queue_running": list(self._running.values()), "queue_pending": list(self._pending.values())}
        return web.json_response(queue)

    async def _post_queue(self, request: web.Request) -> web.Response:
        for prompt_id in (await request.json())["delete"]:
            self.deleted.append(prompt_id)
            self._pending.pop(prompt_id, None)
        return web.Response()

    async def _get_history(self, request: web.Request) -> web.Response:
        prompt_id = request.match_info["id"]
        found = {prompt_id: self._history[prompt_id]} if prompt_id in self._history else {}
        text = json.dumps(found)
        if self.script.raw_nan:
            text = text.replace('"type": "output"', '"type": "output", "score": NaN, "range": [-Infinity, Infinity]')
        return web.Response(text=text, content_type="application/json")

    async def _interrupt(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.interrupts.append(body)
        hit = set(self._running) if self.script.global_interrupt else {body.get("prompt_id")} & set(self._running)
        self._interrupted |= set() if self.script.deaf else hit
        return web.Response()

    async def _features(self, _request: web.Request) -> web.Response:
        return web.Response(status=404) if self.script.features is None else web.json_response(self.script.features)

    async def _jobs(self, _request: web.Request) -> web.Response:
        if not self.script.has_jobs:
            return web.Response(status=404, content_type="application/octet-stream")
        return web.json_response({"jobs": [], "pagination": {"offset": 0, "limit": 1, "total": 0, "has_more": False}})

    async def _cancel(self, request: web.Request) -> web.Response:
        prompt_id = request.match_info["id"]
        self.cancels.append(prompt_id)
        if not self.script.can_cancel:
            return web.Response(status=404)
        known = prompt_id in self._running or self._pending.pop(prompt_id, None) is not None
        if prompt_id in self._running:
            self._interrupted.add(prompt_id)
        return web.json_response({"cancelled": known})

    async def _upload(self, request: web.Request) -> web.Response:
        self.uploads += 1
        return web.json_response({"name": "a.png", "subfolder": "", "type": "input"})

    async def _stats(self, _request: web.Request) -> web.Response:
        return web.json_response({"system": {"comfyui_version": self.script.version}, "devices": []})

    async def _view(self, request: web.Request) -> web.StreamResponse:
        if request.query["filename"] in self.script.gone_files:
            return web.Response(status=404)
        if self.script.cut_files and request.method == "GET":
            cut = web.StreamResponse(headers={"Content-Length": str(len(FILE))})
            await cut.prepare(request)
            await cut.write(FILE[:9])
            assert request.transport is not None
            request.transport.close()
            return cut
        return web.Response(body=FILE, content_type="image/png")

    async def _ws(self, request: web.Request) -> web.StreamResponse:
        if self.script.refuse_sockets:
            return web.Response(status=404)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        client_id = request.query["clientId"]
        self.client_ids.append(client_id)
        self._sockets[client_id] = socket
        await self._send(client_id, "status", {"status": {"exec_info": {"queue_remaining": 0}}, "sid": client_id})
        self.n_sockets += 1
        try:
            async for message in socket:
                if message.type is WSMsgType.ERROR:
                    break
        finally:
            self.n_sockets -= 1
        return socket
