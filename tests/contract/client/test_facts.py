"""What servers do that clients suffer from, one test for each fact that the other files do not meet."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import struct
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contract.client.test_faults import GRAPH, IMAGE, QUICK, run_on, within
from tests.contract.client.test_servers import still
from x121lib.comfyui import ComfyClient, Patience, RunResult
from x121lib.comfyui.errors import (
    OutputMissingError,
    PromptFailedError,
    PromptInterruptedError,
    PromptLostError,
    ServerResponseError,
    ServerUnreachableError,
    StalledError,
    UntrustedCertificateError,
)
from x121lib.comfyui.live import MAX_PREVIEW_BYTES, LiveRun
from x121lib.testing.fake_comfyui import FakeComfy, Script

UPGRADE = (
    b"GET /ws?clientId=deaf HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
IMPATIENT = replace(QUICK, patience=replace(QUICK.patience, hearing_poll_s=0.1, cancel_s=0.3))


@contextmanager
def engine_process(root: Path, port: str = "0") -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the local engine as a process that a test may stop and kill."""
    command = [sys.executable, "-m", "x121lib.comfyui.engine", "--port", port, "--root", str(root)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().split()[-1]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


async def running(client: ComfyClient, prompt_id: str, work: asyncio.Task[Any]) -> None:
    """Wait until a prompt runs."""
    while (await client.queue()).place(prompt_id) != 0:
        assert not work.done(), work.result()
        await asyncio.sleep(0.01)


# Events


def test_a_client_that_hears_nothing_learns_the_end_from_history() -> None:
    result, _server = within(run_on(Script(mute=True), IMPATIENT))
    assert isinstance(result, RunResult)
    assert result.node_times_s == {}


def test_a_message_above_the_usual_limit_of_a_megabyte_is_read() -> None:
    async def scenario() -> tuple[RunResult, FakeComfy, LiveRun]:
        large = struct.pack(">II", 1, 2) + bytes(5 * 2**20)
        by_events = replace(QUICK, patience=replace(QUICK.patience, first_poll_s=5.0, longest_poll_s=5.0))
        async with (
            FakeComfy(Script(previews=[large])).serving() as server,
            ComfyClient(server.url, options=by_events) as client,
        ):
            live, prompt_id = LiveRun(), str(uuid.uuid4())
            client.attend(prompt_id, live)
            return await client.run(GRAPH, prompt_id=prompt_id, expect=IMAGE), server, live

    result, server, live = within(scenario())
    assert set(result.node_times_s) == {"1", "2"}, "the events after it were heard"
    assert len(server.client_ids) == 1, "and the connection held"
    assert live.look().preview is None or MAX_PREVIEW_BYTES >= 5 * 2**20


def test_a_client_that_does_not_read_stops_nobody_else(tmp_path: Path) -> None:
    async def scenario() -> None:
        with engine_process(tmp_path) as (_process, url):
            host, port = url.removeprefix("http://").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(UPGRADE)
            await reader.readuntil(b"\r\n\r\n")
            async with ComfyClient(url, options=QUICK) as client:
                for seed in range(5):
                    assert await client.run(still(seed), prompt_id=str(uuid.uuid4()), expect=IMAGE)
            writer.close()

    within(scenario())


# Ends that are not what they seem


def test_a_cancellation_that_comes_too_late_returns_the_result() -> None:
    async def scenario() -> Any:
        async with FakeComfy(Script(deaf=True)).serving() as server:
            server.release.clear()
            async with ComfyClient(server.url, options=QUICK) as client:
                cancel, prompt_id = asyncio.Event(), str(uuid.uuid4())
                work = asyncio.create_task(client.run(GRAPH, prompt_id=prompt_id, expect=IMAGE, cancel=cancel))
                await running(client, prompt_id, work)
                cancel.set()
                while not server.interrupts:
                    await asyncio.sleep(0.01)
                server.release.set()
                return await work

    assert isinstance(within(scenario()), RunResult)


@pytest.mark.parametrize("cancelled", [False, True], ids=["left alone", "cancelled"])
def test_a_worker_whose_thread_is_dead_is_told_from_a_slow_one(cancelled: bool) -> None:
    async def scenario() -> None:
        cancel = asyncio.Event()
        script = Script(ends="never", deaf=True)
        async with FakeComfy(script).serving() as server, ComfyClient(server.url, options=IMPATIENT) as client:
            prompt_id = str(uuid.uuid4())
            stall_s = 60.0 if cancelled else 0.3
            work = asyncio.create_task(
                client.run(GRAPH, prompt_id=prompt_id, expect=IMAGE, cancel=cancel, stall_s=stall_s)
            )
            await running(client, prompt_id, work)
            if cancelled:
                cancel.set()
            await work

    said = "does not end" if cancelled else "without any sign of life"
    with pytest.raises(StalledError, match=said) as caught:
        within(scenario())
    assert caught.value.retryable
    assert "estart" in caught.value.hint


def test_a_silent_blocker_is_no_success() -> None:
    error, _server = within(run_on(Script(outputs={})))
    assert isinstance(error, OutputMissingError)
    assert "blocked or muted" in error.hint


def test_an_error_that_the_server_calls_success_with_files_keeps_the_files() -> None:
    blocked = ["execution_error", {"node_id": "7", "exception_type": "ExecutionBlocked", "exception_message": "no"}]
    result, _server = within(run_on(Script(messages=[blocked])))
    assert isinstance(result, RunResult)
    assert not isinstance(result, PromptFailedError)


# Processes


def test_a_frozen_process_is_given_up_and_its_prompt_found_again(tmp_path: Path) -> None:
    graph, prompt_id = still(uuid.uuid4().int % 2**60, size=256, times=24), str(uuid.uuid4())

    async def scenario(process: subprocess.Popen[str], url: str) -> None:
        async with ComfyClient(url, timeout_s=0.3, options=IMPATIENT) as client:
            work = asyncio.create_task(client.run(graph, prompt_id=prompt_id, expect=IMAGE))
            await running(client, prompt_id, work)
            os.kill(process.pid, signal.SIGSTOP)
            with pytest.raises(ServerUnreachableError, match="did not answer in time"):
                await work
            os.kill(process.pid, signal.SIGCONT)
        async with ComfyClient(url) as client:
            again = await client.run(graph, prompt_id=prompt_id, expect=IMAGE)
            assert again.prompt_id == prompt_id
            assert not again.cached_nodes, "the first run was watched to its end"

    with engine_process(tmp_path) as (process, url):
        within(scenario(process, url))


def test_a_killed_process_is_unreachable_and_a_restarted_one_has_lost_the_prompt(tmp_path: Path) -> None:
    graph, patience = still(uuid.uuid4().int % 2**60, size=256, times=64), Patience(first_poll_s=0.02)

    async def killed(process: subprocess.Popen[str], url: str, restart: bool, again_root: Path) -> None:
        options = replace(IMPATIENT, patience=replace(patience, unreachable_s=20.0 if restart else 0.5))
        async with ComfyClient(url, options=options) as client:
            prompt_id = str(uuid.uuid4())
            work = asyncio.create_task(client.run(graph, prompt_id=prompt_id, expect=IMAGE))
            await running(client, prompt_id, work)
            process.kill()
            process.wait()
            if not restart:
                with pytest.raises(ServerUnreachableError):
                    await work
                return
            with engine_process(again_root, port=url.rsplit(":", 1)[1]):
                with pytest.raises(PromptLostError):
                    await work
                assert await client.run(still(1), prompt_id=str(uuid.uuid4()), expect=IMAGE), "the client goes on"

    for restart in (False, True):
        with engine_process(tmp_path / "engine") as (process, url):
            within(killed(process, url, restart, tmp_path / "engine"))


# Doors


def test_a_certificate_that_nobody_vouches_for_is_named(tmp_path: Path) -> None:
    pem = tmp_path / "self-signed.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(pem), "-out",
               str(tmp_path / "cert.pem"), "-days", "2", "-subj", "/CN=127.0.0.1",
               "-addext", "subjectAltName=IP:127.0.0.1"]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", pem)

    async def scenario() -> None:
        async with FakeComfy(Script()).serving(context) as server, ComfyClient(server.url, options=QUICK) as client:
            try:
                await client.run(GRAPH, prompt_id=str(uuid.uuid4()), expect=IMAGE)
            finally:
                assert server.posts == server.client_ids == []

    with pytest.raises(UntrustedCertificateError, match=r"The TLS certificate of https://127\S+ is not trusted"):
        within(scenario())


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"/queue": (200, "<!doctype html><title>Router</title>")}, "not JSON"),
        ({"/queue": (404, "")}, "status 404"),
        ({"/prompt": (413, "Maximum request body size exceeded")}, "status 413"),
        ({"/prompt": (403, "")}, "status 403"),
        ({"/prompt": (429, "slow down")}, "status 429"),
    ],
    ids=["a web page", "nothing there", "too large", "another origin", "a proxy's limit"],
)
def test_what_is_no_comfyui_or_refuses_says_so_with_a_hint(answers: dict[str, Any], message: str) -> None:
    error, server = within(run_on(Script(answers=answers)))
    assert isinstance(error, ServerResponseError)
    assert message in error.message
    assert error.hint
    assert server.posts == []


