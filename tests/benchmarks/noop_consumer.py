"""One consumer process whose takes are empty: everything of `jobs` and of the queue is real but the GPU work.

``python -m tests.benchmarks.noop_consumer STARTS`` runs until SIGTERM, then writes task, attempt and the second at
which each task's body began into the file STARTS, one a line. Settings come from the environment, as for
``python -m jobs``; ``NOOP_S`` is how many seconds each body sleeps, ``NOOP_FAILS`` a file with the keys of tasks whose
body fails as if its machine had gone.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Any

from jobs.__main__ import serve
from x121lib.base.settings import Settings
from x121lib.pipeline import flow
from x121lib.pipeline.claims import begin
from x121lib.scheduling import recording, warmth, workers
from x121lib.scheduling import service as queue
from x121lib.studio import Studio
from x121lib.terms.vocabulary import WorkerStatus


class NoopWork:
    """`Studio.work` with an empty body in the place of ComfyUI's; the rest is handed on."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._work = studio.work
        self._body_s = float(os.environ.get("NOOP_S", "0"))
        self._fails = Path(os.environ.get("NOOP_FAILS", os.devnull))
        self.began: list[tuple[str, int, float]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._work, name)

    def check_workers(self) -> None:
        """Report every simulated worker as healthy: what its takes met says nothing of it."""
        house = self._studio.house
        with house.database.transaction() as session:
            ailing = [w.id for w in workers.list_workers(session) if w.status_id == WorkerStatus.DEGRADED]
            for key in ailing:
                workers.record_health(session, workers.HealthReport(key, ok=True), house.now())

    def look_after_hosts(self) -> None:
        """They have no hosts either."""

    def run_key(self, task_id: str, attempt_number: int, is_started: bool = False) -> None:
        """Claim the attempt as every take is claimed, do nothing, and record it in a transaction of its own."""
        house, key = self._studio.house, uuid.UUID(task_id)
        try:
            if not is_started:
                begin(house, key, attempt_number)
            self.began.append((task_id, attempt_number, time.time()))
        except queue.LeaseLostError:
            return
        if self._body_s:
            time.sleep(self._body_s)
        if task_id in self._fails.read_text():
            failure = queue.Failure("noop.fails", "It fails at once.", machine=True)
            with house.database.transaction() as session:
                flow.fail_attempt(session, key, attempt_number, house.now(), failure)
            return
        timing = queue.Timing(run_s=0.001)
        done = recording.complete(house.database.at_once, (key, attempt_number), house.now(), timing)
        if done is not None and warmth.is_news(done):
            with house.database.transaction() as session:
                warmth.follow(session, done)


def main() -> None:
    """Run until SIGTERM."""
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    with Studio.open(settings=Settings()) as studio:
        work = NoopWork(studio)
        serve(studio, work, stopping)
        Path(sys.argv[1]).write_text("".join(f"{task} {number} {at:.6f}\n" for task, number, at in work.began))


if __name__ == "__main__":
    main()
