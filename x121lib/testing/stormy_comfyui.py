"""Scripted ComfyUI servers in bad weather: dropped connections, duplicates, stalls, 5xx answers and restarts.

``python -m x121lib.testing.stormy_comfyui --servers 16 --seed 1`` serves that many on free loopback ports and prints
their addresses in one line. They execute nothing: a prompt's file is the text of its one input. What each saw, it tells
under ``/storm``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import WSMsgType, web

_KEPT = 400
"""Entries of history; a real server keeps 10,000, and nobody asks for old ones."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Seen:
    """What a server saw.

    Attributes:
        executed: prompts run to their end.
        doubles: prompts that were posted although the server had them: the client should have looked.
        posts: submissions.
        failures: 5xx answers.
        drops: connections broken off in the middle.
        stalls: answers that came too late.
        duplicates: events sent twice.
        silences: prompts whose last events were not sent.
        zombies: prompts that never ended.
        restarts: times that it forgot everything.
    """

    executed: int = 0
    doubles: int = 0
    posts: int = 0
    failures: int = 0
    drops: int = 0
    stalls: int = 0
    duplicates: int = 0
    silences: int = 0
    zombies: int = 0
    restarts: int = 0


class Stormy:
    """One server. Faults come by chance, from a seed of its own."""

    def __init__(self, seed: int, weather: float, hang_s: float) -> None:
        self.seen = Seen()
        self._weather_factor = weather
        self._hang_s = hang_s
        self._chance = random.Random(seed)
        self._pending: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._running: str | None = None
        self._history: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._sockets: dict[str, web.WebSocketResponse] = {}
        self._work = asyncio.Event()
        self._interrupted: set[str] = set()
        self._life = 0

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application(middlewares=[self._weather])
        app.add_routes([
            web.post("/prompt", self._post), web.get("/queue", self._queue), web.post("/queue", self._delete),
            web.get("/history/{id}", self._get_history), web.post("/interrupt", self._interrupt),
            web.get("/system_stats", self._stats), web.get("/view", self._view), web.get("/ws", self._ws),
            web.get("/storm", self._storm),
        ])  # fmt: skip
        return app

    def _happens(self, percent: float) -> bool:
        return self._chance.random() * 100 < percent * self._weather_factor

    @web.middleware
    async def _weather(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in ("/ws", "/storm"):
            return await handler(request)
        if self._happens(1.0):
            return self._broken(request)
        if self._happens(1.5):
            self.seen.failures += 1
            return web.Response(status=self._chance.choice([502, 503]))
        answer = await handler(request)
        if self._happens(0.3):
            self.seen.stalls += 1
            await asyncio.sleep(self._hang_s)
        return answer

    def _broken(self, request: web.Request) -> web.Response:
        self.seen.drops += 1
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async def _post(self, request: web.Request) -> web.Response:
        body = await request.json()
        prompt_id = body["prompt_id"]
        self.seen.posts += 1
        if self._happens(2.0):
            self.seen.failures += 1
            return web.Response(status=500)
        self.seen.doubles += prompt_id in self._pending or prompt_id == self._running or prompt_id in self._history
        self._pending[prompt_id] = (body["client_id"], body["prompt"]["1"]["inputs"]["text"])
        self._work.set()
        if self._happens(2.0):
            return self._broken(request)
        if self._happens(2.0):
            self.seen.failures += 1
            return web.Response(status=500)  # and it is queued nevertheless
        return web.json_response({"prompt_id": prompt_id, "number": 0, "node_errors": {}})

    async def work(self) -> None:
        """Run prompts one after another, for ever."""
        while True:
            while not self._pending:
                self._work.clear()
                await self._work.wait()
            prompt_id, (client_id, text) = self._pending.popitem(last=False)
            self._running = prompt_id
            await self._execute(prompt_id, client_id, text)
            self._running = None

    async def _execute(self, prompt_id: str, client_id: str, text: str) -> None:
        life = self._life
        await self._tell(client_id, "execution_start", {"prompt_id": prompt_id})
        await self._tell(client_id, "executing", {"prompt_id": prompt_id, "node": "1"})
        if self._happens(0.2):
            await self._restart()
        if self._happens(0.1):
            self.seen.zombies += 1
            await asyncio.sleep(3 * self._hang_s)  # then somebody restarts it
            await self._restart()
        if life != self._life:
            return
        if self._happens(0.5) and client_id in self._sockets:
            await self._sockets[client_id].close()
        success = prompt_id not in self._interrupted
        self._interrupted.discard(prompt_id)
        self._history[prompt_id] = _entry(prompt_id, text, success)
        self.seen.executed += 1
        while len(self._history) > _KEPT:
            self._history.popitem(last=False)
        if self._happens(2.0):
            self.seen.silences += 1
            return
        await self._tell(client_id, "execution_success", {"prompt_id": prompt_id})
        await self._tell(client_id, "executing", {"prompt_id": prompt_id, "node": None})

    async def _restart(self) -> None:
        self.seen.restarts += 1
        self._life += 1
        self._pending.clear()
        self._history.clear()
        self._interrupted.clear()
        for socket in list(self._sockets.values()):
            await socket.close()

    async def _tell(self, client_id: str, kind: str, data: dict[str, Any]) -> None:
        times = 1 + self._happens(5.0)
        self.seen.duplicates += times - 1
        for _ in range(times):
            socket = self._sockets.get(client_id)
            if socket is not None and not socket.closed:
                await socket.send_str(json.dumps({"type": kind, "data": data}))

    async def _queue(self, _request: web.Request) -> web.Response:
        running = [] if self._running is None else [[0, self._running, {}, {}, ["1"]]]
        pending = [[number, prompt_id, {}, {}, ["1"]] for number, prompt_id in enumerate(self._pending, 1)]
        return web.json_response({"queue_running": running, "queue_pending": pending})

    async def _delete(self, request: web.Request) -> web.Response:
        for prompt_id in (await request.json())["delete"]:
            self._pending.pop(prompt_id, None)
        return web.Response()

    async def _interrupt(self, request: web.Request) -> web.Response:
        self._interrupted |= {(await request.json())["prompt_id"]} & {self._running or ""}
        return web.Response()

    async def _get_history(self, request: web.Request) -> web.Response:
        entry = self._history.get(request.match_info["id"])
        return web.json_response({} if entry is None else {request.match_info["id"]: entry})

    async def _stats(self, _request: web.Request) -> web.Response:
        return web.json_response({"system": {"comfyui_version": "0.3.64"}, "devices": []})

    async def _view(self, request: web.Request) -> web.StreamResponse:
        content = request.query["filename"].encode()
        if request.method == "GET" and self._happens(1.0):
            cut = web.StreamResponse(headers={"Content-Length": str(len(content) + 9)})
            await cut.prepare(request)
            await cut.write(content)
            return self._broken(request)
        return web.Response(body=content, content_type="image/png")

    async def _storm(self, _request: web.Request) -> web.Response:
        return web.json_response(asdict(self.seen))

    async def _ws(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        client_id = request.query["clientId"]
        self._sockets[client_id] = socket
        try:
            async for message in socket:
                if message.type is WSMsgType.ERROR:
                    break
        finally:
            self._sockets.pop(client_id, None)
        return socket


def _entry(prompt_id: str, text: str, success: bool) -> dict[str, Any]:
    end = "execution_success" if success else "execution_interrupted"
    shown = {"1": {"images": [{"filename": f"{text}.png", "subfolder": "", "type": "output"}]}}
    messages = [["execution_start", {"timestamp": 1}], [end, {"timestamp": 2}]]
    status = {"status_str": "success" if success else "error", "completed": success, "messages": messages}
    return {"prompt": [0, prompt_id, {}, {}, ["1"]], "outputs": shown if success else {}, "status": status}


async def serve(n_servers: int, seed: int, weather: float, hang_s: float) -> None:
    """Serve until cancelled."""
    urls, workers = [], []
    for number in range(n_servers):
        server = Stormy(seed * 1000 + number, weather, hang_s)
        runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        urls.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
        workers.append(asyncio.create_task(server.work()))
    print(*urls, flush=True)  # noqa: T201 - the parent reads it
    await asyncio.gather(*workers)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--weather", type=float, default=1.0, help="how often faults happen, 1 = usual")
    parser.add_argument("--hang", type=float, default=1.5, help="seconds by which a late answer is late")
    given = parser.parse_args()
    asyncio.run(serve(given.servers, given.seed, given.weather, given.hang))
