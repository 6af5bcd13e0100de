"""Threads that share one connection per server: prompts keep apart, idle connections close, an end ends all."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.contract.client.test_faults import GRAPH, IMAGE, within
from tests.contract.client.test_servers import still
from x121lib.comfyui import ComfyClient, OutputKind, discover_slots
from x121lib.comfyui.bridge import Bridge
from x121lib.comfyui.engine import start_engine
from x121lib.comfyui.errors import OutputMissingError, ServerUnreachableError
from x121lib.comfyui.render import Rendered, RenderOrder, render
from x121lib.testing.fake_comfyui import FakeComfy, Script


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    """Return a bridge that is closed afterwards."""
    made = Bridge(idle_s=0.2)
    yield made
    made.close()


def made_on(bridge: Bridge, url: str, seed: int, folder: Path) -> Rendered:
    """Render a still in the calling thread."""
    graph = still(seed)
    order = RenderOrder(url, uuid.uuid4(), graph, tuple(discover_slots(graph)), (), {}, OutputKind.IMAGE)
    return bridge.run(url, lambda client: render(client, order, folder))


@pytest.mark.capability("PRD-05/several-comfyui-servers-at-once")
def test_threads_share_servers_and_keep_their_own_outputs(bridge: Bridge, tmp_path: Path) -> None:
    engines = [start_engine(tmp_path / name) for name in ("a", "b")]
    seeds = [uuid.uuid4().int % 2**60 for _ in range(8)]
    try:
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda i: made_on(bridge, engines[i % 2].url, seeds[i], tmp_path), range(8)))
    finally:
        for engine in engines:
            engine.stop()
    assert [one.run.outputs[0].filename.split("_")[0] for one in made] == [f"t{seed}" for seed in seeds]
    assert len({one.path.read_bytes() for one in made}) == 8


def test_one_socket_serves_all_prompts_of_a_server_and_closes_when_idle(bridge: Bridge) -> None:
    async def run(client: ComfyClient) -> str:
        return (await client.run(GRAPH, prompt_id=str(uuid.uuid4()), expect=IMAGE)).prompt_id

    def use(url: str) -> set[str]:
        with ThreadPoolExecutor(3) as pool:
            return set(pool.map(lambda _: bridge.run(url, run), range(6)))

    async def scenario() -> None:
        async with FakeComfy(Script()).serving() as server:
            loop = asyncio.get_running_loop()
            assert len(await loop.run_in_executor(None, use, server.url)) == 6
            assert len(server.client_ids) == 1
            while server.n_sockets:
                await asyncio.sleep(0.02)
            assert len(await loop.run_in_executor(None, use, server.url)) == 6
            assert len(set(server.client_ids)) == 2

    within(scenario())


def test_an_error_reaches_the_caller_and_the_next_call_works(bridge: Bridge, tmp_path: Path) -> None:
    with pytest.raises(ServerUnreachableError):
        made_on(bridge, "http://127.0.0.1:9", 1, tmp_path)
    engine = start_engine(tmp_path / "engine")
    assert made_on(bridge, engine.url, 2, tmp_path).path.exists()
    engine.stop()


def test_closing_cancels_what_waits_and_a_later_call_starts_anew(bridge: Bridge, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "engine")
    outcome: list[Any] = []
    begun = threading.Event()

    def wait() -> None:
        async def work(client: ComfyClient) -> None:
            begun.set()
            await client.run(still(3, size=512, times=64), prompt_id=str(uuid.uuid4()), expect=IMAGE)

        try:
            bridge.run(engine.url, work)
        except CancelledError as error:
            outcome.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    assert begun.wait(10)
    bridge.close()
    thread.join(timeout=10)
    assert len(outcome) == 1
    assert made_on(bridge, engine.url, 4, tmp_path).path.exists()
    engine.stop()


def test_a_cached_output_whose_file_is_gone_is_an_error_here_too(bridge: Bridge, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "engine")
    try:
        made_on(bridge, engine.url, 5, tmp_path)
        for path in (tmp_path / "engine" / "output").rglob("t5_*.png"):
            path.unlink()
        with pytest.raises(OutputMissingError) as caught:
            made_on(bridge, engine.url, 5, tmp_path)
    finally:
        engine.stop()
    assert caught.value.cached
    assert uuid.UUID(caught.value.prompt_id)
