"""The client against scripted faults: what it does when a server loses, repeats, hides or breaks things."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from x121lib.comfyui import ClientOptions, ComfyClient, OutputKind, Patience, Progress, RunResult
from x121lib.comfyui.errors import (
    ComfyError,
    OutputMissingError,
    PromptFailedError,
    PromptInterruptedError,
    PromptLostError,
    PromptRejectedError,
    ServerResponseError,
    ServerUnreachableError,
    StalledError,
)
from x121lib.testing.fake_comfyui import FakeComfy, Script

GRAPH = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
}
IMAGE = frozenset({OutputKind.IMAGE})
QUICK = ClientOptions(
    open_wait_s=1.0,
    again_s=(0.01, 0.01),
    look_again_s=0.01,
    patience=Patience(first_poll_s=0.02, longest_poll_s=0.05, unreachable_s=0.5),
)
T = TypeVar("T")


def within(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine; a hang is a failure."""

    async def limited() -> T:
        async with asyncio.timeout(20):
            return await work

    return asyncio.run(limited())


async def run_on(script: Script, options: ClientOptions = QUICK, timeout_s: float = 5.0, **run: Any) -> tuple[Any, Any]:
    """Run `GRAPH` once on a scripted server; return (result or error, server)."""
    run.setdefault("expect", IMAGE)
    async with (
        FakeComfy(script).serving() as server,
        ComfyClient(server.url, timeout_s=timeout_s, options=options) as c,
    ):
        try:
            return await c.run(GRAPH, prompt_id=str(uuid.uuid4()), **run), server
        except ComfyError as error:
            return error, server


def test_healthy_run_reports_times_and_progress_to_the_end() -> None:
    seen: list[Progress] = []
    result, server = within(run_on(Script(), on_progress=seen.append))
    assert isinstance(result, RunResult)
    assert (result.queue_s, result.run_s, result.server_version) == (0.5, 2.0, "9.9")
    assert result.cached_nodes == {"1"}
    assert set(result.node_times_s) == {"1", "2"}
    assert [output.filename for output in result.outputs] == ["a.png"]
    assert seen[-1].fraction == 1.0
    assert [p.fraction for p in seen] == sorted(p.fraction for p in seen)
    assert len(server.posts) == 1


def test_unanswered_submission_that_was_queued_is_not_repeated() -> None:
    result, server = within(run_on(Script(post_hangs=1), timeout_s=0.3))
    assert isinstance(result, RunResult)
    assert len(server.posts) == 1


def test_status_500_for_a_queued_prompt_is_not_repeated() -> None:
    result, server = within(run_on(Script(post_status=[500])))
    assert isinstance(result, RunResult)
    assert len(server.posts) == 1


def test_status_503_without_a_queued_prompt_is_repeated_under_the_same_id() -> None:
    result, server = within(run_on(Script(post_status=[503], queue_on_error=False)))
    assert isinstance(result, RunResult)
    assert len(server.posts) == 2
    assert len(set(server.posts)) == 1


def test_lasting_500_is_an_error_after_three_submissions() -> None:
    error, server = within(run_on(Script(post_status=[500] * 9, queue_on_error=False)))
    assert isinstance(error, ServerResponseError)
    assert error.status == 500
    assert len(server.posts) == 3


def test_dropped_socket_leaves_polling_and_a_new_client_id() -> None:
    async def scenario() -> tuple[RunResult, FakeComfy]:
        async with FakeComfy(Script(drop_sockets=True)).serving() as server:
            server.release.clear()
            async with ComfyClient(server.url, options=QUICK) as client:
                work = asyncio.create_task(client.run(GRAPH, prompt_id=str(uuid.uuid4()), expect=IMAGE))
                while len(server.client_ids) < 2:
                    await asyncio.sleep(0.01)
                server.release.set()
                return await work, server

    result, server = within(scenario())
    assert result.outputs
    assert len(set(server.client_ids)) == len(server.client_ids) == 2


@pytest.mark.parametrize("options", [QUICK, replace(QUICK, events=False)], ids=["socket refused", "no socket wanted"])
def test_runs_without_a_socket(options: ClientOptions) -> None:
    quick = replace(options, open_wait_s=0.1)
    result, _server = within(run_on(Script(refuse_sockets=True), quick))
    assert isinstance(result, RunResult)
    assert result.node_times_s == {}


def test_restart_with_an_empty_history_is_a_retryable_loss() -> None:
    error, _server = within(run_on(Script(ends="restart")))
    assert isinstance(error, PromptLostError)
    assert error.retryable


@pytest.mark.parametrize("late_s", [0.005, 0.3])
def test_history_that_comes_after_the_end_is_waited_for(late_s: float) -> None:
    result, _server = within(run_on(Script(late_history_s=late_s)))
    assert isinstance(result, RunResult)


def test_nan_tokens_are_read() -> None:
    result, _server = within(run_on(Script(raw_nan=True)))
    assert [output.filename for output in result.outputs] == ["a.png"]


def test_video_under_gifs_counts_as_video_and_odd_items_are_skipped() -> None:
    outputs = {
        "9": {
            "gifs": [{"filename": "v.mp4", "subfolder": "s", "type": "output", "frame_rate": 24.0}],
            "text": ["hello"],
            "odd": [None, 3, {"filename": None}],
            "flag": True,
        }
    }
    result, _server = within(run_on(Script(outputs=outputs), expect=frozenset({OutputKind.VIDEO})))
    assert [(o.filename, o.subfolder, o.kind) for o in result.outputs] == [("v.mp4", "s", OutputKind.VIDEO)]


