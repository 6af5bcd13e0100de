"""The agent's HTTP side: every answer needs the key; nothing runs that is not configured."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from x121lib.agent import packs
from x121lib.agent.commands import execute
from x121lib.agent.config import AgentConfig
from x121lib.agent.files import FileError, Inbox
from x121lib.agent.gpus import Gpus
from x121lib.agent.vitals import Disk, Gpu, Report, alerts
from x121lib.base.log import get_logger
from x121lib.base.secrets import read_or_make_secret

_log = get_logger(__name__)
EVERY_S = 1.0
"""Seconds between two measurements."""
_MOST_FILES = 20_000

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Agent:
    """One host's agent."""

    def __init__(self, config: AgentConfig, gpus: Gpus | None = None) -> None:
        self._config = config
        self._gpus = gpus or Gpus()
        self._key = read_or_make_secret(config.key_file.parent, config.key_file.name).encode()
        self._latest: tuple[Gpu, ...] = ()
        self._measured_at = 0.0
        self._busy: set[str] = set()
        may_receive = config.receive_models and config.models is not None
        self._inbox = Inbox(config.models) if may_receive and config.models is not None else None

    def app(self) -> web.Application:
        """Return the application; it measures while it runs."""
        app = web.Application(middlewares=[self._guard], client_max_size=4096)
        app.add_routes([
            web.get("/vitals", self._vitals), web.get("/models", self._models),
            web.get("/node-packs", self._node_packs), web.post("/services/{name}/restart", self._restart),
            web.post("/power-off", self._power_off),
            web.get("/packs", self._packs), web.post("/packs/{name}/install", self._install),
            web.get("/model-files/{path:.+}", self._file_state), web.put("/model-files/{path:.+}", self._receive),
            web.delete("/model-files/{path:.+}", self._forget),
        ])  # fmt: skip
        app.cleanup_ctx.append(self._measuring)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode(errors="replace")
        if not hmac.compare_digest(given, self._key):
            return _refusal(401, "agent.wrong_key", "The agent's key is missing or wrong.")
        return await handler(request)

    async def _measuring(self, _app: web.Application) -> AsyncIterator[None]:
        await self._measure()
        task = asyncio.create_task(self._measure_always())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        self._gpus.close()

    async def _measure_always(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            await self._measure()

    async def _measure(self) -> None:
        self._latest = await asyncio.to_thread(self._gpus.read)
        self._measured_at = time.monotonic()

    async def _vitals(self, _request: web.Request) -> web.Response:
        disks = tuple(disk for folder in self._config.disks if (disk := _disk(folder)) is not None)
        report = Report(
            gpus=self._latest, no_gpu_reason=self._gpus.reason, disks=disks,
            alerts=alerts(self._latest, disks, self._config.thresholds), services=tuple(sorted(self._config.services)),
            can_power_off=self._config.power_off is not None, age_s=time.monotonic() - self._measured_at,
        )  # fmt: skip
        return web.Response(text=report.model_dump_json(), content_type="application/json")

    async def _models(self, _request: web.Request) -> web.Response:
        return web.json_response(await asyncio.to_thread(_files, self._config.models))

    async def _node_packs(self, _request: web.Request) -> web.Response:
        return web.json_response(await asyncio.to_thread(_folders, self._config.node_packs))

    async def _restart(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        command = self._config.services.get(name)
        if command is None:
            known = ", ".join(sorted(self._config.services)) or "none"
            return _refusal(404, "agent.not_configured", f"No service '{name}' is configured here. There are: {known}.")
        return await self._run(name, command)

    async def _power_off(self, _request: web.Request) -> web.Response:
        if self._config.power_off is None:
            return _refusal(404, "agent.not_configured", "The agent has no command 'power_off' configured.")
        return await self._run("power-off", self._config.power_off)

    async def _packs(self, _request: web.Request) -> web.Response:
        return web.json_response(await packs.listing(self._config))

    async def _install(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self._config.packs:
            known = ", ".join(sorted(self._config.packs)) or "none"
            return _refusal(404, "agent.not_configured", f"No pack '{name}' is configured here. There are: {known}.")
        if f"pack {name}" in self._busy:
            return _refusal(409, "agent.busy", f"The pack '{name}' is being installed already.")
        self._busy.add(f"pack {name}")
        try:
            done = await packs.install(self._config, name)
        except packs.PackError as error:
            _log.warning("the pack '%s' was not installed: %s", name, error)
            return _refusal(409, "agent.pack_failed", str(error))
        finally:
            self._busy.discard(f"pack {name}")
        _log.info("the pack '%s' is at %s", name, done["commit"])
        return web.json_response(done)

    async def _file_state(self, request: web.Request) -> web.Response:
        if self._inbox is None:
            return _refusal(404, "agent.not_configured", "The agent has 'receive_models' not configured.")
        try:
            return web.json_response(
                await self._inbox.state(request.match_info["path"], request.query.get("sha256", ""))
            )
        except FileError as error:
            return _refusal(error.status, "agent.file_refused", error.message)

    async def _receive(self, request: web.Request) -> web.Response:
        if self._inbox is None:
            return _refusal(404, "agent.not_configured", "The agent has 'receive_models' not configured.")
        try:
            span = int(request.query.get("at", "")), int(request.query.get("n_bytes", ""))
        except ValueError:
            return _refusal(422, "agent.file_refused", "'at' and 'n_bytes' are numbers of bytes.")
        try:
            path, sha256 = request.match_info["path"], request.query.get("sha256", "")
            replaces = request.query.get("replaces", "")
            return web.json_response(await self._inbox.receive(path, sha256, span, request.content, replaces))
        except FileError as error:
            return _refusal(error.status, "agent.file_refused", error.message)

    async def _forget(self, request: web.Request) -> web.Response:
        if self._inbox is None:
            return _refusal(404, "agent.not_configured", "The agent has 'receive_models' not configured.")
        try:
            await self._inbox.forget(request.match_info["path"], request.query.get("sha256", ""))
        except FileError as error:
            return _refusal(error.status, "agent.file_refused", error.message)
        return web.json_response({})

    async def _run(self, name: str, command: tuple[str, ...]) -> web.Response:
        if name in self._busy:
            return _refusal(409, "agent.busy", f"The command of '{name}' runs already.")
        self._busy.add(name)
        try:
            code, output = await execute(command, self._config.command_s)
        finally:
            self._busy.discard(name)
        _log.info("the command of '%s' ended with %s", name, code)
        return web.json_response({"service": name, "exit_code": code, "output": output})


def _disk(folder: Path) -> Disk | None:
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return Disk(folder=str(folder), free_bytes=usage.free, total_bytes=usage.total)


def _files(root: Path | None) -> list[dict[str, Any]]:
    if root is None or not root.is_dir():
        return []
    found: list[dict[str, Any]] = []
    for path in sorted(root.rglob("*")):
        if len(found) >= _MOST_FILES:
            break
        with contextlib.suppress(OSError):
            if path.is_file() and not path.name.startswith("."):
                found.append({"path": path.relative_to(root).as_posix(), "n_bytes": path.stat().st_size})
    return found


def _folders(root: Path | None) -> list[str]:
    if root is None or not root.is_dir():
        return []
    return sorted(p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith((".", "_")))


def _refusal(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"code": code, "message": message}, status=status)


def serve(config: AgentConfig, on_start: Callable[[], None]) -> None:
    """Run an agent until Ctrl-C; ``on_start`` is called once it listens."""
    app = Agent(config).app()

    async def announce(_app: web.Application) -> None:
        on_start()

    app.on_startup.append(announce)
    web.run_app(app, host=config.host, port=config.port, print=None)
