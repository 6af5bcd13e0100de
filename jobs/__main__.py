"""One consumer process: ``python -m jobs``. Ends with its parent; SIGTERM and SIGINT end it cleanly."""

from __future__ import annotations

import gc
import os
import signal
import threading
from types import FrameType
from typing import Any

from huey.consumer import Consumer

from jobs.app import give_back, make_huey, register
from jobs.delivery import Delivery
from jobs.tick import Tick
from x121lib import Studio
from x121lib.base.errors import X121Error
from x121lib.base.log import get_logger, setup_logging
from x121lib.base.process import die_with_parent
from x121lib.base.settings import Settings

_log = get_logger("jobs")


class _Consumer(Consumer):
    """A Huey consumer that leaves signals to this module."""

    def _set_signal_handlers(self) -> None:
        """Signals are handled by `main`."""


def _end_with_thread(failed: threading.ExceptHookArgs) -> None:
    """End the process when a thread that work depends on dies of a fault: `x121 up` starts a new one at once."""
    name = failed.thread.name if failed.thread else "unknown"
    _log.critical("thread %s died", name, exc_info=failed.exc_value)
    if name in ("tick", "upkeep", "health", "hosts", "reactions", "triggers", "webhooks"):
        os._exit(70)


def _stop_on_signals() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return stopping


def serve(studio: Studio, work: Any, stopping: threading.Event) -> None:
    """Run Huey's workers and the tick until ``stopping`` is set; ``work`` is what they call."""
    settings = studio.settings
    redis_url = settings.queue_url.get_secret_value() if settings.queue_url else None
    huey = make_huey(studio.house.database.url, redis_url)
    delivery = Delivery(huey, work, register(huey, work))

    consumer = _Consumer(huey, workers=settings.consumer_slots, worker_type="thread", periodic=False,
                         initial_delay=0.05, max_delay=0.5, check_worker_health=True)  # fmt: skip
    consumer.start()
    tick = Tick(studio, work, delivery)
    tick.start()
    gc.collect()
    gc.freeze()  # what is loaded now stays: no collection walks over it in the middle of a dispatch
    _log.info("consumer %s runs with %s slots", os.getpid(), settings.consumer_slots)
    stopping.wait()
    tick.stop()
    consumer.stop()
    give_back(huey)


def main() -> None:
    """Run the consumer until it is asked to end; running attempts are given back to the queue first."""
    die_with_parent()
    settings = Settings()
    setup_logging(settings.log_dir, "consumer", settings.log_level)
    threading.excepthook = _end_with_thread
    stopping = _stop_on_signals()
    studio = Studio.open(settings=settings)
    if swept := studio.work.sweep_leftovers():
        _log.info("%s files and folders of killed processes were deleted", swept)
    studio.work.prune_traces()
    studio.reactions.prune()
    serve(studio, studio.work, stopping)
    try:
        released = studio.work.release_all()
        _log.info("consumer %s ends, %s attempts given back", os.getpid(), released)
        studio.close()
    except X121Error as error:
        _log.warning("consumer %s ends; the leases of what it ran will run out: %s", os.getpid(), error)
    os._exit(0)  # attempts in other threads were given back; nothing they still do can be recorded


if __name__ == "__main__":
    main()
