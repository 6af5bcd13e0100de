"""Many prompts on many servers in bad weather: none is lost, none is recorded twice, and memory stays flat."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from x121lib.comfyui import ClientOptions, ComfyClient, OutputKind, Patience
from x121lib.comfyui.errors import ComfyError
from x121lib.comfyui.render import RenderOrder, render

FULL = pytest.mark.skipif("X121_TEST_LOAD" not in os.environ, reason="takes minutes: set X121_TEST_LOAD=1")
AT_ONCE = 4
"""Takes at once on each server, as a consumer drives them."""
MOST_ATTEMPTS = 12
GROWTH_BYTES = 24 * 2**20
"""Allowed between a fifth of the work and its end: what a leak of 2 KB per prompt would exceed."""
OPTIONS = ClientOptions(
    open_wait_s=0.5, again_s=(0.05, 0.2), look_again_s=0.05,
    patience=Patience(hearing_poll_s=0.5, first_poll_s=0.05, longest_poll_s=0.25, unreachable_s=5.0, cancel_s=2.0),
)  # fmt: skip


class Ledger:
    """What was recorded, and how often it took another attempt."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.recorded: Counter[str] = Counter()
        self.retried: Counter[str] = Counter()
        self.early_bytes = 0

    def record(self, name: str, content: bytes) -> None:
        """Record a task's result; its content must be its own."""
        assert content == f"{name}.png".encode()
        self.recorded[name] += 1
        if sum(self.recorded.values()) == self.wanted // 5:
            self.early_bytes = psutil.Process().memory_info().rss


@contextmanager
def servers(number: int, weather: float, hang_s: float) -> Iterator[list[str]]:
    """Serve in a process of their own, with faults ``weather`` times as often as usual; yield the addresses.

    What answers late is late by ``hang_s`` seconds, what hangs for ever is restarted after three times that.
    """
    command = [sys.executable, "-m", "x121lib.testing.stormy_comfyui", "--servers", str(number), "--seed", "121",
               "--weather", str(weather), "--hang", str(hang_s)]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


async def make(client: ComfyClient, name: str, folder: Path, ledger: Ledger) -> None:
    """Make one task in as many attempts as it takes, each with a prompt of its own, as the pipeline does."""
    graph = {"1": {"class_type": "SaveText", "inputs": {"text": name, "filename_prefix": name}}}
    lost: list[uuid.UUID] = []
    for _ in range(MOST_ATTEMPTS):
        order = RenderOrder(client.base_url, uuid.uuid4(), graph, (), (), {}, OutputKind.IMAGE, tuple(lost), 2.0)
        try:
            rendered = await render(client, order, folder)
        except ComfyError as error:
            ledger.retried[error.code] += 1
            lost.append(order.prompt_id)
            continue
        ledger.record(name, rendered.path.read_bytes())
        rendered.path.unlink()
        return


async def storm(urls: list[str], n_prompts: int, folder: Path, timeout_s: float) -> Ledger:
    """Make ``n_prompts`` tasks on every server."""
    ledger = Ledger(len(urls) * n_prompts)

    async def on(url: str, number: int) -> None:
        names = iter([f"s{number}-{i}" for i in range(n_prompts)])

        async def worker(client: ComfyClient) -> None:
            for name in names:
                await make(client, name, folder, ledger)

        async with ComfyClient(url, timeout_s=timeout_s, options=OPTIONS) as client:
            await asyncio.gather(*(worker(client) for _ in range(AT_ONCE)))

    await asyncio.gather(*(on(url, number) for number, url in enumerate(urls)))
    return ledger


@pytest.mark.capability("PRD-05/several-comfyui-servers-at-once", "PRD-05/reconnect-and-reconcile-with-history")
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("n_servers", "n_prompts"), [(4, 25), pytest.param(16, 1000, marks=FULL)], ids=["4 x 25", "16 x 1000"]
)
def test_none_is_lost_and_none_is_recorded_twice(
    n_servers: int, n_prompts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.fsync", lambda _descriptor: None)  # 16,000 flushes would measure the disk
    began = time.monotonic()
    weather, timeout_s = (1.0, 1.0) if n_prompts >= 1000 else (2.0, 0.4)
    with servers(n_servers, weather, 1.5 * timeout_s) as urls:
        ledger = asyncio.run(storm(urls, n_prompts, tmp_path, timeout_s))
        seen: Counter[str] = Counter()
        for url in urls:
            seen.update(httpx.get(f"{url}/storm").json())
    names = {f"s{number}-{i}" for number in range(n_servers) for i in range(n_prompts)}
    assert set(ledger.recorded) == names
    assert set(ledger.recorded.values()) == {1}
    assert seen["doubles"] == 0, "a prompt was posted again although the server had it"
    assert list(tmp_path.iterdir()) == []
    grown = psutil.Process().memory_info().rss - ledger.early_bytes
    _report(n_servers * n_prompts, time.monotonic() - began, grown, dict(seen), dict(ledger.retried))
    if n_prompts >= 1000:
        assert grown < GROWTH_BYTES
        assert {fault for fault, count in seen.items() if not count} == {"doubles"}, "every other fault happened"


def _report(n: int, took_s: float, grown_bytes: int, seen: dict[str, Any], retried: dict[str, int]) -> None:
    print(f"{n} prompts in {took_s:.0f} s, {grown_bytes / 2**20:+.1f} MiB; servers: {seen}; retried: {retried}")  # noqa: T201