def test_a_download_that_breaks_off_is_tried_again_and_leaves_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        script = Script()
        async with FakeComfy(script).serving() as server, ComfyClient(server.url, options=QUICK) as client:
            result = await client.run(GRAPH, prompt_id=str(uuid.uuid4()), expect=IMAGE)
            script.cut_files = True
            with pytest.raises(ServerUnreachableError):
                await client.download(result.outputs[0], tmp_path / "a.png")
            assert list(tmp_path.iterdir()) == []
            asyncio.get_running_loop().call_later(0.005, setattr, script, "cut_files", False)
            await client.download(result.outputs[0], tmp_path / "a.png")
            assert (tmp_path / "a.png").exists()

    within(scenario())


@pytest.mark.parametrize("prompt_id", ["mine", str(uuid.UUID(int=15)).upper(), uuid.UUID(int=15).hex])
def test_a_prompt_id_that_newer_servers_refuse_is_never_sent(prompt_id: str) -> None:
    async def scenario() -> None:
        async with FakeComfy(Script()).serving() as server, ComfyClient(server.url, options=QUICK) as client:
            with pytest.raises(ValueError, match="canonical"):
                await client.run(GRAPH, prompt_id=prompt_id, expect=IMAGE)
            assert server.posts == []

    within(scenario())


def test_somebody_else_s_interruption_is_one_and_retryable() -> None:
    error, _server = within(run_on(Script(ends="interrupted")))
    assert isinstance(error, PromptInterruptedError)
    assert error.retryable
