"""One procrastinate worker process with an empty task: the peer of `noop_consumer`.

``python -m tests.benchmarks.peer_consumer URL CONCURRENCY STARTS`` runs until SIGTERM, then writes each job's number
and the second at which its body began into the file STARTS, one a line.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import procrastinate

TASK = "noop"


def make_app(url: str, concurrency: int) -> procrastinate.App:
    """Return an application on a database, with connections enough for every job and the listener."""
    connector = procrastinate.PsycopgConnector(conninfo=url, min_size=2, max_size=concurrency + 4)
    return procrastinate.App(connector=connector)


async def work(url: str, concurrency: int, starts: Path) -> None:
    """Run jobs until a signal asks for the end."""
    app, began = make_app(url, concurrency), list[tuple[int, float]]()

    async def noop(n: int) -> None:
        began.append((n, time.time()))

    app.task(name=TASK)(noop)

    async with app.open_async():
        await app.run_worker_async(concurrency=concurrency)
    starts.write_text("".join(f"{n} {at:.6f}\n" for n, at in began))


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