def test_cached_output_whose_file_is_gone_is_an_error() -> None:
    outputs = {"1": {"images": [{"filename": "a.png", "subfolder": "", "type": "output"}]}}
    error, _server = within(run_on(Script(outputs=outputs, gone_files=frozenset({"a.png"}))))
    assert isinstance(error, OutputMissingError)
    assert error.cached


def test_success_without_the_expected_kind_is_an_error() -> None:
    error, _server = within(run_on(Script(), expect=frozenset({OutputKind.VIDEO})))
    assert isinstance(error, OutputMissingError)
    assert "video" in error.message


def test_blocked_execution_tells_the_blocker_s_message() -> None:
    blocked = ["execution_error", {"node_id": "7", "exception_type": "ExecutionBlocked", "exception_message": "no!"}]
    error, _server = within(run_on(Script(outputs={}, messages=[blocked])))
    assert isinstance(error, OutputMissingError)
    assert "Node 7 said: no!" in error.message


def test_stalled_prompt_is_interrupted_by_its_id() -> None:
    error, server = within(run_on(Script(ends="never"), stall_s=0.2))
    assert isinstance(error, StalledError)
    assert server.interrupts == [{"prompt_id": server.posts[0]}]


def test_rejection_names_node_class_and_reason() -> None:
    body = {
        "error": {"type": "prompt_outputs_failed_validation", "message": "Prompt outputs failed validation"},
        "node_errors": {
            "2": {
                "class_type": "SaveImage",
                "errors": [{"type": "required_input_missing", "message": "Required input is missing", "details": "x"}],
            }
        },
    }
    error, _server = within(run_on(Script(rejection=body)))
    assert isinstance(error, PromptRejectedError)
    assert "node 2 (SaveImage): Required input is missing (x)" in error.message
    assert not error.retryable


def test_partly_dropped_prompt_is_refused_and_cancelled() -> None:
    async def scenario() -> tuple[ComfyError, FakeComfy]:
        errors = {"2": {"errors": [{"message": "Value not in list", "details": "ckpt"}]}}
        async with FakeComfy(Script(node_errors=errors)).serving() as server, ComfyClient(server.url) as client:
            server.hold.set()
            with pytest.raises(PromptRejectedError) as caught:
                await client.run(GRAPH, prompt_id=str(uuid.uuid4()), expect=IMAGE)
            return caught.value, server

    error, server = within(scenario())
    assert "node 2 (SaveImage): Value not in list (ckpt)" in error.message
    assert server.deleted == server.posts


def test_failed_and_interrupted_prompts_are_told_apart() -> None:
    failed, _server = within(run_on(Script(ends="error")))
    assert isinstance(failed, PromptFailedError)
    assert (failed.node_id, failed.exception_message, failed.traceback) == ("2", "no disk\n", "line 1\nline 2\n")
    interrupted, _server = within(run_on(Script(ends="interrupted")))
    assert isinstance(interrupted, PromptInterruptedError)


@pytest.mark.parametrize("pending", [True, False], ids=["pending", "running"])
def test_cancel_deletes_a_waiting_prompt_and_interrupts_a_running_one(pending: bool) -> None:
    async def scenario() -> FakeComfy:
        async with (
            FakeComfy(Script(ends="never")).serving() as server,
            ComfyClient(server.url, options=QUICK) as client,
        ):
            if pending:
                server.hold.set()
            cancel = asyncio.Event()
            running = asyncio.Event()
            work = client.run(
                GRAPH,
                prompt_id=str(uuid.uuid4()),
                expect=IMAGE,
                cancel=cancel,
                on_progress=lambda p: running.set() if p.state == "running" or pending else None,
            )
            task = asyncio.create_task(work)
            await running.wait()
            cancel.set()
            with pytest.raises(PromptInterruptedError):
                await task
            return server

    server = within(scenario())
    assert (server.deleted, len(server.interrupts)) == ((server.posts, 0) if pending else ([], 1))


def test_a_known_prompt_is_watched_instead_of_submitted() -> None:
    async def scenario() -> list[str]:
        async with FakeComfy(Script()).serving() as server, ComfyClient(server.url, options=QUICK) as client:
            prompt_id = str(uuid.uuid4())
            server.enqueue(prompt_id)
            first = await client.run(GRAPH, prompt_id=prompt_id, expect=IMAGE)
            again = await client.run(GRAPH, prompt_id=prompt_id, expect=IMAGE)
            assert first.outputs == again.outputs
            return server.posts

    assert within(scenario()) == []


def test_absent_server_is_unreachable_and_nothing_can_have_arrived() -> None:
    async def scenario() -> None:
        async with ComfyClient("http://127.0.0.1:9", options=QUICK) as client:
            await client.run(GRAPH, prompt_id=str(uuid.uuid4()), expect=IMAGE)

    with pytest.raises(ServerUnreachableError) as caught:
        within(scenario())
    assert caught.value.retryable
    assert not caught.value.may_have_arrived


def test_download_of_a_missing_file_leaves_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        script = Script()
        async with FakeComfy(script).serving() as server, ComfyClient(server.url, options=QUICK) as client:
            result = await client.run(GRAPH, prompt_id=str(uuid.uuid4()), expect=IMAGE)
            script.gone_files = frozenset({"a.png"})
            with pytest.raises(OutputMissingError):
                await client.download(result.outputs[0], tmp_path / "a.png")

    within(scenario())
    assert list(tmp_path.iterdir()) == []
