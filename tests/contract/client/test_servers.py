"""The client on a real server process: what it promises on any ComfyUI."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import pytest

from x121lib.comfyui import ComfyClient, Graph, OutputKind, Progress
from x121lib.comfyui.errors import OutputMissingError, PromptInterruptedError, PromptRejectedError

T = TypeVar("T")
IMAGE = frozenset({OutputKind.IMAGE})


def still(seed: int, *, size: int = 32, times: int = 1) -> Graph:
    """Return noise of a seed, saved; ``times`` repeats the work."""
    grey = {"width": size, "height": size, "batch_size": times, "color": 0x808080}
    return {
        "1": {"class_type": "EmptyImage", "inputs": grey},
        "2": {"class_type": "ImageAddNoise", "inputs": {"image": ["1", 0], "seed": seed, "strength": 0.3}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": f"x121/t{seed}"}},
    }


def on(url: str, work: Callable[[ComfyClient], Coroutine[Any, Any, T]]) -> T:
    """Run ``work`` with a client; a hang is a failure."""

    async def limited() -> T:
        async with asyncio.timeout(60), ComfyClient(url) as client:
            return await work(client)

    return asyncio.run(limited())


def test_run_reports_progress_and_downloads_what_the_server_made(comfyui_url: str, tmp_path: Path) -> None:
    seen: list[Progress] = []
    seed = uuid.uuid4().int % 2**60

    async def work(client: ComfyClient) -> str:
        result = await client.run(still(seed), prompt_id=str(uuid.uuid4()), expect=IMAGE, on_progress=seen.append)
        assert result.server_version == (await client.system_stats()).comfyui_version
        return await client.download(result.outputs[0], tmp_path / "a.png")

    digest = on(comfyui_url, work)
    assert hashlib.sha256((tmp_path / "a.png").read_bytes()).hexdigest() == digest
    picture = cv2.imread(str(tmp_path / "a.png"))
    assert picture is not None
    assert picture.shape == (32, 32, 3)
    assert seen[-1].fraction == 1.0


def test_same_prompt_id_runs_once(comfyui_url: str) -> None:
    seed, prompt_id = uuid.uuid4().int % 2**60, str(uuid.uuid4())

    async def work(client: ComfyClient) -> None:
        first = await client.run(still(seed), prompt_id=prompt_id, expect=IMAGE)
        async with ComfyClient(client.base_url) as another_process:
            again = await another_process.run(still(seed), prompt_id=prompt_id, expect=IMAGE)
        assert first.outputs == again.outputs
        assert "3" not in again.cached_nodes  # a second execution would find it cached

    on(comfyui_url, work)


def test_fully_cached_run_still_has_its_outputs(comfyui_url: str) -> None:
    seed = uuid.uuid4().int % 2**60

    async def work(client: ComfyClient) -> None:
        first = await client.run(still(seed), prompt_id=str(uuid.uuid4()), expect=IMAGE)
        again = await client.run(still(seed), prompt_id=str(uuid.uuid4()), expect=IMAGE)
        assert again.outputs == first.outputs
        assert again.cached_nodes == {"1", "2", "3"}

    on(comfyui_url, work)


def test_many_prompts_at_once_keep_their_own_outputs(comfyui_url: str) -> None:
    seeds = [uuid.uuid4().int % 2**60 for _ in range(6)]

    async def work(client: ComfyClient) -> None:
        runs = [client.run(still(seed), prompt_id=str(uuid.uuid4()), expect=IMAGE) for seed in seeds]
        results = await asyncio.gather(*runs)
        assert [result.outputs[0].filename.split("_")[0] for result in results] == [f"t{seed}" for seed in seeds]

    on(comfyui_url, work)


def test_upload_returns_the_name_to_load_and_keeps_other_bytes_apart(comfyui_url: str) -> None:
    folder = f"x121-{uuid.uuid4().hex[:8]}"

    def png(value: int) -> bytes:
        return cv2.imencode(".png", np.full((8, 8, 3), value, np.uint8))[1].tobytes()

    async def work(client: ComfyClient) -> None:
        first = await client.upload(png(10), name="café au lait.png", subfolder=folder)
        same = await client.upload(png(10), name="café au lait.png", subfolder=folder)
        other = await client.upload(png(20), name="café au lait.png", subfolder=folder)
        assert first == same != other
        assert first.isascii()
        assert first.startswith(f"{folder}/")
        graph = {
            "1": {"class_type": "LoadImage", "inputs": {"image": other}},
            "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x121/up"}},
        }
        assert (await client.run(graph, prompt_id=str(uuid.uuid4()), expect=IMAGE)).outputs

    on(comfyui_url, work)


def test_refused_graph_names_what_is_wrong(comfyui_url: str) -> None:
    graph = still(1)
    graph["3"]["inputs"].pop("images")
    graph["3"]["inputs"]["other"] = ["2", 0]

    async def work(client: ComfyClient) -> None:
        await client.run(graph, prompt_id=str(uuid.uuid4()), expect=IMAGE)

    with pytest.raises(PromptRejectedError, match=r"node 3 \(SaveImage\).*images"):
        on(comfyui_url, work)


def test_success_without_the_wanted_kind_is_an_error(comfyui_url: str) -> None:
    async def work(client: ComfyClient) -> None:
        await client.run(still(2), prompt_id=str(uuid.uuid4()), expect=frozenset({OutputKind.VIDEO}))

    with pytest.raises(OutputMissingError, match="without any video"):
        on(comfyui_url, work)


def test_cancelling_a_running_prompt_leaves_the_next_one_alone(comfyui_url: str) -> None:
    async def work(client: ComfyClient) -> None:
        cancel, running = asyncio.Event(), asyncio.Event()
        long = client.run(
            still(uuid.uuid4().int % 2**60, size=512, times=64),
            prompt_id=str(uuid.uuid4()),
            expect=IMAGE,
            cancel=cancel,
            on_progress=lambda p: running.set() if p.state == "running" else None,
        )
        first = asyncio.create_task(long)
        await running.wait()
        seed = uuid.uuid4().int % 2**60
        second = asyncio.create_task(client.run(still(seed), prompt_id=str(uuid.uuid4()), expect=IMAGE))
        cancel.set()
        with pytest.raises(PromptInterruptedError):
            await first
        assert (await second).outputs

    on(comfyui_url, work)
