"""One client, servers of every generation: each is spoken to in its own way, and nobody else's prompt is hit."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from typing import Any

import pytest

from tests.contract.client.test_faults import GRAPH, IMAGE, QUICK, run_on, within
from tests.contract.client.test_servers import on, still
from x121lib.comfyui import ClientOptions, ComfyClient, Patience, RunResult
from x121lib.comfyui.errors import (
    InterruptRefusedError,
    PromptInterruptedError,
    PromptLostError,
    PromptRejectedError,
    ServerResponseError,
    StalledError,
)
from x121lib.comfyui.generations import Cancelling
from x121lib.testing.fake_comfyui import FakeComfy, Script

FEATURES = {"supports_preview_metadata": True, "max_upload_size": 100 * 2**20}
OLD = Script(version="0.3.40", global_interrupt=True)
AIMED = Script(version="0.3.64", features=FEATURES)
JOBS = Script(version="0.25.0", features=FEATURES, has_jobs=True)
NEW = Script(version="0.28.0", features=FEATURES, has_jobs=True, can_cancel=True)
FORK = Script(version="unknown", has_jobs=True)
"""A build without a version that has jobs and no cancelling of them."""


LOOKS_OFTEN = ClientOptions(patience=Patience(hearing_poll_s=0.2))


async def cancelled_on(script: Script, *, pending: bool = False) -> tuple[Any, FakeComfy]:
    """Cancel a prompt that runs (or waits); return (result or error, server)."""
    options = replace(QUICK, patience=Patience(first_poll_s=0.02, longest_poll_s=0.05, cancel_s=5.0))
    async with (
        FakeComfy(replace(script)).serving() as server,
        ComfyClient(server.url, options=options) as client,
    ):
        (server.hold.set if pending else server.release.clear)()
        cancel, seen = asyncio.Event(), asyncio.Event()
        work = asyncio.create_task(
            client.run(
                GRAPH, prompt_id=str(uuid.uuid4()), expect=IMAGE, cancel=cancel,
                on_progress=lambda p: seen.set() if pending or p.state == "running" else None,
            )
        )  # fmt: skip
        await seen.wait()
        cancel.set()
        while not (server.interrupts or server.deleted or script.global_interrupt):
            if server.cancels and script.can_cancel:
                break
            await asyncio.sleep(0.01)
        if script.global_interrupt:
            await asyncio.sleep(0.1)  # time for what must not come
        server.release.set()
        (outcome,) = await asyncio.gather(work, return_exceptions=True)
        return outcome, server


@pytest.mark.parametrize(
    ("script", "calls"),
    [(AIMED, (1, 0)), (JOBS, (1, 0)), (NEW, (0, 1)), (FORK, (1, 1))],
    ids=["0.3.64", "0.25.0", "0.28.0", "a fork"],
)
def test_a_running_prompt_is_stopped_in_the_server_s_way(script: Script, calls: tuple[int, int]) -> None:
    outcome, server = within(cancelled_on(script))
    assert isinstance(outcome, PromptInterruptedError)
    assert (len(server.interrupts), len(server.cancels)) == calls
    assert all(body == {"prompt_id": server.posts[0]} for body in server.interrupts)


def test_no_global_interrupt_is_ever_sent_and_the_prompt_ends_by_itself() -> None:
    outcome, server = within(cancelled_on(OLD))
    assert isinstance(outcome, RunResult)
    assert (server.interrupts, server.cancels) == ([], [])


@pytest.mark.parametrize(("script", "deleted"), [(OLD, 1), (AIMED, 1), (NEW, 0)], ids=["0.3.40", "0.3.64", "0.28.0"])
def test_a_waiting_prompt_is_taken_out_on_every_generation(script: Script, deleted: int) -> None:
    outcome, server = within(cancelled_on(script, pending=True))
    assert isinstance(outcome, PromptInterruptedError)
    assert (len(server.deleted), len(server.cancels), server.interrupts) == (deleted, 1 - deleted, [])


def test_cancelling_by_hand_says_what_an_old_server_cannot_do() -> None:
    async def scenario() -> None:
        async with FakeComfy(replace(OLD)).serving() as server, ComfyClient(server.url, options=QUICK) as client:
            server.release.clear()
            prompt_id = str(uuid.uuid4())
            server.enqueue(prompt_id)
            while (await client.queue()).place(prompt_id) != 0:
                await asyncio.sleep(0.01)
            await client.cancel(prompt_id)

    with pytest.raises(InterruptRefusedError, match=r"ComfyUI 0\.3\.40 .* cannot interrupt one prompt alone"):
        within(scenario())


@pytest.mark.parametrize("script", [OLD, AIMED, NEW], ids=["0.3.40", "0.3.64", "0.28.0"])
def test_a_stalled_prompt_is_an_error_on_every_generation(script: Script) -> None:
    error, server = within(run_on(replace(script, ends="never"), stall_s=0.2))
    assert isinstance(error, StalledError)
    assert (len(server.interrupts), len(server.cancels)) == {"0.3.40": (0, 0), "0.3.64": (1, 0)}.get(
        script.version, (0, 1)
    )


def test_what_is_larger_than_the_server_takes_is_refused_unsent() -> None:
    async def scenario() -> FakeComfy:
        script = replace(AIMED, features={"max_upload_size": 17 * 2**20})
        async with FakeComfy(script).serving() as server, ComfyClient(server.url, options=QUICK) as client:
            assert await client.upload(bytes(17 * 2**20), name="a.png") == "a.png"
            with pytest.raises(ServerResponseError, match=r"b\.png has 18 MB; .* takes 17 MB"):
                await client.upload(bytes(18 * 2**20), name="b.png")
            graph = {**GRAPH, "3": {"class_type": "Note", "inputs": {"text": "x" * 18 * 2**20}}}
            with pytest.raises(ServerResponseError, match="workflow has 18 MB") as caught:
                await client.run(graph, prompt_id=str(uuid.uuid4()), expect=IMAGE)
            assert caught.value.status == 413
            return server

    server = within(scenario())
    assert (server.uploads, server.posts) == (1, [])


# On a server: the local engine, and a real ComfyUI where one is named.


def test_a_server_tells_its_generation(comfyui_url: str) -> None:
    async def work(client: ComfyClient) -> None:
        found = await client.generation()
        assert found.version == (await client.system_stats()).comfyui_version
        assert found.number is not None
        assert found.cancelling is not Cancelling.NONE
        assert found.upload_bytes == 100 * 2**20

    on(comfyui_url, work)


@pytest.mark.parametrize("waits", [True, False], ids=["waiting", "running"])
def test_cancelling_ends_this_prompt_and_no_other(comfyui_url: str, waits: bool) -> None:
    async def work(patient: ComfyClient) -> None:
        async with ComfyClient(patient.base_url, options=LOOKS_OFTEN) as client:
            await cancel_one(client)

    async def cancel_one(client: ComfyClient) -> None:
        ids = [str(uuid.uuid4()) for _ in range(3)]
        graphs = [still(uuid.uuid4().int % 2**60, size=256, times=n) for n in (48, 1, 1)]
        runs = [asyncio.create_task(client.run(g, prompt_id=i, expect=IMAGE)) for g, i in zip(graphs, ids, strict=True)]
        while (queue := await client.queue()).running != (ids[0],) or len(queue.pending) != 2:
            await asyncio.sleep(0.01)
        ended = runs[1] if waits else runs[0]
        await client.cancel(ids[runs.index(ended)])
        for run in runs:
            if run is not ended:
                assert (await run).outputs
        with pytest.raises(PromptLostError if waits else PromptInterruptedError):
            await ended

    on(comfyui_url, work)


def test_a_missing_class_is_named_by_every_generation(comfyui_url: str) -> None:
    graph = {**still(1), "7": {"class_type": "NoSuchNode", "inputs": {}, "_meta": {"title": "My node"}}}

    async def work(client: ComfyClient) -> None:
        await client.run(graph, prompt_id=str(uuid.uuid4()), expect=IMAGE)

    with pytest.raises(PromptRejectedError, match=r"node 7 \(NoSuchNode\)") as caught:
        on(comfyui_url, work)
    assert caught.value.missing_class == "NoSuchNode"
