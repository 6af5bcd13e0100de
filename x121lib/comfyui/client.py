"""The asynchronous client of one ComfyUI server, real or local.

``/queue`` and ``/history`` are the truth; the WebSocket wakes the watcher and tells progress.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from x121lib.comfyui.api import ComfyApi
from x121lib.comfyui.errors import (
    InterruptRefusedError,
    OutputMissingError,
    PromptFailedError,
    PromptInterruptedError,
    ServerResponseError,
    ServerUnreachableError,
    rejection,
)
from x121lib.comfyui.events import ProgressTracker
from x121lib.comfyui.generations import Generation
from x121lib.comfyui.graph import Graph, classes_of, needed_nodes, parse_graph
from x121lib.comfyui.listener import EventListener
from x121lib.comfyui.live import LiveRun
from x121lib.comfyui.outputs import OutputFile, OutputKind, parse_outputs
from x121lib.comfyui.results import Progress, RunResult
from x121lib.comfyui.tls import tls_context
from x121lib.comfyui.watching import Patience, Watch, cancel_prompt
from x121lib.comfyui.wire import HistoryEntry, QueueState, SystemStats

T = TypeVar("T")


@dataclass(frozen=True)
class ClientOptions:
    """What rarely needs changing.

    Attributes:
        events: whether to open the WebSocket at all; without it the client polls.
        connect_s: how long a new connection may take, in seconds.
        open_wait_s: how long a prompt's submission waits for the WebSocket, in seconds.
        submissions: how often a prompt is posted at most, each time after a look for the earlier one.
        again_s: pauses before a call that changes nothing, or nothing twice, is made again, in seconds.
        look_again_s: pause before each look for a prompt whose submission got no answer, in seconds.
        check_files: whether a run asks for each expected file before it counts as done; off where the caller fetches
            what it wants at once, which tells the same.
        headers: extra headers of each request, e.g. a proxy's token.
        use_environment_proxy: whether HTTP_PROXY and its kin count.
        patience: the watcher's waiting times.
    """

    events: bool = True
    connect_s: float = 5.0
    open_wait_s: float = 2.0
    submissions: int = 3
    again_s: tuple[float, ...] = (0.2, 1.0)
    look_again_s: float = 0.5
    check_files: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)
    use_environment_proxy: bool = False
    patience: Patience = field(default_factory=Patience)


class ComfyClient:
    """One server; any number of prompts at once. Use it as an asynchronous context manager."""

    def __init__(self, base_url: str, *, timeout_s: float = 30.0, options: ClientOptions | None = None) -> None:
        self._options = options or ClientOptions()
        self.base_url = base_url.rstrip("/")
        self._http = httpx.AsyncClient(
            base_url=self.base_url,
            timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, self._options.connect_s)),
            headers=dict(self._options.headers),
            trust_env=self._options.use_environment_proxy,
            verify=tls_context(self.base_url),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
        )
        self._api = ComfyApi(self.base_url, self._http)
        self._listener = EventListener(
            self.base_url,
            headers=self._options.headers,
            use_environment_proxy=self._options.use_environment_proxy,
        )
        self._running: set[str] = set()
        self._lives: dict[str, LiveRun] = {}
        self._told: tuple[str | None, str] = (None, "unknown")

    async def __aenter__(self) -> Self:
        """Return the client; connections open when they are needed."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the WebSocket, then the HTTP connections. Prompts on the server go on."""
        await self._listener.stop()
        await self._http.aclose()

    async def system_stats(self) -> SystemStats:
        """Return versions, memory and devices of the server."""
        return await self._api.system_stats()

    async def log(self) -> str:
        """Return the newest lines of the server's own log."""
        return await self._api.log()

    async def object_info(self, class_type: str | None = None) -> dict[str, Any]:
        """Return the description of one node class (``{}`` if unknown), or of all."""
        return await self._api.object_info(class_type)

    async def queue(self) -> QueueState:
        """Return which prompts run and wait."""
        return await self._api.queue()

    async def upload(self, source: Path | bytes, *, name: str, subfolder: str = "", overwrite: bool = False) -> str:
        """Put a file into the server's input folder, streamed; return the name to write into ``LoadImage``."""
        return await self._patiently(
            lambda: self._api.upload(source, name=name, subfolder=subfolder, overwrite=overwrite)
        )

    async def generation(self) -> Generation:
        """Return which generation of ComfyUI the server is, asked anew."""
        return await self._api.generation()

    async def cancel(self, prompt_id: str) -> None:
        """Delete the prompt if it waits, interrupt it if it runs; else without effect.

        Raises:
            InterruptRefusedError: it runs on a server that cannot interrupt one prompt alone.
        """
        await cancel_prompt(self._api, prompt_id)

    async def download(self, output: OutputFile, to: Path) -> str:
        """Stream an output to ``to``, which appears whole or not at all; return its SHA-256 in hex.

        Raises:
            OutputMissingError: the server has no such file any more.
        """
        digest = await self._patiently(lambda: self._api.download(output, to))
        if digest is None:
            raise OutputMissingError(
                f"The server has no file {output.filename} any more.",
                prompt_id="",
                hint="Run the workflow again with another filename_prefix or seed.",
            )
        return digest

    def attend(self, prompt_id: str, live: LiveRun) -> None:
        """Let ``live`` collect what is heard of a prompt that `run` is given next."""
        self._lives[prompt_id] = live

    async def run(
        self,
        graph: Graph,
        *,
        prompt_id: str,
        expect: frozenset[OutputKind],
        on_progress: Callable[[Progress], None] | None = None,
        stall_s: float = 600.0,
        cancel: asyncio.Event | None = None,
    ) -> RunResult:
        """Run a graph and return its outputs; idempotent under ``prompt_id``.

        A prompt that the server has already (waiting, running or finished) is watched, not submitted
        again, so a caller that died may call again with the same id. If the calling task is cancelled, the
        prompt goes on; set ``cancel`` to end it. A cancellation that comes too late, or that the server is too old to
        obey without hitting another prompt, returns the result.

        Args:
            graph: in API format; checked before it is sent.
            prompt_id: a uuid4 in canonical form, the caller's own.
            expect: kinds of which at least one file each must come out.
            on_progress: called in this task whenever the progress changed.
            stall_s: seconds without any event while the prompt runs, after which it counts as stalled;
                four times that where no events can be heard.
            cancel: ends the prompt when set.

        Raises:
            GraphError: not a valid graph; nothing was sent.
            PromptRejectedError: refused, wholly or in part.
            PromptFailedError: a node raised.
            PromptInterruptedError: cancelled, by us or by somebody else.
            PromptLostError: the server forgot it (restart, deletion).
            StalledError: no sign of life.
            OutputMissingError: succeeded without an expected output, or its file is gone.
            ServerUnreachableError: away for longer than the options' patience.
        """
        checked = parse_graph(graph)
        _check_prompt_id(prompt_id)
        if prompt_id in self._running:
            raise ValueError(f"prompt {prompt_id} is watched already by this client")
        tracker = ProgressTracker(prompt_id, needed_nodes(checked))
        watch = Watch(self._api, tracker, prompt_id, patience=self._options.patience)
        watch.on_progress, watch.cancel, watch.stall_s = on_progress, cancel, stall_s
        watch.live = live = self._lives.get(prompt_id)
        if live is not None:
            live.times_s = tracker.node_times_s
            live.sent(checked)
        self._running.add(prompt_id)
        self._listener.subscribe(prompt_id, watch.receive)
        if self._options.events:
            self._listener.start()  # it connects while the prompt is looked for
        try:
            if not await self._known(prompt_id):
                await self._submit(checked, prompt_id, watch)
            entry = await watch.until_ended()
        finally:
            self._listener.unsubscribe(prompt_id)
            self._running.discard(prompt_id)
            self._lives.pop(prompt_id, None)
        if live is not None:
            live.ended(entry)
        return await self._result(entry, expect, watch)

    async def _known(self, prompt_id: str) -> bool:
        """Tell whether queue or history has the prompt; the queue first, so that none slips through between."""
        if (await self._patiently(self._api.queue)).place(prompt_id) is not None:
            return True
        return await self._patiently(lambda: self._api.history(prompt_id)) is not None

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call again where the connection or a proxy failed; only for what may be done twice.

        Reading may, and so may an upload: the same name and bytes give the same file.
        """
        for pause_s in self._options.again_s:
            try:
                return await call()
            except (ServerUnreachableError, ServerResponseError) as error:
                if not error.retryable:
                    raise
            await asyncio.sleep(pause_s)
        return await call()

    async def _submit(self, graph: Graph, prompt_id: str, watch: Watch) -> None:
        client_id = await self._client_id()
        watch.hearing = lambda: client_id is not None and self._listener.client_id == client_id
        for attempt in range(1, self._options.submissions + 1):
            try:
                # Without any client id, newer servers report no outputs for a fully cached prompt.
                node_errors = await self._api.submit(graph, prompt_id, client_id or str(uuid.uuid4()))
            except (ServerUnreachableError, ServerResponseError) as error:
                if not _may_be_queued(error):
                    raise
                if await self._found_later(prompt_id):
                    return
                if attempt == self._options.submissions:
                    raise
            else:
                if node_errors:
                    with contextlib.suppress(InterruptRefusedError):  # what is left of it ends by itself
                        await cancel_prompt(self._api, prompt_id)
                    raise rejection(prompt_id, {"node_errors": node_errors}, classes_of(graph))
                watch.just_sent = True
                return

    async def _client_id(self) -> str | None:
        if not self._options.events:
            return None
        self._listener.start()
        return await self._listener.wait_open(self._options.open_wait_s)

    async def _found_later(self, prompt_id: str) -> bool:
        # Twice, with a pause: a busy server may still be reading the request that we gave up on.
        for _ in range(2):
            await asyncio.sleep(self._options.look_again_s)
            if await self._known(prompt_id):
                return True
        return False

    async def _result(self, entry: HistoryEntry, expect: frozenset[OutputKind], watch: Watch) -> RunResult:
        if not entry.succeeded:
            raise _failure(entry)
        outputs = parse_outputs(entry.outputs)
        version, _ = await asyncio.gather(self._version(), self._check_outputs(entry, outputs, expect))
        run_s = queue_s = None
        if entry.start_ms is not None:
            run_s = (entry.end_ms - entry.start_ms) / 1000 if entry.end_ms is not None else None
            queue_s = (entry.start_ms - entry.create_time_ms) / 1000 if entry.create_time_ms is not None else None
        return RunResult(
            prompt_id=entry.prompt_id,
            outputs=outputs,
            cached_nodes=entry.cached_nodes,
            node_times_s=dict(watch.tracker.node_times_s),
            queue_s=max(0.0, queue_s if queue_s is not None else watch.queued_s or 0.0),
            run_s=max(0.0, run_s or 0.0),
            server_version=version,
        )

    async def _version(self) -> str:
        """Return the server's version, asked once for each WebSocket: a server that restarts closes it."""
        heard_on = self._listener.client_id
        if heard_on is None or self._told[0] != heard_on:
            self._told = (heard_on, (await self._patiently(self._api.system_stats)).comfyui_version)
        return self._told[1]

    async def _check_outputs(
        self, entry: HistoryEntry, outputs: tuple[OutputFile, ...], expect: frozenset[OutputKind]
    ) -> None:
        missing = sorted(expect - {output.kind for output in outputs})
        if missing:
            blocked = entry.failure
            why = f" Node {blocked.node_id} said: {blocked.exception_message}" if blocked else ""
            raise OutputMissingError(
                f"Prompt {entry.prompt_id} succeeded without any {' or '.join(missing)} output.{why}",
                prompt_id=entry.prompt_id,
                hint="Look for a blocked or muted branch before the workflow's output node.",
            )
        for output in outputs if self._options.check_files else ():
            if output.kind in expect and not await self._patiently(functools.partial(self._api.exists, output)):
                raise OutputMissingError(
                    f"Prompt {entry.prompt_id} names {output.filename}, which the server does not have.",
                    prompt_id=entry.prompt_id,
                    hint="It comes from the server's cache; run again with another filename_prefix or seed.",
                    cached=output.node_id in entry.cached_nodes,
                )


def _check_prompt_id(prompt_id: str) -> None:
    try:
        canonical = str(uuid.UUID(prompt_id))
    except ValueError:
        canonical = ""
    if canonical != prompt_id:
        raise ValueError(f"{prompt_id!r} is not a canonical lowercase UUID, which ComfyUI 0.25 demands")


def _may_be_queued(error: ServerUnreachableError | ServerResponseError) -> bool:
    if isinstance(error, ServerUnreachableError):
        return error.may_have_arrived
    return error.status >= 500 or error.status == 0


def _failure(entry: HistoryEntry) -> PromptFailedError | PromptInterruptedError:
    failure = entry.failure
    if entry.interrupted or failure is None:
        return PromptInterruptedError(
            f"Prompt {entry.prompt_id} was interrupted.", prompt_id=entry.prompt_id, hint="Submit it again if wanted."
        )
    return PromptFailedError(failure, prompt_id=entry.prompt_id)
