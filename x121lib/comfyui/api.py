"""ComfyUI's HTTP calls, one method each, with errors mapped where they enter."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import unicodedata
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, BinaryIO

import httpx

from x121lib.comfyui.errors import (
    HTTPX_BASES,
    ComfyError,
    ServerResponseError,
    ServerUnreachableError,
    from_httpx,
    rejection,
)
from x121lib.comfyui.generations import Generation, read_generation
from x121lib.comfyui.graph import Graph, classes_of
from x121lib.comfyui.outputs import OutputFile
from x121lib.comfyui.wire import (
    HistoryEntry,
    QueueState,
    SystemStats,
    parse_history,
    parse_json,
    parse_queue,
    parse_system_stats,
)
from x121lib.media.atomic import whole_file

_CHUNK_BYTES = 1 << 18
_LARGE_BYTES = 16 * 2**20
"""From this size on, a server is asked what it takes before it is sent."""


class ComfyApi:
    """One server's HTTP side. Keeps no state about prompts, and repeats no call by itself."""

    def __init__(self, base_url: str, http: httpx.AsyncClient) -> None:
        self.base_url = base_url
        self._http = http

    async def system_stats(self) -> SystemStats:
        """Return versions, memory and devices of the server."""
        return parse_system_stats(await self._json("GET", "/system_stats"))

    async def generation(self) -> Generation:
        """Return which generation the server is, from its version, its features and whether it knows jobs."""
        stats, features, jobs = await asyncio.gather(
            self.system_stats(), self._asked("/features"), self._asked("/api/jobs?limit=1")
        )
        return read_generation(stats.comfyui_version, features, has_jobs=isinstance(jobs, Mapping))

    async def log(self) -> str:
        """Return the newest lines of the server's own log, as text; servers without ``/internal/logs`` answer 404."""
        body = await self._json("GET", "/internal/logs")
        return body if isinstance(body, str) else ""

    async def object_info(self, class_type: str | None = None) -> dict[str, Any]:
        """Return the description of one node class, or of all; ``{}`` for an unknown class."""
        path = "/object_info" if class_type is None else f"/object_info/{class_type}"
        body = await self._json("GET", path)
        return dict(body) if isinstance(body, Mapping) else {}

    async def queue(self) -> QueueState:
        """Return which prompts run and wait."""
        return parse_queue(await self._json("GET", "/queue"))

    async def history(self, prompt_id: str) -> HistoryEntry | None:
        """Return a finished prompt; None while it waits or runs, and for an unknown one."""
        return parse_history(await self._json("GET", f"/history/{prompt_id}"), prompt_id)

    async def submit(self, graph: Graph, prompt_id: str, client_id: str) -> Mapping[str, Any]:
        """Post a prompt; return the server's ``node_errors`` (not empty: a part of the graph was dropped).

        Raises:
            PromptRejectedError: the server's validation refused the graph.
            ServerUnreachableError: no answer; ``may_have_arrived`` says whether it may be queued.
            ServerResponseError: another status, a 500 among them, after which it may be queued too.
        """
        body = json.dumps({"prompt": graph, "prompt_id": prompt_id, "client_id": client_id}).encode()
        await self._check_size("The workflow", len(body))
        headers = {"Content-Type": "application/json"}
        response = await self._request("POST", "/prompt", content=body, headers=headers)
        if 400 <= response.status_code < 500 and response.status_code not in (403, 404, 413, 429):
            answer = _lenient(response)
            raise rejection(prompt_id, answer, classes_of(graph))
        self._check(response, "/prompt")
        answer = parse_json(response.content)
        errors = answer.get("node_errors") if isinstance(answer, Mapping) else None
        return errors if isinstance(errors, Mapping) else {}

    async def delete_pending(self, prompt_id: str) -> None:
        """Take a waiting prompt out of the queue; without effect on any other."""
        self._check(await self._request("POST", "/queue", json={"delete": [prompt_id]}), "/queue")

    async def interrupt(self, prompt_id: str) -> None:
        """Interrupt exactly this prompt, if it runs. Never sent without an id, which would hit anybody's.

        Servers before 0.3.57 ignore the id: only `cancel_prompt` of this room calls it, after a look at the generation.
        """
        if not prompt_id:
            raise ValueError("an interrupt needs a prompt id")
        self._check(await self._request("POST", "/interrupt", json={"prompt_id": prompt_id}), "/interrupt")

    async def cancel_job(self, prompt_id: str) -> bool:
        """Cancel this prompt, whether it waits or runs; false where the server has no such call."""
        response = await self._request("POST", f"/api/jobs/{prompt_id}/cancel")
        if response.status_code in (404, 405):
            return False
        self._check(response, "/api/jobs/…/cancel")
        return True

    async def upload(self, source: Path | bytes, *, name: str, subfolder: str = "", overwrite: bool = False) -> str:
        """Put a file into the server's input folder, streamed; return the name for ``LoadImage``.

        The server may choose another name ("a (1).png") where other bytes have it already, so only the
        returned one is right. The name is made ASCII first (see `ascii_name`).

        Raises:
            ServerResponseError: larger than the server takes (413; nothing was sent where it says its limit), or
                another status.
        """
        await self._check_size(name, len(source) if isinstance(source, bytes) else source.stat().st_size)
        data = {"subfolder": subfolder, "type": "input", "overwrite": "true" if overwrite else "false"}
        if isinstance(source, bytes):
            answer = await self._upload(source, ascii_name(name), data)
        else:
            with source.open("rb") as file:
                answer = await self._upload(file, ascii_name(name), data)
        if not isinstance(answer, Mapping) or not isinstance(answer.get("name"), str):
            raise ServerResponseError(f"The ComfyUI server at {self.base_url} did not name the uploaded file.")
        folder = str(answer.get("subfolder") or "").strip("/")
        return f"{folder}/{answer['name']}" if folder else str(answer["name"])

    async def _upload(self, content: bytes | BinaryIO, name: str, data: dict[str, str]) -> Any:
        files = {"image": (name, content, "application/octet-stream")}
        response = await self._request("POST", "/upload/image", data=data, files=files)
        self._check(response, "/upload/image")
        return parse_json(response.content)

    async def _check_size(self, what: str, n_bytes: int) -> None:
        """Refuse what is larger than the server's own limit, before minutes of sending end in a closed connection."""
        if n_bytes < _LARGE_BYTES:
            return
        features = await self._asked("/features")
        limit = read_generation("", features, has_jobs=False).upload_bytes
        if limit is not None and n_bytes > limit:
            size, most = f"{n_bytes / 2**20:.0f}", f"{limit / 2**20:.0f}"
            raise ServerResponseError(
                f"{what} has {size} MB; the ComfyUI server at {self.base_url} takes {most} MB.",
                status=413,
                hint="Start that server with a larger --max-upload-size, or make the file smaller.",
            )

    async def _asked(self, path: str) -> Any:
        """Return the JSON that the server has under a path, None where it has nothing there."""
        response = await self._request("GET", path)
        return parse_json(response.content) if response.status_code == 200 else None

    async def exists(self, output: OutputFile) -> bool:
        """Tell whether an output's file is still there (one HEAD request)."""
        response = await self._request("HEAD", "/view", params=_view(output))
        if response.status_code == 404:
            return False
        self._check(response, "/view")
        return True

    async def download(self, output: OutputFile, to: Path) -> str | None:
        """Stream an output into ``to``, which appears whole or not at all.

        Returns:
            The SHA-256 of its bytes, in hex; None if the server has no such file.

        Raises:
            ServerUnreachableError: fewer or more bytes came than announced; another try may give all.
            ServerResponseError: an error status.
        """
        digest, size = hashlib.sha256(), 0
        async with self._stream("/view", params=_view(output)) as response:
            if response.status_code == 404:
                return None
            self._check(response, "/view")
            with whole_file(to) as part, part.open("wb") as file:
                async for chunk in response.aiter_bytes(_CHUNK_BYTES):
                    file.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
                announced = response.headers.get("content-length")
                if announced is not None and "content-encoding" not in response.headers and int(announced) != size:
                    raise ServerUnreachableError(f"{output.filename} broke off after {size} of {announced} bytes.")
        return digest.hexdigest()

    async def _json(self, method: str, path: str) -> Any:
        response = await self._request(method, path)
        self._check(response, path)
        return parse_json(response.content)

    async def _request(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        try:
            return await self._http.request(method, path, **kwargs)
        except HTTPX_BASES as error:
            raise self._mapped(error) from error

    @asynccontextmanager
    async def _stream(self, path: str, **kwargs: Any) -> AsyncIterator[httpx.Response]:
        try:
            async with self._http.stream("GET", path, **kwargs) as response:
                yield response
        except HTTPX_BASES as error:
            raise self._mapped(error) from error

    def _mapped(self, error: Exception) -> ComfyError:
        return from_httpx(error, self.base_url)

    def _check(self, response: httpx.Response, path: str) -> None:
        status = response.status_code
        if status < 400:
            return
        hints = {
            403: "The server refuses this origin; set its --enable-cors-header or the proxy in front of it.",
            404: "Is this address a ComfyUI server?",
            413: "The file or workflow is larger than the server's --max-upload-size.",
        }
        raise ServerResponseError(
            f"The ComfyUI server at {self.base_url} answered {path} with status {status}.",
            status=status,
            hint=hints.get(status, ""),
        )


def ascii_name(name: str) -> str:
    """Return a file name of safe ASCII characters only; servers store other names differently.

    A changed name carries eight hex digits of the original's SHA-256, so that two names stay two.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", plain).lstrip(".") or "file"
    if safe == name:
        return name
    stem, dot, suffix = safe.rpartition(".")
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{stem}_{mark}.{suffix}" if dot and stem else f"{safe}_{mark}"


def _view(output: OutputFile) -> dict[str, str]:
    return {"filename": output.filename, "subfolder": output.subfolder, "type": output.folder_type}


def _lenient(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = parse_json(response.content)
    except ServerResponseError:
        body = None
    return body if isinstance(body, Mapping) else {"error": response.text[:300] or f"status {response.status_code}"}
